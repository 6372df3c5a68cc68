import numpy as np
import pytest

from knowledge.centre import Centres

SENTENCES = ("今天下雨", "明天天晴", "it rains")
VECTORS = np.array([[1, 0], [3, 0], [0, 4]], np.float32)


def test_each_language_has_a_centre_of_its_own() -> None:
    centres = Centres.of(SENTENCES, VECTORS)
    moved = centres.centred(["过拟合", "overfit"], np.array([[2, 5], [7, 4]], np.float32))
    assert moved == pytest.approx(np.array([[0, 1], [1, 0]]))


def test_what_lies_in_the_centre_has_no_direction() -> None:
    centres = Centres.of(SENTENCES, VECTORS)
    assert centres.centred(["ok"], np.array([[0, 4]], np.float32)).tolist() == [[0, 0]]


def test_a_language_without_a_sentence_has_the_centre_of_all() -> None:
    centres = Centres.of(SENTENCES[:2], VECTORS[:2])
    moved = centres.centred(["ok"], np.array([[2, 3]], np.float32))
    assert moved == pytest.approx(np.array([[0, 1]]))


def test_no_texts_give_no_vectors() -> None:
    moved = Centres.of(SENTENCES, VECTORS).centred([], np.zeros((0, 2), np.float32))
    assert moved.shape == (0, 2)
