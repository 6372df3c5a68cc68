from pathlib import Path

import pytest

from knowledge.background import Kind, OutOfScope, load_background
from knowledge.bank import Bank
from knowledge.corpus import build_corpus
from knowledge.errors import BackgroundError
from knowledge.language import Language

HEADER = "language\tkind\ttext\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sentences.txt").write_text("火車晚點了\n\nThe Soup\n火车晚点了\n", "utf-8")
    (tmp_path / "out_of_scope.tsv").write_text(
        f"{HEADER}zh\tlife\t紅燒肉怎麼做\nen\tai\tWhat is  BEAM search?\n", "utf-8"
    )
    (tmp_path / "follow_ups.tsv").write_text("move\ttext\nwhy\t為什麼\n", "utf-8")
    return tmp_path


def test_lines_are_normalised_and_stand_once(folder: Path) -> None:
    background = load_background(folder)
    assert background.sentences == ("火车晚点了", "the soup")
    assert background.out_of_scope == (
        OutOfScope(Language.ZH, Kind.LIFE, "红烧肉怎么做"),
        OutOfScope(Language.EN, Kind.AI, "what is beam search?"),
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"out_of_scope.tsv:1: .*columns"),
        ("zh\tlife\t红烧肉\n", r"out_of_scope.tsv:1: .*columns"),
        (f"{HEADER}zh\tlife\n", r"out_of_scope.tsv:2: there must be 3 columns"),
        (f"{HEADER}zh\tfood\t红烧肉\n", r"out_of_scope.tsv:2: 'food' is not a valid Kind"),
        (f"{HEADER}de\tlife\tRotwein\n", r"out_of_scope.tsv:2: 'de' is not a valid Language"),
        (HEADER, "there must be sentences and lines out of scope"),
    ],
)
def test_a_faulty_line_is_named(folder: Path, content: str, message: str) -> None:
    (folder / "out_of_scope.tsv").write_text(content, "utf-8")
    with pytest.raises(BackgroundError, match=message):
        load_background(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "sentences.txt").unlink()
    with pytest.raises(BackgroundError, match=r"sentences\.txt cannot be read"):
        load_background(folder)


def test_what_an_entry_asks_is_no_longer_out_of_scope(folder: Path, bank: Bank) -> None:
    corpus = build_corpus(bank, load_background(folder))
    assert [line.text for line in corpus.outside] == ["红烧肉怎么做"]


def test_the_background_that_ships_is_readable() -> None:
    background = load_background()
    assert {line.kind for line in background.out_of_scope} == set(Kind)
    assert {line.language for line in background.out_of_scope} == set(Language)
