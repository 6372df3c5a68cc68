"""A runner program of one's own: found or started, started again when it dies, ended when idle.

The program lives as long as somebody supervises it, and beyond that until the jobs that it has
are over: whoever comes back before finds it by what it wrote down in the data folder.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import sys
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from typing import Final

import aiohttp
import psutil
from pydantic import SecretStr

from runners.client import Endpoint, Patience, RunnerClient
from runners.errors import RunnerUnreachableError
from runners.settings import RunnerSettings
from runners.whereabouts import Whereabouts, find_program, is_alive

_logger = logging.getLogger(__name__)

_HOST: Final = "127.0.0.1"
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 15.0
_LONG_LIFE_S: Final = 30.0
_GREETING_S: Final = 10.0
_FAREWELL_S: Final = 8.0
_LAST_WORD_S: Final = 1.0
_LOOK_S: Final = 0.05
_LINE: Final = 64 * 1024


@contextlib.asynccontextmanager
async def open_local_runner(
    settings: RunnerSettings, patience: Patience | None = None, examples: str | None = None
) -> AsyncGenerator[RunnerClient]:
    """A client of a runner program that is there as long as this block.

    One that still works in the data folder is taken over, with the settings it was started with;
    otherwise one starts in the background: calls that come before it listens wait for it. It is
    reached on loopback, with a token made for it. After the block it ends, unless it has jobs:
    then it ends with the last of them. ``examples`` names another package of examples than the
    tutor's.
    """
    supervisor = _Supervisor(settings, examples)
    supervising = asyncio.create_task(supervisor.run(), name="local runner")
    try:
        async with RunnerClient(supervisor.endpoint, patience) as client:
            yield client
    finally:
        supervising.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await supervising


class _Supervisor:
    def __init__(self, settings: RunnerSettings, examples: str | None) -> None:
        self._settings = settings
        self._examples = examples
        self._folder = settings.data_dir / "runner"
        self._endpoint: Endpoint | None = None
        self._complaint: str | None = None
        self._news = asyncio.Event()

    async def endpoint(self) -> Endpoint:
        """Where the runner listens; waits until it does.

        Raises RunnerUnreachableError with its own words when it cannot be started.
        """
        while self._endpoint is None:
            if self._complaint is not None:
                raise RunnerUnreachableError(self._complaint)
            await self._news.wait()
        return self._endpoint

    async def run(self) -> None:
        """See to it that there is a runner program, until cancelled."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE_S
        while True:
            began = loop.time()
            try:
                await self._supervise()
            except (RunnerUnreachableError, OSError) as error:
                self._complaint = str(error)
                self._tell()
            if loop.time() - began > _LONG_LIFE_S:
                pause = _FIRST_PAUSE_S
            _logger.warning("the runner program is gone; it starts again in %.1f s", pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _supervise(self) -> None:
        """Be there for the program that is found, or else for a new one, until it is gone."""
        found = find_program(self._folder)
        if found is not None:
            _logger.info("the runner program of an earlier time goes on (process %d)", found.pid)
            await self._hold(found)
            return
        async with self._started() as started:
            await self._hold(started)

    @contextlib.asynccontextmanager
    async def _started(self) -> AsyncGenerator[Whereabouts]:
        """A new program that listens; what it logs is logged here until the block ends."""
        async with _pipe() as (output, its_output), _pipe() as (log, its_log):
            try:
                process = self._spawn(its_output, its_log)
            finally:
                os.close(its_output)
                os.close(its_log)
            last_words: deque[str] = deque(maxlen=1)
            logging_output = asyncio.create_task(_log(log, last_words))
            started = None
            try:
                if await output.readline():
                    started = find_program(self._folder)
                if started is None:
                    await logging_output
                    raise RunnerUnreachableError(
                        last_words[0] if last_words else "the runner program does not start"
                    )
                yield started
            finally:
                if started is None:
                    await _end(process)
                logging_output.cancel()
                await asyncio.gather(logging_output, return_exceptions=True)

    def _spawn(self, output: int, log: int) -> psutil.Process:
        command = [
            *(sys.executable, "-m", "runners", "serve", "--supervised"),
            *(("--examples", self._examples) if self._examples else ()),
        ]
        # neither asyncio nor subprocess let go of a process that is to outlive this one
        pid = os.posix_spawn(
            sys.executable,
            command,
            {**os.environ, **self._variables()},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, output, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
            ],
            setsid=True,  # a terminal's Ctrl-C is not meant for it
        )
        return psutil.Process(pid)

    async def _hold(self, program: Whereabouts) -> None:
        """Supervise it until it is gone; at the end of this, see whether it ends, too."""
        try:
            async with _life_line(program) as life_line:
                self._complaint = None
                self._endpoint = Endpoint(program.address, program.token)
                self._tell()
                await life_line.receive()  # nothing is said on it: what comes is its end
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RunnerUnreachableError(
                f"the runner program (process {program.pid}) does not answer"
            ) from error
        finally:
            self._endpoint = None
            await _part(program)

    def _tell(self) -> None:
        self._news.set()
        self._news.clear()

    def _variables(self) -> dict[str, str]:
        """The settings as the environment that the program reads them from."""
        own = {
            "runner_host": _HOST,
            "runner_port": 0,
            "runner_token": secrets.token_urlsafe(32),
            "runner_address": None,
        }
        values = {name: getattr(self._settings, name) for name in RunnerSettings.model_fields}
        return _as_environment({**values, **own})


def _as_environment(values: Mapping[str, object]) -> dict[str, str]:
    return {
        f"XUEBAN_{name.upper()}": "" if value is None else str(value)
        for name, value in values.items()
        if not isinstance(value, SecretStr)
    }


@contextlib.asynccontextmanager
async def _pipe() -> AsyncGenerator[tuple[asyncio.StreamReader, int]]:
    """A reader, and the descriptor that is written to; that one is the caller's to close."""
    ours, theirs = os.pipe()
    reader = asyncio.StreamReader(limit=_LINE)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", buffering=0)
    )
    try:
        yield reader, theirs
    finally:
        transport.close()


async def _log(stream: asyncio.StreamReader, last_words: deque[str]) -> None:
    while True:
        try:
            line = await stream.readline()
        except ValueError:
            continue  # longer than any line should be
        if not line:
            return
        text = line.decode(errors="replace").rstrip()
        last_words.append(text)
        _logger.info("%s", text)


@contextlib.asynccontextmanager
async def _life_line(program: Whereabouts) -> AsyncGenerator[aiohttp.ClientWebSocketResponse]:
    """The connection by which a program knows that it is supervised, and when no longer."""
    headers = {} if program.token is None else {"Authorization": f"Bearer {program.token}"}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_GREETING_S)) as session,
        session.ws_connect(
            f"{program.address}/supervision",
            headers=headers,
            timeout=aiohttp.ClientWSTimeout(ws_close=1),  # pyright: ignore[reportCallIssue] - attrs makes it
        ) as life_line,
    ):
        yield life_line


async def _part(program: Whereabouts) -> None:
    """Wait for its end, unless it has jobs or somebody else; end it when it does not answer."""
    try:
        process = psutil.Process(program.pid)
    except psutil.NoSuchProcess:
        return
    answers = False
    # a job that has said its last word holds its slot a moment longer
    busy_until = asyncio.get_running_loop().time() + _LAST_WORD_S
    endpoint = Endpoint(program.address, program.token)
    try:
        async with (
            asyncio.timeout(_FAREWELL_S),
            RunnerClient(endpoint, Patience(call_s=0)) as runner,
        ):
            # one that nobody has greeted yet would wait for that longer than this does
            with contextlib.suppress(aiohttp.ClientError):
                async with _life_line(program):
                    pass
            while not _has_ended(process):
                answers = False
                with contextlib.suppress(RunnerUnreachableError):
                    health = await runner.health()
                    answers = True
                    busy = health.running or health.waiting
                    if busy and asyncio.get_running_loop().time() > busy_until:
                        return
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        if not answers:
            await _kill(process)


async def _end(process: psutil.Process) -> None:
    """Let a program that does not listen yet end by itself, then make it."""
    try:
        process.terminate()
        async with asyncio.timeout(_FAREWELL_S):
            await _end_of(process)
    except psutil.NoSuchProcess:
        return
    except TimeoutError:
        await _kill(process)


async def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()
    await _end_of(process)


async def _end_of(process: psutil.Process) -> None:
    while not _has_ended(process):  # noqa: ASYNC110 - no event tells of a process that is no child
        await asyncio.sleep(_LOOK_S)


def _has_ended(process: psutil.Process) -> bool:
    """Whether it has. A child is waited for with that, so that nothing of it stays."""
    try:
        process.wait(0)
    except psutil.TimeoutExpired:
        return not is_alive(process)
    return True
