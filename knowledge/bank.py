"""The bank: all entries, by id, the phrasings beside them, and the folders they are read from."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from knowledge.bank_faults import Wording, bank_faults, wordings_of
from knowledge.coverage_faults import coverage_faults
from knowledge.entry import Entry, EntryId
from knowledge.entry_file import EntryFile, read_entry_file
from knowledge.errors import BankError
from knowledge.example_faults import example_faults
from knowledge.fault import Fault
from knowledge.message_faults import message_faults
from knowledge.phrasing import Phrasing
from knowledge.phrasing_file import PhrasingFile, read_phrasing_file

QUESTIONS: Final = Path(__file__).parent / "questions"
"""The folder of the bank that ships with the tutor."""

_PHRASINGS: Final = "phrasings"


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
    faults = sorted(bank_faults(folder, files, phrasing_files, _ids(beside)))
    if faults:
        raise BankError(faults)
    entries = (file.entry for file in files if file.entry)
    return Bank(
        tuple(sorted(entries, key=lambda entry: (entry.topic, entry.id))),
        MappingProxyType({file.entry: file.phrasings for file in phrasing_files}),
    )


def check_bank(
    folder: Path = QUESTIONS,
    known_examples: Collection[str] | None = None,
    *,
    beside: Bank | None = None,
    complete: bool = False,
) -> tuple[Fault, ...]:
    """Every fault of the bank in ``folder`` and of its phrasings, in the order of files and lines.

    The names of examples are checked against ``known_examples`` where these are given, and
    otherwise for their form alone. A bank that is used ``beside`` another is judged as `load_bank`
    does it. A ``complete`` bank also needs as many phrasings as the one that ships holds.
    """
    files, phrasing_files = _read_files(folder), _read_phrasing_files(folder)
    faults = [*bank_faults(folder, files, phrasing_files, _ids(beside)), *message_faults(files)]
    if known_examples is not None:
        faults += example_faults(folder, files, known_examples)
    if complete:
        faults += coverage_faults(files, phrasing_files)
    return tuple(sorted(faults))


def read_wordings(folder: Path = QUESTIONS) -> tuple[Wording, ...]:
    """Every question and phrasing of the bank in ``folder``, in the order of files and lines."""
    return tuple(wordings_of([*_read_files(folder), *_read_phrasing_files(folder)]))


def _read_files(folder: Path) -> list[EntryFile]:
    return [read_entry_file(path) for path in sorted(folder.rglob("*.md"))]


def _read_phrasing_files(folder: Path) -> list[PhrasingFile]:
    return [read_phrasing_file(path) for path in sorted((folder.parent / _PHRASINGS).glob("*.tsv"))]


def _ids(bank: Bank | None) -> frozenset[str]:
    return frozenset(entry.id for entry in bank.entries) if bank else frozenset()
