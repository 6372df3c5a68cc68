"""One side of an entry in Markdown: its reasons, its example, its code, or itself in short."""

import re
from typing import Final

from bot.rendering.answers import answer_text, code_text, more_text
from bot.rendering.sections import sections_of
from knowledge.aspect import Aspect
from knowledge.entry import Entry
from knowledge.language import Bilingual, Language


def aspect_text(entry: Entry, aspect: Aspect, language: Language) -> str:
    """What ``entry`` says to that aspect, under its question.

    Raises:
        ValueError: the aspect is a comparison, which takes two entries.
    """
    match aspect:
        case Aspect.ANSWER:
            return answer_text(entry, language)
        case Aspect.WHY:
            body = _why(entry, language)
        case Aspect.EXAMPLE:
            body = _example(entry, language)
        case Aspect.CODE:
            body = code_text(entry, language) or _NO_CODE.text(language)
        case Aspect.RUN:
            body = _run(entry, language)
        case Aspect.SIMPLER:
            body = _simpler(entry, language)
        case Aspect.MORE:
            body = more_text(entry, language)
        case Aspect.COMPARE:
            raise ValueError("a comparison takes two entries")
    return f"{_heading(entry, language)}\n{body}"


def comparison_text(entry: Entry, other: Entry, language: Language) -> str:
    """Both entries, one after the other: what each is, and its key points."""
    return "\n\n".join(
        f"{_heading(each, language)}\n**{each.answer(language).summary}**\n"
        f"{_key_points(each, language)}"
        for each in (entry, other)
    )


def _why(entry: Entry, language: Language) -> str:
    answer = entry.answer(language)
    sections = sections_of(answer.explanation)
    reasons = [each.text for each in sections if _REASONS.search(each.heading)]
    return "\n\n".join(reasons or [each.text for each in sections] or [answer.summary])


def _example(entry: Entry, language: Language) -> str:
    answer = entry.answer(language)
    sections = sections_of(answer.explanation)
    shown = [each.text for each in sections if _WORKED.search(each.heading)]
    if not shown:
        pictures = [each.text for each in sections if each.heading in _PICTURES]
        shown = [each for each in (*pictures, code_text(entry, language)) if each]
    if entry.examples:
        shown.append(_CAN_RUN.text(language))
    return "\n\n".join(shown or [_NO_EXAMPLE.text(language)])


def _run(entry: Entry, language: Language) -> str:
    if entry.examples:
        return _CAN_RUN.text(language)
    code = code_text(entry, language)
    told = _CANNOT_RUN_CODE if code else _CANNOT_RUN
    return f"{told.text(language)}\n\n{code}".rstrip()


def _simpler(entry: Entry, language: Language) -> str:
    answer = entry.answer(language)
    pictures = [each.text for each in sections_of(answer.explanation) if each.heading in _PICTURES]
    return "\n\n".join([f"**{answer.summary}**", *pictures, _key_points(entry, language)])


def _heading(entry: Entry, language: Language) -> str:
    return f"### {entry.question.text(language)}"


def _key_points(entry: Entry, language: Language) -> str:
    return "\n".join(f"- {point.text(language)}" for point in entry.key_points)


_PICTURES: Final = ("直觉", "Intuition")
"""The headings under which an entry says what its subject is like."""

_REASONS: Final = re.compile(
    r"直觉|机制|为什么|为何|原理|公式|原因|推导|intuition|mechanism|why|reason|formula",
    re.IGNORECASE,
)
_WORKED: Final = re.compile(
    r"算(?!力|什么|法)|例子?$|举例|worked|by hand|calculation|example|numbers?$", re.IGNORECASE
)
_NO_CODE: Final = Bilingual(
    "这个主题没有代码，讲的是道理和取舍。",
    "There is no code to this one; it is about ideas and choices.",
)
_NO_EXAMPLE: Final = Bilingual(
    "这个主题没有单独的例子。", "There is no separate example to this one."
)
_CAN_RUN: Final = Bilingual(
    "可以当场跑：按下面的“运行”，指标和曲线会出现在聊天里。",
    "It can be run right here: press “Run” below, and its metrics and plot appear in the chat.",
)
_CANNOT_RUN_CODE: Final = Bilingual(
    "这个主题在这里没有能当场跑的例子。代码可以拿到自己的机器上跑：",
    "There is nothing to run here for this one. You can run its code on your own machine:",
)
_CANNOT_RUN: Final = Bilingual(
    "这个主题在这里没有能当场跑的例子。", "There is nothing to run here for this one."
)
