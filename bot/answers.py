"""Outcomes as Discord messages: text in parts, and the buttons that lead on."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import discord
from discord import ButtonStyle
from discord.ui import View
from discord.utils import MISSING

from bot.buttons import ROW_WIDTH, ButtonSpec, view_of
from bot.rendering.answers import refused_text, silent_text, unsure_text
from bot.rendering.aspects import aspect_text, comparison_text
from bot.rendering.splitting import split_markdown
from knowledge.aspect import Aspect
from knowledge.bank import Bank
from knowledge.entry import Entry, EntryId
from knowledge.language import Bilingual, Language
from knowledge.outcome import Answered, Compared, Hit, Outcome, Refused, Silent, Unsure

MORE, CODE, SHOW, RUN, NONE_OF_THESE = "more", "code", "show", "run", "none"
"""The actions of the buttons under an answer; `ButtonSpec` says how they travel."""

_EXAMPLES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send: ``parts`` are messages in order, the buttons go under the last."""

    parts: tuple[str, ...]
    buttons: tuple[ButtonSpec, ...] = ()


class Send(Protocol):
    """Sends one message; the view is left out where there is none."""

    async def __call__(self, content: str, *, view: View = ...) -> object:
        """Send ``content``."""
        ...


async def send_reply(reply: Reply, first: Send, more: Send) -> None:
    """Send the first part through ``first`` and the others, in order, through ``more``."""
    for index, part in enumerate(reply.parts):
        send = more if index else first
        view = view_of(reply.buttons) if index == len(reply.parts) - 1 else None
        if view is None:
            await send(part)
        else:
            await send(part, view=view)


def responding(interaction: discord.Interaction, *, ephemeral: bool = False) -> tuple[Send, Send]:
    """How the first and the further messages of an interaction's answer are sent."""

    async def first(content: str, *, view: View = MISSING) -> None:
        await interaction.response.send_message(content, view=view, ephemeral=ephemeral)

    async def further(content: str, *, view: View = MISSING) -> None:
        await interaction.followup.send(content, view=view, ephemeral=ephemeral)

    return first, further


def reply_to(outcome: Outcome, bank: Bank, language: Language) -> Reply:
    """The message for an outcome of retrieval; also for `Silent`, where something must be said.

    Raises:
        LookupError: the outcome names an entry that the bank does not hold.
    """
    match outcome:
        case Answered(entry=entry_id, aspect=aspect):
            return entry_reply(_found(entry_id, bank), bank, language, aspect)
        case Compared(entry=entry_id, other=other_id):
            return _comparison(_found(entry_id, bank), _found(other_id, bank), language)
        case Unsure(candidates=candidates, confidence=confidence):
            none = ButtonSpec(
                _NONE.text(language),
                NONE_OF_THESE,
                (language.value, f"{confidence:.3f}"),
                row=len(candidates),
            )
            return Reply(
                split_markdown(unsure_text(outcome, language)),
                (*_hit_buttons(candidates, language), none),
            )
        case Refused(nearest=nearest):
            return Reply(
                split_markdown(refused_text(outcome, language)), _hit_buttons(nearest, language)
            )
        case Silent():
            return Reply((silent_text(outcome, language),))


def entry_reply(
    entry: Entry, bank: Bank, language: Language, aspect: Aspect = Aspect.ANSWER
) -> Reply:
    """One aspect of an entry, with the buttons for more, code, run and related subjects.

    Raises:
        ValueError: the aspect is a comparison, which takes two entries.
    """
    arguments = (entry.id, language.value)
    buttons = [ButtonSpec(_MORE.text(language), MORE, arguments, emoji="📖")]
    if entry.answer(language).code or entry.examples:
        buttons.append(ButtonSpec(_CODE.text(language), CODE, arguments, emoji="💻"))
    buttons.extend(
        ButtonSpec(
            f"{_RUN.text(language)} {example}",
            RUN,
            (example, language.value),
            row=1,
            style=ButtonStyle.success,
            emoji="▶️",
        )
        for example in entry.examples[:_EXAMPLES_SHOWN]
    )
    related = [found for each in entry.related if (found := bank.entry(each)) is not None]
    buttons.extend(
        ButtonSpec(other.question.text(language), SHOW, (other.id, language.value), row=2)
        for other in related[:ROW_WIDTH]
    )
    return Reply(split_markdown(aspect_text(entry, aspect, language)), tuple(buttons))


def _comparison(entry: Entry, other: Entry, language: Language) -> Reply:
    """Both entries in short, with a button for the whole answer of each."""
    buttons = tuple(
        ButtonSpec(
            each.question.text(language),
            SHOW,
            (each.id, language.value),
            row=row,
            style=ButtonStyle.primary,
        )
        for row, each in enumerate((entry, other))
    )
    return Reply(split_markdown(comparison_text(entry, other, language)), buttons)


def _found(entry_id: EntryId, bank: Bank) -> Entry:
    entry = bank.entry(entry_id)
    if entry is None:
        raise LookupError(f"retrieval found {entry_id!r}, which the bank does not hold")
    return entry


def _hit_buttons(hits: Iterable[Hit], language: Language) -> tuple[ButtonSpec, ...]:
    return tuple(
        ButtonSpec(
            hit.question.text(language),
            SHOW,
            (hit.entry, language.value),
            row=row,
            style=ButtonStyle.primary,
        )
        for row, hit in enumerate(hits)
    )


def quoted(question: str) -> str:
    """A learner's question as one quoted line that cannot format or ping."""
    line = " ".join(question.split())
    shown = line if len(line) <= _QUOTE_LIMIT else line[: _QUOTE_LIMIT - 1] + "…"
    return f"> {discord.utils.escape_mentions(discord.utils.escape_markdown(shown))}\n"


def question_answered(answer: str) -> str:
    """What an answer was to: its entry's question, or else the one that it quotes, or nothing."""
    heading = _HEADING.search(answer)
    return heading["question"] if heading else unquoted(answer)


def unquoted(answer: str) -> str:
    """The question that an answer made with `quoted` starts with; empty where it has none."""
    line, _, _ = answer.partition("\n")
    return re.sub(r"\\(.)", r"\1", line[2:]).replace("\u200b", "") if line[:2] == "> " else ""


_QUOTE_LIMIT = 200
_HEADING = re.compile(r"^### (?P<question>.+)$", re.MULTILINE)

_MORE = Bilingual("更多", "More")
_CODE = Bilingual("代码", "Code")
_RUN = Bilingual("运行", "Run")
_NONE = Bilingual("都不是", "None of these")
