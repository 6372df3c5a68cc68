"""Asking: ``/ask``, a mention, a direct message, and the buttons under an answer."""

import re

import discord
from discord import app_commands
from discord.ext import commands
from discord.ui import View
from discord.utils import MISSING

from bot.answers import (
    CODE,
    MORE,
    NONE_OF_THESE,
    SHOW,
    Reply,
    entry_reply,
    question_answered,
    quoted,
    reply_to,
    responding,
    send_reply,
    unquoted,
)
from bot.client import TutorBot
from bot.errors import EntryGoneError
from bot.localization import answer_language, said
from bot.rendering.answers import (
    code_text,
    greeting_text,
    loading_text,
    more_text,
    none_meant_text,
)
from bot.rendering.splitting import split_markdown
from bot.store.records import Miss
from knowledge.bank import Bank
from knowledge.entry import Entry
from knowledge.language import Language
from knowledge.outcome import Outcome, Query, Refused, Silent

Interaction = discord.Interaction[TutorBot]

_QUESTION_LIMIT = 2_000
_COMPLETIONS = 25
_CHOICE_LIMIT = 100
_WELCOME = "\N{SMILING FACE WITH SMILING EYES}"
"""The sign that thanks were seen."""


async def setup(bot: TutorBot) -> None:
    """Add the feature."""
    await bot.add_cog(Ask(bot))


class Ask(commands.Cog):
    """Answers whoever addresses the tutor."""

    def __init__(self, bot: TutorBot) -> None:
        self.bot = bot
        bot.on_press(SHOW, self.show)
        bot.on_press(MORE, self.more)
        bot.on_press(CODE, self.code)
        bot.on_press(NONE_OF_THESE, self.none_of_these)

    @app_commands.command(name="ask", description=said("Ask the tutor a question", zh="向学伴提问"))
    @app_commands.describe(
        question=said("Your question, in Chinese or English", zh="你的问题，中文英文都行")
    )
    async def ask(
        self, interaction: Interaction, question: app_commands.Range[str, 1, _QUESTION_LIMIT]
    ) -> None:
        """Answer a question in the channel."""
        before = self.bot.under_discussion.questions(*_place(interaction))
        language = answer_language(question, interaction.locale, before)
        await interaction.response.defer(thinking=True)
        if not self.bot.services.retriever.ready:
            await interaction.edit_original_response(content=loading_text(language))
        outcome = await self._outcome(question, _place(interaction), interaction.guild_id, language)
        reply = reply_to(outcome, self._bank(interaction.guild_id), language)
        parts = split_markdown("\n\n".join((quoted(question), *reply.parts)))

        async def first(content: str, *, view: View = MISSING) -> None:
            await interaction.edit_original_response(content=content, view=view)

        async def more(content: str, *, view: View = MISSING) -> None:
            await interaction.followup.send(content, view=view)

        await send_reply(Reply(parts, reply.buttons), first, more)

    @ask.autocomplete("question")
    async def complete_question(
        self, interaction: Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """The bank's own questions that hold what was typed."""
        language = answer_language(current, interaction.locale)
        wanted = current.casefold().strip()
        found = (
            entry.question.text(language)
            for entry in self._bank(interaction.guild_id).entries
            if _asks_for(entry, wanted)
        )
        return [
            app_commands.Choice(name=question[:_CHOICE_LIMIT], value=question[:_CHOICE_LIMIT])
            for question, _ in zip(found, range(_COMPLETIONS), strict=False)
        ]

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Answer a direct message, one that mentions the tutor, or one that replies to it."""
        if message.author.bot or self.bot.user is None:
            return
        about = _replied_to(message, self.bot.user)
        if message.guild is not None and self.bot.user not in message.mentions and not about:
            return
        question = without_mention(message.content, self.bot.user.id)
        locale = message.guild.preferred_locale if message.guild else None
        place = message.channel.id, message.author.id
        if about:
            self.bot.under_discussion.ask(*place, about)
        language = answer_language(question, locale, self.bot.under_discussion.questions(*place))
        try:
            await self._answer_message(message, question, language)
        except Exception as error:  # noqa: BLE001 - the learner is told, the rest is logged
            await message.reply(self.bot.explain(error, language))

    async def _answer_message(
        self, message: discord.Message, question: str, language: Language
    ) -> None:
        if not question:
            await message.reply("\n".join(greeting_text(each) for each in Language))
            return
        waiting: discord.Message | None = None
        if self.bot.services.retriever.ready:
            await message.channel.typing()
        else:
            waiting = await message.reply(loading_text(language))
        guild_id = message.guild.id if message.guild else None
        place = message.channel.id, message.author.id
        outcome = await self._outcome(question, place, guild_id, language)
        if isinstance(outcome, Silent):
            await self._stay_silent(message, waiting, outcome)
            return
        reply = reply_to(outcome, self._bank(guild_id), language)

        async def first(content: str, *, view: View = MISSING) -> None:
            if waiting is None:
                await message.reply(content, view=view)
            else:
                await waiting.edit(content=content, view=view)

        async def more(content: str, *, view: View = MISSING) -> None:
            await message.channel.send(content, view=view)

        await send_reply(reply, first, more)

    async def _outcome(
        self, text: str, place: tuple[int, int], guild: int | None, language: Language
    ) -> Outcome:
        """What ``text`` comes to after what the learner asked in the same place before."""
        services, discussion = self.bot.services, self.bot.under_discussion
        query = Query(text, guild=guild, conversation=discussion.questions(*place))
        outcome = await services.retriever.retrieve(query)
        discussion.note(*place, text, outcome)
        if isinstance(outcome, Refused):
            await services.store.keep_miss(
                Miss(text, language, guild, services.clock.now(), outcome.confidence)
            )
        return outcome

    async def _stay_silent(
        self, message: discord.Message, waiting: discord.Message | None, outcome: Silent
    ) -> None:
        """Say nothing; thanks get a small sign where the bot may give one."""
        if waiting is not None:
            await waiting.delete()
        if outcome.thanks and _may_react(message):
            await message.add_reaction(_WELCOME)

    def _bank(self, guild: int | None) -> Bank:
        return self.bot.services.retriever.bank_of(guild)

    async def show(self, interaction: Interaction, arguments: tuple[str, ...]) -> None:
        """Answer with the entry that a button names."""
        entry, language = self._entry(interaction, arguments)
        self.bot.under_discussion.ask(*_place(interaction), entry.question.text(language))
        reply = entry_reply(entry, self._bank(interaction.guild_id), language)
        await send_reply(reply, *responding(interaction))

    async def more(self, interaction: Interaction, arguments: tuple[str, ...]) -> None:
        """Show, to whoever pressed, what the answer left out."""
        entry, language = self._entry(interaction, arguments)
        reply = Reply(split_markdown(more_text(entry, language)))
        await send_reply(reply, *responding(interaction, ephemeral=True))

    async def code(self, interaction: Interaction, arguments: tuple[str, ...]) -> None:
        """Show, to whoever pressed, the answer's code and the source of its examples."""
        entry, language = self._entry(interaction, arguments)
        await interaction.response.defer(ephemeral=True, thinking=True)
        texts = [code_text(entry, language)]
        for example in await self.bot.services.runner.catalogue():
            if example.id in entry.examples:
                heading = f"**`{example.id}`** · {example.title.text(language.value)}"
                texts.append(f"{heading}\n\n```python\n{example.code}\n```")
        for part in split_markdown("\n\n".join(text for text in texts if text)):
            await interaction.followup.send(part, ephemeral=True)

    async def none_of_these(self, interaction: Interaction, arguments: tuple[str, ...]) -> None:
        """Take back a "did you mean"."""
        language, confidence = Language(arguments[0]), float(arguments[1])
        question = await self._question_of(interaction.message)
        await interaction.response.edit_message(content=none_meant_text(language), view=None)
        services = self.bot.services
        await services.store.keep_miss(
            Miss(question, language, interaction.guild_id, services.clock.now(), confidence)
        )

    async def _question_of(self, answer: discord.Message | None) -> str:
        """What was asked: the message that ``answer`` replies to, or the question it quotes."""
        if answer is None or self.bot.user is None:
            return ""
        reference = answer.reference
        if reference is not None and reference.message_id is not None:
            asked = await answer.channel.fetch_message(reference.message_id)
            return without_mention(asked.content, self.bot.user.id)
        return unquoted(answer.content)

    def _entry(
        self, interaction: Interaction, arguments: tuple[str, ...]
    ) -> tuple[Entry, Language]:
        entry_id, language = arguments
        entry = self._bank(interaction.guild_id).entry(entry_id)
        if entry is None:
            raise EntryGoneError
        return entry, Language(language)


def _place(interaction: Interaction) -> tuple[int, int]:
    return interaction.channel_id or 0, interaction.user.id


def _replied_to(message: discord.Message, tutor: discord.ClientUser) -> str:
    """What the tutor's answer was to that ``message`` replies to; empty where it replies to none.

    Discord sends along what a message replies to, unless it is gone.
    """
    answer = message.reference.resolved if message.reference else None
    if isinstance(answer, discord.Message) and answer.author.id == tutor.id:
        return question_answered(answer.content)
    return ""


def _may_react(message: discord.Message) -> bool:
    if message.guild is None:
        return True
    may = message.channel.permissions_for(message.guild.me)
    return may.add_reactions and may.read_message_history


def without_mention(content: str, user_id: int) -> str:
    """What is left of a message when the mentions of ``user_id`` are taken out."""
    return re.sub(rf"<@!?{user_id}>", " ", content).strip()


def _asks_for(entry: Entry, wanted: str) -> bool:
    question = entry.question
    return wanted in f"{question.zh} {question.en} {entry.id}".casefold()
