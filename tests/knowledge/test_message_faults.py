from collections.abc import Callable
from pathlib import Path

import pytest

from bot.rendering.answers import answer_text, more_text
from bot.rendering.splitting import MESSAGE_LIMIT, split_markdown
from knowledge.bank import Bank, check_bank, load_bank
from knowledge.fault import Fault
from knowledge.language import Language
from knowledge.message_faults import (
    MESSAGE_CHARACTERS,
    MOST_MESSAGES,
    QUOTE_CHARACTERS,
    answer_blocks,
    messages,
)

EN = "beam search looks at the numbers first."
ZH = "束搜索先看数据，再动手。"

Change = Callable[[str, str], Path]


@pytest.fixture
def change(bank_dir: Path) -> Change:
    """Replace a text of the entry on beam search by another."""

    def changed(old: str, new: str) -> Path:
        path = bank_dir / "language" / "beam-search.md"
        text = path.read_text("utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), "utf-8")
        return path

    return changed


def line_of(path: Path, text: str) -> int:
    return path.read_text("utf-8").split("\n").index(text) + 1


@pytest.fixture(scope="module")
def shipped() -> Bank:
    return load_bank()


def test_a_message_holds_what_the_bot_puts_into_it() -> None:
    assert MESSAGE_CHARACTERS == MESSAGE_LIMIT


def test_answers_take_as_many_messages_as_the_bot_sends(shipped: Bank) -> None:
    quoted = "x" * QUOTE_CHARACTERS
    for entry in shipped.entries:
        for language in Language:
            blocks = answer_blocks(entry, language)
            text = answer_text(entry, language)
            assert ("\n\n".join(blocks),) == split_markdown(text, limit=100_000)
            assert messages(blocks) == len(split_markdown(text))
            sent = split_markdown(f"{quoted}\n\n{text}")
            assert messages(blocks, QUOTE_CHARACTERS) == len(sent) <= MOST_MESSAGES


def test_what_follows_an_answer_is_one_message(shipped: Bank) -> None:
    for entry in shipped.entries:
        for language in Language:
            assert len(split_markdown(more_text(entry, language))) == 1


def test_a_paragraph_fits_a_message(bank_dir: Path, change: Change) -> None:
    long = "word " * 399 + "ended"
    path = change(EN, f"short\n\n{long}")
    assert check_bank(bank_dir) == ()
    change(long, f"{long}.")
    assert check_bank(bank_dir) == (
        Fault(
            path,
            line_of(path, f"{long}."),
            "this paragraph has 2001 characters in `# en`; a message holds 2000",
        ),
    )


def test_code_fits_a_message_in_the_language_that_borrows_it_too(
    bank_dir: Path, change: Change
) -> None:
    path = change('print("beam-search")', "x = 1\n" * 400)
    line = line_of(path, "```python")
    message = "this code block has {} characters in `# {}`; a message holds 2000"
    assert check_bank(bank_dir) == (
        Fault(path, line, message.format(2414, "en")),
        Fault(path, line, message.format(2414, "zh")),
    )


def test_an_answer_takes_few_messages(bank_dir: Path, change: Change) -> None:
    paragraphs = [f"{number}" * 1200 for number in range(1, 5)]
    path = change(EN, "\n\n".join(paragraphs[:3]))
    assert check_bank(bank_dir) == ()
    change(paragraphs[2], "\n\n".join(paragraphs[2:]))
    assert check_bank(bank_dir) == (
        Fault(
            path,
            line_of(path, "# en"),
            "the answer in `# en` takes 4 messages of 2000 characters; at most 3 are read",
        ),
    )


def test_what_a_learner_asks_for_next_is_one_message(bank_dir: Path, change: Change) -> None:
    pitfall = "- beam search is no cure for everything."
    path = change(pitfall, f"{pitfall}\n- {'word ' * 400}")
    (fault,) = check_bank(bank_dir)
    assert (fault.path, fault.line) == (path, line_of(path, pitfall))
    assert fault.message.startswith("common mistakes, key points and sources take 22")
    assert fault.message.endswith("characters in `# en`; a message holds 2000")


def test_code_is_one_block_whatever_blank_lines_are_in_it(bank_dir: Path, change: Change) -> None:
    change('print("beam-search")', "a = 1\n\nb = 2\n# not a heading")
    entry = load_bank(bank_dir).entry("beam-search")
    assert entry is not None
    code = "```python\na = 1\n\nb = 2\n# not a heading\n```"
    assert answer_blocks(entry, Language.ZH)[1:] == [ZH, code]
    assert answer_blocks(entry, Language.EN)[1:] == [EN, code]
