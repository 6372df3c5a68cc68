"""The attendant of a place on another computer: a process that runs jobs there for a runner.

It runs one job at a time as any runner does, over a journal and artifacts of its own that are
thrown away, and tells what happens (see `runners.jobs.orders`) by its standard output. It knows
nothing of who started it. When it ends, however it ends, its folder goes and so do its jobs.
"""

import asyncio
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

from pydantic import JsonValue, ValidationError

from runners.errors import RunnerError, UnknownArtifactError
from runners.jobs.artifacts import Artifacts
from runners.jobs.attempt import Attempt, Surroundings
from runners.jobs.cards import device_name
from runners.jobs.journal import Journal, Quiet
from runners.jobs.messages import Assignment
from runners.jobs.nurseries import Nurseries, prepare_nurseries
from runners.jobs.orders import OVER, WORD, EndIt, Equipment, Order, Told
from runners.jobs.store import Job, JobStore
from runners.protocol.events import Event, Figure
from runners.protocol.words import JobId
from runners.settings import BANK, RunnerSettings, read_settings

PREFIX: Final = "xueban-attendant-"
"""How the name of an attendant's folder begins."""

_OF_THE_NODE: Final = (
    "data_dir",
    "datasets_dir",
    "encoder",
    "tensorflow_python",
    "pytorch_python",
)
_WORD_LIMIT: Final = 1024 * 1024
_SWEEP: Final = 'read -r _; for pause in 0 1 2 4; do sleep "$pause"; rm -rf -- "$1"; done'
_QUIET_S: Final = 3_600.0
_NOWHERE: Final = Path(":memory:")


def main() -> None:
    """Attend until standard input ends."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    asyncio.run(_attend())


async def _attend() -> None:
    told, saying = await _standard_streams()
    try:
        equipment = Equipment.model_validate_json(await told.readline())
        with _swept_folder() as folder:
            async with _open(equipment, folder, saying) as attendant:
                while line := await told.readline():
                    attendant.hear(line)
    except ValidationError:
        await _say(saying, Told(fault="it has another version of xueban than the runner"))
    except (RunnerError, OSError) as error:
        await _say(saying, Told(fault=str(error)))


async def _say(saying: asyncio.StreamWriter, what: Told | None) -> None:
    """Tell ``what``, or that this is all; nobody there to hear it is no error."""
    line = OVER if what is None else what.model_dump_json().encode() + OVER
    with suppress(ConnectionError):
        saying.write(line)
        await saying.drain()


class _Attendant:
    """Runs what it is ordered to."""

    def __init__(
        self,
        equipment: Equipment,
        settings: RunnerSettings,
        nurseries: Nurseries,
        folder: Path,
        saying: asyncio.StreamWriter,
    ) -> None:
        self._equipment = equipment
        self._settings = settings
        self._nurseries = nurseries
        self._scratch = folder / "scratch"
        self._artifacts = Artifacts(folder / "artifacts")
        self._store = JobStore.open(_NOWHERE)
        self._journal = Journal(self._store)
        self._saying = saying
        self._running: dict[JobId, tuple[Attempt, asyncio.Task[None]]] = {}

    def hear(self, line: bytes) -> None:
        """Do what ``line`` asks for."""
        match WORD.validate_json(line):
            case Order() as order:
                self._begin(order)
            case EndIt(job=job, how=how) if job in self._running:
                attempt, _ = self._running[job]
                if how == "cancel":
                    attempt.cancel()
                else:
                    attempt.shut_down()
            case EndIt():
                pass  # it was over before this came

    async def close(self) -> None:
        """End what runs, whoever is there to hear of it."""
        for attempt, _ in self._running.values():
            attempt.shut_down()
        await asyncio.gather(*(run for _, run in self._running.values()), return_exceptions=True)
        self._store.close()

    def _begin(self, order: Order) -> None:
        assignment = self._here(order.assignment)
        parameters = assignment.parameters
        job = Job(
            id=assignment.job,
            example=assignment.module,
            framework=order.framework,
            parameters=parameters,
            seed=int(parameters["seed"]),
            submitted_at=self._journal.now(),
        )
        self._journal.add(job, position=1)
        attempt = Attempt(
            assignment,
            order.limits,
            Surroundings(
                launcher=self._nurseries.launchers[order.framework],
                journal=self._journal,
                artifacts=self._artifacts,
                device=device_name(self._nurseries.cards, self._equipment.threads),
            ),
        )
        run = asyncio.create_task(self._run(job.id, attempt), name=f"job {job.id}")
        self._running[job.id] = attempt, run

    def _here(self, assignment: Assignment) -> Assignment:
        """The assignment with what it names where it lies on this computer."""
        cards = self._nurseries.cards
        return assignment.model_copy(
            update={
                "scratch": str(self._scratch / assignment.job),
                "datasets": str(self._settings.datasets),
                "encoder": str(self._settings.encoder_folder),
                "bank": str(BANK),
                "cards": tuple(card.id for card in cards) or None,
            }
        )

    async def _run(self, job_id: JobId, attempt: Attempt) -> None:
        telling = asyncio.create_task(self._tell(job_id))
        try:
            await attempt.run()
            if self._journal.view(job_id).state.final:
                await telling
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            del self._running[job_id]
            self._journal.forget([job_id])
            self._artifacts.forget(job_id)
            await _say(self._saying, None)

    async def _tell(self, job_id: JobId) -> None:
        async for batch in self._journal.follow(job_id, 0, _QUIET_S):
            if isinstance(batch, Quiet):
                continue
            for events in _with_one_figure(batch):
                picture = await asyncio.to_thread(self._picture, job_id, events[-1])
                await _say(self._saying, Told(events=events, picture=picture))

    def _picture(self, job_id: JobId, event: Event) -> bytes | None:
        if isinstance(event, Figure):
            with suppress(UnknownArtifactError, OSError):
                return self._artifacts.path(job_id, event.name).read_bytes()
        return None


def settings_here(sent: Mapping[str, JsonValue]) -> RunnerSettings:
    """The runner's settings; where things lie is for this computer's environment to say."""
    own = read_settings().model_fields_set
    return read_settings(
        **{
            name: value
            for name, value in sent.items()
            if not (name in _OF_THE_NODE and name in own)
        }
    )


@asynccontextmanager
async def _open(
    equipment: Equipment, folder: Path, saying: asyncio.StreamWriter
) -> AsyncGenerator[_Attendant]:
    settings = settings_here(equipment.settings)
    scratch, cache = folder / "scratch", folder / "cache"
    for each in (scratch, cache):
        each.mkdir()
    nurseries = await prepare_nurseries(
        settings, equipment.frameworks, equipment.threads, scratch, cache
    )
    attendant = _Attendant(equipment, settings, nurseries, folder, saying)
    try:
        yield attendant
    finally:
        await attendant.close()
        await nurseries.close()


@contextmanager
def _swept_folder() -> Generator[Path]:
    """A folder that is gone after this, also when this process is killed."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    sweeper = subprocess.Popen(  # noqa: S603 - our own words, which wait for the pipe to be closed
        ["/bin/sh", "-c", _SWEEP, "sweep", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with sweeper:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            sweeper.kill()


async def _standard_streams() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """What comes in, and where lines go out; what else is printed goes to standard error."""
    loop = asyncio.get_running_loop()
    told = asyncio.StreamReader(limit=_WORD_LIMIT)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(told), sys.stdin)
    output = os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.streams.FlowControlMixin(loop), output
    )
    return told, asyncio.StreamWriter(transport, protocol, None, loop)


def _with_one_figure(events: Sequence[Event]) -> Iterator[tuple[Event, ...]]:
    """``events`` in their order, cut after each figure."""
    part: list[Event] = []
    for event in events:
        part.append(event)
        if isinstance(event, Figure):
            yield tuple(part)
            part = []
    if part:
        yield tuple(part)
