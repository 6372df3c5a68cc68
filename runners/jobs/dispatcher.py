"""The queue and its slots: jobs wait in the order of their submission and run when one is free."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runners.catalogue import Catalogue, Listed, check_parameters
from runners.errors import QueueFullError, RunnerError, UnavailableExampleError
from runners.jobs.artifacts import Artifacts
from runners.jobs.attempt import Attempt, Limits, Surroundings
from runners.jobs.intake import UNNUMBERED
from runners.jobs.journal import Journal
from runners.jobs.launcher import Launcher
from runners.jobs.lineage import end_tree
from runners.jobs.messages import Assignment
from runners.jobs.store import Job
from runners.jobs.verdict import lost
from runners.protocol.events import Cancelled, Event, Failed, Queued
from runners.protocol.jobs import JobView, Submission
from runners.protocol.words import FailureReason, Framework, JobId, JobState

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """How many jobs run and wait, and what each may use."""

    slots: int
    queue_limit: int
    memory_mb: float
    ask_grace_s: float
    terminate_grace_s: float


@dataclass(frozen=True, slots=True)
class Places:
    """The folders that jobs use: one below ``scratch`` each, and what they read."""

    scratch: Path
    datasets: Path
    encoder: Path
    bank: Path


@dataclass(frozen=True, slots=True)
class Workshop:
    """What jobs are made with. ``device`` tells what a framework computes on."""

    catalogue: Catalogue
    journal: Journal
    artifacts: Artifacts
    launchers: Mapping[Framework, Launcher]
    device: Callable[[Framework, Mapping[str, str]], str]


class Dispatcher:
    """Takes jobs in, has them run, ends them."""

    def __init__(self, rules: Rules, places: Places, workshop: Workshop) -> None:
        self._rules = rules
        self._places = places
        self._with = workshop
        self._waiting: list[Job] = []
        self._attempts: dict[JobId, Attempt] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def running(self) -> int:
        """How many jobs hold a slot."""
        return len(self._attempts)

    @property
    def waiting(self) -> int:
        """How many jobs wait for one."""
        return len(self._waiting)

    async def recover(self) -> None:
        """Say what became of the jobs of a runner that died, and go on with its queue."""
        for job in self._with.journal.jobs_in(JobState.RUNNING):
            trace = self._with.journal.trace(job.id)
            if trace is not None:
                await asyncio.to_thread(end_tree, trace.pid, trace.born)
            self._with.journal.append(
                job.id, [lost(self._with.journal.now(), "the runner died while it ran")]
            )
        self._waiting = list(self._with.journal.jobs_in(JobState.QUEUED))
        self._fill_slots()

    def submit(self, submission: Submission) -> tuple[JobView, bool]:
        """Queue a job; its view, and whether it is a new one.

        Raises UnknownExampleError, UnavailableExampleError, InvalidParametersError or
        QueueFullError; then nothing is queued.
        """
        known = submission.key and self._with.journal.job_with_key(submission.key)
        if known:
            return self._with.journal.view(known.id), False
        listed = self._available(submission.example)
        parameters = check_parameters(listed, submission.parameters)
        if len(self._waiting) >= self._rules.queue_limit:
            raise QueueFullError
        job = Job(
            id=JobId(uuid.uuid4().hex),
            example=listed.info.id,
            framework=listed.info.framework,
            parameters=parameters,
            seed=int(parameters["seed"]),
            submitted_at=self._with.journal.now(),
            key=submission.key,
            learner=submission.learner,
            guild=submission.guild,
        )
        self._with.journal.add(job, len(self._waiting) + 1)
        self._waiting.append(job)
        self._fill_slots()
        return self._with.journal.view(job.id), True

    def cancel(self, job_id: JobId) -> JobView:
        """Ask for a job's end; at once for one that waits. Raises UnknownJobError."""
        view = self._with.journal.view(job_id)
        attempt = self._attempts.get(job_id)
        if attempt is not None:
            attempt.cancel()
        elif not view.state.final:
            self._waiting = [job for job in self._waiting if job.id != job_id]
            self._with.journal.append(
                job_id, [Cancelled(sequence=UNNUMBERED, at=self._with.journal.now())]
            )
            self._tell_positions()
        return self._with.journal.view(job_id)

    async def close(self) -> None:
        """End what runs; what waits is kept for the next time."""
        self._closing = True
        for attempt in self._attempts.values():
            attempt.shut_down()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _available(self, example: str) -> Listed:
        listed = self._with.catalogue[example]
        if not listed.info.available:
            raise UnavailableExampleError(listed.info.reason)
        return listed

    def _fill_slots(self) -> None:
        while not self._closing and self._waiting and self.running < self._rules.slots:
            self._start(self._waiting.pop(0))
        self._tell_positions()

    def _start(self, job: Job) -> None:
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
        attempt = Attempt(
            self._assignment(job, listed), self._limits(listed), self._surroundings(job.framework)
        )
        self._attempts[job.id] = attempt
        task = asyncio.create_task(attempt.run(), name=f"job {job.id}")
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._ended(job.id, task))

    def _ended(self, job_id: JobId, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        del self._attempts[job_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            _logger.error("job %s was left without an end", job_id, exc_info=error)
        if not task.cancelled():
            self._fill_slots()

    def _tell_positions(self) -> None:
        now = self._with.journal.now()
        moved: list[tuple[JobId, list[Event]]] = [
            (job.id, [Queued(sequence=UNNUMBERED, at=now, position=position)])
            for position, job in enumerate(self._waiting, start=1)
            if self._with.journal.view(job.id).position != position
        ]
        if moved:
            self._with.journal.append_all(moved)

    def _assignment(self, job: Job, listed: Listed) -> Assignment:
        return Assignment(
            job=job.id,
            module=listed.module,
            parameters=job.parameters,
            scratch=str(self._places.scratch / job.id),
            datasets=str(self._places.datasets),
            encoder=str(self._places.encoder),
            bank=str(self._places.bank),
        )

    def _limits(self, listed: Listed) -> Limits:
        return Limits(
            wall_clock_s=listed.info.limit_s,
            memory_mb=self._rules.memory_mb,
            ask_grace_s=self._rules.ask_grace_s,
            terminate_grace_s=self._rules.terminate_grace_s,
        )

    def _surroundings(self, framework: Framework) -> Surroundings:
        return Surroundings(
            launcher=self._with.launchers[framework],
            journal=self._with.journal,
            artifacts=self._with.artifacts,
            device=lambda versions: self._with.device(framework, versions),
        )
