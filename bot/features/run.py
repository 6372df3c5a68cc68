"""Running: ``/run``, the buttons that start an example, and those of a run's card."""

import asyncio
import difflib
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

import discord
from discord import ButtonStyle, app_commands
from discord.ext import commands

from bot.answers import RUN
from bot.buttons import ROWS, ButtonSpec, view_of
from bot.client import TutorBot
from bot.localization import answer_language, language_of_locale, said
from bot.rendering.answers import loading_text
from bot.rendering.runs import (
    faulty_settings_text,
    may_not_send_text,
    not_yours_text,
    offer_text,
    unavailable_text,
    unknown_example_text,
    written_settings,
)
from bot.run_cards import AGAIN, CANCEL, NewRun, RunCards
from bot.run_completion import Proposal, complete_example, complete_settings
from knowledge.bank import Bank
from knowledge.language import Language
from knowledge.outcome import Answered, Compared, Outcome, Query, Refused, Silent, Unsure
from runners.errors import RunnerError, UnknownExampleError, UnknownJobError
from runners.protocol.catalogue import ExampleInfo
from runners.protocol.jobs import Submission
from runners.protocol.settings_text import Fault, parse_settings
from runners.protocol.words import JobId

_log = logging.getLogger(__name__)

Interaction = discord.Interaction[TutorBot]

_EXAMPLE_LIMIT = 200
_SETTINGS_LIMIT = 300
_NEAREST = 3
_COMPLETION_S = 2
"""How long completion waits for the runner; Discord gives up after 3 s."""
_CATALOGUE_FRESH = timedelta(minutes=1)


async def setup(bot: TutorBot) -> None:
    """Add the feature."""
    await bot.add_cog(Run(bot))


class Run(commands.Cog):
    """Runs examples and shows how they go."""

    def __init__(self, bot: TutorBot) -> None:
        self.bot = bot
        self._cards = RunCards(bot)
        self._catalogue: tuple[ExampleInfo, ...] = ()
        self._catalogue_at: datetime | None = None
        bot.on_press(RUN, self.run_defaults)
        bot.on_press(AGAIN, self.again)
        bot.on_press(CANCEL, self.cancel)

    async def cog_unload(self) -> None:
        """Stop following the cards."""
        await self._cards.close()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Follow the runs that an earlier process left."""
        await self._cards.resume()

    @commands.Cog.listener()
    async def on_resumed(self) -> None:
        """Follow the runs whose cards were given up while Discord was away."""
        await self._cards.resume()

    @app_commands.command(
        name="run",
        description=said("Run an example and watch its metrics", zh="运行一个例子，看它的指标"),
    )
    @app_commands.describe(
        example=said("Which example; a few words will do", zh="哪个例子；写几个词也行"),
        settings=said("Such as epochs=2 batch_size=64", zh="例如 epochs=2 batch_size=64"),
        reuse=said(
            "Take a fresh result of the same run from the record, if there is one",
            zh="记录里有同样设置的新结果就直接用，不重跑",
        ),
    )
    async def run(
        self,
        interaction: Interaction,
        example: app_commands.Range[str, 1, _EXAMPLE_LIMIT],
        settings: app_commands.Range[str, 0, _SETTINGS_LIMIT] = "",
        *,
        reuse: bool = False,
    ) -> None:
        """Start an example, or offer those that the words may mean."""
        language = answer_language(example, interaction.locale)
        await interaction.response.defer(ephemeral=True, thinking=True)
        info = _named(example, await self._fresh_catalogue())
        if info is None:
            await self._offer(interaction, example, language, with_settings=bool(settings))
        elif await self._start(interaction, info, settings, language, reuse=reuse):
            await _leave_quietly(interaction)

    @run.autocomplete("example")
    async def complete_example(
        self, interaction: Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """The examples that hold what was typed."""
        language = answer_language(current, interaction.locale)
        return _choices(complete_example(current, await self._known_catalogue(), language))

    @run.autocomplete("settings")
    async def complete_settings(
        self, interaction: Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """How the settings can go on, for the example that was chosen."""
        language = answer_language(current, interaction.locale)
        chosen: object = getattr(interaction.namespace, "example", "")
        info = _named(str(chosen), await self._known_catalogue())
        if info is None:
            return []
        return _choices(complete_settings(current, info.parameters, language))

    async def run_defaults(self, interaction: Interaction, arguments: tuple[str, ...]) -> None:
        """Start the example that a button names, with its defaults."""
        example, language = arguments
        await interaction.response.defer()
        info = _by_id(example, await self._fresh_catalogue())
        await self._start(interaction, info, "", Language(language))

    async def again(self, interaction: Interaction, arguments: tuple[str, ...]) -> None:
        """Start what a card shows once more, for whoever pressed."""
        await interaction.response.defer()
        card = await self.bot.services.store.card(arguments[0])
        if card is None:
            raise UnknownJobError
        info = _by_id(card.example, await self._fresh_catalogue())
        await self._start(interaction, info, card.settings, card.language)

    async def cancel(self, interaction: Interaction, arguments: tuple[str, ...]) -> None:
        """End a job, for its owner or the staff; its card shows the rest."""
        card = await self.bot.services.store.card(arguments[0])
        if card is None:
            raise UnknownJobError
        if interaction.user.id != card.owner_id and not _is_staff(interaction):
            text = not_yours_text(language_of_locale(interaction.locale))
            await interaction.response.send_message(text, ephemeral=True)
            return
        await interaction.response.defer()
        await self.bot.services.runner.cancel(JobId(card.job_id))
        if not card.delivered:
            self._cards.follow(card)

    async def _start(
        self,
        interaction: Interaction,
        info: ExampleInfo,
        settings: str,
        language: Language,
        *,
        reuse: bool = False,
    ) -> bool:
        """Queue a job and post its card; else say why not, and give back False."""
        parsed = parse_settings(settings, info.parameters)
        if not info.available:
            await _tell(interaction, unavailable_text(info, language))
        elif isinstance(parsed, Fault):
            await _tell(interaction, faulty_settings_text(parsed, language))
        elif (channel_id := _channel_to_write_in(interaction)) is None:
            await _tell(interaction, may_not_send_text(language))
        else:
            guild_id = interaction.guild_id
            view = await self.bot.services.runner.submit(
                Submission(
                    example=info.id,
                    parameters=parsed,
                    key=str(interaction.id),
                    learner=str(interaction.user.id),
                    guild=None if guild_id is None else str(guild_id),
                    reuse=reuse,
                )
            )
            run = NewRun(
                view=view,
                info=info,
                settings=written_settings(parsed),
                owner_id=interaction.user.id,
                channel_id=channel_id,
                guild_id=guild_id,
                language=language,
            )
            try:
                await self._cards.open(run)
            except Exception:
                # Nobody would see what it does.
                await self.bot.services.runner.cancel(view.id)
                raise
            return True
        return False

    async def _offer(
        self, interaction: Interaction, wanted: str, language: Language, *, with_settings: bool
    ) -> None:
        """Offer, as buttons, the examples of the entry that ``wanted`` asks for."""
        services = self.bot.services
        if not services.retriever.ready:
            await interaction.edit_original_response(content=loading_text(language))
        outcome = await services.retriever.retrieve(Query(wanted, guild=interaction.guild_id))
        bank = services.retriever.bank_of(interaction.guild_id)
        found = self._examples_of(_meant(outcome), bank)
        if found:
            text = offer_text(wanted, with_settings=with_settings, language=language)
        else:
            hits = [hit.entry for hit in outcome.hits]
            near = [info.id for info in self._examples_of(hits, bank)]
            near += _similar(wanted, self._catalogue)
            text = unknown_example_text(wanted, list(dict.fromkeys(near))[:_NEAREST], language)
        view = view_of(_run_buttons(found[:ROWS], language))
        await interaction.edit_original_response(content=text, view=view)

    def _examples_of(self, entries: Iterable[str], bank: Bank) -> list[ExampleInfo]:
        """The examples that the entries of ``bank`` name and the runner offers, each once."""
        known = {info.id: info for info in self._catalogue}
        named = [
            example
            for entry_id in entries
            if (entry := bank.entry(entry_id)) is not None
            for example in entry.examples
        ]
        return [known[example] for example in dict.fromkeys(named) if example in known]

    async def _fresh_catalogue(self) -> tuple[ExampleInfo, ...]:
        self._catalogue = await self.bot.services.runner.catalogue()
        self._catalogue_at = self.bot.services.clock.now()
        return self._catalogue

    async def _known_catalogue(self) -> tuple[ExampleInfo, ...]:
        """The catalogue within the time that completion has: perhaps an older one, or none."""
        at = self._catalogue_at
        if at is None or self.bot.services.clock.now() - at >= _CATALOGUE_FRESH:
            try:
                async with asyncio.timeout(_COMPLETION_S):
                    return await self._fresh_catalogue()
            except (RunnerError, TimeoutError):
                return self._catalogue
        return self._catalogue


async def _leave_quietly(interaction: Interaction) -> None:
    """Take the answer that only the learner sees away: the card says it all."""
    try:
        await interaction.delete_original_response()
    except discord.HTTPException as error:
        _log.info("the answer to a run stays: %s", error)


async def _tell(interaction: Interaction, text: str) -> None:
    await interaction.followup.send(text, ephemeral=True)


def _choices(proposals: Iterable[Proposal]) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=each.name, value=each.value) for each in proposals]


def _run_buttons(infos: Iterable[ExampleInfo], language: Language) -> list[ButtonSpec]:
    return [
        ButtonSpec(
            info.title.text(language.value),
            RUN,
            (info.id, language.value),
            row=row,
            style=ButtonStyle.success,
            emoji="▶️",
        )
        for row, info in enumerate(infos)
    ]


def _named(wanted: str, examples: Iterable[ExampleInfo]) -> ExampleInfo | None:
    """The example whose id or title is ``wanted``."""
    name = wanted.strip().casefold()
    for info in examples:
        if name in (info.id.casefold(), info.title.zh.casefold(), info.title.en.casefold()):
            return info
    return None


def _by_id(example: str, examples: Iterable[ExampleInfo]) -> ExampleInfo:
    for info in examples:
        if info.id == example:
            return info
    raise UnknownExampleError


def _similar(wanted: str, examples: Iterable[ExampleInfo]) -> list[str]:
    ids = [info.id for info in examples]
    return difflib.get_close_matches(wanted.casefold(), ids, n=_NEAREST, cutoff=0.3)


def _meant(outcome: Outcome) -> list[str]:
    match outcome:
        case Answered(entry=entry) | Compared(entry=entry):
            return [entry]
        case Unsure(candidates=candidates):
            return [candidate.entry for candidate in candidates]
        case Refused() | Silent():
            return []


def _is_staff(interaction: Interaction) -> bool:
    allowed = interaction.permissions
    return allowed.manage_messages or allowed.manage_guild or allowed.administrator


def _channel_to_write_in(interaction: Interaction) -> int | None:
    """The interaction's channel, if an ordinary message of the bot's own may be sent there."""
    if interaction.guild_id is None:
        return interaction.channel_id if interaction.context.dm_channel else None
    if interaction.client.get_guild(interaction.guild_id) is None:
        return None
    allowed = interaction.app_permissions
    if isinstance(interaction.channel, discord.Thread):
        may_send = allowed.send_messages_in_threads
    else:
        may_send = allowed.send_messages
    return interaction.channel_id if may_send and allowed.view_channel else None
