import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.splitting import split_markdown

FENCES = ("```", "```python", "````text", "  ```c")
line = st.one_of(
    st.text(alphabet="ab 训练。.!？ \t*#`_", max_size=90),
    st.sampled_from(FENCES),
    st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=60),
)
texts = st.lists(line, max_size=40).map("\n".join)


def is_fence(line: str) -> bool:
    stripped = line.strip()
    return stripped.startswith("```") and "`" not in stripped.lstrip("`")


def open_fence_at_end(part: str) -> bool:
    mark = ""
    for each in part.splitlines():
        stripped = each.strip()
        if mark:
            mark = "" if stripped == mark else mark
        elif is_fence(each):
            mark = "`" * (len(stripped) - len(stripped.lstrip("`")))
    return bool(mark)


def letters(text: str) -> str:
    """All that must survive: neither white space nor the lines of fences."""
    return "".join("".join(line.split()) for line in text.splitlines() if not is_fence(line))


@given(texts, st.integers(40, 300))
def test_no_part_is_over_the_limit_or_empty(text: str, limit: int) -> None:
    parts = split_markdown(text, limit)
    assert all(0 < len(part) <= limit for part in parts)


@given(texts, st.integers(40, 300))
def test_no_part_ends_inside_a_code_fence(text: str, limit: int) -> None:
    assert not any(open_fence_at_end(part) for part in split_markdown(text, limit))


@given(texts, st.integers(40, 300))
def test_nothing_but_white_space_is_lost_and_order_is_kept(text: str, limit: int) -> None:
    assert letters("\n".join(split_markdown(text, limit))) == letters(text)


@given(st.lists(st.text(alphabet="xy =+()\t", min_size=1, max_size=30), min_size=1, max_size=30))
def test_code_keeps_its_lines_and_indentation(lines: list[str]) -> None:
    parts = split_markdown("```python\n" + "\n".join(lines) + "\n```", 60)
    inside = [line for part in parts for line in part.split("\n")[1:-1]]
    assert inside == lines


def test_short_text_is_one_message() -> None:
    assert split_markdown("一句话。") == ("一句话。",)


def test_nothing_is_no_message() -> None:
    assert split_markdown(" \n\n ") == ()


def test_a_code_block_that_fits_stays_whole() -> None:
    code = "```python\n" + "\n".join(f"x{i} = {i}" for i in range(10)) + "\n```"
    parts = split_markdown("前言" * 40 + "\n\n" + code + "\n\n后记", 150)
    assert code in parts[1]


def test_a_long_code_block_is_closed_and_opened_again() -> None:
    code = "```python\n" + "\n".join(f"line_{i:02}" for i in range(20)) + "\n```"
    parts = split_markdown(code, 80)
    assert len(parts) > 1
    assert all(part.startswith("```python\n") and part.endswith("\n```") for part in parts)


def test_a_long_paragraph_is_cut_after_a_sentence() -> None:
    first, second = split_markdown("一二三四五六七八九十" * 3 + "。" + "再来一句话" * 5, 50)
    assert first.endswith("。")
    assert second.startswith("再来")


def test_an_unclosed_fence_is_closed() -> None:
    assert split_markdown("```py\nx = 1") == ("```py\nx = 1\n```",)


def test_a_limit_too_small_for_a_fence_is_refused() -> None:
    with pytest.raises(ValueError, match="below 40"):
        split_markdown("x", 39)
