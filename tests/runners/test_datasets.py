from pathlib import Path

import numpy as np
import pytest

from runners.datasets import Pictures, Split, load_split
from runners.errors import MissingDatasetError

DIGITS = 1_797


def pixels(pictures: Pictures) -> set[bytes]:
    return {image.tobytes() for image in pictures.images}


def shares(pictures: Pictures) -> np.ndarray:
    return np.bincount(pictures.labels, minlength=10) / len(pictures.labels)


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    return load_split("digits", tmp_path_factory.mktemp("empty"), side=28, seed=3)


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """Twenty pictures of each class to learn from and ten to judge by, some of them twice."""
    random = np.random.default_rng(0)
    train = random.integers(0, 256, (200, 28, 28), dtype=np.uint8)
    test = random.integers(0, 256, (100, 28, 28), dtype=np.uint8)
    train[0], train[13] = test[0], train[3]
    labels = np.arange(200, dtype=np.uint8) % 10
    np.savez(
        tmp_path / "mnist.npz", x_train=train, y_train=labels, x_test=test, y_test=labels[:100]
    )
    return tmp_path


def test_no_picture_is_in_two_parts_or_twice_in_one(split: Split) -> None:
    train, validation, test = (pixels(part) for part in split)
    assert not train & validation
    assert not train & test
    assert not validation & test
    assert [len(part.labels) for part in split] == [len(train), len(validation), len(test)]
    assert len(train) + len(validation) + len(test) == DIGITS


def test_a_fifth_is_for_the_test_and_15_percent_for_the_choice(split: Split) -> None:
    assert len(split.test.labels) / DIGITS == pytest.approx(0.2, abs=0.002)
    assert len(split.validation.labels) / DIGITS == pytest.approx(0.15, abs=0.002)


def test_every_class_has_the_same_share_in_every_part(split: Split) -> None:
    assert np.abs(shares(split.train) - shares(split.test)).max() < 0.005
    assert np.abs(shares(split.train) - shares(split.validation)).max() < 0.005


@pytest.mark.parametrize("side", [8, 28, 32])
def test_pictures_have_the_side_asked_for_and_lie_between_paper_and_ink(
    tmp_path: Path, side: int
) -> None:
    for part in load_split("digits", tmp_path, side=side, seed=0):
        assert part.images.shape == (len(part.labels), side, side)
        assert part.images.dtype == np.float32
        assert part.labels.dtype == np.int64
        assert part.images.min() == 0
        assert part.images.max() == 1


def test_a_larger_picture_shows_what_the_small_one_shows(tmp_path: Path) -> None:
    small = load_split("digits", tmp_path, side=8, seed=0).test.images
    large = load_split("digits", tmp_path, side=32, seed=0).test.images
    shrunk = large.reshape(-1, 8, 4, 8, 4).mean((2, 4))
    assert np.abs(shrunk - small).mean() < 0.06
    assert np.corrcoef(shrunk.ravel(), small.ravel())[0, 1] > 0.97


def test_the_seed_alone_decides_who_is_where(tmp_path: Path, split: Split) -> None:
    again = load_split("digits", tmp_path, side=28, seed=3)
    for first, second in zip(split, again, strict=True):
        assert np.array_equal(first.images, second.images)
        assert np.array_equal(first.labels, second.labels)
    other = load_split("digits", tmp_path, side=28, seed=4)
    assert not np.array_equal(split.test.images, other.test.images)


def test_only_some_classes_are_numbered_in_the_order_given(split: Split) -> None:
    kept = split.test.only([7, 2])
    wanted = np.isin(split.test.labels, [7, 2])
    assert np.array_equal(kept.images, split.test.images[wanted])
    assert np.array_equal(kept.labels, (split.test.labels[wanted] == 2).astype(np.int64))


def test_a_few_of_each_class_are_its_first_in_their_order(split: Split) -> None:
    few = split.train.few(3)
    assert np.array_equal(np.bincount(few.labels), [3] * 10)
    for label in range(10):
        own = split.train.images[split.train.labels == label][:3]
        assert np.array_equal(few.images[few.labels == label], own)


def test_a_class_with_fewer_pictures_gives_all(split: Split) -> None:
    whole = split.validation.few(10_000)
    assert np.array_equal(whole.images, split.validation.images)


def test_mnist_keeps_its_own_test_set_and_learns_nothing_of_it(mnist: Path) -> None:
    split = load_split("mnist", mnist, side=28, seed=0)
    with np.load(mnist / "mnist.npz") as arrays:
        expected = (arrays["x_test"] / 255).astype(np.float32)
    assert np.array_equal(split.test.images, expected)
    # one of the 200 is a test picture too, another one occurs twice
    assert len(split.train.labels) + len(split.validation.labels) == 198
    train, validation, test = (pixels(part) for part in split)
    assert not (train | validation) & test
    assert not train & validation


def test_mnist_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingDatasetError, match=r"no mnist\.npz"):
        load_split("mnist", tmp_path / "nowhere", side=28, seed=0)
