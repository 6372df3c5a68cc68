"""A part of the index: vectors in FAISS, flat or in lists of 8-bit codes, each in its row."""

from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from knowledge.encoder import Vectors

_PROBED: Final = 0.998
"""The share of nearest neighbours that must lie in the lists which a query looks at.

The codes cost 0.005 to 0.007 of recall more, so that 0.99 are found. On 16,485 of the bank's own
lines in 512 lists, asked 1,000 others in three ways to part them, 0.997 gave 0.988 to 0.992 and
0.998 gave 0.991 to 0.993.
"""

_TRIAL_QUERIES: Final = 1024
_TRIAL_DEPTH: Final = 10
_POINTS_A_LIST: Final = 40
_PORTION: Final = 50_000
_FEW_QUERIES: Final = 8
_ROUNDING: Final = 1e-3
_BITS_OF_A_PLACE: Final = 32

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: for each query, best first, the rows and their inner products.

    Both arrays have the shape (queries, top_k).
    """

    rows: Rows
    scores: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A FAISS index whose ids are the rows; it stays as it is, however often it is shared.

    With 0 ``lists`` it is flat, and exact. With more it is an inverted file: the vectors lie in
    lists around k-means centres, each number as 8 bits of how far it is from its centre's, and a
    query looks only at the lists with the nearest centres. How many those are is found by trial
    when the lists are made: so many that they hold the share `_PROBED` of the nearest neighbours
    of some of the vectors.

    Inside, lists compare distances, not inner products. For vectors of length 1 the order is the
    same, but of a code's error only what points from the vector to the query counts, about a third.

    Searches pass over the rows in ``hidden``; `without` keeps ``shown``, FAISS's word for that, in
    step with it.
    """

    index: Any
    lists: int = 0
    hidden: frozenset[int] = frozenset()
    shown: Any = None

    @classmethod
    def empty(cls, dimension: int) -> "Part":
        """A flat part without vectors."""
        import faiss

        return cls(faiss.IndexIDMap2(faiss.IndexFlatIP(dimension)))

    @classmethod
    def flat(cls, vectors: Vectors) -> "Part":
        """A flat part of ``vectors``, in the rows from 0 on."""
        part = cls.empty(vectors.shape[1])
        part.index.add_with_ids(np.ascontiguousarray(vectors, np.float32), np.arange(len(vectors)))
        return part

    @classmethod
    def in_lists(cls, lists: int, rows: Rows, vectors_of: Callable[[Rows], Vectors]) -> "Part":
        """A part with ``lists``, of ``rows``; a portion of their vectors at a time is asked for.

        Raises:
            ValueError: a vector's length is not 1.
        """
        # A fixed seed, so that the same vectors give the same lists.
        drawn = np.random.default_rng(0).permutation(rows)
        part = _trained(lists, vectors_of(drawn[: lists * _POINTS_A_LIST]))
        for start in range(0, len(rows), _PORTION):
            portion = rows[start : start + _PORTION]
            part.index.add_with_ids(_of_length_1(vectors_of(portion)), portion)
        trial = drawn[:_TRIAL_QUERIES]
        part.index.nprobe = _lists_to_probe(part, trial, vectors_of(trial))
        return part

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.index.d)

    @property
    def kept(self) -> int:
        """How many vectors lie here, the hidden ones included."""
        return int(self.index.ntotal)

    def __len__(self) -> int:
        """How many vectors a search can find."""
        return self.kept - len(self.hidden)

    def vectors(self, rows: Rows) -> Vectors:
        """The vectors of ``rows``; from lists, what their codes say, stretched to length 1."""
        found: Vectors = self.index.reconstruct_batch(rows)
        return found / np.linalg.norm(found, axis=1, keepdims=True) if self.lists else found

    def search(self, queries: Vectors, top_k: int) -> Found:
        """The ``top_k`` nearest rows of each query, or all of them where there are fewer."""
        import faiss

        top_k = min(top_k, len(self))
        if not top_k:
            none = np.zeros((len(queries), 0))
            return Found(none.astype(np.int64), none.astype(np.float32))
        with _threads_for(len(queries)):
            if not self.lists:
                wanted: Any = faiss.SearchParameters()
                wanted.sel = self.shown
                scores, rows = self.index.search(queries, top_k, params=wanted)
                return Found(rows, scores)
            found = self._search_lists(queries, top_k, self.index.nprobe)
            short = (found.rows < 0).any(axis=1)
            if short.any():
                everywhere = self._search_lists(queries[short], top_k, self.lists)
                found.rows[short], found.scores[short] = everywhere.rows, everywhere.scores
            return found

    def _search_lists(self, queries: Vectors, top_k: int, probed: int) -> Found:
        """The nearest in the ``probed`` lists; the row is -1 where these have no more."""
        import faiss

        wanted: Any = faiss.SearchParametersIVF()
        wanted.nprobe, wanted.sel = probed, self.shown
        distances, rows = self.index.search(queries, top_k, params=wanted)
        # |q - v|² = |q|² + |v|² - 2 q·v, and |v| is 1.
        squares = np.square(queries).sum(axis=1, keepdims=True)
        return Found(rows, (squares + 1 - distances) / 2)

    def without(self, rows: Collection[int]) -> "Part":
        """The same FAISS index, where searches pass over ``rows`` too."""
        import faiss

        if not rows:
            return self
        hidden = self.hidden.union(rows)
        passed_over = faiss.IDSelectorBatch(np.fromiter(hidden, np.int64, len(hidden)))
        return replace(self, hidden=hidden, shown=faiss.IDSelectorNot(passed_over))

    def grown(self, rows: Rows, vectors: Vectors) -> "Part":
        """A copy with ``vectors`` in ``rows``, which are new; what was hidden is left out.

        Raises:
            ValueError: there are lists, and a vector's length is not 1.
        """
        import faiss

        vectors = np.ascontiguousarray(vectors, np.float32)
        if self.lists:
            vectors = _of_length_1(vectors)
        index: Any = faiss.clone_index(self.index)
        index.remove_ids(np.fromiter(self.hidden, np.int64, len(self.hidden)))
        index.add_with_ids(vectors, rows)
        return Part(index, self.lists)

    def serialised(self) -> bytes:
        """FAISS's bytes; those of a flat part tell the order of its rows, not their numbers."""
        import faiss

        raw: bytes = faiss.serialize_index(self.index if self.lists else self.index.index).tobytes()
        return raw


def restored(raw: bytes) -> tuple[Part, Rows]:
    """The part that was `Part.serialised`, and its rows, ascending."""
    import faiss

    index: Any = faiss.deserialize_index(np.frombuffer(raw, np.uint8))
    lists: int = getattr(index, "nlist", 0)
    if not lists:
        part = Part.flat(index.reconstruct_n(0, index.ntotal))
        return part, np.arange(part.kept)
    held = index.invlists
    ids = [
        faiss.rev_swig_ptr(held.get_ids(number), held.list_size(number)) for number in range(lists)
    ]
    return Part(index, lists), np.sort(np.concatenate(ids))


@contextmanager
def _threads_for(queries: int) -> Generator[None]:
    """Let FAISS search for a few ``queries`` on one core, and for many with matrices.

    It would divide even a single query among all cores, and wait for the slowest. Beside other
    work that costs more than it gains: with 25,000 flat vectors and both of two cores busy, a
    query took 52 ms in the median on two threads, and 6 ms on one.
    """
    import faiss

    if queries >= _FEW_QUERIES:
        _multiply_matrices()
        yield
        return
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _multiply_matrices() -> None:
    """Let FAISS multiply several queries with the vectors as a matrix.

    By itself it does so for 128,000 queries only: 64 queries of 38,500 vectors took 136 ms one
    after the other, and 24 ms as a matrix. k-means gains as much.
    """
    import faiss

    faiss.cvar.distance_compute_blas_threshold = _FEW_QUERIES


def _trained(lists: int, sample: Vectors) -> Part:
    """A part without vectors, whose centres and ranges of codes fit ``sample``."""
    import faiss

    _multiply_matrices()
    dimension = sample.shape[1]
    index: Any = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatL2(dimension),
        dimension,
        lists,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_L2,
    )
    # Removing vectors and giving them back needs to know where each of them lies.
    index.set_direct_map_type(index.direct_map.Hashtable)
    # The number of lists follows from that of the vectors, so there is nothing to warn of.
    index.cp.min_points_per_centroid = 1
    index.train(np.ascontiguousarray(sample, np.float32))
    return Part(index, lists)


def _lists_to_probe(part: Part, rows: Rows, vectors: Vectors) -> int:
    """In how many of the nearest lists the share `_PROBED` of the neighbours of ``rows`` lies."""
    import faiss

    everywhere: Any = faiss.SearchParametersIVF()
    everywhere.nprobe = part.lists
    depth = min(_TRIAL_DEPTH + 1, part.kept)
    _, neighbours = part.index.search(vectors, depth, params=everywhere)
    _, nearest = part.index.quantizer.search(vectors, part.lists)
    turns = np.argsort(nearest, axis=1)
    needed = [
        turns[query, part.index.direct_map.get(int(neighbour)) >> _BITS_OF_A_PLACE] + 1
        for query, found in enumerate(neighbours)
        for neighbour in found[found != rows[query]]
    ]
    return int(np.quantile(needed, _PROBED, method="higher"))


def _of_length_1(vectors: Vectors) -> Vectors:
    if not np.allclose(np.linalg.norm(vectors, axis=1), 1, rtol=0, atol=_ROUNDING):
        raise ValueError("an index with lists takes vectors of length 1 only")
    return np.ascontiguousarray(vectors, np.float32)
