from collections import Counter
from pathlib import Path

import pytest

from knowledge.aspect import Aspect
from knowledge.errors import BackgroundError
from knowledge.follow_ups import SampleMessage, load_follow_ups
from knowledge.reading import FollowUp, read


def test_lines_are_read_and_repeated_ones_left_out(tmp_path: Path) -> None:
    path = tmp_path / "follow_ups.tsv"
    path.write_text("aspect\ttext\nwhy\t為什麼？\n\nnothing\t好的\nwhy\t为什么？\n", "utf-8")
    assert load_follow_ups(path) == (
        SampleMessage(Aspect.WHY, "为什么?"),
        SampleMessage(None, "好的"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("why\tx\n", ":1: the first line"),
        ("aspect\ttext\nwhy\n", ":2: there must be"),
        ("aspect\ttext\nwhy\t \n", ":2: there must be"),
        ("aspect\ttext\nwherefore\tx\n", ":2: 'wherefore'"),
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


def test_the_shipped_samples_cover_every_aspect_that_has_cues() -> None:
    counts = Counter(sample.aspect for sample in load_follow_ups())
    assert set(counts) == set(Aspect) - {Aspect.ANSWER, Aspect.COMPARE} | {None}
    assert min(counts.values()) >= 20


def test_cues_and_shipped_samples_agree() -> None:
    for sample in load_follow_ups():
        reading = read(sample.text)
        if isinstance(reading, FollowUp) and reading.strong:
            assert (sample.text, reading.aspect) == (sample.text, sample.aspect)
