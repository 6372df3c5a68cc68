"""The bank: all entries, by id, the phrasings beside them, and the folders they are read from."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from knowledge.entry import Entry, EntryId
from knowledge.entry_file import EntryFile, read_entry_file
from knowledge.errors import BankError
from knowledge.fault import Fault
from knowledge.normalise import normalise
from knowledge.phrasing import Phrasing
from knowledge.phrasing_file import PhrasingFile, read_phrasing_file

QUESTIONS: Final = Path(__file__).parent / "questions"
"""The folder of the bank that ships with the tutor."""

_PHRASINGS: Final = "phrasings"
_ENDINGS: Final = " ?？!！。.…~"


@dataclass(frozen=True, slots=True)
class Bank:
    """The entries of a question bank, in the order of their topics and ids.

    ``phrasings`` are ways to ask for them beyond those in their own files. Retrieval learns from
    them; readers are not shown them.
    """

    entries: tuple[Entry, ...]
    phrasings: Mapping[EntryId, tuple[Phrasing, ...]] = field(
        default_factory=lambda: MappingProxyType({}), repr=False, hash=False
    )
    _by_id: dict[EntryId, Entry] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the entries by their id."""
        object.__setattr__(self, "_by_id", {entry.id: entry for entry in self.entries})

    def entry(self, entry_id: str) -> Entry | None:
        """The entry of that id, or None."""
        return self._by_id.get(EntryId(entry_id))

    def joined(self, other: "Bank") -> "Bank":
        """This bank's entries and then those of ``other``; no id may be in both."""
        return Bank(
            (*self.entries, *other.entries),
            MappingProxyType({**self.phrasings, **other.phrasings}),
        )


def load_bank(folder: Path = QUESTIONS, beside: Bank | None = None) -> Bank:
    """The bank in ``folder``, one file an entry: ``<topic>/<id>.md``.

    The phrasings lie in a folder beside it, one file an entry that has some:
    ``phrasings/<id>.tsv``. A bank that is used ``beside`` another may relate to the other's
    entries, and must not take their ids.

    Raises:
        BankError: there are faults or no entries; it holds every fault.
    """
    files = _read_files(folder)
    phrasing_files = _read_phrasing_files(folder)
    faults = _faults(folder, files, phrasing_files, beside=beside)
    if faults:
        raise BankError(faults)
    entries = (file.entry for file in files if file.entry)
    return Bank(
        tuple(sorted(entries, key=lambda entry: (entry.topic, entry.id))),
        MappingProxyType({file.entry: file.phrasings for file in phrasing_files}),
    )


def check_bank(
    folder: Path = QUESTIONS, known_examples: Collection[str] | None = None
) -> tuple[Fault, ...]:
    """Every fault of the bank in ``folder`` and of its phrasings, in the order of files and lines.

    The names of examples are checked against ``known_examples`` where these are given, and
    otherwise for their form alone.
    """
    files, phrasing_files = _read_files(folder), _read_phrasing_files(folder)
    return _faults(folder, files, phrasing_files, known_examples=known_examples)


def _read_files(folder: Path) -> list[EntryFile]:
    return [read_entry_file(path) for path in sorted(folder.rglob("*.md"))]


def _read_phrasing_files(folder: Path) -> list[PhrasingFile]:
    return [read_phrasing_file(path) for path in sorted((folder.parent / _PHRASINGS).glob("*.tsv"))]


def _faults(
    folder: Path,
    files: Sequence[EntryFile],
    phrasing_files: Sequence[PhrasingFile],
    *,
    known_examples: Collection[str] | None = None,
    beside: Bank | None = None,
) -> tuple[Fault, ...]:
    faults = [fault for file in (*files, *phrasing_files) for fault in file.faults]
    if not files:
        faults.append(Fault(folder, 1, "there are no entries here"))
    faults.extend(_misplaced(folder, files))
    elsewhere = {str(entry.id) for entry in beside.entries} if beside else set[str]()
    faults.extend(_duplicate_ids(files))
    faults.extend(_taken_ids(files, elsewhere))
    faults.extend(_unknown_names(files, elsewhere, known_examples))
    faults.extend(_unknown_entries(files, phrasing_files))
    faults.extend(_duplicate_wordings([*files, *phrasing_files]))
    return tuple(sorted(faults))


def _misplaced(folder: Path, files: Iterable[EntryFile]) -> Iterable[Fault]:
    for file in files:
        if file.path.parent.parent != folder:
            yield Fault(file.path, 1, "an entry lies in its topic's folder: <topic>/<id>.md")


def _duplicate_ids(files: Iterable[EntryFile]) -> Iterable[Fault]:
    seen: dict[str, Path] = {}
    for file in files:
        earlier = seen.setdefault(file.path.stem, file.path)
        if earlier != file.path:
            yield Fault(file.path, 1, f"the id {file.path.stem} is taken by {earlier}")


def _taken_ids(files: Iterable[EntryFile], elsewhere: Collection[str]) -> Iterable[Fault]:
    for file in files:
        if file.path.stem in elsewhere:
            yield Fault(file.path, 1, f"the common bank has an entry {file.path.stem} already")


def _unknown_names(
    files: Sequence[EntryFile], elsewhere: Collection[str], known_examples: Collection[str] | None
) -> Iterable[Fault]:
    known_entries = {file.path.stem for file in files} | set(elsewhere)
    for file in files:
        for reference in file.related:
            if reference.name not in known_entries:
                yield Fault(file.path, reference.line, f"there is no entry {reference.name}")
        if known_examples is None:
            continue
        for reference in file.examples:
            if reference.name not in known_examples:
                yield Fault(file.path, reference.line, f"there is no example {reference.name}")


def _unknown_entries(
    files: Iterable[EntryFile], phrasing_files: Iterable[PhrasingFile]
) -> Iterable[Fault]:
    known_entries = {file.path.stem for file in files}
    for file in phrasing_files:
        if file.entry not in known_entries:
            yield Fault(file.path, 1, f"there is no entry {file.entry}")


def _duplicate_wordings(files: Iterable[EntryFile | PhrasingFile]) -> Iterable[Fault]:
    seen: dict[str, tuple[Path, int]] = {}
    for file in files:
        for wording in file.wordings:
            key = normalise(wording.name).strip(_ENDINGS)
            path, line = seen.setdefault(key, (file.path, wording.line))
            if (path, line) != (file.path, wording.line):
                yield Fault(
                    file.path, wording.line, f"{wording.name!r} stands already at {path}:{line}"
                )
