"""The runner program from afar: what the bot talks to.

A client outlives lost connections and restarts of the runner: calls are repeated for a while
(each of them may be), streams are taken up again after the last event that arrived.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import aiohttp
from pydantic import BaseModel, TypeAdapter, ValidationError

from runners.errors import RunnerError, RunnerUnreachableError
from runners.protocol.catalogue import ExampleInfo
from runners.protocol.comparison import Comparison, Sides
from runners.protocol.events import EVENT, Event, Terminal
from runners.protocol.health import Health
from runners.protocol.jobs import JobView, Submission, fold
from runners.protocol.words import JobId, Value

_EXAMPLES: Final = TypeAdapter(tuple[ExampleInfo, ...])
_VIEWS: Final = TypeAdapter(tuple[JobView, ...])
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
_CALL_S: Final = 30.0
_SILENCE_S: Final = 30.0
_LINE_BYTES: Final = 1024 * 1024
_GATEWAY: Final = frozenset({502, 503, 504})
_LOST: Final = (aiohttp.ClientError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a runner listens, and the token it wants."""

    address: str
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the runner may be out of reach, seconds, before a call or a stream gives up."""

    call_s: float = 15.0
    stream_s: float = 120.0


class _Complaint(BaseModel):
    code: str
    message: str


class _Refusal(BaseModel):
    error: _Complaint


class RunnerClient:
    """A runner program, near or far; used as ``async with RunnerClient(…) as runner``.

    ``endpoint`` is where it listens, or finds that out each time (it may wait, and it may raise
    RunnerUnreachableError to say why there is none yet). Every call can raise a RunnerError.
    """

    def __init__(
        self,
        endpoint: Endpoint | Callable[[], Awaitable[Endpoint]],
        patience: Patience | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._patience = patience or Patience()
        self._session: aiohttp.ClientSession | None = None
        self._readers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Be ready for calls; nothing is sent yet."""
        self._session = aiohttp.ClientSession(read_bufsize=_LINE_BYTES)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all that is being watched."""
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def health(self) -> Health:
        """How the runner is doing."""
        return Health.model_validate_json(await self._call("GET", "/health"))

    async def catalogue(self) -> tuple[ExampleInfo, ...]:
        """All examples, those that cannot run there among them."""
        return _EXAMPLES.validate_json(await self._call("GET", "/examples"))

    async def submit(self, submission: Submission) -> JobView:
        """Queue a job and give its first view.

        One without a key is given one, so that a call whose answer was lost can be repeated.
        """
        if submission.key is None:
            submission = submission.model_copy(update={"key": uuid.uuid4().hex})
        return JobView.model_validate_json(await self._call("POST", "/jobs", body=submission))

    async def job(self, job_id: JobId) -> JobView:
        """The job as it stands."""
        return JobView.model_validate_json(await self._call("GET", _path(job_id)))

    async def recent(self) -> tuple[JobView, ...]:
        """The jobs submitted last, newest first."""
        return _VIEWS.validate_json(await self._call("GET", "/jobs"))

    async def cancel(self, job_id: JobId) -> JobView:
        """Ask for the job's end; the view may still say that it runs."""
        return JobView.model_validate_json(await self._call("POST", _path(job_id, "cancel")))

    async def artifact(self, job_id: JobId, name: str) -> bytes:
        """The bytes of a figure."""
        return await self._call("GET", _path(job_id, "artifacts", name))

    async def compare(self, sides: Sides) -> Comparison:
        """The runs of two sides in one table and in words."""
        answer = await self._call("POST", "/comparisons", body=sides)
        return Comparison.model_validate_json(answer)

    async def comparison_chart(self, sides: Sides) -> bytes:
        """The chart of a comparison, a PNG file."""
        return await self._call("POST", "/comparisons/chart", body=sides)

    async def follow(self, job_id: JobId, after: int = 0) -> AsyncGenerator[Event]:
        """The job's events after number ``after``, each once and in order, to the terminal one.

        Raises RunnerUnreachableError when the runner cannot be reached for too long.
        """
        loop = asyncio.get_running_loop()
        pause, last_heard = _FIRST_PAUSE_S, loop.time()
        while True:
            try:
                async with contextlib.aclosing(self._stream(job_id, after)) as events:
                    async for event in events:
                        if event.sequence <= after:
                            continue
                        after = event.sequence
                        pause, last_heard = _FIRST_PAUSE_S, loop.time()
                        yield event
                        if isinstance(event, Terminal):
                            return
            except RunnerUnreachableError:
                if loop.time() - last_heard > self._patience.stream_s:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def watch(self, job_id: JobId) -> AsyncGenerator[JobView]:
        """The job's view, again whenever it changed, until its end.

        A slow reader sees fewer views, never older ones, and always the last.
        """
        mailbox = _Mailbox()
        reader = asyncio.create_task(self._read(job_id, mailbox), name=f"watch {job_id}")
        self._readers.add(reader)
        try:
            async for view in mailbox.views():
                yield view
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            self._readers.discard(reader)

    async def _read(self, job_id: JobId, mailbox: "_Mailbox") -> None:
        try:
            path = _path(job_id)
            answer = await self._call("GET", path, patience_s=self._patience.stream_s)
            view = JobView.model_validate_json(answer)
            mailbox.put(view)
            if not view.state.final:
                async for event in self.follow(job_id, view.sequence):
                    view = fold(view, event)
                    mailbox.put(view)
        except RunnerError as error:
            mailbox.fail(error)
        except asyncio.CancelledError:
            mailbox.fail(RunnerUnreachableError("the connection to the runner was closed"))
            raise

    async def _stream(self, job_id: JobId, after: int) -> AsyncGenerator[Event]:
        path = _path(job_id, "events") + f"?after={after}"
        within = aiohttp.ClientTimeout(total=None, sock_connect=_CALL_S, sock_read=_SILENCE_S)
        try:
            async with self._request("GET", path, None, within) as response:
                async for line in response.content:
                    if line.strip():
                        yield EVENT.validate_json(line)
        except (*_LOST, ValidationError) as error:  # a line that was cut off is no event
            raise RunnerUnreachableError from error

    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: Value | None = None,
        patience_s: float | None = None,
    ) -> bytes:
        """The answer's body; asked again while the runner is out of reach."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + (self._patience.call_s if patience_s is None else patience_s)
        pause = _FIRST_PAUSE_S
        while True:
            try:
                within = aiohttp.ClientTimeout(total=_CALL_S)
                async with self._request(method, path, body, within) as response:
                    return await response.read()
            except _LOST as error:
                if loop.time() + pause > give_up:
                    raise RunnerUnreachableError from error
            except RunnerUnreachableError:
                if loop.time() + pause > give_up:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    @contextlib.asynccontextmanager
    async def _request(
        self, method: str, path: str, body: Value | None, within: aiohttp.ClientTimeout
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        if self._session is None:
            raise RuntimeError("a RunnerClient is used inside `async with`")
        endpoint = await self._find()
        headers = {"Content-Type": "application/json"}
        if endpoint.token is not None:
            headers["Authorization"] = f"Bearer {endpoint.token}"
        data = None if body is None else body.model_dump_json().encode()
        async with self._session.request(
            method, endpoint.address + path, data=data, headers=headers, timeout=within
        ) as response:
            if not response.ok:
                raise _refusal(response.status, await response.read())
            yield response

    async def _find(self) -> Endpoint:
        if isinstance(self._endpoint, Endpoint):
            return self._endpoint
        async with asyncio.timeout(self._patience.call_s):
            return await self._endpoint()


class _Mailbox:
    """Holds the newest view until somebody looks."""

    def __init__(self) -> None:
        self._view: JobView | None = None
        self._error: RunnerError | None = None
        self._news = asyncio.Event()

    def put(self, view: JobView) -> None:
        self._view = view
        self._news.set()

    def fail(self, error: RunnerError) -> None:
        self._error = error
        self._news.set()

    async def views(self) -> AsyncIterator[JobView]:
        while True:
            view, self._view = self._view, None
            if view is not None:
                yield view
                if view.state.final:
                    return
            elif self._error is not None:
                raise self._error
            else:
                await self._news.wait()
                self._news.clear()


def _path(job_id: JobId, *parts: str) -> str:
    return "/".join(["/jobs", *(quote(part, safe="") for part in (job_id, *parts))])


def _refusal(status: int, body: bytes) -> RunnerError:
    """The error that the runner answered with, as an instance of its class."""
    try:
        complaint = _Refusal.model_validate_json(body).error
    except ValidationError:
        if status in _GATEWAY:
            return RunnerUnreachableError()
        return RunnerError(f"the runner answered with status {status}")
    kind = _kinds(RunnerError).get(complaint.code, RunnerError)
    return kind(complaint.message)


def _kinds(root: type[RunnerError]) -> dict[str, type[RunnerError]]:
    kinds = {root.code: root}
    for kind in root.__subclasses__():
        kinds.update(_kinds(kind))
    return kinds
