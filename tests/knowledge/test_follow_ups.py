from collections import Counter
from pathlib import Path

import pytest

from knowledge.background import BACKGROUND
from knowledge.errors import BackgroundError
from knowledge.follow_ups import FOLLOW_UPS, FollowUp, load_follow_ups
from knowledge.move import Move


def test_lines_are_read_and_repeated_ones_left_out(tmp_path: Path) -> None:
    path = tmp_path / "follow_ups.tsv"
    path.write_text("move\ttext\nwhy\t為什麼？\n\nnothing\t好的\nwhy\t为什么？\n", "utf-8")
    assert load_follow_ups(path) == (
        FollowUp(Move.WHY, "为什么?"),
        FollowUp(Move.NOTHING, "好的"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("why\tx\n", ":1: the first line"),
        ("move\ttext\nwhy\n", ":2: there must be"),
        ("move\ttext\nwhy\t \n", ":2: there must be"),
        ("move\ttext\nwherefore\tx\n", ":2: 'wherefore'"),
    ],
)
def test_a_faulty_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "follow_ups.tsv"
    path.write_text(text, "utf-8")
    with pytest.raises(BackgroundError, match=f"follow_ups.tsv{message}"):
        load_follow_ups(path)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(BackgroundError, match="cannot be read"):
        load_follow_ups(tmp_path / "none.tsv")


def test_the_shipped_messages_show_every_move_but_questions_which_the_bank_has() -> None:
    counts = Counter(each.move for each in load_follow_ups(BACKGROUND / FOLLOW_UPS))
    assert set(counts) == set(Move) - {Move.QUESTION}
    assert min(counts.values()) >= 200
