from pathlib import Path

import pytest

from knowledge.errors import BackgroundError
from knowledge.spelling import Spelling, initials_of, load_field_words

SPELLING = Spelling(
    {"gnh": "过拟合", "zyljz": "注意力机制"}, frozenset({"dropout", "quantization", "adapter"})
)


def nothing(word: str) -> bool:
    assert word
    return False


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gnh怎么办", "过拟合怎么办"),
        ("模型gnh了", "模型过拟合了"),
        ("讲讲 zyljz 和 gnh", "讲讲 注意力机制 和 过拟合"),
        ("gnh", "过拟合"),
        ("gnh?", "过拟合?"),
        ("droput 怎么用", "dropout 怎么用"),
        ("what is quantizaton", "what is quantization"),
        ("qauntizaton?", "quantization?"),
    ],
)
def test_initials_are_written_out(typed: str, meant: str) -> None:
    assert SPELLING.mended(typed, nothing) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "what is gnh good for",
        "变量 gnh_loss 是什么",
        "调用 gnh() 报错",
        "model.gnh 报错",
        "gnhx是什么",
        "过拟合怎么办",
        "dropped out",
        "drop out",
        "dropot.run() fails",
        "",
    ],
)
def test_everything_else_stays(typed: str) -> None:
    assert SPELLING.mended(typed, nothing) == typed


def test_letters_that_are_a_word_stay() -> None:
    def known(word: str) -> bool:
        return word in {"gnh", "adapted"}

    assert SPELLING.mended("gnh怎么办", known) == "gnh怎么办"
    assert SPELLING.mended("adapted", known) == "adapted"


def test_a_character_with_two_readings_gives_both_and_the_first_word_counts() -> None:
    found = initials_of(["指令微调", "重排序", "过拟合", "高内核"])
    assert found["zlwt"] == "指令微调"
    assert found["cpx"] == found["zpx"] == "重排序"
    assert found["gnh"] == "过拟合"


def test_the_words_that_ship_can_all_be_typed() -> None:
    words = load_field_words()
    assert set(initials_of(words).values()) == set(words)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackgroundError, match="words"):
        load_field_words(tmp_path / "words.txt")
