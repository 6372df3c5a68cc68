from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.entry import Code
from knowledge.entry_file import is_id, read_entry_file

Write = Callable[..., Path]


def faults(path: Path) -> list[tuple[str, str]]:
    """What stands on each faulty line, and what is wrong with it."""
    file = read_entry_file(path)
    assert (file.entry is None) == bool(file.faults)
    lines = path.read_text("utf-8", errors="replace").split("\n")
    return [(lines[fault.line - 1].strip(), fault.message) for fault in file.faults]


def test_a_faultless_file_gives_an_entry(write_entry: Write) -> None:
    file = read_entry_file(write_entry())
    assert file.faults == ()
    assert file.entry is not None
    assert file.entry.id == "gradient-clipping"


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        (
            "id: gradient-clipping",
            "id: clipping",
            "id: clipping",
            "id is clipping, but the file's name is gradient-clipping",
        ),
        (
            "id: gradient-clipping",
            "id: Gradient Clipping",
            "id: Gradient Clipping",
            "id must be lower-case words joined by hyphens, 2 to 48 characters",
        ),
        (
            "topic: training",
            "topic: cost",
            "topic: cost",
            "topic is cost, but the folder's name is training",
        ),
        (
            "related: []",
            "related: [gradient-clipping]",
            "related: [gradient-clipping]",
            "the entry is related to itself",
        ),
        (
            "related: []",
            "related:\n  - warmup\n  - decay\n  - warmup",
            "- warmup",
            "related names warmup twice",
        ),
        (
            "examples: []",
            "examples: [My Example]",
            "examples: [My Example]",
            "examples: My Example cannot be an id",
        ),
        ("examples: []", "examples: clip", "examples: clip", "examples must be a list"),
        (
            "sources:\n  - A book on gradient clipping",
            "sources: []",
            "sources: []",
            "an answer needs at least one source",
        ),
        (
            "    - 梯度裁剪入门\n",
            "    - clipping tutorial\n",
            "- clipping tutorial",
            "this is not Chinese: clipping tutorial",
        ),
        (
            "    - why use gradient clipping\n",
            "    - why use 梯度裁剪\n",
            "- why use 梯度裁剪",
            "this is not English: why use 梯度裁剪",
        ),
        (
            "    - why use gradient clipping\n",
            "    - a question: with a colon\n",
            "- a question: with a colon",
            "phrasings.en must be one text (put it in quotes when it holds `: `)",
        ),
        ("    - why use gradient clipping\n", "    - ''\n", "- ''", "phrasings.en is empty"),
        (
            "  en: What is gradient clipping?\n",
            "",
            "zh: 什么是梯度裁剪？",
            "the key question.en is missing",
        ),
        (
            "  en: What is gradient clipping?\n",
            "  en: What is gradient clipping?\n  de: Was ist das?\n",
            "de: Was ist das?",
            "unknown key question.de",
        ),
        (
            "  - zh: 梯度裁剪的代价\n    en: the cost of gradient clipping\n",
            "",
            "key_points:",
            "there must be 3 to 6 key points, not 2",
        ),
        (
            "id: gradient-clipping",
            "id: gradient-clipping\nid: again",
            "id: again",
            "the key id stands here twice",
        ),
    ],
)
def test_a_fault_of_the_head_is_named_by_its_line(
    write_entry: Write, old: str, new: str, line: str, message: str
) -> None:
    assert (line, message) in faults(write_entry(old, new))


def test_what_is_no_yaml_is_named_by_its_line(write_entry: Write) -> None:
    ((line, message),) = faults(write_entry("examples: []", "examples: }"))
    assert line == "examples: }"
    assert message.startswith("this is no YAML: ")


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("# en\n", "# fr\n", "# fr", "`# fr`: only `# zh` and `# en` are sections"),
        ("# en\n", "# zh\n", "# zh", "the section `# zh` stands here twice"),
        (
            "梯度裁剪是一种方法。",
            "梯度裁剪是一种方法。它很常用。",
            "梯度裁剪是一种方法。它很常用。",
            "the summary must be a single sentence",
        ),
        (
            "gradient clipping is a method.",
            "Clipping is a method. It is common.",
            "Clipping is a method. It is common.",
            "the summary must be a single sentence",
        ),
        (
            "梯度裁剪是一种方法。",
            "- 梯度裁剪是一种方法。",
            "- 梯度裁剪是一种方法。",
            "the answer must start with its summary, one plain sentence",
        ),
        ("**常见误会**：\n", "", "# zh", "`# zh` has no pitfalls (a line **常见误会**)"),
        ("- 梯度裁剪不是万能的。\n", "", "**常见误会**：", "the pitfalls are empty"),
        (
            "gradient clipping looks at the numbers first.\n",
            "",
            "**Common mistakes**",
            "`# en` has no explanation",
        ),
        (
            "```python\n",
            "```\n",
            "```",
            "the code block does not name its language (```python)",
        ),
        ("# zh\n", "words\n\n# zh\n", "words", "text before the first section `# zh`"),
    ],
)
def test_a_fault_of_the_body_is_named_by_its_line(
    write_entry: Write, old: str, new: str, line: str, message: str
) -> None:
    assert (line, message) in faults(write_entry(old, new))


def test_an_unclosed_code_block_is_named_by_the_line_that_opens_it(write_entry: Write) -> None:
    path = write_entry('print("gradient-clipping")\n```', 'print("gradient-clipping")')
    assert ("```python", "the code block that starts here is never closed") in faults(path)


def test_an_empty_section_is_a_fault(write_entry: Write) -> None:
    path = write_entry()
    text = path.read_text("utf-8")
    path.write_text(text[: text.index("# en\n")] + "# en\n\n", "utf-8")
    assert faults(path) == [("# en", "the section `# en` is empty")]


def test_all_faults_of_a_file_are_told_at_once(write_entry: Write) -> None:
    path = write_entry(
        "topic: training", "topic: cost", "related: []", "related: [A]", "**常见误会**：", "误会："
    )
    assert faults(path) == [
        ("topic: cost", "topic is cost, but the folder's name is training"),
        ("related: [A]", "related: A cannot be an id"),
        ("# zh", "`# zh` has no pitfalls (a line **常见误会**)"),
    ]


def test_a_comment_in_code_is_no_heading(write_entry: Write) -> None:
    path = write_entry('print("gradient-clipping")', "# zh\n# clip first\n**常见误会**：\nclip()")
    file = read_entry_file(path)
    assert file.faults == ()
    assert file.entry is not None
    assert file.entry.answer_zh.code == (
        Code("python", "# zh\n# clip first\n**常见误会**：\nclip()"),
    )
    assert file.entry.answer_zh.pitfalls == "- 梯度裁剪不是万能的。"


def test_a_longer_fence_holds_a_shorter_one(write_entry: Write) -> None:
    path = write_entry(
        '```python\nprint("gradient-clipping")\n```', "````markdown\n```python\nx\n```\n````"
    )
    file = read_entry_file(path)
    assert file.faults == ()
    assert file.entry is not None
    assert file.entry.answer_zh.code == (Code("markdown", "```python\nx\n```"),)


def test_code_in_a_list_is_taken_without_its_indent(write_entry: Write) -> None:
    path = write_entry(
        '```python\nprint("gradient-clipping")\n```',
        "1. 先裁剪：\n   ```python\n   if big:\n       clip()\n   ```",
    )
    file = read_entry_file(path)
    assert file.entry is not None
    assert file.entry.answer_zh.code == (Code("python", "if big:\n    clip()"),)


@pytest.mark.parametrize(
    "line", ["**常见误会**", "**常见误会：**", "**常见误会** ：", "**常见误会**:"]
)
def test_the_line_before_the_pitfalls_needs_no_colon(write_entry: Write, line: str) -> None:
    assert faults(write_entry("**常见误会**：", line)) == []


@pytest.mark.parametrize(
    "summary",
    [
        "Clipping, e.g. by norm, is a method.",
        "Clipping (vs. scaling) keeps 3.5 of it.",
        'It says "stop." and stops.',
    ],
)
def test_a_full_stop_inside_a_sentence_does_not_end_it(write_entry: Write, summary: str) -> None:
    assert faults(write_entry("gradient clipping is a method.", summary)) == []


def test_values_are_read_as_they_are_written(write_entry: Write) -> None:
    path = write_entry("A book on gradient clipping", "2019-05-01")
    entry = read_entry_file(path).entry
    assert entry is not None
    assert entry.sources == ("2019-05-01",)


def test_a_file_without_front_matter_says_so(write_entry: Write) -> None:
    path = write_entry()
    path.write_text("# zh\n", "utf-8")
    assert faults(path) == [
        ("# zh", "the file must start with front matter between two lines of ---")
    ]
    path.write_text("---\nid: x\n", "utf-8")
    assert faults(path) == [("---", "the front matter is never closed with ---")]


def test_a_file_that_is_no_text_says_so(write_entry: Write) -> None:
    path = write_entry()
    path.write_bytes(b"---\n\xff\xfe")
    assert faults(path) == [("---", "the file is not UTF-8")]


@pytest.mark.parametrize("text", ["a1", "gradient-clipping", "l1-l2", "x" * 48])
def test_ids_are_lower_case_words_joined_by_hyphens(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize("text", ["", "a", "A1", "a_b", "-ab", "ab-", "a--b", "x" * 49, "梯度"])
def test_anything_else_is_no_id(text: str) -> None:
    assert not is_id(text)
