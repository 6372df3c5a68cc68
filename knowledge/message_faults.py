"""Whether an entry's texts fit the messages of a chat, without being cut where it hurts."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from knowledge.entry import Entry
from knowledge.entry_file import EntryFile
from knowledge.fault import Fault
from knowledge.language import Language

MESSAGE_CHARACTERS: Final = 2_000
"""What one message holds (Discord's API reference, "Create Message", ``content``)."""

MOST_MESSAGES: Final = 3
"""How many messages an answer may take: the whole code of a network needs as many, and more would
push what others say off the screen."""

QUOTE_CHARACTERS: Final = 410
"""Room for the question that an answer quotes first: 200 characters, each perhaps with a backslash
before it, and the marks around them."""

_FENCE: Final = "```"
_GAP: Final = "\n\n"
_HEADING_CHARACTERS: Final = 24
"""Room for the bold line over common mistakes, key points and sources."""


def message_faults(files: Iterable[EntryFile]) -> Iterator[Fault]:
    """The answers that take too many messages, and the blocks that one message cannot hold.

    The blocks, paragraphs and code, are put into messages as long as they fit; what comes after
    the answer when a learner asks for more must be one message.
    """
    for file in files:
        if file.entry is None:
            continue
        for language in Language:
            yield from _answer_faults(file, file.entry, language)
            yield from _more_faults(file, file.entry, language)


def answer_blocks(entry: Entry, language: Language) -> list[str]:
    """The answer as a chat shows it, cut into its paragraphs and code blocks."""
    answer = entry.answer(language)
    blocks = [f"### {entry.question.text(language)}\n**{answer.summary}**"]
    blocks += _blocks(answer.explanation)
    if _FENCE not in answer.explanation:
        blocks += [f"{_FENCE}{code.language}\n{code.text}\n{_FENCE}" for code in answer.code]
    return blocks


def messages(blocks: Sequence[str], first: int = 0) -> int:
    """How many messages ``blocks`` take, none of them cut, after ``first`` characters."""
    count, used = 1, first
    for block in blocks:
        needed = len(block) + (len(_GAP) if used else 0)
        if used and used + needed > MESSAGE_CHARACTERS:
            count, used = count + 1, len(block)
        else:
            used += needed
    return count


def _answer_faults(file: EntryFile, entry: Entry, language: Language) -> Iterator[Fault]:
    blocks = answer_blocks(entry, language)
    for block in blocks:
        if len(block) > MESSAGE_CHARACTERS:
            kind = "code block" if block.lstrip().startswith(_FENCE) else "paragraph"
            yield Fault(
                file.path,
                _line(file, language, block),
                f"this {kind} has {len(block)} characters in `# {language}`; a message holds "
                f"{MESSAGE_CHARACTERS}",
            )
    count = messages(blocks, QUOTE_CHARACTERS)
    if count > MOST_MESSAGES:
        yield Fault(
            file.path,
            _line(file, language),
            f"the answer in `# {language}` takes {count} messages of {MESSAGE_CHARACTERS} "
            f"characters; at most {MOST_MESSAGES} are read",
        )


def _more_faults(file: EntryFile, entry: Entry, language: Language) -> Iterator[Fault]:
    lists = (
        [entry.answer(language).pitfalls],
        [f"- {point.text(language)}" for point in entry.key_points],
        [f"- {source}" for source in entry.sources],
    )
    texts = ["\n".join(lines) for lines in lists]
    needed = sum(_HEADING_CHARACTERS + len(text) for text in texts)
    if needed > MESSAGE_CHARACTERS:
        yield Fault(
            file.path,
            _line(file, language, entry.answer(language).pitfalls),
            f"common mistakes, key points and sources take {needed} characters in `# {language}`; "
            f"a message holds {MESSAGE_CHARACTERS}",
        )


def _blocks(text: str) -> list[str]:
    blocks: list[list[str]] = [[]]
    in_code = False
    for line in text.split("\n"):
        fence = line.lstrip().startswith(_FENCE)
        if (fence and not in_code) or not (in_code or line.strip()):
            blocks.append([])
        if in_code or line.strip():
            blocks[-1].append(line)
        if fence:
            in_code = not in_code
            if not in_code:
                blocks.append([])
    return ["\n".join(lines) for lines in blocks if lines]


def _line(file: EntryFile, language: Language, block: str = "") -> int:
    """Where ``block`` starts in the section of ``language``; without one, where that starts.

    Code that the other language lends is found in the other section.
    """
    lines = [line.rstrip() for line in file.path.read_text("utf-8").split("\n")]
    start = next(
        at for at, line in enumerate(lines) if line.strip("# ") == language and line[0] == "#"
    )
    wanted = block.partition("\n")[0] if block else lines[start]
    after = (at for at in range(start, len(lines)) if lines[at] == wanted)
    anywhere = (at for at, line in enumerate(lines) if line == wanted)
    return next(after, next(anywhere, start)) + 1
