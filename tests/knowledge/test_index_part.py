import numpy as np
import numpy.typing as npt
import pytest

from knowledge.encoder import Vectors
from knowledge.index_part import Part, restored

DIMENSION = 384
SIZE = 4000
LISTS = 256


def clustered(count: int, seed: int) -> Vectors:
    """Unit vectors around 80 centres in few directions, which are the same ones for every seed."""
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((80, DIMENSION))
    directions = generator.standard_normal((12, DIMENSION))
    generator = np.random.default_rng(seed)
    noise = 0.1 * generator.standard_normal((count, 12)) @ directions
    vectors = centres[generator.integers(80, size=count)] + noise
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def nearest(vectors: Vectors, queries: Vectors, top_k: int) -> npt.NDArray[np.int64]:
    return np.argsort(-(queries @ vectors.T), axis=1)[:, :top_k]


def recall(found: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> float:
    pairs = zip(found.tolist(), right.tolist(), strict=True)
    return sum(len(set(one) & set(other)) for one, other in pairs) / right.size


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return clustered(SIZE, 1)


@pytest.fixture(scope="module")
def queries() -> Vectors:
    return clustered(200, 2)


@pytest.fixture(scope="module")
def part(vectors: Vectors) -> Part:
    return Part.in_lists(LISTS, np.arange(SIZE), lambda rows: vectors[rows])


def test_lists_find_what_a_flat_part_finds(part: Part, vectors: Vectors, queries: Vectors) -> None:
    found = part.search(queries, 10)
    assert recall(found.rows, nearest(vectors, queries, 10)) >= 0.99
    inner = np.take_along_axis(queries @ vectors.T, found.rows, axis=1)
    assert np.abs(found.scores - inner).max() < 0.01
    assert (np.diff(found.scores, axis=1) <= 0).all()


def test_only_some_of_the_lists_are_looked_at(part: Part) -> None:
    assert 0 < part.index.nprobe < LISTS / 2


def test_lists_give_vectors_back_to_within_what_a_code_can_tell(
    part: Part, vectors: Vectors
) -> None:
    given = part.vectors(np.array([7, 3, 3999]))
    assert np.linalg.norm(given - vectors[[7, 3, 3999]], axis=1).max() < 0.02
    assert np.linalg.norm(given, axis=1) == pytest.approx(1)


def test_queries_need_not_have_length_1(part: Part, queries: Vectors) -> None:
    once, twice = part.search(queries, 5), part.search(2 * queries, 5)
    assert (twice.rows[:, 0] == once.rows[:, 0]).mean() > 0.95
    assert twice.scores == pytest.approx(2 * once.scores, abs=0.02)


def test_a_search_for_everything_looks_into_every_list(part: Part, queries: Vectors) -> None:
    found = part.search(queries[:2], SIZE + 1)
    assert np.sort(found.rows, axis=1).tolist() == [list(range(SIZE))] * 2


def test_what_is_hidden_is_passed_over_and_the_shared_part_stays(
    part: Part, queries: Vectors
) -> None:
    best = part.search(queries[:1], 1).rows[0, 0]
    hiding = part.without([int(best)])
    assert len(hiding) == SIZE - 1
    assert hiding.index is part.index
    assert best not in hiding.search(queries[:1], SIZE).rows
    assert part.search(queries[:1], 1).rows[0, 0] == best


def test_a_grown_part_keeps_its_lists_and_leaves_out_what_was_hidden(
    part: Part, vectors: Vectors
) -> None:
    new = clustered(50, 3)
    grown = part.without(range(0, SIZE, 2)).grown(np.arange(SIZE, SIZE + 50), new)
    assert (len(grown), grown.kept, len(part)) == (SIZE // 2 + 50, SIZE // 2 + 50, SIZE)
    assert np.array_equal(
        grown.index.quantizer.reconstruct_n(0, LISTS), part.index.quantizer.reconstruct_n(0, LISTS)
    )
    rows = np.array([1, SIZE + 3])
    assert np.abs(grown.vectors(rows) - [vectors[1], new[3]]).max() < 0.01
    everything = grown.search(new[:1], SIZE).rows[0]
    assert sorted(everything.tolist()) == [*range(1, SIZE, 2), *range(SIZE, SIZE + 50)]


def test_lists_survive_being_written(part: Part, queries: Vectors) -> None:
    again, rows = restored(part.without([5]).grown(np.array([9000]), queries[:1]).serialised())
    assert rows.tolist() == [row for row in range(SIZE) if row != 5] + [9000]
    assert again.lists == LISTS
    assert again.search(queries[:1], 1).rows.tolist() == [[9000]]
    hiding = again.without([9000]).grown(np.array([9001]), queries[1:2])
    assert hiding.search(queries[:1], 1).rows.tolist() == part.search(queries[:1], 1).rows.tolist()


@pytest.mark.parametrize("length", [0.0, 0.5, 2.0])
def test_lists_refuse_vectors_of_another_length(
    part: Part, vectors: Vectors, length: float
) -> None:
    other = vectors[:100].copy()
    other[-1] *= length
    with pytest.raises(ValueError, match="length 1"):
        part.grown(np.arange(SIZE, SIZE + 100), other)
    with pytest.raises(ValueError, match="length 1"):
        Part.in_lists(64, np.arange(100), lambda rows: other[rows])
