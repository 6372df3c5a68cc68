"""A runner program of one's own: started and ended with the caller, restarted when it dies."""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import sys
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from runners.client import Endpoint, Patience, RunnerClient
from runners.errors import RunnerUnreachableError
from runners.settings import RunnerSettings

_logger = logging.getLogger(__name__)

_HOST: Final = "127.0.0.1"
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 15.0
_LONG_LIFE_S: Final = 30.0
_FAREWELL_S: Final = 8.0
_LINE: Final = 64 * 1024


@contextlib.asynccontextmanager
async def open_local_runner(
    settings: RunnerSettings, patience: Patience | None = None, examples: str | None = None
) -> AsyncGenerator[RunnerClient]:
    """A client of a runner program that lives as long as this block.

    The program starts in the background: calls that come before it listens wait for it. It is
    reached on loopback, with a token made for it. ``examples`` names another package of
    examples than the tutor's.
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


@dataclass(frozen=True, slots=True)
class _Life:
    """How one runner program fared."""

    listened: bool
    seconds: float


class _Supervisor:
    def __init__(self, settings: RunnerSettings, examples: str | None) -> None:
        self._settings = settings
        self._examples = examples
        self._token = secrets.token_urlsafe(32)
        self._port = 0
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
        """Keep a runner program alive until cancelled."""
        pause = _FIRST_PAUSE_S
        while True:
            life = await self._live()
            if life.seconds > _LONG_LIFE_S:
                pause = _FIRST_PAUSE_S
            if not life.listened:
                self._port = 0  # somebody else may have taken the one it had
            _logger.warning("the runner program ended; it starts again in %.1f s", pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _live(self) -> _Life:
        loop = asyncio.get_running_loop()
        began = loop.time()
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "runners", "serve", "--end-with-stdin"),
            *(("--examples", self._examples) if self._examples else ()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **self._variables()},
            limit=_LINE,
            # a terminal's Ctrl-C is ours to pass on
            start_new_session=True,
        )
        last_words: deque[str] = deque(maxlen=1)
        logging_output = asyncio.create_task(_log(program, last_words))
        listened = False
        try:
            listened = await self._listen(program)
            await program.wait()
        finally:
            self._endpoint = None
            await _end(program)
            await asyncio.gather(logging_output, return_exceptions=True)
            if not listened:
                self._complain(last_words)
        return _Life(listened=listened, seconds=loop.time() - began)

    async def _listen(self, program: asyncio.subprocess.Process) -> bool:
        """Wait for the line that says where it listens; False when it ended without one."""
        if program.stdout is None:
            return False
        line = await program.stdout.readline()
        if not line:
            return False
        address: str = json.loads(line)["listening"]
        self._port = int(address.rpartition(":")[2])
        self._complaint = None
        self._endpoint = Endpoint(address, self._token)
        self._tell()
        return True

    def _complain(self, last_words: deque[str]) -> None:
        self._complaint = last_words[0] if last_words else "the runner program does not start"
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news.clear()

    def _variables(self) -> dict[str, str]:
        """The settings as the environment that the program reads them from."""
        own = {"runner_host": _HOST, "runner_port": self._port, "runner_token": self._token}
        values = {name: getattr(self._settings, name) for name in RunnerSettings.model_fields}
        return _as_environment({**values, **own, "runner_address": None})


def _as_environment(values: Mapping[str, object]) -> dict[str, str]:
    return {
        f"XUEBAN_{name.upper()}": "" if value is None else str(value)
        for name, value in values.items()
        if not isinstance(value, SecretStr)
    }


async def _log(program: asyncio.subprocess.Process, last_words: deque[str]) -> None:
    if program.stderr is None:
        return
    while True:
        try:
            line = await program.stderr.readline()
        except ValueError:
            continue  # longer than any line should be
        if not line:
            return
        text = line.decode(errors="replace").rstrip()
        last_words.append(text)
        _logger.info("%s", text)


async def _end(program: asyncio.subprocess.Process) -> None:
    """Let the program end by itself, then make it."""
    if program.stdin is not None:
        program.stdin.close()
    try:
        async with asyncio.timeout(_FAREWELL_S):
            await program.wait()
    except TimeoutError:
        program.kill()
        await program.wait()
