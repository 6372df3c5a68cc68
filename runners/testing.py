"""A runner that runs nothing: what happens to its jobs is what a test says."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeVar

from runners.errors import (
    InvalidParametersError,
    RunnerError,
    UnavailableExampleError,
    UnknownArtifactError,
    UnknownExampleError,
    UnknownJobError,
)
from runners.protocol.catalogue import ExampleInfo, ParameterValue
from runners.protocol.events import (
    Cancelled,
    Event,
    Failed,
    Figure,
    Log,
    Measured,
    Metric,
    Progress,
    Queued,
    Started,
    Succeeded,
    Terminal,
)
from runners.protocol.jobs import JobView, Submission, fold
from runners.protocol.settings_text import Fault, parse_value
from runners.protocol.words import FailureReason, JobId, Text

T = TypeVar("T")

MEASURED: Final = Measured(elapsed_s=1.5, peak_memory_mb=256.0)
"""What a fake job is said to have taken."""

_ANY: Final = 1


class Hold(Protocol):
    """How a fake waits for what only the test will bring about."""

    def __call__(self, awaitable: Awaitable[Any], *, reason: str) -> Awaitable[Any]:
        """Wait for ``awaitable``; ``reason`` says in words for what."""
        ...


async def just_wait(awaitable: Awaitable[T], *, reason: str) -> T:
    """Wait for ``awaitable``, whatever the ``reason``."""
    del reason
    return await awaitable


def utc_now() -> datetime:
    """This moment, aware, UTC."""
    return datetime.now(UTC)


class FakeRunner:
    """Stands for a runner program. A job waits in the queue until a test moves it on.

    ``scripts`` names events for examples: their jobs go through them as soon as they are
    submitted. Events are numbered here, so a script may number them as it likes. All waiting
    goes through ``hold``, which may be set at any time. While ``fault`` is set, every call
    raises it.
    """

    def __init__(
        self,
        catalogue: Iterable[ExampleInfo],
        *,
        scripts: Mapping[str, Sequence[Event]] | None = None,
        hold: Hold = just_wait,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.examples = tuple(catalogue)
        self.scripts = dict(scripts or {})
        self.hold = hold
        self.now = now
        self.fault: RunnerError | None = None
        self.submissions: list[Submission] = []
        self.cancelled: list[JobId] = []
        self.views: dict[JobId, JobView] = {}
        self.artifacts: dict[tuple[JobId, str], bytes] = {}
        self._keys: dict[str, JobId] = {}
        self._watchers: set[asyncio.Event] = set()

    async def catalogue(self) -> tuple[ExampleInfo, ...]:
        """All examples."""
        self._check_fault()
        return self.examples

    async def submit(self, submission: Submission) -> JobView:
        """Queue a job; refuses what a real runner would refuse."""
        self._check_fault()
        if submission.key in self._keys:
            return self.views[self._keys[submission.key]]
        info = self._example(submission.example)
        parameters = _checked(info, submission.parameters)
        self.submissions.append(submission)
        job_id = JobId(uuid.uuid4().hex)
        self.views[job_id] = JobView(
            id=job_id,
            example=info.id,
            framework=info.framework,
            parameters=parameters,
            seed=int(parameters.get("seed", 0)),
            submitted_at=self.now(),
        )
        if submission.key is not None:
            self._keys[submission.key] = job_id
        waiting = sum(view.position is not None for view in self.views.values())
        self.emit(job_id, Queued(sequence=_ANY, at=self.now(), position=waiting + 1))
        self.emit(job_id, *self.scripts.get(info.id, ()))
        return self.views[job_id]

    async def job(self, job_id: JobId) -> JobView:
        """The job as it stands."""
        self._check_fault()
        return self._view(job_id)

    async def watch(self, job_id: JobId) -> AsyncGenerator[JobView]:
        """The job's view, again whenever it changed, until its end."""
        self._check_fault()
        news = asyncio.Event()
        self._watchers.add(news)
        try:
            seen: JobView | None = None
            while seen is None or not seen.state.final:
                view = self._view(job_id)
                if view != seen:
                    seen = view
                    yield view
                    continue
                news.clear()
                await self.hold(news.wait(), reason=f"job {job_id} goes on")
                self._check_fault()
        finally:
            self._watchers.discard(news)

    async def cancel(self, job_id: JobId) -> JobView:
        """End the job at once, unless it has ended."""
        self._check_fault()
        if not self._view(job_id).state.final:
            self.cancelled.append(job_id)
            self.emit(job_id, Cancelled(sequence=_ANY, at=self.now()))
        return self._view(job_id)

    async def artifact(self, job_id: JobId, name: str) -> bytes:
        """The bytes of a figure that a test drew."""
        self._check_fault()
        try:
            return self.artifacts[job_id, name]
        except KeyError:
            raise UnknownArtifactError from None

    @property
    def last(self) -> JobId:
        """The job submitted last."""
        return next(reversed(self.views))

    def emit(self, job_id: JobId, *events: Event) -> JobView:
        """Let ``events`` happen to a job, numbered on from its last one.

        Raises ValueError for an event after the job's end.
        """
        view = self._view(job_id)
        for event in events:
            if view.state.final:
                raise ValueError(f"job {job_id} has ended: {view.state}")
            view = fold(view, event.model_copy(update={"sequence": view.sequence + 1}))
        self.views[job_id] = view
        for news in self._watchers:
            news.set()
        return view

    def start(self, job_id: JobId, device: str = "cpu (2 cores)") -> JobView:
        """Let a job start."""
        info = self._example(self._view(job_id).example)
        versions = {"python": "3.11.7", str(info.framework): "2.0"}
        return self.emit(
            job_id,
            Started(
                sequence=_ANY,
                at=self.now(),
                device=device,
                versions=versions,
                limit_s=info.limit_s,
            ),
        )

    def progress(self, job_id: JobId, done: int, total: int, note: Text | None = None) -> JobView:
        """Let a job be through ``done`` of ``total`` steps."""
        event = Progress(sequence=_ANY, at=self.now(), done=done, total=total, note=note)
        return self.emit(job_id, event)

    def metric(self, job_id: JobId, step: int | None = None, **values: float) -> JobView:
        """Let a job report values."""
        return self.emit(job_id, Metric(sequence=_ANY, at=self.now(), step=step, values=values))

    def log(self, job_id: JobId, text: str) -> JobView:
        """Let a job write a line."""
        return self.emit(job_id, Log(sequence=_ANY, at=self.now(), text=text))

    def draw(self, job_id: JobId, name: str, content: bytes, title: Text, alt: Text) -> JobView:
        """Let a job leave the picture ``content`` under ``name``, such as 'curves.png'."""
        self.artifacts[job_id, name] = content
        event = Figure(sequence=_ANY, at=self.now(), name=name, title=title, alt=alt)
        return self.emit(job_id, event)

    def finish(self, job_id: JobId, terminal: Terminal | None = None) -> JobView:
        """Let a job end: well, unless ``terminal`` says otherwise."""
        return self.emit(
            job_id, terminal or Succeeded(sequence=_ANY, at=self.now(), measured=MEASURED)
        )

    def fail(
        self,
        job_id: JobId,
        reason: FailureReason = FailureReason.ERROR,
        message: str = "ValueError: no",
    ) -> JobView:
        """Let a job fail."""
        return self.finish(
            job_id,
            Failed(
                sequence=_ANY,
                at=self.now(),
                reason=reason,
                message=message,
                measured=MEASURED,
            ),
        )

    def _check_fault(self) -> None:
        if self.fault is not None:
            raise self.fault

    def _view(self, job_id: JobId) -> JobView:
        try:
            return self.views[job_id]
        except KeyError:
            raise UnknownJobError from None

    def _example(self, example: str) -> ExampleInfo:
        for info in self.examples:
            if info.id == example:
                if not info.available:
                    raise UnavailableExampleError(info.reason)
                return info
        raise UnknownExampleError


def _checked(info: ExampleInfo, values: Mapping[str, ParameterValue]) -> dict[str, ParameterValue]:
    parameters = {parameter.name: parameter for parameter in info.parameters}
    checked = {name: parameter.default for name, parameter in parameters.items()}
    for name, value in values.items():
        if name not in parameters:
            raise InvalidParametersError(f"there is no parameter `{name}`")
        read = parse_value(str(value), parameters[name])
        if isinstance(read, Fault):
            raise InvalidParametersError(read.en)
        checked[name] = read
    return checked
