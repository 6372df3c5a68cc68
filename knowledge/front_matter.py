"""The YAML at the head of an entry's file, read so that every value knows its line."""

from dataclasses import dataclass
from typing import Any, Final

import yaml

_FENCE: Final = "---"
# The loader in C is ten times as fast; it is missing where PyYAML was built without libyaml.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Text:
    """One value. A number or a yes is the text that was written."""

    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list of values."""

    values: tuple["Value", ...]
    line: int


@dataclass(frozen=True, slots=True)
class Table:
    """Keys with their values; ``lines`` says where each key stands."""

    values: dict[str, "Value"]
    lines: dict[str, int]
    line: int


Value = Text | Items | Table


class FrontMatterError(Exception):
    """The front matter cannot be read; ``line`` says where."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass(frozen=True, slots=True)
class Document:
    """A file cut in two. ``body_line`` is the line on which the body starts."""

    head: Table
    body: tuple[str, ...]
    body_line: int


def read_document(text: str) -> Document:
    """Cut ``text`` into front matter and body.

    Raises:
        FrontMatterError: there is no front matter, it is never closed, or it is no YAML mapping.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != _FENCE:
        raise FrontMatterError(1, "the file must start with front matter between two lines of ---")
    end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if end is None:
        raise FrontMatterError(1, "the front matter is never closed with ---")
    head = _read_yaml("\n".join(lines[1:end]))
    if not isinstance(head, Table):
        raise FrontMatterError(2, "the front matter must be `key: value` lines")
    return Document(head, tuple(lines[end + 1 :]), end + 2)


def _read_yaml(text: str) -> Value:
    # PyYAML says nothing of its types.
    compose: Any = yaml.compose  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    try:
        node: yaml.Node | None = compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 2
        raise FrontMatterError(line, f"this is no YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise FrontMatterError(2, f"this is no YAML: {error}") from error
    return Text("", 2) if node is None else _value(node)


def _value(node: yaml.Node) -> Value:
    line = node.start_mark.line + 2
    match node:
        case yaml.ScalarNode():
            empty = node.tag == "tag:yaml.org,2002:null"
            return Text("" if empty else node.value.strip(), line)
        case yaml.SequenceNode():
            return Items(tuple(_value(child) for child in node.value), line)
        case yaml.MappingNode():
            return _table(node, line)
        case _:
            raise FrontMatterError(line, "this kind of YAML is not understood here")


def _table(node: yaml.MappingNode, line: int) -> Table:
    values: dict[str, Value] = {}
    lines: dict[str, int] = {}
    for key, child in node.value:
        at = key.start_mark.line + 2
        name = key.value
        if not isinstance(name, str):
            raise FrontMatterError(at, "a key must be one word")
        if name in values:
            raise FrontMatterError(at, f"the key {name} stands here twice")
        values[name] = _value(child)
        lines[name] = at
    return Table(values, lines, line)
