from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from knowledge.encoder import Vectors
from knowledge.errors import EncoderError, IndexMismatchError, IndexMissingError
from knowledge.index import FaissIndex, text_hash
from knowledge.index_kind import Growth
from knowledge.testing import FakeEncoder

TEXTS = ["过拟合", "large model", "transfer learning"]


@pytest.fixture
def index(encoder: FakeEncoder) -> FaissIndex:
    return FaissIndex.empty(encoder.name, encoder.dimension).updated(TEXTS, encoder)


def test_the_vectors_are_the_encoders(index: FaissIndex, encoder: FakeEncoder) -> None:
    assert np.array_equal(index.vectors(TEXTS[::-1]), encoder.encode_queries(TEXTS[::-1]))


def test_updating_encodes_what_is_new_and_nothing_else(
    index: FaissIndex, encoder: FakeEncoder
) -> None:
    encoder.encoded.clear()
    updated = index.updated(["过拟合", "欠拟合", "transfer learning", "dropout"], encoder)
    assert encoder.encoded == ["欠拟合", "dropout"]
    assert set(updated.hashes) == {
        text_hash(text) for text in ("过拟合", "欠拟合", "transfer learning", "dropout")
    }
    wanted = ["dropout", "过拟合"]
    assert np.array_equal(updated.vectors(wanted), encoder.encode_queries(wanted))


def test_updating_leaves_the_index_that_it_starts_from(
    index: FaissIndex, encoder: FakeEncoder
) -> None:
    index.updated(["dropout"], encoder)
    assert index.holds(TEXTS)
    assert not index.holds(["dropout"])


def test_a_text_that_stands_twice_is_encoded_once(encoder: FakeEncoder) -> None:
    index = FaissIndex.empty("fake", encoder.dimension).updated(["a b", "a b"], encoder)
    assert encoder.encoded == ["a b"]
    assert len(index) == 1


def test_progress_counts_the_texts_that_are_encoded(encoder: FakeEncoder) -> None:
    told: list[tuple[int, int]] = []
    texts = [f"text {number}" for number in range(150)]
    FaissIndex.empty("fake", encoder.dimension).updated(
        texts, encoder, lambda done, total: told.append((done, total))
    )
    assert told == [(64, 150), (128, 150), (150, 150)]


def test_the_nearest_come_first(index: FaissIndex, encoder: FakeEncoder) -> None:
    found = index.search(encoder.encode_queries(["large models", "过拟合了"]), 2)
    assert found.rows[:, 0].tolist() == [1, 0]
    assert (found.scores[:, 0] > found.scores[:, 1]).all()


def test_a_search_finds_at_most_what_there_is(index: FaissIndex, encoder: FakeEncoder) -> None:
    assert index.search(encoder.encode_queries(["a"]), 100).rows.shape == (1, 3)


def test_what_was_saved_is_loaded(index: FaissIndex, tmp_path: Path) -> None:
    index.save(tmp_path)
    loaded = FaissIndex.load(tmp_path, "fake", index.dimension)
    assert loaded.hashes == index.hashes
    assert np.array_equal(loaded.vectors(TEXTS), index.vectors(TEXTS))


def test_saving_again_leaves_one_file_of_vectors(
    index: FaissIndex, encoder: FakeEncoder, tmp_path: Path
) -> None:
    index.save(tmp_path)
    index.updated(["dropout"], encoder).save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert FaissIndex.load(tmp_path, "fake").holds(["dropout"])


def test_a_missing_index_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match="python -m knowledge train"):
        FaissIndex.load(tmp_path, "fake")


def test_another_model_is_refused(index: FaissIndex, tmp_path: Path) -> None:
    index.save(tmp_path)
    with pytest.raises(
        IndexMismatchError, match=r"made by the encoder fake, but other is set.*knowledge train"
    ):
        FaissIndex.load(tmp_path, "other")


def test_another_dimension_is_refused(index: FaissIndex, tmp_path: Path) -> None:
    index.save(tmp_path)
    with pytest.raises(IndexMismatchError, match="64 numbers, but the encoder gives 384"):
        FaissIndex.load(tmp_path, "fake", 384)


def test_damaged_vectors_are_refused(index: FaissIndex, tmp_path: Path) -> None:
    index.save(tmp_path)
    (path,) = tmp_path.glob("vectors-*.faiss")
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(IndexMismatchError, match="damaged"):
        FaissIndex.load(tmp_path, "fake")
    path.unlink()
    with pytest.raises(IndexMismatchError, match="cannot be read"):
        FaissIndex.load(tmp_path, "fake")


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"version": 1, "model": "fake"}', "\x00"])
def test_a_damaged_manifest_is_refused(index: FaissIndex, tmp_path: Path, content: str) -> None:
    index.save(tmp_path)
    (tmp_path / "manifest.json").write_text(content, "utf-8")
    with pytest.raises(IndexMismatchError, match="manifest is damaged"):
        FaissIndex.load(tmp_path, "fake")


def test_another_schema_is_refused(index: FaissIndex, tmp_path: Path) -> None:
    index.save(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(path.read_text("utf-8").replace('"version": 1', '"version": 0'), "utf-8")
    with pytest.raises(IndexMismatchError, match="another version"):
        FaissIndex.load(tmp_path, "fake")


def test_vectors_that_are_no_numbers_are_refused() -> None:
    class BrokenEncoder(FakeEncoder):
        def encode_queries(self, texts: Sequence[str]) -> Vectors:
            return np.full((len(texts), self.dimension), np.nan, np.float32)

    with pytest.raises(EncoderError, match="no numbers"):
        FaissIndex.empty("fake", 64).updated(["a"], BrokenEncoder())


def test_a_small_change_shares_the_large_part(index: FaissIndex, encoder: FakeEncoder) -> None:
    large = FaissIndex.of("fake", index.hashes, index.vectors(TEXTS))
    changed = large.updated([*TEXTS[1:], "dropout"], encoder)
    assert changed.large.index is large.large.index
    assert changed.rows == {text_hash(text): row for row, text in enumerate(TEXTS) if row} | {
        text_hash("dropout"): 3
    }


def test_a_text_that_comes_back_gets_a_new_row(index: FaissIndex, encoder: FakeEncoder) -> None:
    again = index.updated(TEXTS[1:], encoder).updated(TEXTS, encoder)
    assert again.rows[text_hash(TEXTS[0])] == 3
    assert again.search(encoder.encode_queries(TEXTS[:1]), 1).rows.tolist() == [[3]]


def test_a_change_of_what_is_not_there_is_refused(index: FaissIndex, encoder: FakeEncoder) -> None:
    vectors = encoder.encode_queries(["a", "a"])
    with pytest.raises(KeyError):
        index.changed([text_hash("dropout")], [], vectors[:0])
    with pytest.raises(ValueError, match="already"):
        index.changed([], [text_hash(TEXTS[0])], vectors[:1])
    with pytest.raises(ValueError, match="already"):
        index.changed([], [text_hash("a")] * 2, vectors)


def test_rows_whose_names_repeat_are_all_found_but_cannot_be_changed(
    encoder: FakeEncoder, tmp_path: Path
) -> None:
    index = FaissIndex.of("fake", ["same", "same"], encoder.encode_queries(["a b", "a c"]))
    assert sorted(index.search(encoder.encode_queries(["a b"]), 5).rows[0]) == [0, 1]
    with pytest.raises(ValueError, match="names repeat"):
        index.changed(["same"], [], np.zeros((0, 64), np.float32))
    with pytest.raises(ValueError, match="names repeat"):
        index.save(tmp_path)


def test_many_changes_are_folded_into_the_large_part(encoder: FakeEncoder) -> None:
    index = FaissIndex.empty("fake", 64, Growth(fold_at=3))
    texts = [f"text {number}" for number in range(6)]
    kept = index.updated(texts[:3], encoder)
    assert (kept.recent.kept, kept.large.kept) == (3, 0)
    folded = kept.updated(texts[:4], encoder)
    assert (folded.recent.kept, folded.large.kept) == (0, 4)
    hiding = folded.updated(texts[2:5], encoder)
    assert (hiding.recent.kept, hiding.large.kept, len(hiding.large)) == (1, 4, 2)
    again = hiding.updated(texts[3:], encoder)
    assert (again.recent.kept, again.large.kept) == (0, 3)
    assert np.array_equal(again.vectors(texts[3:]), encoder.encode_queries(texts[3:]))


def clustered(count: int, seed: int) -> Vectors:
    """Unit vectors around 60 centres in few directions, which are the same ones for every seed."""
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((60, 384))
    directions = generator.standard_normal((12, 384))
    generator = np.random.default_rng(seed)
    noise = 0.1 * generator.standard_normal((count, 12)) @ directions
    vectors = centres[generator.integers(60, size=count)] + noise
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_growing_over_the_threshold_makes_lists_and_then_more_of_them(tmp_path: Path) -> None:
    size, step, growth = 6000, 500, Growth(switch_at=1000, fold_at=300)
    vectors, queries = clustered(size, 1), clustered(200, 2)
    index = FaissIndex.empty("fake", 384, growth)
    lists: list[int] = []
    for start in range(0, size, step):
        names = [f"name {row}" for row in range(start, start + step)]
        index = index.changed([], names, vectors[start : start + step])
        lists.append(index.large.lists)
        right = np.argsort(-(queries @ vectors[: start + step].T), axis=1)[:, :10]
        found = index.search(queries, 10).rows
        hits = sum(len(set(one) & set(other)) for one, other in zip(found, right, strict=True))
        assert hits / right.size >= 0.99
    assert lists == [0, 128, 256, 256, 256, 256, 256, 256, 512, 512, 512, 512]
    index.save(tmp_path)
    loaded = FaissIndex.load(tmp_path, "fake", growth=growth)
    assert loaded.rows == index.rows
    assert np.array_equal(loaded.search(queries, 10).rows, index.search(queries, 10).rows)
    shrunk = loaded.changed(index.hashes[10:], [], vectors[:0])
    assert (len(shrunk), shrunk.large.lists) == (10, 512)
    assert sorted(shrunk.search(queries[:1], 99).rows[0].tolist()) == list(range(10))


def test_readers_in_other_threads_never_see_a_change() -> None:
    vectors, queries = clustered(600, 1), clustered(5, 2)
    names = [f"name {row}" for row in range(600)]
    index = FaissIndex.of("fake", names[:300], vectors[:300], Growth(switch_at=400, fold_at=20))
    before = index.search(queries, 300)

    def read() -> bool:
        found = index.search(queries, 300)
        return np.array_equal(found.rows, before.rows)

    with ThreadPoolExecutor(2) as readers:
        reads = [readers.submit(read) for _ in range(300)]
        changed = index
        for row in range(300, 600):
            changed = changed.changed([names[row - 300]], [names[row]], vectors[row : row + 1])
        assert all(one.result() for one in reads)
    assert changed.hashes == tuple(names[300:])


class AnyChanges(RuleBasedStateMachine):
    """An index after any changes, beside a plain dict of texts and vectors.

    The handles from before a change are kept, and must go on saying what they said.
    """

    TEXTS = st.lists(st.integers(0, 150).map("text {}".format), max_size=60, unique=True)

    def __init__(self) -> None:
        super().__init__()
        self.encoder = FakeEncoder()

    @initialize(fold_at=st.sampled_from([0, 7, 1000]), switch_at=st.sampled_from([64, 1000]))
    def start(self, fold_at: int, switch_at: int) -> None:
        self.growth = Growth(switch_at, fold_at)
        self.index = FaissIndex.empty("fake", 64, self.growth)
        self.model: dict[str, Vectors] = {}
        self.earlier = (self.index, self.model)

    @rule(removed=TEXTS, added=TEXTS)
    def change(self, removed: list[str], added: list[str]) -> None:
        gone = [text for text in removed if text in self.model]
        new = [text for text in added if text not in self.model or text in gone]
        self.earlier = (self.index, self.model)
        vectors = self.encoder.encode_queries(new)
        self.index = self.index.changed(
            list(map(text_hash, gone)), list(map(text_hash, new)), vectors
        )
        kept = {text: vector for text, vector in self.model.items() if text not in gone}
        self.model = kept | dict(zip(new, vectors, strict=True))

    @rule(texts=TEXTS)
    def bring_up_to_date(self, texts: list[str]) -> None:
        new = [text for text in texts if text not in self.model]
        self.earlier = (self.index, self.model)
        self.encoder.encoded.clear()
        self.index = self.index.updated(texts, self.encoder)
        assert self.encoder.encoded == new
        self.model = dict(zip(texts, self.encoder.encode_queries(texts), strict=True))

    @rule()
    def save_and_load(self) -> None:
        with TemporaryDirectory() as folder:
            self.index.save(Path(folder))
            self.index = FaissIndex.load(Path(folder), "fake", 64, self.growth)

    @invariant()
    def says_what_the_dict_says(self) -> None:
        for index, model in (self.earlier, (self.index, self.model)):
            agree(index, model, self.encoder.encode_queries(["text 7", "text 99", "else"]))


def agree(index: FaissIndex, model: dict[str, Vectors], queries: Vectors) -> None:
    error = 0.05 if index.large.lists else 1e-5
    assert len(index) == len(model)
    assert sorted(index.hashes) == sorted(map(text_hash, model))
    assert not index.holds(["text 999"])
    assert list(index.rows.values()) == sorted(index.rows.values())
    if not model:
        assert index.search(queries, 5).rows.shape == (3, 0)
        return
    assert index.holds(list(model))
    everything = np.stack(list(model.values()))
    assert np.abs(index.vectors(list(model)) - everything).max() < error
    for top_k in (1, 5, len(model) + 1):
        found = index.search(queries, top_k)
        best = -np.sort(-(queries @ everything.T), axis=1)[:, :top_k]
        assert found.rows.shape == best.shape
        texts = {index.rows[text_hash(text)]: text for text in model}
        for query, rows, scores in zip(queries, found.rows.tolist(), found.scores, strict=True):
            assert len(set(rows)) == len(rows)
            given = [float(model[texts[row]] @ query) for row in rows]
            assert np.abs(scores - given).max() < error
        if not index.large.lists or top_k > len(model):
            assert np.abs(found.scores - best).max() < error


TestAnyChanges = AnyChanges.TestCase
TestAnyChanges.settings = settings(max_examples=20, stateful_step_count=10, deadline=None)
