"""One job from its start to its terminal event: followed, limited, ended, judged."""

import asyncio
import logging
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from runners.jobs.artifacts import Artifacts, RefusedArtifactError
from runners.jobs.ending import unless_ended
from runners.jobs.intake import UNNUMBERED
from runners.jobs.journal import Journal
from runners.jobs.launcher import JobProcess, Launcher, LaunchError
from runners.jobs.lineage import end_tree
from runners.jobs.measure import MemoryGauge
from runners.jobs.messages import (
    END,
    LEAVE,
    REPORT,
    Assignment,
    FigureReport,
    GaveUp,
    LastWord,
    LogReport,
    MetricReport,
    ProgressReport,
    Raised,
    Returned,
)
from runners.jobs.output import lines_of
from runners.jobs.recorder import Recorder
from runners.jobs.store import ProcessTrace
from runners.jobs.verdict import Cause, Ending, verdict
from runners.protocol.events import Cancelled, Failed, Measured, Started
from runners.protocol.words import FailureReason

_logger = logging.getLogger(__name__)

_UNREAD_S: Final = 0.5
_LEAVING_S: Final = 2.0
_KILLED_S: Final = 10.0
_BREATH: Final = 200


class _GarbageError(Exception):
    """The process sent what is no report."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may use (seconds, MiB), and how patiently its end is brought about (seconds).

    ``processor_s`` is for each of its processes; ``lower`` names the parameters that would have
    it need less memory.
    """

    wall_clock_s: float
    memory_mb: float
    processor_s: float
    ask_grace_s: float
    terminate_grace_s: float
    lower: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an attempt works with. ``device`` is what its job computes on, for people."""

    launcher: Launcher
    journal: Journal
    artifacts: Artifacts
    device: str


class Attempt:
    """The running of one job.

    `run` leaves exactly one terminal event behind. The one exception is a job that had not
    started when the runner shut down: it stays queued.
    """

    def __init__(self, assignment: Assignment, limits: Limits, surroundings: Surroundings) -> None:
        self._assignment = assignment
        self._limits = limits
        self._with = surroundings
        self._scratch = Path(assignment.scratch)
        self._recorder = Recorder(surroundings.journal, assignment.job)
        self._end = asyncio.Event()
        self._cause = Cause.CANCEL

    def cancel(self) -> None:
        """Have it end because somebody asked for it."""
        self._end.set()

    def shut_down(self) -> None:
        """Have it end because the runner does; a cancel that came first stays one."""
        if not self._end.is_set():
            self._cause = Cause.SHUTDOWN
            self._end.set()

    async def run(self) -> None:
        """Run the job to its end."""
        try:
            await asyncio.to_thread(self._scratch.mkdir, parents=True)
            process = await self._launch()
            if process is not None:
                try:
                    await self._attend(process)
                finally:
                    process.signal(signal.SIGKILL)
                    process.close()
        except Exception as error:
            _logger.exception("job %s could not be attended", self._assignment.job)
            self._fail(f"the runner could not attend it: {type(error).__name__}")
        finally:
            await asyncio.to_thread(shutil.rmtree, self._scratch, ignore_errors=True)

    async def _launch(self) -> JobProcess | None:
        """Its process; None when the job came to its end, or the runner to its own, before."""
        launching = self._with.launcher.launch(self._assignment)
        try:
            process = await unless_ended(self._end, launching)
        except LaunchError as error:
            self._fail(str(error))
            return None
        if process is None and self._cause is Cause.CANCEL:
            self._recorder.finish(Cancelled(sequence=UNNUMBERED, at=self._with.journal.now()))
        return process

    async def _attend(self, process: JobProcess) -> None:
        began = time.monotonic()
        gauge = MemoryGauge(process.pid)
        self._with.journal.append(
            self._assignment.job,
            [
                Started(
                    sequence=UNNUMBERED,
                    at=self._with.journal.now(),
                    device=self._with.device,
                    versions=process.versions,
                    limit_s=self._limits.wall_clock_s,
                    birth=process.birth,
                    walls=process.walls,
                )
            ],
            ProcessTrace(process.pid, process.born),
        )
        writing = asyncio.create_task(self._recorder.write())
        reading = asyncio.create_task(self._read_output(process))
        hearing = asyncio.create_task(self._hear(process))
        weighing = asyncio.create_task(gauge.until_above(self._limits.memory_mb))
        try:
            cause = await self._first_cause(process, hearing, weighing, writing)
            word = await self._bring_to_end(cause, process, hearing, gauge)
            elapsed = time.monotonic() - began
            await asyncio.to_thread(end_tree, process.pid, process.born)
            await asyncio.to_thread(gauge.end_descendants)
            code = await _within(process.exit_code, _KILLED_S)
            await asyncio.wait({reading}, timeout=_UNREAD_S)
        finally:
            for task in (writing, reading, hearing, weighing):
                task.cancel()
            await asyncio.gather(writing, reading, hearing, weighing, return_exceptions=True)
        ending = Ending(
            cause=cause,
            word=word,
            exit_code=code,
            measured=Measured(elapsed_s=elapsed, peak_memory_mb=gauge.peak_mb),
            limit_s=self._limits.wall_clock_s,
            memory_limit_mb=self._limits.memory_mb,
            processor_s=self._limits.processor_s,
            lower=self._limits.lower,
        )
        self._recorder.finish(verdict(ending, self._with.journal.now()))

    async def _first_cause(
        self,
        process: JobProcess,
        hearing: "asyncio.Task[LastWord | None]",
        weighing: "asyncio.Task[None]",
        writing: "asyncio.Task[None]",
    ) -> Cause | None:
        """Wait until the job ends or has to be ended; None when it did so by itself."""
        ended = asyncio.create_task(self._end.wait())
        awaited: set[asyncio.Future[Any]] = {
            hearing,
            weighing,
            writing,
            ended,
            process.exit_code,
        }
        try:
            done, _ = await asyncio.wait(
                awaited,
                timeout=self._limits.wall_clock_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            ended.cancel()
        if writing in done:
            writing.result()  # it never ends but by an error
        if hearing in done:
            return Cause.GARBAGE if hearing.exception() else None
        if process.exit_code in done:
            # what it said last may still be on its way
            await asyncio.wait({hearing}, timeout=_UNREAD_S)
            return None
        if weighing in done:
            return Cause.MEMORY
        return self._cause if ended in done else Cause.TIME

    async def _bring_to_end(
        self,
        cause: Cause | None,
        process: JobProcess,
        hearing: "asyncio.Task[LastWord | None]",
        gauge: MemoryGauge,
    ) -> LastWord | None:
        """End the process as gently as the cause allows; its last word, if it had one."""
        if cause is Cause.CANCEL:
            process.say(END)
            await asyncio.wait({hearing}, timeout=self._limits.ask_grace_s)
        # a process that the job started is found through it only while it lives
        await asyncio.to_thread(gauge.sample)
        word = _result(hearing)
        if word is not None:
            # it waits for this, so that its memory could be read before it is gone
            process.say(LEAVE)
            await _within(process.exit_code, _LEAVING_S)
        elif cause in (Cause.CANCEL, Cause.TIME):
            process.signal(signal.SIGTERM)
            await _within(process.exit_code, self._limits.terminate_grace_s)
        return word

    async def _hear(self, process: JobProcess) -> LastWord | None:
        """Take the process's reports until its last word; None when it ends without one."""
        count = 0
        while True:
            try:
                line = await process.reports.readuntil(b"\n")
                report = REPORT.validate_json(line)
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
            except (asyncio.LimitOverrunError, ValidationError) as error:
                raise _GarbageError from error
            if isinstance(report, Returned | Raised | GaveUp):
                return report
            await self._take(report)
            count += 1
            if count % _BREATH == 0:
                await asyncio.sleep(0.01)  # a flood must not keep the loop from all else

    async def _take(
        self, report: "ProgressReport | MetricReport | LogReport | FigureReport"
    ) -> None:
        match report:
            case FigureReport():
                await self._keep(report)
            case ProgressReport() | MetricReport() | LogReport():
                await self._recorder.report(report)

    async def _keep(self, report: FigureReport) -> None:
        if not self._recorder.intake.may_draw():
            return
        try:
            await asyncio.to_thread(
                self._with.artifacts.keep, self._assignment.job, self._scratch / report.name
            )
        except (RefusedArtifactError, OSError) as error:
            await self._recorder.log(f"{report.name} was not kept: {error}")
            return
        await self._recorder.add([self._recorder.intake.figure(report, self._with.journal.now())])

    async def _read_output(self, process: JobProcess) -> None:
        async for line in lines_of(process.output):
            await self._recorder.log(line)

    def _fail(self, message: str) -> None:
        if self._with.journal.view(self._assignment.job).state.final:
            return
        self._recorder.finish(
            Failed(
                sequence=UNNUMBERED,
                at=self._with.journal.now(),
                reason=FailureReason.ERROR,
                message=message,
            )
        )


def _result(hearing: "asyncio.Task[LastWord | None]") -> LastWord | None:
    return hearing.result() if hearing.done() and hearing.exception() is None else None


async def _within(ended: "asyncio.Future[int | None]", seconds: float) -> int | None:
    """Its result when it comes within ``seconds``, else None."""
    await asyncio.wait({ended}, timeout=seconds)
    return ended.result() if ended.done() else None
