"""One file of the bank: read into an entry, or into all that is wrong with it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from knowledge.entry import Entry, EntryId
from knowledge.entry_body import read_answers
from knowledge.fault import Fault
from knowledge.front_matter import FrontMatterError, Items, Table, Text, Value, read_document
from knowledge.language import Bilingual, Language
from knowledge.wording import language_fault, length_fault

_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ID_LENGTHS: Final = range(2, 49)
_KEY_POINTS: Final = range(3, 7)
_KEYS: Final = (
    "id",
    "topic",
    "question",
    "phrasings",
    "key_points",
    "related",
    "examples",
    "sources",
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that a file mentions, and where."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class EntryFile:
    """What a file holds. ``entry`` is None when it has faults.

    ``related``, ``examples`` and ``wordings`` (questions and phrasings) keep their lines, so that
    what can only be judged beside the rest of the bank can be judged later.
    """

    path: Path
    entry: Entry | None
    faults: tuple[Fault, ...]
    related: tuple[Reference, ...] = ()
    examples: tuple[Reference, ...] = ()
    wordings: tuple[Reference, ...] = ()


def is_id(text: str) -> bool:
    """Whether ``text`` can be an id: lower-case words joined by hyphens, 2 to 48 characters."""
    return len(text) in _ID_LENGTHS and _ID.fullmatch(text) is not None


def read_entry_file(path: Path) -> EntryFile:
    """Read one file; never raises for what is written in it."""
    try:
        document = read_document(path.read_text("utf-8"))
    except UnicodeDecodeError:
        return EntryFile(path, None, (Fault(path, 1, "the file is not UTF-8"),))
    except FrontMatterError as error:
        return EntryFile(path, None, (Fault(path, error.line, error.message),))
    head = _Head(path, document.head)
    head.check_keys("", document.head, _KEYS)
    entry_id = head.identifier("id", path.stem, "the file's name")
    topic = head.identifier("topic", path.parent.name, "the folder's name")
    question = head.question()
    phrasings = head.phrasings()
    key_points = head.key_points()
    related = head.references("related")
    examples = head.references("examples")
    sources = head.texts("sources")
    if "sources" in document.head.values and not sources:
        head.fault(document.head.lines["sources"], "an answer needs at least one source")
    for reference in related:
        if reference.name == entry_id:
            head.fault(reference.line, "the entry is related to itself")
    answers, body_faults = read_answers(document.body, document.body_line)
    faults = head.faults + [Fault(path, fault.line, fault.message) for fault in body_faults]
    entry = None
    if not faults and question:
        entry = Entry(
            id=EntryId(entry_id),
            topic=topic,
            question=question,
            phrasings_zh=tuple(text.value for text in phrasings[Language.ZH]),
            phrasings_en=tuple(text.value for text in phrasings[Language.EN]),
            key_points=key_points,
            related=tuple(EntryId(reference.name) for reference in related),
            examples=tuple(reference.name for reference in examples),
            sources=tuple(text.value for text in sources),
            answer_zh=answers[Language.ZH],
            answer_en=answers[Language.EN],
        )
    return EntryFile(
        path,
        entry,
        tuple(sorted(faults)),
        tuple(related),
        tuple(examples),
        tuple(
            Reference(text.value, text.line)
            for text in [*head.question_texts, *phrasings[Language.ZH], *phrasings[Language.EN]]
        ),
    )


class _Head:
    """Takes the front matter apart and collects what is wrong with it."""

    def __init__(self, path: Path, table: Table) -> None:
        self.path = path
        self.table = table
        self.faults: list[Fault] = []
        self.question_texts: list[Text] = []

    def fault(self, line: int, message: str) -> None:
        self.faults.append(Fault(self.path, line, message))

    def check_keys(self, where: str, table: Table, keys: Sequence[str]) -> None:
        for key, line in table.lines.items():
            if key not in keys:
                self.fault(line, f"unknown key {where}{key}")
        for key in keys:
            if key not in table.values:
                self.fault(table.line, f"the key {where}{key} is missing")

    def identifier(self, key: str, expected: str, named_by: str) -> str:
        value = self.table.values.get(key)
        if value is None:
            return ""
        text = self._text(key, value)
        if text is None:
            return ""
        if not is_id(text.value):
            self.fault(
                text.line,
                f"{key} must be lower-case words joined by hyphens, "
                f"{_ID_LENGTHS.start} to {_ID_LENGTHS.stop - 1} characters",
            )
        elif text.value != expected:
            self.fault(text.line, f"{key} is {text.value}, but {named_by} is {expected}")
        return text.value

    def question(self) -> Bilingual | None:
        value = self.table.values.get("question")
        if value is None:
            return None
        texts = self._bilingual("question", value)
        if texts is None:
            return None
        self.question_texts = [texts[0], texts[1]]
        return Bilingual(zh=texts[0].value, en=texts[1].value)

    def phrasings(self) -> dict[Language, list[Text]]:
        found: dict[Language, list[Text]] = {language: [] for language in Language}
        value = self.table.values.get("phrasings")
        if value is None:
            return found
        if not isinstance(value, Table):
            self.fault(value.line, "phrasings must have the keys zh and en")
            return found
        self.check_keys("phrasings.", value, list(Language))
        for language in Language:
            if language not in value.values:
                continue
            texts = self._text_list(f"phrasings.{language}", value.values[language])
            if not texts:
                self.fault(value.lines[language], f"phrasings.{language} has no phrasing")
            for text in texts:
                self._check_language(text, language)
                if message := length_fault(text.value):
                    self.fault(text.line, message)
            found[language] = texts
        return found

    def key_points(self) -> tuple[Bilingual, ...]:
        value = self.table.values.get("key_points")
        if value is None:
            return ()
        if not isinstance(value, Items):
            self.fault(value.line, "key_points must be a list")
            return ()
        if len(value.values) not in _KEY_POINTS:
            self.fault(
                self.table.lines["key_points"],
                f"there must be {_KEY_POINTS.start} to {_KEY_POINTS.stop - 1} key points, "
                f"not {len(value.values)}",
            )
        points = [self._bilingual("key_points", item) for item in value.values]
        return tuple(Bilingual(zh=zh.value, en=en.value) for zh, en in filter(None, points))

    def references(self, key: str) -> list[Reference]:
        references: list[Reference] = []
        for text in self.texts(key):
            if not is_id(text.value):
                self.fault(text.line, f"{key}: {text.value} cannot be an id")
            elif any(text.value == earlier.name for earlier in references):
                self.fault(text.line, f"{key} names {text.value} twice")
            references.append(Reference(text.value, text.line))
        return references

    def texts(self, key: str) -> list[Text]:
        value = self.table.values.get(key)
        return [] if value is None else self._text_list(key, value)

    def _text(self, key: str, value: Value) -> Text | None:
        if not isinstance(value, Text):
            self.fault(value.line, f"{key} must be one text (put it in quotes when it holds `: `)")
            return None
        if not value.value:
            self.fault(value.line, f"{key} is empty")
            return None
        return value

    def _text_list(self, key: str, value: Value) -> list[Text]:
        if not isinstance(value, Items):
            self.fault(value.line, f"{key} must be a list")
            return []
        texts = [self._text(key, item) for item in value.values]
        return [text for text in texts if text is not None]

    def _bilingual(self, key: str, value: Value) -> tuple[Text, Text] | None:
        if not isinstance(value, Table):
            self.fault(value.line, f"{key} must have the keys zh and en")
            return None
        self.check_keys(f"{key}.", value, list(Language))
        texts: list[Text] = []
        for language in Language:
            part = value.values.get(language)
            text = self._text(f"{key}.{language}", part) if part is not None else None
            if text is not None:
                self._check_language(text, language)
                texts.append(text)
        return (texts[0], texts[1]) if len(texts) == len(Language) else None

    def _check_language(self, text: Text, language: Language) -> None:
        if message := language_fault(text.value, language):
            self.fault(text.line, message)
