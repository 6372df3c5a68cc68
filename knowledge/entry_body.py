"""The body of an entry's file: an answer in Chinese and one in English, as Markdown."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from knowledge.entry import Answer, Code
from knowledge.language import Language

PITFALLS: Final = {Language.ZH: "常见误会", Language.EN: "Common mistakes"}
"""The bold line that starts the pitfalls of an answer."""

_FENCE: Final = re.compile(r"^(?P<indent>\s*)(?P<marks>`{3,}|~{3,})(?P<info>[^`]*)$")
_HEADING: Final = re.compile(r"^#\s+(?P<title>.*?)\s*#*\s*$")
_BOLD_LINE: Final = re.compile(r"^\*\*(?P<words>[^*]+?)\s*[:：]?\s*\*\*\s*[:：]?\s*$")
_NOT_PROSE: Final = re.compile(
    r"^\s*(?:[-*+]\s|\d+[.)]\s|>|#|\||`{3}|~{3}|\*\*[^*]+\*\*\s*[:：]?\s*$)"
)
_SENTENCE_END: Final = {
    Language.ZH: re.compile(r"[。！？]+[”’」）)]*(?=.)"),
    Language.EN: re.compile(
        r"(?<!e\.g)(?<!i\.e)(?<!\bvs)(?<!\betc)(?<!\bcf)[.!?][\"')\]]*\s+(?=[A-Z])"
    ),
}


@dataclass(frozen=True, slots=True)
class BodyFault:
    """What is wrong on a line of the body. ``line`` counts from 1 in the whole file."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    in_code: bool


def read_answers(
    body: Sequence[str], first_line: int
) -> tuple[dict[Language, Answer], list[BodyFault]]:
    """The answers that ``body`` holds, by language, and its faults.

    An answer without code of its own is given the other language's. An answer is left out when it
    has faults.
    """
    faults: list[BodyFault] = []
    lines = list(_marked(body, first_line, faults))
    sections = _sections(lines, faults)
    answers: dict[Language, Answer] = {}
    for language in Language:
        if language not in sections:
            faults.append(
                BodyFault(
                    first_line + max(len(body) - 1, 0), f"the section `# {language}` is missing"
                )
            )
            continue
        start, section = sections[language]
        answer = _answer(language, start, section, faults)
        if answer:
            answers[language] = answer
    return _with_shared_code(answers), faults


def _marked(body: Sequence[str], first_line: int, faults: list[BodyFault]) -> Iterator[_Line]:
    """The lines, each with whether it belongs to a code block (its fences included)."""
    open_marks, opened_at = "", 0
    for number, text in enumerate(body, first_line):
        fence = _FENCE.match(text)
        if open_marks:
            yield _Line(number, text, in_code=True)
            if fence and _closes(fence, open_marks):
                open_marks = ""
            continue
        if fence:
            open_marks, opened_at = fence["marks"], number
            if not fence["info"].strip():
                faults.append(
                    BodyFault(number, "the code block does not name its language (```python)")
                )
        yield _Line(number, text, in_code=fence is not None)
    if open_marks:
        faults.append(BodyFault(opened_at, "the code block that starts here is never closed"))


def _closes(fence: re.Match[str], open_marks: str) -> bool:
    marks = fence["marks"]
    return not fence["info"].strip() and marks[0] == open_marks[0] and len(marks) >= len(open_marks)


def _sections(
    lines: Sequence[_Line], faults: list[BodyFault]
) -> dict[Language, tuple[int, list[_Line]]]:
    sections: dict[Language, tuple[int, list[_Line]]] = {}
    current: list[_Line] | None = None
    for line in lines:
        heading = None if line.in_code else _HEADING.match(line.text)
        if heading:
            title = heading["title"]
            if title not in set(Language):
                faults.append(
                    BodyFault(line.number, f"`# {title}`: only `# zh` and `# en` are sections")
                )
                continue
            language = Language(title)
            if language in sections:
                faults.append(BodyFault(line.number, f"the section `# {title}` stands here twice"))
                current = []
                continue
            current = []
            sections[language] = (line.number, current)
        elif current is not None:
            current.append(line)
        elif line.text.strip():
            faults.append(BodyFault(line.number, "text before the first section `# zh`"))
            current = []
    return sections


def _answer(
    language: Language, start: int, lines: Sequence[_Line], faults: list[BodyFault]
) -> Answer | None:
    before = len(faults)
    filled = _trimmed(lines)
    if not filled:
        faults.append(BodyFault(start, f"the section `# {language}` is empty"))
        return None
    summary = _first_paragraph(filled)
    rest = filled[len(summary) :]
    if not summary:
        faults.append(
            BodyFault(
                filled[0].number, "the answer must start with its summary, one plain sentence"
            )
        )
        rest = filled
    summary_text = _joined(language, summary)
    if _SENTENCE_END[language].search(summary_text):
        faults.append(BodyFault(summary[0].number, "the summary must be a single sentence"))
    at = _pitfalls_at(language, rest)
    if at is None:
        faults.append(
            BodyFault(start, f"`# {language}` has no pitfalls (a line **{PITFALLS[language]}**)")
        )
        return None
    explanation, pitfalls = _trimmed(rest[:at]), _trimmed(rest[at + 1 :])
    if not explanation:
        faults.append(BodyFault(rest[at].number, f"`# {language}` has no explanation"))
    if not pitfalls:
        faults.append(BodyFault(rest[at].number, "the pitfalls are empty"))
    if len(faults) > before:
        return None
    return Answer(
        summary=summary_text,
        explanation=_text(explanation),
        pitfalls=_text(pitfalls),
        code=tuple(_code_blocks(explanation)),
    )


def _trimmed(lines: Sequence[_Line]) -> list[_Line]:
    filled = [at for at, line in enumerate(lines) if line.text.strip()]
    return list(lines[filled[0] : filled[-1] + 1]) if filled else []


def _first_paragraph(lines: Sequence[_Line]) -> list[_Line]:
    paragraph: list[_Line] = []
    for line in lines:
        if line.in_code or not line.text.strip() or _NOT_PROSE.match(line.text):
            break
        paragraph.append(line)
    return paragraph


def _joined(language: Language, lines: Sequence[_Line]) -> str:
    gap = "" if language is Language.ZH else " "
    return gap.join(line.text.strip() for line in lines)


def _pitfalls_at(language: Language, lines: Sequence[_Line]) -> int | None:
    for at, line in enumerate(lines):
        bold = None if line.in_code else _BOLD_LINE.match(line.text)
        if bold and bold["words"].strip().lower() == PITFALLS[language].lower():
            return at
    return None


def _text(lines: Sequence[_Line]) -> str:
    return "\n".join(line.text.rstrip() for line in lines)


def _code_blocks(lines: Sequence[_Line]) -> Iterator[Code]:
    marks, indent, language, block = "", "", "", list[str]()
    for line in lines:
        if not line.in_code:
            continue
        fence = _FENCE.match(line.text)
        if not marks and fence:
            marks, indent = fence["marks"], fence["indent"]
            language, block = fence["info"].strip().partition(" ")[0], []
        elif fence and _closes(fence, marks):
            yield Code(language, "\n".join(block))
            marks = ""
        else:
            block.append(line.text.removeprefix(indent).rstrip())


def _with_shared_code(answers: dict[Language, Answer]) -> dict[Language, Answer]:
    codes = [answer.code for answer in answers.values() if answer.code]
    if not codes:
        return answers
    return {
        language: answer if answer.code else replace(answer, code=codes[0])
        for language, answer in answers.items()
    }
