import numpy as np
import pytest

from knowledge.encoder import Vectors
from knowledge.move import Move
from knowledge.moves import Likely, MoveTeller, fit_moves

MESSAGES = [
    ("为什么呀", Move.WHY),
    ("why though", Move.WHY),
    ("有代码吗", Move.CODE),
    ("any code", Move.CODE),
    ("谢谢老师", Move.NOTHING),
    ("thanks man", Move.NOTHING),
    ("什么是过拟合", Move.QUESTION),
    ("what is dropout", Move.QUESTION),
]


def vectors(count: int) -> Vectors:
    """Vectors that tell nothing, so that the characters have to."""
    return np.zeros((count, 4), np.float32)


@pytest.fixture
def teller() -> MoveTeller:
    texts = [text for text, _ in MESSAGES]
    return fit_moves(texts, vectors(len(texts)), [move for _, move in MESSAGES])


@pytest.mark.parametrize(
    ("text", "move"),
    [
        ("为什么", Move.WHY),
        ("代码呢", Move.CODE),
        ("thanks", Move.NOTHING),
        ("什么是剪枝", Move.QUESTION),
    ],
)
def test_how_a_message_is_written_tells_its_move(teller: MoveTeller, text: str, move: Move) -> None:
    likely = teller.likely(text, vectors(1)[0])
    assert max(likely.moves, key=lambda each: likely.moves[each]) is move


def test_what_a_message_means_tells_its_move() -> None:
    axes = np.eye(4, dtype=np.float32)
    teller = fit_moves(["x"] * 4, axes[[0, 0, 1, 1]], [Move.RUN, Move.RUN, Move.MORE, Move.MORE])
    assert teller.likely("x", axes[0]).request is Move.RUN
    assert teller.likely("x", axes[1]).request is Move.MORE


def test_probabilities_add_up_and_moves_that_never_occur_are_never_told(
    teller: MoveTeller,
) -> None:
    likely = teller.likely("随便说点什么 whatever", vectors(1)[0])
    assert sum(likely.moves.values()) == pytest.approx(1, abs=1e-6)
    assert likely.moves[Move.COMPARE] == 0


def test_a_text_of_any_kind_has_probabilities(teller: MoveTeller) -> None:
    for text in ("", " ", "?" * 1000):
        assert sum(teller.likely(text, vectors(1)[0]).moves.values()) == pytest.approx(1, abs=1e-6)


def test_from_one_kind_of_message_only_that_is_learnt() -> None:
    teller = fit_moves(["a", "b"], vectors(2), [Move.WHY, Move.WHY])
    assert teller.likely("c", vectors(1)[0]).moves[Move.WHY] == 1


def test_follow_ups_are_weighed_without_the_questions() -> None:
    moves = dict.fromkeys(Move, 0.0) | {Move.QUESTION: 0.6, Move.WHY: 0.3, Move.NOTHING: 0.1}
    likely = Likely(moves)
    assert likely.own == 0.6
    assert likely.request is Move.WHY
    assert likely.follows(Move.WHY) == pytest.approx(0.75)
