"""One file of phrasings, ``<entry-id>.tsv``: read, with all that is wrong in it.

Each line is ``language<TAB>kind<TAB>text``, without a header.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from knowledge.entry import EntryId
from knowledge.entry_file import Reference
from knowledge.fault import Fault
from knowledge.language import Language
from knowledge.phrasing import Phrasing, PhrasingKind
from knowledge.wording import language_fault, length_fault

_COLUMNS: Final = ("language", "kind", "text")


@dataclass(frozen=True, slots=True)
class PhrasingFile:
    """The phrasings that a file adds to ``entry``; those with faults are not among them.

    ``wordings`` keep their lines, so that they can be compared with the rest of the bank.
    """

    path: Path
    entry: EntryId
    phrasings: tuple[Phrasing, ...]
    faults: tuple[Fault, ...]
    wordings: tuple[Reference, ...]


def read_phrasing_file(path: Path) -> PhrasingFile:
    """Read one file; never raises for what is written in it. Empty lines are skipped."""
    entry = EntryId(path.stem)
    try:
        # A spreadsheet that saves a table may put a byte order mark first.
        lines = path.read_text("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        return PhrasingFile(path, entry, (), (Fault(path, 1, "the file is not UTF-8"),), ())
    phrasings: list[Phrasing] = []
    wordings: list[Reference] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        read = _phrasing(line)
        if isinstance(read, Phrasing):
            phrasings.append(read)
            wordings.append(Reference(read.text, number))
        else:
            faults.extend(Fault(path, number, message) for message in read)
    if not phrasings and not faults:
        faults.append(Fault(path, 1, "there are no phrasings here"))
    return PhrasingFile(path, entry, tuple(phrasings), tuple(faults), tuple(wordings))


def _phrasing(line: str) -> Phrasing | list[str]:
    """The phrasing on ``line``, or what is wrong with it."""
    parts = [part.strip() for part in line.split("\t")]
    if len(parts) != len(_COLUMNS):
        named = ", ".join(_COLUMNS)
        return [f"a line has {len(_COLUMNS)} columns, {named}, with tabs between; not {len(parts)}"]
    language, kind, text = parts
    faults: list[str] = []
    if language not in list(Language):
        faults.append(f"the language is {' or '.join(Language)}, not {language!r}")
    if kind not in list(PhrasingKind):
        faults.append(f"there is no kind {kind!r}; there are {', '.join(PhrasingKind)}")
    if not text:
        faults.append("the text is empty")
    if faults:
        return faults
    faults.extend(filter(None, [language_fault(text, Language(language)), length_fault(text)]))
    return faults or Phrasing(Language(language), PhrasingKind(kind), text)
