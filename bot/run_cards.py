"""The cards of the runs: messages that follow a job to its end, also over a restart."""

import asyncio
import itertools
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from discord import ButtonStyle
from discord.utils import MISSING

from bot.answers import SHOW
from bot.buttons import ButtonSpec, view_of
from bot.client import TutorBot
from bot.live_message import Content, Delivery, LiveMessage, Picture, Place
from bot.pacing import show_paced
from bot.rendering.runs import (
    RunHeading,
    alt_text,
    card_text,
    gone_text,
    moved_text,
    no_pictures_text,
    trouble_text,
)
from bot.store.records import RunCard
from knowledge.language import Bilingual, Language
from runners.errors import RunnerError, RunnerUnreachableError, UnknownJobError
from runners.protocol.catalogue import ExampleInfo
from runners.protocol.events import Figure
from runners.protocol.jobs import JobView
from runners.protocol.words import JobId

CANCEL, AGAIN = "cancel", "again"
"""The actions of a card's own buttons; their argument is the job's id."""

_log = logging.getLogger(__name__)

_ENTRIES_SHOWN = 3
_PICTURES_SHOWN = 10
_PICTURE_BYTES = 10 * 1024 * 1024
_PICTURE_TRIES = 3
_RUNNER_PAUSE_S = 15
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1, 60


@dataclass(frozen=True, slots=True)
class NewRun:
    """A job that was just queued, and where its card shall be."""

    view: JobView
    info: ExampleInfo
    settings: str
    owner_id: int
    channel_id: int
    guild_id: int | None
    language: Language


class RunCards:
    """All cards that are followed right now, one task each."""

    def __init__(self, bot: TutorBot) -> None:
        self._bot = bot
        self._services = bot.services
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def open(self, run: NewRun) -> None:
        """Post the card of ``run``, keep it and follow it.

        Raises:
            discord.HTTPException: the card cannot be posted, and nothing was kept.
        """
        heading = RunHeading(run.info.id, run.settings, run.owner_id, run.language, run.info)
        channel = self._bot.get_partial_messageable(run.channel_id, guild_id=run.guild_id)
        buttons = self._buttons(heading, run.view, run.guild_id)
        content = Content(card_text(heading, run.view), buttons)
        view = view_of(buttons)
        message = await channel.send(content.text, view=MISSING if view is None else view)
        card = RunCard(
            job_id=run.view.id,
            example=run.info.id,
            settings=run.settings,
            channel_id=run.channel_id,
            message_id=message.id,
            owner_id=run.owner_id,
            guild_id=run.guild_id,
            language=run.language,
            created_at=self._services.clock.now(),
        )
        await self._services.store.open_card(card)
        self.follow(card, content)

    async def resume(self) -> None:
        """Follow every card of the store whose job's end was not shown."""
        for card in await self._services.store.open_cards():
            self.follow(card)

    def follow(self, card: RunCard, shown: Content | None = None) -> None:
        """Follow ``card``, which shows ``shown``, to its job's end, unless that is under way."""
        if card.job_id in self._tasks:
            return
        task = asyncio.create_task(self._follow(card, shown), name=f"card of job {card.job_id}")
        self._tasks[card.job_id] = task
        task.add_done_callback(lambda ended: self._ended(card.job_id, ended))

    async def close(self) -> None:
        """Stop following; the store knows which cards are open."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, job_id: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(job_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The card stays open in the store, so the next start of the bot tries again.
            _log.error("the card of job %s is not followed any more", job_id, exc_info=error)

    async def _follow(self, card: RunCard, shown: Content | None) -> None:
        heading = await self._heading(card)

        async def moved(message_id: int) -> None:
            await self._services.store.move_card(card.job_id, message_id)

        channel = self._bot.get_partial_messageable(card.channel_id, guild_id=card.guild_id)
        message = LiveMessage(
            Place(channel, card.message_id),
            moved=moved,
            farewell=lambda link: moved_text(heading, link),
            now=self._services.clock.now,
            shown=shown,
        )
        try:
            await self._show_to_the_end(card, heading, message)
        except Exception as error:
            trouble = self._bot.explain(error, card.language)
            await message.update(Content(trouble_text(heading, trouble)))
            raise

    async def _show_to_the_end(
        self, card: RunCard, heading: RunHeading, message: LiveMessage
    ) -> None:
        job_id = JobId(card.job_id)

        async def show(view: JobView) -> bool:
            if view.state.final:
                await self._finish(card, heading, view, message)
                return True
            buttons = self._buttons(heading, view, card.guild_id)
            return await message.update(Content(card_text(heading, view), buttons))

        while True:
            try:
                await show_paced(
                    self._services.runner.watch(job_id), show, self._bot.settings.progress_seconds
                )
            except UnknownJobError:
                content = Content(gone_text(heading), (_again(job_id, card.language),))
                await self._deliver(card, message, content, content)
            except RunnerUnreachableError as error:
                _log.warning("job %s cannot be followed for now: %s", job_id, error)
                trouble = self._bot.explain(error, card.language)
                await message.update(Content(trouble_text(heading, trouble)))
                await asyncio.sleep(_RUNNER_PAUSE_S)
                continue
            return

    async def _finish(
        self, card: RunCard, heading: RunHeading, view: JobView, message: LiveMessage
    ) -> None:
        figures = view.figures[:_PICTURES_SHOWN]
        pictures = [
            picture
            for figure in figures
            if (picture := await self._picture(view, figure, card.language)) is not None
        ]
        buttons = self._buttons(heading, view, card.guild_id)

        def content(shown: Sequence[Picture]) -> Content:
            names = {picture.name for picture in shown}
            missing = [figure.name for figure in figures if figure.name not in names]
            notes = [no_pictures_text(missing, card.language)] if missing else []
            return Content(card_text(heading, view, notes), buttons, tuple(shown))

        await self._deliver(card, message, content(pictures), content(()))

    async def _deliver(
        self, card: RunCard, message: LiveMessage, content: Content, bare: Content
    ) -> None:
        """Show the last content, however long Discord takes; ``bare`` where files are refused."""
        pause_s = _FIRST_PAUSE_S
        while (delivery := await message.finish(content)) is not Delivery.SHOWN:
            match delivery:
                case Delivery.NO_FILES:
                    content = bare
                case Delivery.NOWHERE:
                    _log.warning("the end of job %s has no place to be shown", card.job_id)
                    break
                case Delivery.LATER:
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        await self._services.store.deliver_card(card.job_id)

    async def _picture(self, view: JobView, figure: Figure, language: Language) -> Picture | None:
        for attempt in range(_PICTURE_TRIES):
            try:
                content = await self._services.runner.artifact(view.id, figure.name)
            except RunnerError as error:
                _log.warning("job %s: no picture %s: %s", view.id, figure.name, error)
                if not isinstance(error, RunnerUnreachableError):
                    return None
                await asyncio.sleep(attempt + 1)
            else:
                small = len(content) <= _PICTURE_BYTES
                return Picture(figure.name, content, alt_text(figure, language)) if small else None
        return None

    async def _heading(self, card: RunCard) -> RunHeading:
        try:
            examples = await self._services.runner.catalogue()
        except RunnerError as error:
            _log.warning("job %s is shown without its example's title: %s", card.job_id, error)
            examples = ()
        info = next((each for each in examples if each.id == card.example), None)
        return RunHeading(card.example, card.settings, card.owner_id, card.language, info)

    def _buttons(
        self, heading: RunHeading, view: JobView, guild: int | None
    ) -> tuple[ButtonSpec, ...]:
        language = heading.language
        first = _again(view.id, language) if view.state.final else _cancel(view.id, language)
        entries = (
            entry
            for entry in self._services.retriever.bank_of(guild).entries
            if heading.example in entry.examples
        )
        return (
            first,
            *(
                ButtonSpec(
                    entry.question.text(language),
                    SHOW,
                    (entry.id, language.value),
                    row=row,
                    emoji="📖",
                )
                for row, entry in enumerate(itertools.islice(entries, _ENTRIES_SHOWN), start=1)
            ),
        )


def _cancel(job_id: JobId, language: Language) -> ButtonSpec:
    return ButtonSpec(
        _CANCEL.text(language), CANCEL, (job_id,), style=ButtonStyle.danger, emoji="⏹️"
    )


def _again(job_id: JobId, language: Language) -> ButtonSpec:
    return ButtonSpec(
        _AGAIN.text(language), AGAIN, (job_id,), style=ButtonStyle.primary, emoji="🔁"
    )


_CANCEL = Bilingual("取消", "Cancel")
_AGAIN = Bilingual("再来一次", "Again")
