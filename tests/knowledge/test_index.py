from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from knowledge.encoder import Vectors
from knowledge.errors import EncoderError, IndexMismatchError, IndexMissingError
from knowledge.index import FaissIndex, text_hash
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
