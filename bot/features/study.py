"""Study channels: answers without being addressed, and a question every day.

Staff make a text channel one with ``/study start`` and end it with ``/study stop``.
"""

import logging
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import discord
from discord import AllowedMentions, ButtonStyle, Locale, app_commands
from discord.ext import commands, tasks
from discord.ui import View
from discord.utils import MISSING

from bot.answers import Reply, entry_reply, reply_to, responding, send_reply
from bot.buttons import ButtonSpec, view_of
from bot.client import TutorBot
from bot.errors import EntryGoneError
from bot.localization import answer_language, language_of_locale, said
from bot.rendering.study import (
    daily_text,
    show_answer_label,
    started_text,
    stopped_text,
    unknown_zone_text,
    wrong_place_text,
)
from bot.store.records import DailyQuestion, StudyChannel
from bot.study.daily import (
    NewQuestion,
    UnpostedQuestion,
    due_day,
    due_question,
    moment_of,
    next_moment,
)
from bot.study.zones import DEFAULT_ZONE, zone_named, zones_like
from knowledge.bank import Bank
from knowledge.language import Bilingual, Language
from knowledge.outcome import Answered, Compared, Query

_log = logging.getLogger(__name__)

Interaction = discord.Interaction[TutorBot]

DAILY = "daily"
"""The action of the button under a daily question; its argument is the entry."""

_COMPLETIONS = 25
_HISTORY_LOOKED_AT = 300
_CLOCKS_DISAGREE = timedelta(minutes=5)
"""Discord's time of a message may lie so much before ours."""

_COMMAND_OF_A_BOT = re.compile(r"[/!?][A-Za-z][\w-]*(\s|$)")
_LOCALES = {Language.ZH: Locale.chinese, Language.EN: Locale.american_english}
_NEEDED = {
    "view_channel": Bilingual("查看频道", "view the channel"),
    "send_messages": Bilingual("发送消息", "send messages"),
    "read_message_history": Bilingual("读取消息历史记录", "read the message history"),
}
"""The permissions that a study channel needs, as Discord calls them."""


async def setup(bot: TutorBot) -> None:
    """Add the feature."""
    await bot.add_cog(Study(bot))


class Study(commands.Cog):
    """Looks after the study channels of this process's servers."""

    study = app_commands.Group(
        name="study",
        description=said("Make this channel a study channel", zh="把这个频道变成学习频道"),
        guild_only=True,
        default_permissions=discord.Permissions(manage_guild=True),
    )

    def __init__(self, bot: TutorBot) -> None:
        self.bot = bot
        self._channels: dict[int, StudyChannel] = {}
        self._done: dict[int, date] = {}
        """The last day whose question is known to be posted, by channel."""
        self._last_speaker: dict[int, int] = {}
        """Who wrote last, apart from bots, in the study channels and their threads."""
        self._out_of_reach: set[int] = set()
        """The channels that the log was told of, so that it is told once."""
        bot.on_press(DAILY, self.show_answer)

    async def cog_load(self) -> None:
        """Read the study channels and begin to look after their questions."""
        channels = await self.bot.services.store.study_channels()
        self._channels = {channel.channel_id: channel for channel in channels}
        self.tick.change_interval(seconds=self.bot.settings.tick_seconds)
        self.tick.start()

    async def cog_unload(self) -> None:
        """Look after them no longer."""
        self.tick.cancel()

    @study.command(
        name="start",
        description=said(
            "A question every day, and answers without a mention",
            zh="每天一道题，提问不用 @ 也会回答",
        ),
    )
    @app_commands.rename(question_language="language")
    @app_commands.describe(
        hour=said("The hour of the daily question, 0 to 23", zh="每日一题的钟点，0 到 23"),
        timezone=said("The time zone that the hour is in", zh="按哪个时区的钟点"),
        question_language=said("The language of the daily question", zh="每日一题用什么语言"),
    )
    @app_commands.choices(
        question_language=[
            app_commands.Choice(name="中文", value=Language.ZH.value),
            app_commands.Choice(name="English", value=Language.EN.value),
        ]
    )
    @app_commands.checks.has_permissions(manage_guild=True)
    async def start(
        self,
        interaction: Interaction,
        hour: app_commands.Range[int, 0, 23] = 9,
        timezone: str = DEFAULT_ZONE,
        question_language: str | None = None,
    ) -> None:
        """Make the channel a study channel, or change its hour, zone and language."""
        language = language_of_locale(interaction.locale)
        place = await self._place(interaction, language)
        if place is None:
            return
        zone = zone_named(timezone)
        if zone is None:
            await interaction.response.send_message(
                unknown_zone_text(timezone, language), ephemeral=True
            )
            return
        await interaction.response.defer(thinking=True)
        store, now = self.bot.services.store, self.bot.services.clock.now()
        channel = StudyChannel(
            channel_id=place.id,
            guild_id=place.guild.id,
            hour=hour,
            timezone=zone,
            language=Language(question_language) if question_language else language,
            started_by=interaction.user.id,
            started_at=now,
        )
        await store.start_study(channel)
        self._channels[place.id] = channel
        text = started_text(
            channel,
            next_moment(channel, await store.daily_questions(place.id), now),
            language,
            message_content=self.bot.settings.message_content,
            missing=[_NEEDED[name] for name in _missing(interaction.app_permissions)],
        )
        await interaction.edit_original_response(content=text)

    @start.autocomplete("timezone")
    async def complete_timezone(
        self, _interaction: Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """The zones that what was typed may mean."""
        return [
            app_commands.Choice(name=zone, value=zone) for zone in zones_like(current, _COMPLETIONS)
        ]

    @study.command(
        name="stop",
        description=said("Make this channel an ordinary one again", zh="把这个频道变回普通频道"),
    )
    @app_commands.checks.has_permissions(manage_guild=True)
    async def stop(self, interaction: Interaction) -> None:
        """Make the channel an ordinary one."""
        language = language_of_locale(interaction.locale)
        place = await self._place(interaction, language)
        if place is None:
            return
        await interaction.response.defer(thinking=True)
        was_one = await self.bot.services.store.stop_study(place.id)
        self._channels.pop(place.id, None)
        await interaction.edit_original_response(
            content=stopped_text(place.id, language, was_one=was_one)
        )

    async def _place(
        self, interaction: Interaction, language: Language
    ) -> discord.TextChannel | None:
        """The text channel that a command was used in; the learner is told where there is none."""
        if isinstance(interaction.channel, discord.TextChannel):
            return interaction.channel
        await interaction.response.send_message(wrong_place_text(language), ephemeral=True)
        return None

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Answer what somebody asks the room, when retrieval is sure; else be silent."""
        channel = self._study_channel(message)
        if channel is None or message.author.bot:
            return
        place, learner, text = message.channel.id, message.author.id, message.content.strip()
        # Once somebody else has spoken, a "why?" may well be meant for them.
        goes_on = self._last_speaker.get(place) == learner
        self._last_speaker[place] = learner
        if not _asks_the_room(message) or not _may_answer(message):
            return
        retriever, discussion = self.bot.services.retriever, self.bot.under_discussion
        before = discussion.questions(place, learner) if goes_on else ()
        query = Query(text, guild=channel.guild_id, conversation=before, addressed=False)
        outcome = await retriever.retrieve(query)
        if not isinstance(outcome, Answered | Compared):
            return
        discussion.note(place, learner, text, outcome)
        language = answer_language(text, _LOCALES[channel.language], before)
        await _answer(message, reply_to(outcome, self._bank(channel.guild_id), language))

    def _bank(self, guild: int | None) -> Bank:
        return self.bot.services.retriever.bank_of(guild)

    def _study_channel(self, message: discord.Message) -> StudyChannel | None:
        place = message.channel
        place_id = place.parent_id if isinstance(place, discord.Thread) else place.id
        return self._channels.get(place_id)

    @tasks.loop()
    async def tick(self) -> None:
        """Post the questions whose time has come; one channel's trouble is not another's.

        They wait for the retriever, which knows the servers' own entries.
        """
        if not (self.bot.is_ready() and self.bot.services.retriever.ready):
            return
        now = self.bot.services.clock.now()
        for channel in tuple(self._channels.values()):
            try:
                await self._post_due(channel, now)
            except Exception:  # noqa: BLE001 - whatever it is, the next tick and the others go on
                _log.exception("the daily question of channel %s has to wait", channel.channel_id)

    async def _post_due(self, channel: StudyChannel, now: datetime) -> None:
        day = due_day(channel, now)
        if day is None or self._done.get(channel.channel_id) == day:
            return
        place = self._reach(channel)
        if place is None:
            return
        store = self.bot.services.store
        entries = [entry.id for entry in self._bank(channel.guild_id).entries]
        asked = await store.daily_questions(channel.channel_id)
        match due_question(channel, entries, asked, now):
            case NewQuestion(question):
                if not await store.claim_daily_question(question):
                    return
                message_id = await self._post(question, channel, place)
            case UnpostedQuestion(question):
                message_id = await self._posted_before(question, channel, place)
                message_id = message_id or await self._post(question, channel, place)
            case None:
                self._done[channel.channel_id] = day
                return
        await store.posted_daily_question(channel.channel_id, day, message_id)
        self._done[channel.channel_id] = day

    def _reach(self, channel: StudyChannel) -> discord.TextChannel | None:
        """The channel, if the bot may write there now; what is in the way is logged once."""
        guild = self.bot.get_guild(channel.guild_id)
        if guild is None or guild.unavailable:
            return None  # another process's server, or one that Discord cannot reach right now
        place = guild.get_channel(channel.channel_id)
        if not isinstance(place, discord.TextChannel):
            self._log_once(channel.channel_id, "is gone")
            return None
        may = place.permissions_for(guild.me)
        if not (may.view_channel and may.send_messages):
            self._log_once(channel.channel_id, "does not let the bot write")
            return None
        self._out_of_reach.discard(channel.channel_id)
        return place

    def _log_once(self, channel_id: int, trouble: str) -> None:
        if channel_id not in self._out_of_reach:
            self._out_of_reach.add(channel_id)
            _log.warning("study channel %s %s; its daily question waits", channel_id, trouble)

    async def _post(
        self, question: DailyQuestion, channel: StudyChannel, place: discord.TextChannel
    ) -> int:
        entry = self._bank(channel.guild_id).entry(question.entry)
        if entry is None:
            raise EntryGoneError
        text = daily_text(
            entry, channel.language, message_content=self.bot.settings.message_content
        )
        button = ButtonSpec(
            show_answer_label(channel.language),
            DAILY,
            (entry.id,),
            style=ButtonStyle.primary,
            emoji="👀",
        )
        message = await place.send(
            text,
            view=view_of([button]) or MISSING,
            allowed_mentions=AllowedMentions.none(),
            # Discord gives a repeated request with the same nonce the message of the first.
            nonce=f"{question.channel_id:x}-{question.day.toordinal():x}",
        )
        return message.id

    async def _posted_before(
        self, question: DailyQuestion, channel: StudyChannel, place: discord.TextChannel
    ) -> int | None:
        """The message of a claim that was posted without being noted."""
        since = moment_of(channel, question.day) - _CLOCKS_DISAGREE
        button = ButtonSpec("", DAILY, (question.entry,)).custom_id
        newest_first = place.history(limit=_HISTORY_LOOKED_AT, after=since, oldest_first=False)
        async for message in newest_first:
            if message.author == self.bot.user and button in _custom_ids(message):
                return message.id
        return None

    async def show_answer(self, interaction: Interaction, arguments: tuple[str, ...]) -> None:
        """Show the answer of a daily question to whoever pressed, in the presser's language."""
        bank = self._bank(interaction.guild_id)
        entry = bank.entry(arguments[0])
        if entry is None:
            raise EntryGoneError
        reply = entry_reply(entry, bank, language_of_locale(interaction.locale))
        await send_reply(reply, *responding(interaction, ephemeral=True))


def _asks_the_room(message: discord.Message) -> bool:
    """Whether a person wrote it, in words, to nobody in particular.

    A reply has a message type of its own.
    """
    return (
        not message.author.bot
        and message.type is discord.MessageType.default
        and not message.mentions
        and not message.role_mentions
        and not message.mention_everyone
        and bool(message.content.strip())
        and _COMMAND_OF_A_BOT.match(message.content) is None
    )


def _may_answer(message: discord.Message) -> bool:
    """Whether the bot may reply there; in silence, since nobody asked it."""
    if message.guild is None:
        return False
    may = message.channel.permissions_for(message.guild.me)
    if isinstance(message.channel, discord.Thread):
        return may.send_messages_in_threads and may.read_message_history
    return may.send_messages and may.read_message_history


async def _answer(message: discord.Message, reply: Reply) -> None:
    """Reply without a ping; the answer stands by itself if the question was deleted meanwhile."""
    question = message.to_reference(fail_if_not_exists=False)

    async def first(content: str, *, view: View = MISSING) -> None:
        await message.channel.send(content, view=view, reference=question, mention_author=False)

    async def more(content: str, *, view: View = MISSING) -> None:
        await message.channel.send(content, view=view)

    await send_reply(reply, first, more)


def _missing(permissions: discord.Permissions) -> list[str]:
    return [name for name in _NEEDED if not getattr(permissions, name)]


def _custom_ids(message: discord.Message) -> Iterator[str | None]:
    for row in message.components:
        if isinstance(row, discord.ActionRow):
            yield from (item.custom_id for item in row.children)
