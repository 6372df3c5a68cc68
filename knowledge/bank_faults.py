"""What can be wrong with the files of a bank beside each other, seen without their meaning."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from knowledge.entry import EntryId
from knowledge.entry_file import EntryFile
from knowledge.fault import Fault
from knowledge.normalise import normalise
from knowledge.phrasing_file import PhrasingFile

_ENDINGS: Final = " ?？!！。.…~"


@dataclass(frozen=True, slots=True, order=True)
class Wording:
    """A question or phrasing as it is written, where it stands, and the entry it asks for."""

    path: Path
    line: int
    entry: EntryId
    text: str


def wordings_of(files: Iterable[EntryFile | PhrasingFile]) -> Iterator[Wording]:
    """Every wording of ``files``, in their order."""
    for file in files:
        entry = file.entry if isinstance(file, PhrasingFile) else EntryId(file.path.stem)
        for wording in file.wordings:
            yield Wording(file.path, wording.line, entry, wording.name)


def bank_faults(
    folder: Path,
    files: Sequence[EntryFile],
    phrasing_files: Sequence[PhrasingFile],
    elsewhere: Collection[str] = (),
) -> Iterator[Fault]:
    """The faults of each file, and those that only show beside the other files of ``folder``.

    ``elsewhere`` are ids of another bank, which this one may relate to and must not take.
    """
    for file in (*files, *phrasing_files):
        yield from file.faults
    if not files:
        yield Fault(folder, 1, "there are no entries here")
    yield from _misplaced(folder, files)
    yield from _duplicate_ids(files)
    yield from _taken_ids(files, elsewhere)
    yield from _unknown_relations(files, elsewhere)
    yield from _unknown_entries(files, phrasing_files)
    yield from _duplicate_wordings([*files, *phrasing_files])


def _misplaced(folder: Path, files: Iterable[EntryFile]) -> Iterator[Fault]:
    for file in files:
        if file.path.parent.parent != folder:
            yield Fault(file.path, 1, "an entry lies in its topic's folder: <topic>/<id>.md")


def _duplicate_ids(files: Iterable[EntryFile]) -> Iterator[Fault]:
    seen: dict[str, Path] = {}
    for file in files:
        earlier = seen.setdefault(file.path.stem, file.path)
        if earlier != file.path:
            yield Fault(file.path, 1, f"the id {file.path.stem} is taken by {earlier}")


def _taken_ids(files: Iterable[EntryFile], elsewhere: Collection[str]) -> Iterator[Fault]:
    for file in files:
        if file.path.stem in elsewhere:
            yield Fault(file.path, 1, f"the common bank has an entry {file.path.stem} already")


def _unknown_relations(files: Sequence[EntryFile], elsewhere: Collection[str]) -> Iterator[Fault]:
    known_entries = {file.path.stem for file in files} | set(elsewhere)
    for file in files:
        for reference in file.related:
            if reference.name not in known_entries:
                yield Fault(file.path, reference.line, f"there is no entry {reference.name}")


def _unknown_entries(
    files: Iterable[EntryFile], phrasing_files: Iterable[PhrasingFile]
) -> Iterator[Fault]:
    known_entries = {file.path.stem for file in files}
    for file in phrasing_files:
        if file.entry not in known_entries:
            yield Fault(file.path, 1, f"there is no entry {file.entry}")


def _duplicate_wordings(files: Iterable[EntryFile | PhrasingFile]) -> Iterator[Fault]:
    seen: dict[str, Wording] = {}
    for wording in wordings_of(files):
        earlier = seen.setdefault(normalise(wording.text).strip(_ENDINGS), wording)
        if earlier is not wording:
            yield Fault(
                wording.path,
                wording.line,
                f"{wording.text!r} stands already at {earlier.path}:{earlier.line}",
            )
