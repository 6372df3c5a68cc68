from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.sections import Section, sections_of

EXPLANATION = """Words before.

**直觉**：像骑车。

**算一下**：
- 1 + 1 = 2

```python
**not** = "a heading"
```

after the code"""


def test_sections_begin_with_bold_words_and_leave_code_out() -> None:
    assert sections_of(EXPLANATION) == (
        Section("", "Words before."),
        Section("直觉", "**直觉**：像骑车。"),
        Section("算一下", "**算一下**：\n- 1 + 1 = 2\n\n\nafter the code"),
    )


def test_nothing_has_no_sections() -> None:
    assert sections_of("\n```\nx = 1\n```\n") == ()


@given(st.text(alphabet="a*`\n", max_size=60))
def test_any_markdown_has_sections_with_text(text: str) -> None:
    assert all(section.text for section in sections_of(text))
