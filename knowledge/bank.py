"""The bank: all entries, by id."""

from dataclasses import dataclass, field

from knowledge.entry import Entry, EntryId


@dataclass(frozen=True, slots=True)
class Bank:
    """The entries of a question bank, in the order of their topics and ids."""

    entries: tuple[Entry, ...]
    _by_id: dict[EntryId, Entry] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the entries by their id."""
        object.__setattr__(self, "_by_id", {entry.id: entry for entry in self.entries})

    def entry(self, entry_id: str) -> Entry | None:
        """The entry of that id, or None."""
        return self._by_id.get(EntryId(entry_id))
