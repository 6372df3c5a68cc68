from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.tables import aligned, cell_width, clipped


def test_chinese_takes_two_cells_and_combining_marks_none() -> None:
    assert cell_width("损失") == 4
    assert cell_width("loss") == 4
    assert cell_width("e\u0301") == 1
    assert cell_width("（）") == 4


def test_columns_stand_under_each_other_in_both_scripts() -> None:
    table = aligned([("步", "1", "10"), ("验证准确率", "0.9", "0.95"), ("loss", "12.25", "1")])
    assert table.splitlines() == [
        "步              1    10",
        "验证准确率    0.9  0.95",
        "loss        12.25     1",
    ]


def test_a_short_row_stays_short() -> None:
    assert aligned([("a", "1", "2"), ("… +3",)]) == "a     1  2\n… +3"


def test_no_rows_are_an_empty_table() -> None:
    assert aligned([]) == ""


def test_clipping_counts_cells_and_folds_lines() -> None:
    assert clipped("验证准确率", 10) == "验证准确率"
    assert clipped("验证准确率", 9) == "验证准确…"
    assert clipped("two\nlines", 20) == "two lines"


@given(st.text(), st.integers(1, 40))
def test_clipped_text_never_takes_more_cells_than_allowed(text: str, cells: int) -> None:
    shown = clipped(text, cells)
    assert cell_width(shown) <= cells
    assert len(shown.splitlines()) <= 1


_words = st.text(st.characters(categories=["L", "N", "P", "Mn", "So"]), max_size=12)


@given(st.lists(st.lists(_words, min_size=3, max_size=3), min_size=1, max_size=6))
def test_every_full_line_is_as_wide_as_its_columns(rows: list[list[str]]) -> None:
    rows = [[*row[:-1], row[-1] + "x"] for row in rows]
    widths = {cell_width(line) for line in aligned(rows).split("\n")}
    assert widths == {sum(max(map(cell_width, column)) for column in zip(*rows, strict=True)) + 4}
