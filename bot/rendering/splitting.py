"""Long Markdown cut into messages: never inside a code fence, nothing lost."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MESSAGE_LIMIT = 2_000
"""Characters that one Discord message holds."""

_FENCE = re.compile(r"^\s*`{3,}[^`\n]*$")


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that belong together; ``fence`` is the opening line of a code block, else empty."""

    text: str
    fence: str = ""


def split_markdown(text: str, limit: int = MESSAGE_LIMIT) -> tuple[str, ...]:
    """``text`` as messages of at most ``limit`` characters each, in order; none is empty.

    Paragraphs and code blocks stay whole where they fit into one message. A code block that does
    not fit is cut at its lines, closed and opened again; a paragraph is cut at lines, then after
    sentences, then between words, and only at last within one. White space where a cut falls
    (blank lines between paragraphs, the space between words) is dropped, no other character is.

    Raises:
        ValueError: ``limit`` is below 40, too small for a fence and a line.
    """
    if limit < _SMALLEST_LIMIT:
        raise ValueError(f"limit is below {_SMALLEST_LIMIT}: {limit}")
    parts: list[str] = []
    current = ""
    for block in _blocks(text):
        joined = f"{current}\n\n{block.text}" if current else block.text
        if len(joined) <= limit:
            current = joined
            continue
        if current:
            parts.append(current)
        *whole, current = _pieces(block, limit)
        parts.extend(whole)
    if current:
        parts.append(current)
    return tuple(parts)


_SMALLEST_LIMIT = 40


def _blocks(text: str) -> Iterator[_Block]:
    """The paragraphs and code blocks of ``text``; an unclosed fence is closed at the end."""
    lines: list[str] = []
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            lines.append(line)
            if line.strip() == _mark(fence):
                yield _Block("\n".join(lines), fence)
                lines, fence = [], ""
        elif mark:
            yield from _paragraph(lines)
            lines, fence = [line], line
        elif line.strip():
            lines.append(line)
        else:
            yield from _paragraph(lines)
            lines = []
    if fence:
        yield _Block("\n".join([*lines, _mark(fence)]), fence)
    else:
        yield from _paragraph(lines)


def _paragraph(lines: list[str]) -> Iterator[_Block]:
    if lines:
        yield _Block("\n".join(lines))


def _pieces(block: _Block, limit: int) -> list[str]:
    """The block in pieces of at most ``limit`` characters, at least one."""
    if len(block.text) <= limit:
        return [block.text]
    if not block.fence:
        return _cut_lines(block.text.split("\n"), limit)
    fence = block.fence if len(block.fence) <= _SMALLEST_LIMIT // 2 else _mark(block.fence)
    closing = _mark(fence)
    room = limit - len(fence) - len(closing) - 2
    body = block.text.split("\n")[1:-1]
    return [f"{fence}\n{piece}\n{closing}" for piece in _cut_lines(body, room, code=True)]


def _cut_lines(lines: list[str], limit: int, *, code: bool = False) -> list[str]:
    pieces: list[str] = []
    current: str | None = None
    for line in lines:
        for index, part in enumerate(_cut_line(line, limit, code=code)):
            joined = part if current is None else f"{current}\n{part}"
            if index == 0 and len(joined) <= limit:
                current = joined
                continue
            if current is not None:
                pieces.append(current)
            current = part
    if current is not None:
        pieces.append(current)
    return [piece for piece in pieces if code or piece.strip()]


def _cut_line(line: str, limit: int, *, code: bool) -> Iterator[str]:
    """One line in pieces; a piece ends after a sentence, else before a space, else anywhere."""
    while len(line) > limit:
        at = limit if code else _cut_at(line, limit)
        yield line[:at] if code else line[:at].rstrip()
        line = line[at:] if code else line[at:].lstrip()
    yield line


def _cut_at(line: str, limit: int) -> int:
    ends = [match.end() for match in _SENTENCE_END.finditer(line, 0, limit)]
    if ends and ends[-1] > limit // 2:
        return ends[-1]
    space = line.rfind(" ", 1, limit + 1)
    return space if space > limit // 2 else limit


_SENTENCE_END = re.compile(r"[。！？；]|[.!?;](?=\s)")


def _mark(fence: str) -> str:
    line = fence.strip()
    return "`" * (len(line) - len(line.lstrip("`")))
