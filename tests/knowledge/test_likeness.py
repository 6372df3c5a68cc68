import numpy as np
import pytest

from knowledge.aspect import Aspect
from knowledge.encoder import Vectors
from knowledge.follow_ups import SampleMessage
from knowledge.likeness import Likeness

SAMPLES = [
    SampleMessage(Aspect.WHY, "why"),
    SampleMessage(Aspect.CODE, "code"),
    SampleMessage(None, "thanks"),
]


def vector(*numbers: float) -> Vectors:
    given = np.array(numbers, np.float32)
    return (given / np.linalg.norm(given)).astype(np.float32)


@pytest.fixture
def likeness() -> Likeness:
    axes = np.eye(4, dtype=np.float32)
    return Likeness(SAMPLES, axes[:3], axes[3:])


def test_the_closest_samples_give_their_aspect(likeness: Likeness) -> None:
    assert likeness.aspect(vector(1, 0.2, 0, 0)) is Aspect.WHY
    assert likeness.aspect(vector(0.2, 1, 0, 0)) is Aspect.CODE


def test_what_is_like_small_talk_wants_nothing(likeness: Likeness) -> None:
    assert likeness.aspect(vector(0.5, 0, 1, 0)) is None


def test_what_is_as_close_to_ordinary_text_is_no_follow_up(likeness: Likeness) -> None:
    assert likeness.aspect(vector(1, 0, 0, 0.9)) is Aspect.WHY
    assert likeness.aspect(vector(1, 0, 0, 0.97)) is None


def test_what_is_far_from_everything_is_no_follow_up(likeness: Likeness) -> None:
    assert likeness.aspect(vector(-1, -1, -1, -1)) is None


def test_without_samples_there_is_no_aspect() -> None:
    assert (
        Likeness([], np.zeros((0, 4), np.float32), np.eye(4, dtype=np.float32)).aspect(
            vector(1, 0, 0, 0)
        )
        is None
    )
