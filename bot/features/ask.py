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
from knowledge.entry import Entry
from knowledge.language import Language
from knowledge.outcome import Query, Refused

Interaction = discord.Interaction[TutorBot]

_QUESTION_LIMIT = 2_000
_COMPLETIONS = 25
_CHOICE_LIMIT = 100


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
        language = answer_language(question, interaction.locale)
        await interaction.response.defer(thinking=True)
        if not self.bot.services.retriever.ready:
            await interaction.edit_original_response(content=loading_text(language))
        reply = await self._reply(Query(question, guild=interaction.guild_id), language)
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
            for entry in self.bot.services.retriever.bank.entries
            if _asks_for(entry, wanted)
        )
        return [
            app_commands.Choice(name=question[:_CHOICE_LIMIT], value=question[:_CHOICE_LIMIT])
            for question, _ in zip(found, range(_COMPLETIONS), strict=False)
        ]

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Answer a direct message, or a message that mentions the tutor."""
        if message.author.bot or self.bot.user is None:
            return
        if message.guild is not None and self.bot.user not in message.mentions:
            return
        question = without_mention(message.content, self.bot.user.id)
        locale = message.guild.preferred_locale if message.guild else None
        language = answer_language(question, locale)
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
        reply = await self._reply(Query(question, guild=guild_id), language)

        async def first(content: str, *, view: View = MISSING) -> None:
            if waiting is None:
                await message.reply(content, view=view)
            else:
                await waiting.edit(content=content, view=view)

        async def more(content: str, *, view: View = MISSING) -> None:
            await message.channel.send(content, view=view)

        await send_reply(reply, first, more)

    async def _reply(self, query: Query, language: Language) -> Reply:
        services = self.bot.services
        outcome = await services.retriever.retrieve(query)
        if isinstance(outcome, Refused):
            await services.store.keep_miss(
                Miss(query.text, language, query.guild, services.clock.now(), outcome.confidence)
            )
        return reply_to(outcome, services.retriever.bank, language)

    async def show(self, interaction: Interaction, arguments: tuple[str, ...]) -> None:
        """Answer with the entry that a button names."""
        entry, language = self._entry(arguments)
        reply = entry_reply(entry, self.bot.services.retriever.bank, language)
        await send_reply(reply, *responding(interaction))

    async def more(self, interaction: Interaction, arguments: tuple[str, ...]) -> None:
        """Show, to whoever pressed, what the answer left out."""
        entry, language = self._entry(arguments)
        reply = Reply(split_markdown(more_text(entry, language)))
        await send_reply(reply, *responding(interaction, ephemeral=True))

    async def code(self, interaction: Interaction, arguments: tuple[str, ...]) -> None:
        """Show, to whoever pressed, the answer's code and the source of its examples."""
        entry, language = self._entry(arguments)
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

    def _entry(self, arguments: tuple[str, ...]) -> tuple[Entry, Language]:
        entry_id, language = arguments
        entry = self.bot.services.retriever.bank.entry(entry_id)
        if entry is None:
            raise EntryGoneError
        return entry, Language(language)


def without_mention(content: str, user_id: int) -> str:
    """What is left of a message when the mentions of ``user_id`` are taken out."""
    return re.sub(rf"<@!?{user_id}>", " ", content).strip()


def _asks_for(entry: Entry, wanted: str) -> bool:
    question = entry.question
    return wanted in f"{question.zh} {question.en} {entry.id}".casefold()
