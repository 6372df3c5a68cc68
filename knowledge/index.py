"""The index: a vector for each text, kept on disk, searched by inner product."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import numpy as np

from knowledge.encoder import Encoder, Vectors
from knowledge.errors import EncoderError, IndexMismatchError
from knowledge.index_file import Stored, read_index, write_index
from knowledge.index_kind import Growth
from knowledge.index_part import Found, Part, Rows, restored

_ENCODED_AT_ONCE: Final = 64
_USUAL: Final = Growth()

TextHash = str
"""Names a text by its content: SHA-256, hexadecimal."""


def text_hash(text: str) -> TextHash:
    """The name under which the index keeps the vector of ``text``."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class FaissIndex:
    """Vectors of one encoder, each under the content hash of its text, and in a row of its own.

    Rows count from 0 in the order in which vectors came, and one that was given up is not given
    again. An index never changes: `changed` and `updated` give another one, so that readers, in
    several threads if they like, see all of a change or nothing of it. Yet the other one costs
    only what changed, since both share the ``large`` part: what came after that was made lies in
    the small flat part ``recent``, and what went is hidden from searches. `Growth` says when both
    are folded into a copy of the large part, which needs its memory twice for that while, and
    when the large part changes from flat to lists or to more lists.

    ``large_rows`` and ``recent_rows`` are the rows of the names in each part, ascending; those of
    ``large`` that are hidden do not count.
    """

    model: str
    growth: Growth
    large: Part
    large_rows: Mapping[TextHash, int]
    recent: Part
    recent_rows: Mapping[TextHash, int]
    next_row: int

    @classmethod
    def of(
        cls, model: str, hashes: Sequence[TextHash], vectors: Vectors, growth: Growth = _USUAL
    ) -> Self:
        """An index of ``vectors``, shape (rows, dimension), whose rows ``hashes`` names in order.

        A name may repeat, then each of its rows is found; but such an index can be neither
        changed nor saved.

        Raises:
            ValueError: there are as many as make lists, and a vector's length is not 1.
        """
        size, dimension = vectors.shape
        lists = growth.lists_for(size)
        large = (
            Part.in_lists(lists, np.arange(size, dtype=np.int64), lambda rows: vectors[rows])
            if lists
            else Part.flat(vectors)
        )
        rows = {name: row for row, name in enumerate(hashes)}
        return cls(model, growth, large, rows, Part.empty(dimension), {}, size)

    @classmethod
    def empty(cls, model: str, dimension: int, growth: Growth = _USUAL) -> Self:
        """An index without vectors, for `changed` and `updated` to start from."""
        return cls.of(model, (), np.zeros((0, dimension), np.float32), growth)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self.large.dimension

    @property
    def hashes(self) -> tuple[TextHash, ...]:
        """The names of the texts, in the order of their rows."""
        return tuple(self.rows)

    @property
    def rows(self) -> Mapping[TextHash, int]:
        """The row of each text, ascending; put together anew at each call."""
        hidden = self.large.hidden
        shown = {name: row for name, row in self.large_rows.items() if row not in hidden}
        return {**shown, **self.recent_rows}

    def __len__(self) -> int:
        """How many vectors there are."""
        return len(self.large) + len(self.recent)

    def holds(self, texts: Sequence[str]) -> bool:
        """Whether the vector of every text is here."""
        return all(self._row(text_hash(text)) is not None for text in texts)

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """The vectors of ``texts``, in their order; each must be in the index (`KeyError`).

        A flat index gives them as they came. One with lists gives what their codes say, of length
        1 too; benchmarks/INDEX.md says how far that lies from the vector itself.
        """
        rows = [self._held_row(text_hash(text)) for text in texts]
        return self._vectors(np.array(rows, np.int64))

    def search(self, queries: Vectors, top_k: int) -> Found:
        """The ``top_k`` nearest rows of each query, or all of them where there are fewer.

        A flat index misses none. How many of them one with lists finds is measured in
        benchmarks/INDEX.md; where many are wanted, the farther ones are missed more often.
        """
        queries = np.ascontiguousarray(queries, np.float32)
        large = self.large.search(queries, top_k)
        if not len(self.recent):
            return large
        recent = self.recent.search(queries, top_k)
        rows = np.concatenate([large.rows, recent.rows], axis=1)
        scores = np.concatenate([large.scores, recent.scores], axis=1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :top_k]
        return Found(
            np.take_along_axis(rows, best, axis=1), np.take_along_axis(scores, best, axis=1)
        )

    def changed(
        self, removed: Collection[TextHash], added: Sequence[TextHash], vectors: Vectors
    ) -> Self:
        """An index without ``removed`` and with ``added``, whose ``vectors`` come in their order.

        A text that changes has another name: its old one is removed and its new one is added.

        Raises:
            KeyError: one of ``removed`` is not here.
            ValueError: one of ``added`` is here already or stands twice, names repeat in this
                index, or there are lists, old ones or now new ones, and a vector's length is
                not 1.
        """
        self._refuse_repeated_names()
        gone = {name: self._held_row(name) for name in removed}
        new = dict(zip(added, range(self.next_row, self.next_row + len(added)), strict=True))
        if len(new) < len(added) or any(
            self._row(name) is not None for name in new if name not in gone
        ):
            raise ValueError("a text is in the index already")
        kept = {name: row for name, row in self.recent_rows.items() if name not in gone}
        recent = self.recent.without(
            [row for name, row in gone.items() if name in self.recent_rows]
        )
        other = replace(
            self,
            large=self.large.without(
                [row for name, row in gone.items() if name not in self.recent_rows]
            ),
            recent=recent.grown(_array(new.values()), vectors) if new else recent,
            recent_rows={**kept, **new},
            next_row=self.next_row + len(added),
        )
        changes = other.recent.kept + len(other.large.hidden)
        due = self.growth.folds(changes, self.large.lists, len(other))
        return other._folded() if due else other  # noqa: SLF001 - it is another of this class

    def updated(
        self,
        texts: Sequence[str],
        encoder: Encoder,
        told: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> Self:
        """An index of exactly ``texts``, where only those that are not in this one are encoded.

        ``told`` is called with how many of how many texts are encoded.
        """
        wanted = {text_hash(text): text for text in texts}
        held = self.rows
        new = [name for name in wanted if name not in held]
        parts = [np.zeros((0, self.dimension), np.float32)]
        for start in range(0, len(new), _ENCODED_AT_ONCE):
            portion = new[start : start + _ENCODED_AT_ONCE]
            parts.append(_checked(encoder.encode_queries([wanted[name] for name in portion])))
            told(start + len(portion), len(new))
        removed = [name for name in held if name not in wanted]
        return self.changed(removed, new, np.concatenate(parts))

    def save(self, folder: Path) -> None:
        """Write the index to ``folder``; a reader finds the old one or the new one, never half.

        Raises:
            ValueError: names repeat in this index.
        """
        self._refuse_repeated_names()
        whole = self._folded()
        write_index(
            folder, Stored(self.model, self.dimension, whole.hashes, whole.large.serialised())
        )

    @classmethod
    def load(
        cls, folder: Path, model: str, dimension: int | None = None, growth: Growth = _USUAL
    ) -> Self:
        """The index in ``folder``; its rows may be numbered anew.

        Raises:
            IndexMissingError: there is none.
            IndexMismatchError: it is damaged, or it was made by another model or
                with another dimension.
        """
        stored = read_index(folder, model, dimension)
        large, rows = restored(stored.raw)
        if (len(rows), large.dimension) != (len(stored.names), stored.dimension):
            raise IndexMismatchError("the index's vectors and its manifest disagree")
        numbers: list[int] = rows.tolist()
        return cls(
            model=model,
            growth=growth,
            large=large,
            large_rows=dict(zip(stored.names, numbers, strict=True)),
            recent=Part.empty(stored.dimension),
            recent_rows={},
            next_row=max(numbers, default=-1) + 1,
        )

    def _folded(self) -> Self:
        """The same vectors, all in the large part."""
        if not self.recent.kept and not self.large.hidden:
            return self
        rows = self.rows
        lists = self.growth.lists_for(len(self))
        if lists > self.large.lists:
            large = Part.in_lists(lists, _array(rows.values()), self._vectors)
        else:
            recent = _array(self.recent_rows.values())
            large = self.large.grown(recent, self.recent.vectors(recent))
        return replace(
            self,
            large=large,
            large_rows=rows,
            recent=Part.empty(self.dimension),
            recent_rows={},
        )

    def _row(self, name: TextHash) -> int | None:
        recent = self.recent_rows.get(name)
        if recent is not None:
            return recent
        row = self.large_rows.get(name)
        return None if row in self.large.hidden else row

    def _held_row(self, name: TextHash) -> int:
        row = self._row(name)
        if row is None:
            raise KeyError(name)
        return row

    def _vectors(self, rows: Rows) -> Vectors:
        # Rows are handed out in order, so those of the recent part follow those of the large one.
        recent = rows >= min(self.recent_rows.values(), default=self.next_row)
        found = np.empty((len(rows), self.dimension), np.float32)
        found[recent] = self.recent.vectors(rows[recent])
        found[~recent] = self.large.vectors(rows[~recent])
        return found

    def _refuse_repeated_names(self) -> None:
        if len(self.large_rows) < self.large.kept:
            raise ValueError("an index in which names repeat can be neither changed nor saved")


def _array(rows: Collection[int]) -> Rows:
    return np.fromiter(rows, np.int64, len(rows))


def _checked(vectors: Vectors) -> Vectors:
    if not np.isfinite(vectors).all():
        raise EncoderError("the encoder gave vectors that are no numbers")
    return vectors
