"""One job that an attendant on another computer runs: placed, followed, ended, recorded here."""

import asyncio
import contextlib
import logging
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from runners.jobs.artifacts import Artifacts, RefusedArtifactError
from runners.jobs.ending import unless_ended
from runners.jobs.intake import UNNUMBERED
from runners.jobs.journal import Journal
from runners.jobs.orders import EndIt, Order, Told
from runners.jobs.verdict import lost
from runners.protocol.events import Cancelled, Event, Failed, Figure, Log, Queued
from runners.protocol.words import FailureReason, Framework, JobState

_logger = logging.getLogger(__name__)

_TRIES: Final = 3
_PATIENCE_S: Final = 15.0
_DETAIL: Final = 8_000


class LostError(Exception):
    """The place, or who attended it, is gone."""


class UnfitError(Exception):
    """The place cannot attend a job."""


class Post(Protocol):
    """A place on another computer with an attendant, for one job at a time."""

    def attend(self, order: str) -> AsyncIterator[Told]:
        """What is told about a job, until it is over. Raises LostError or UnfitError."""
        ...

    async def say(self, word: str) -> None:
        """Say ``word`` to the attendant, if it is there."""
        ...

    def kill(self) -> None:
        """Let go of it by force."""
        ...

    async def lives(self) -> bool:
        """Whether its computer still answers."""
        ...


P = TypeVar("P", bound=Post)


class Posts(Protocol[P]):
    """Where places come from."""

    async def take(self, cards: int, framework: Framework) -> P:
        """A place with so many graphics cards, or with processor cores without any.

        Waits until there is room for one. Raises LostError or UnfitError.
        """
        ...

    def give_back(self, post: P) -> None:
        """Take a place back that is free again."""
        ...

    def lose(self, post: P) -> None:
        """Take a place back that is of no use."""
        ...


class RemoteAttempt(Generic[P]):
    """The running of one job by an attendant.

    What it tells becomes events here, by this computer's clock. A job that had not started is
    tried again elsewhere when its place is lost; one that had fails for it.
    """

    def __init__(
        self, order: Order, cards: int, posts: Posts[P], journal: Journal, artifacts: Artifacts
    ) -> None:
        self._order = order
        self._job = order.assignment.job
        self._cards = cards
        self._posts = posts
        self._journal = journal
        self._artifacts = artifacts
        self._end = asyncio.Event()
        self._cancelled = False
        self._taken = asyncio.Event()

    def cancel(self) -> None:
        """Have it end because somebody asked for it."""
        if not self._end.is_set():
            self._cancelled = True
            self._end.set()

    def shut_down(self) -> None:
        """Have it end because the runner does; a cancel that came first stays one."""
        self._end.set()

    async def run(self) -> None:
        """Run the job to its end."""
        try:
            for tries in range(1, _TRIES + 1):
                gone = await self._try()
                if gone is None:
                    return
                if tries == _TRIES:
                    message = f"it was lost {tries} times before it started"
                    self._fail(lost(self._journal.now(), message), gone)
        except UnfitError as error:
            reason = _last_line(error)
            self._fail(self._error(f"the node that was to run it cannot: {reason}"), error)
        except Exception as error:
            _logger.exception("job %s could not be attended", self._job)
            self._fail(self._error(f"the runner could not attend it: {type(error).__name__}"))

    async def _try(self) -> LostError | None:
        """Have it run in one place; the loss of that if the job may be tried in another."""
        taking = self._posts.take(self._cards, self._order.framework)
        try:
            post = await unless_ended(self._end, taking)
        except LostError as error:
            return error
        if post is None:
            self._finish_unfinished()
            return None
        kept = False
        try:
            await self._follow(post)
            kept = True
            self._see_that_it_ended()
        except LostError as error:
            return await self._after_loss(post, error)
        finally:
            if kept:
                self._posts.give_back(post)
            else:
                self._posts.lose(post)
        return None

    async def _follow(self, post: P) -> None:
        """Record what is told, until the job is over."""
        self._taken.clear()
        ending = asyncio.create_task(self._see_to_its_end(post))
        try:
            async for told in post.attend(self._order.model_dump_json()):
                self._taken.set()
                await self._record(told)
        finally:
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)

    async def _see_to_its_end(self, post: P) -> None:
        """Pass on that it should end, and end it from here where nobody listens."""
        await self._end.wait()
        limits = self._order.limits
        patience = _PATIENCE_S + limits.ask_grace_s + limits.terminate_grace_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._taken.wait()  # a word that comes before the order is not heard
                how = "cancel" if self._cancelled else "shut down"
                await post.say(EndIt(job=self._job, how=how).model_dump_json())
                await asyncio.Event().wait()
        post.kill()

    async def _after_loss(self, post: P, error: LostError) -> LostError | None:
        state = self._journal.view(self._job).state
        if state.final:
            return None
        if self._end.is_set():
            self._finish_unfinished()
            return None
        if state is JobState.QUEUED:
            _logger.warning("job %s is tried elsewhere: %s", self._job, _last_line(error))
            return error
        lives = await post.lives()
        message = (
            "its attendant ended while it ran" if lives else "the node was lost while it ran on it"
        )
        self._fail(lost(self._journal.now(), message), error)
        return None

    async def _record(self, told: Told) -> None:
        now = self._journal.now()
        events: list[Event] = [
            event.model_copy(update={"at": now})
            for event in told.events
            if not isinstance(event, Queued)
        ]
        if events and isinstance(figure := events[-1], Figure):
            fault = await asyncio.to_thread(self._keep, figure.name, told.picture)
            if fault:
                text = f"{figure.name} was not kept: {fault}"
                events[-1] = Log(sequence=UNNUMBERED, at=now, text=text)
        self._journal.append(self._job, events)

    def _keep(self, name: str, picture: bytes | None) -> str:
        """Keep a picture; what is wrong with it, if anything."""
        if picture is None:
            return "it cannot be read"
        with tempfile.TemporaryDirectory(prefix="xueban-picture-") as folder:
            source = Path(folder) / name
            try:
                source.write_bytes(picture)
                self._artifacts.keep(self._job, source)
            except (RefusedArtifactError, OSError) as error:
                return str(error)
        return ""

    def _see_that_it_ended(self) -> None:
        if self._journal.view(self._job).state.final:
            return
        if self._end.is_set():
            self._finish_unfinished()
        else:
            self._fail(self._error("its attendant left it without an end"))

    def _finish_unfinished(self) -> None:
        """The end of a job of which nothing more is heard, because it was to end."""
        now = self._journal.now()
        if self._cancelled:
            self._journal.append(self._job, [Cancelled(sequence=UNNUMBERED, at=now)])
        elif self._journal.view(self._job).state is JobState.RUNNING:
            self._journal.append(self._job, [lost(now, "the runner was stopped while it ran")])

    def _error(self, message: str) -> Failed:
        return Failed(
            sequence=UNNUMBERED,
            at=self._journal.now(),
            reason=FailureReason.ERROR,
            message=message,
        )

    def _fail(self, failed: Failed, error: Exception | None = None) -> None:
        if not self._journal.view(self._job).state.final:
            detail = str(error or "")[-_DETAIL:]
            self._journal.append(self._job, [failed.model_copy(update={"detail": detail})])


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
