"""The queue and its slots: jobs wait for their turn and run when there is room for them."""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from runners.catalogue import Catalogue, Listed, check_parameters
from runners.errors import (
    OwnQueueFullError,
    QueueFullError,
    RunnerError,
    UnavailableExampleError,
)
from runners.jobs.artifacts import Artifacts
from runners.jobs.attempt import Limits
from runners.jobs.cards import Card
from runners.jobs.durations import Durations
from runners.jobs.engine import Capacity, Effort, Engine
from runners.jobs.intake import UNNUMBERED
from runners.jobs.journal import Journal
from runners.jobs.lineage import end_tree
from runners.jobs.messages import Assignment
from runners.jobs.store import Job
from runners.jobs.turns import Claim, Room, Served, expected_waits, in_turn, next_to_start
from runners.jobs.verdict import lost
from runners.protocol.events import Cancelled, Event, Failed, Queued, Recorded, Succeeded
from runners.protocol.jobs import JobView, Submission
from runners.protocol.words import FailureReason, JobId, JobState

_logger = logging.getLogger(__name__)

_REMEMBERED: Final = 500
"""How many earlier jobs tell whose turn it is and how long examples take."""

_LOOK_S: Final = 15.0

_LESS_CAPACITY: Final = (FailureReason.DEVICE, FailureReason.LOST)
"""Failures after which there may be less to run jobs on."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How many jobs a learner has and how many wait, and what each may use.

    A learner may have ``running_each`` running and ``waiting_each`` waiting. A result is fresh
    for ``fresh``.
    """

    running_each: int
    waiting_each: int
    queue_limit: int
    memory_mb: float
    ask_grace_s: float
    terminate_grace_s: float
    fresh: timedelta


@dataclass(frozen=True, slots=True)
class Places:
    """The folders that jobs use: one below ``scratch`` each, and what they read."""

    scratch: Path
    datasets: Path
    encoder: Path
    bank: Path


@dataclass(frozen=True, slots=True)
class Workshop:
    """What jobs are made with, and what runs them."""

    catalogue: Catalogue
    journal: Journal
    artifacts: Artifacts
    engine: Engine


@dataclass(frozen=True, slots=True)
class _Running:
    """A job that runs: since when (seconds of the loop's clock), on which cards."""

    job: Job
    effort: Effort
    cards: tuple[Card, ...]
    since: float


class Dispatcher:
    """Takes jobs in, has them run, ends them."""

    def __init__(self, rules: Rules, places: Places, workshop: Workshop) -> None:
        self._rules = rules
        self._places = places
        self._with = workshop
        self._capacity = Capacity(slots=1)
        self._waiting: dict[JobId, Job] = {}
        self._running: dict[JobId, _Running] = {}
        self._served = Served()
        self._durations = Durations()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def running(self) -> int:
        """How many jobs run."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._waiting)

    async def recover(self) -> None:
        """Say what became of the jobs of a runner that died, and go on with its queue."""
        journal = self._with.journal
        self._capacity = await self._with.engine.capacity()
        for job in journal.jobs_in(JobState.RUNNING):
            trace = journal.trace(job.id)
            if trace is not None:
                await asyncio.to_thread(end_tree, trace.pid, trace.born)
            journal.append(job.id, [lost(journal.now(), "the runner died while it ran")])
        self._durations = Durations(journal.durations(_REMEMBERED))
        for job in journal.served(_REMEMBERED):
            self._served.note(self._claim(job))
        self._waiting = {job.id: job for job in journal.jobs_in(JobState.QUEUED)}
        self._fill_room()

    def submit(self, submission: Submission) -> tuple[JobView, bool]:
        """Queue a job; its view, and whether it is a new one.

        One that is answered from the record has ended already. Raises UnknownExampleError,
        UnavailableExampleError, InvalidParametersError, QueueFullError or OwnQueueFullError;
        then nothing is queued.
        """
        journal = self._with.journal
        known = submission.key and journal.job_with_key(submission.key)
        if known:
            return journal.view(known.id), False
        listed = self._available(submission.example)
        job = self._new_job(submission, listed)
        if submission.reuse:
            earlier = journal.fresh(job, journal.now() - self._rules.fresh)
            if earlier is not None:
                return self._from_record(job, earlier), True
        self._check_queue(submission)
        journal.add(job, len(self._waiting) + 1)
        self._waiting[job.id] = job
        self._fill_room()
        return journal.view(job.id), True

    def cancel(self, job_id: JobId) -> JobView:
        """Ask for a job's end; at once for one that waits. Raises UnknownJobError."""
        view = self._with.journal.view(job_id)
        running = self._running.get(job_id)
        if running is not None:
            running.effort.cancel()
        elif not view.state.final:
            self._waiting.pop(job_id, None)
            self._with.journal.append(
                job_id, [Cancelled(sequence=UNNUMBERED, at=self._with.journal.now())]
            )
            self._tell_positions()
        return self._with.journal.view(job_id)

    async def look_again_and_again(self) -> None:
        """Look now and then what there is to run jobs on, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                await self.look_again()
            except Exception:
                _logger.exception("what can run could not be seen")

    async def look_again(self) -> None:
        """A card or a node may have gone away or come: go on with what there is."""
        before = self._capacity
        self._capacity = now = await self._with.engine.capacity()
        if now != before:
            _logger.warning(
                "slots: %d, before %d; graphics cards: %d, before %d",
                *(now.slots, before.slots, len(now.cards), len(before.cards)),
            )
        self._fill_room()

    async def close(self) -> None:
        """End what runs; what waits is kept for the next time."""
        self._closing = True
        for running in self._running.values():
            running.effort.shut_down()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _new_job(self, submission: Submission, listed: Listed) -> Job:
        parameters = check_parameters(listed, submission.parameters)
        return Job(
            id=JobId(uuid.uuid4().hex),
            example=listed.info.id,
            framework=listed.info.framework,
            parameters=parameters,
            seed=int(parameters["seed"]),
            submitted_at=self._with.journal.now(),
            key=submission.key,
            learner=submission.learner,
            guild=submission.guild,
            fingerprint=listed.fingerprint,
        )

    def _from_record(self, job: Job, earlier: JobView) -> JobView:
        if earlier.ended_at is None or earlier.measured is None or earlier.device is None:
            raise RunnerError("the record of a job that succeeded is not whole")
        now = self._with.journal.now()
        self._with.artifacts.share(earlier.id, job.id)
        return self._with.journal.add_recorded(
            replace(job, fingerprint=""),
            Recorded(
                sequence=UNNUMBERED,
                at=now,
                job=earlier.id,
                measured_at=earlier.ended_at,
                device=earlier.device,
                versions=earlier.versions,
            ),
            Succeeded(sequence=UNNUMBERED, at=now, measured=earlier.measured),
        )

    def _check_queue(self, submission: Submission) -> None:
        if len(self._waiting) >= self._rules.queue_limit:
            raise QueueFullError
        learner = submission.learner
        own = sum(job.learner == learner for job in self._waiting.values())
        if learner is not None and own >= self._rules.waiting_each:
            raise OwnQueueFullError

    def _available(self, example: str) -> Listed:
        listed = self._with.catalogue[example]
        if not listed.info.available:
            raise UnavailableExampleError(listed.info.reason)
        return listed

    def _room(self) -> Room:
        capacity = self._capacity
        return Room(capacity.slots, len(capacity.cards), self._rules.running_each)

    def _claim(self, job: Job) -> Claim:
        listed = self._with.catalogue.listed.get(job.example)
        wanted = listed.info.cards if listed and job.framework in self._with.engine.able else 0
        return Claim(job.id, job.guild, job.learner, min(wanted, self._capacity.together))

    def _in_turn(self) -> list[Claim]:
        return in_turn([self._claim(job) for job in self._waiting.values()], self._served)

    def _claims_running(self) -> list[Claim]:
        return [
            Claim(each.job.id, each.job.guild, each.job.learner, len(each.cards))
            for each in self._running.values()
        ]

    def _fill_room(self) -> None:
        while not self._closing and self._waiting:
            chosen = next_to_start(self._in_turn(), self._claims_running(), self._room())
            if chosen is None:
                break
            self._served.note(chosen)
            self._start(self._waiting.pop(chosen.job), chosen)
        self._tell_positions()

    def _start(self, job: Job, claim: Claim) -> None:
        try:
            listed = self._available(job.example)
        except RunnerError as error:  # it waited since another set of examples was here
            failed = Failed(
                sequence=UNNUMBERED,
                at=self._with.journal.now(),
                reason=FailureReason.ERROR,
                message=str(error),
            )
            self._with.journal.append(job.id, [failed])
            return
        taken = {card for each in self._running.values() for card in each.cards}
        free = [card for card in self._capacity.cards if card not in taken]
        cards = tuple(free[: claim.cards])
        effort = self._with.engine.attempt(
            job.framework,
            self._assignment(job, listed, cards),
            self._limits(job, listed),
            cards,
        )
        now = asyncio.get_running_loop().time()
        self._running[job.id] = _Running(job, effort, cards, now)
        task = asyncio.create_task(effort.run(), name=f"job {job.id}")
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._ended(job, task))

    def _ended(self, job: Job, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        del self._running[job.id]
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            _logger.error("job %s was left without an end", job.id, exc_info=error)
        view = self._with.journal.view(job.id)
        if view.state is JobState.SUCCEEDED and view.measured is not None:
            self._durations.note(job.example, view.measured.elapsed_s)
        less = view.failure is not None and view.failure.reason in _LESS_CAPACITY
        if less and not self._closing:
            looking = asyncio.create_task(self.look_again(), name="look what can run")
            self._tasks.add(looking)
            looking.add_done_callback(self._tasks.discard)
        else:
            self._fill_room()

    def _tell_positions(self) -> None:
        """Tell each job that waits where it stands, when that changed."""
        now = self._with.journal.now()
        claims = self._in_turn()
        waits = expected_waits(claims, self._claims_running(), self._seconds(), self._room())
        moved: list[tuple[JobId, list[Event]]] = [
            (
                claim.job,
                [Queued(sequence=UNNUMBERED, at=now, position=position, wait_s=wait)],
            )
            for position, (claim, wait) in enumerate(zip(claims, waits, strict=True), start=1)
            if _moved(self._with.journal.view(claim.job), position, wait)
        ]
        if moved:
            self._with.journal.append_all(moved)

    def _seconds(self) -> dict[JobId, float | None]:
        """How long each waiting job will take, and each running one still takes."""
        now = asyncio.get_running_loop().time()
        seconds = {job.id: self._durations.typical_s(job.example) for job in self._waiting.values()}
        for each in self._running.values():
            typical = self._durations.typical_s(each.job.example)
            seconds[each.job.id] = (
                None if typical is None else max(0.0, typical - (now - each.since))
            )
        return seconds

    def _assignment(self, job: Job, listed: Listed, cards: Sequence[Card]) -> Assignment:
        return Assignment(
            job=job.id,
            module=listed.module,
            parameters=job.parameters,
            scratch=str(self._places.scratch / job.id),
            datasets=str(self._places.datasets),
            encoder=str(self._places.encoder),
            bank=str(self._places.bank),
            cards=tuple(card.id for card in cards) if self._capacity.cards else None,
            processor_s=self._processor_s(listed),
        )

    def _limits(self, job: Job, listed: Listed) -> Limits:
        smallest = {
            each.name: each.choices[0] if each.choices else each.minimum
            for each in listed.info.parameters
        }
        return Limits(
            wall_clock_s=listed.info.limit_s,
            memory_mb=self._rules.memory_mb,
            processor_s=self._processor_s(listed),
            ask_grace_s=self._rules.ask_grace_s,
            terminate_grace_s=self._rules.terminate_grace_s,
            lower=tuple(
                name for name in listed.info.lower if job.parameters[name] != smallest[name]
            ),
        )

    def _processor_s(self, listed: Listed) -> float:
        return listed.info.limit_s * self._with.engine.threads


def _moved(view: JobView, position: int, wait_s: float | None) -> bool:
    return view.position != position or (view.expected_at is None) != (wait_s is None)
