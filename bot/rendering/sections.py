"""Sections: the parts of an explanation that begin with words in bold."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_HEADING: Final = re.compile(r"\*\*(?P<heading>[^*]+)\*\*")
_FENCE: Final = "```"


@dataclass(frozen=True, slots=True)
class Section:
    """``text`` is Markdown with its heading; ``heading`` is the words in bold, or empty."""

    heading: str
    text: str


def sections_of(explanation: str) -> tuple[Section, ...]:
    """The sections of ``explanation`` (Markdown) in their order, without their code blocks."""
    sections: list[Section] = []
    heading, lines = "", list[str]()
    for line in _without_code(explanation.split("\n")):
        found = _HEADING.match(line)
        if found is not None:
            sections.append(Section(heading, "\n".join(lines).strip()))
            heading, lines = found["heading"], []
        lines.append(line)
    sections.append(Section(heading, "\n".join(lines).strip()))
    return tuple(section for section in sections if section.text)


def _without_code(lines: Sequence[str]) -> list[str]:
    kept: list[str] = []
    fenced = False
    for line in lines:
        if line.lstrip().startswith(_FENCE):
            fenced = not fenced
        elif not fenced:
            kept.append(line)
    return kept
