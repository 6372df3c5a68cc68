"""The runner's side of a nursery: it is started, asked for processes, and started again."""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from runners.jobs.lineage import signal_group
from runners.jobs.messages import LINE_LIMIT, Assignment
from runners.jobs.nursery import folder_prefix
from runners.jobs.output import lines_of
from runners.jobs.walls import TEMPORARY, Enclosure, standing_walls
from runners.jobs.worker_sources import REQUEST_LIMIT
from runners.protocol.words import Birth, Framework, JobId, Wall

_logger = logging.getLogger(__name__)

_START: Final = "from runners.jobs.nursery import main; main()"
_FIRST_PAUSE_S: Final = 0.2
_TRIES: Final = 3
_LOADING_S: Final = 300.0
_ENDING_S: Final = 3.0
_FULL_S: Final = 0.02
_LONGEST_PAUSE_S: Final = 30.0


class LaunchError(Exception):
    """No process could be had for a job."""


class _NurseryDiedError(LaunchError):
    """The nursery died before it gave a process."""


@dataclass(frozen=True, slots=True)
class Nurture:
    """How one framework's nursery is started.

    ``preload`` are the modules that are imported before a job is forked, ``packages`` the
    distributions whose versions are told, ``environment`` all that its processes see of it.
    Without ``fork`` processes are kept ready that imported the modules themselves; so they are,
    too, where the statements ``probe`` fail in a forked process. ``walls`` are around it all.
    """

    framework: Framework
    python: Path
    preload: tuple[str, ...]
    packages: tuple[str, ...]
    environment: dict[str, str]
    fork: bool = True
    probe: str = ""
    walls: Enclosure | None = None


@dataclass(eq=False, slots=True)
class JobProcess:
    """A job's process, seen from its parent.

    ``reports`` and ``output`` are its channel and what it writes to standard output and error;
    ``words`` takes the parent's answers. ``exit_code`` is resolved when it ended: to its exit
    status (negative: the signal), or None when nobody could tell.
    """

    pid: int
    born: float
    versions: dict[str, str]
    birth: Birth
    walls: tuple[Wall, ...]
    reports: asyncio.StreamReader
    words: asyncio.StreamWriter
    output: asyncio.StreamReader
    output_transport: asyncio.ReadTransport
    exit_code: asyncio.Future[int | None]

    def signal(self, number: signal.Signals) -> None:
        """Send ``number`` to its whole process group, unless it has ended."""
        if not self.exit_code.done():
            signal_group(self.pid, number)

    def say(self, word: bytes) -> None:
        """Send one of the parent's words; a process that is gone does not hear it."""
        if not self.words.is_closing():
            self.words.write(word)

    def close(self) -> None:
        """Let go of the channel and the output."""
        self.words.close()
        self.output_transport.close()


class Launcher:
    """One framework's nursery, kept alive while this is open.

    A nursery that dies takes its jobs with it and is started again, later each time it died
    before it was ready.
    """

    def __init__(self, nurture: Nurture) -> None:
        self._nurture = nurture
        self._versions: dict[str, str] = {}
        self._birth = Birth.FORKED
        self._ready = False
        self._decided = asyncio.Event()
        self._control: socket.socket | None = None
        self._forking: dict[JobId, asyncio.Future[int]] = {}
        self._exits: dict[JobId, asyncio.Future[int | None]] = {}
        self._pids: dict[JobId, int] = {}
        self._keeper: asyncio.Task[None] | None = None
        self._last_words = ""

    @property
    def ready(self) -> bool:
        """Whether a job would start at once."""
        return self._ready

    @property
    def opened(self) -> bool:
        """Whether the nursery was started."""
        return self._keeper is not None

    def open(self) -> None:
        """Start the nursery in the background."""
        if self._keeper is None:
            self._keeper = asyncio.create_task(
                self._keep(), name=f"nursery of {self._nurture.framework}"
            )

    async def close(self) -> None:
        """End the nursery and every process that came out of it."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None

    async def launch(self, assignment: Assignment) -> JobProcess:
        """A process that does ``assignment``; waits while the framework loads.

        It is asked of the next nursery when one dies over it. When this is cancelled, or raises
        LaunchError, no process is left behind.
        """
        self.open()
        for _ in range(_TRIES):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOADING_S):
                    await self._decided.wait()
            if self._ready:
                with contextlib.suppress(_NurseryDiedError):
                    return await self._launch(assignment)
        raise LaunchError(f"{self._nurture.framework} could not be loaded")

    async def _launch(self, assignment: Assignment) -> JobProcess:
        ours, theirs = socket.socketpair()
        read_end, write_end = os.pipe()
        try:
            pid, exit_code = await self._fork(assignment, theirs.fileno(), write_end)
        except BaseException:
            # whoever is forked late reads the end of its channel and dies of it
            ours.close()
            os.close(read_end)
            raise
        finally:
            theirs.close()
            os.close(write_end)
        _give_up_first(pid)
        reports, words = await asyncio.open_unix_connection(sock=ours, limit=LINE_LIMIT)
        output = asyncio.StreamReader(limit=LINE_LIMIT)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(output), os.fdopen(read_end, "rb", 0)
        )
        return JobProcess(
            pid=pid,
            born=_born(pid),
            versions=self._versions,
            birth=self._birth,
            walls=standing_walls(pid),
            reports=reports,
            words=words,
            output=output,
            output_transport=transport,
            exit_code=exit_code,
        )

    async def _fork(
        self, assignment: Assignment, channel: int, output: int
    ) -> tuple[int, asyncio.Future[int | None]]:
        loop = asyncio.get_running_loop()
        forked: asyncio.Future[int] = loop.create_future()
        exit_code: asyncio.Future[int | None] = loop.create_future()
        self._forking[assignment.job] = forked
        self._exits[assignment.job] = exit_code
        request = json.dumps({"job": assignment.job, "assignment": assignment.model_dump_json()})
        try:
            await self._ask(request.encode(), channel, output)
            return await forked, exit_code
        except BaseException:
            self._exits.pop(assignment.job, None)
            raise
        finally:
            self._forking.pop(assignment.job)

    async def _ask(self, request: bytes, channel: int, output: int) -> None:
        while self._control is not None:
            try:
                socket.send_fds(self._control, [request], [channel, output])
            except BlockingIOError:
                await asyncio.sleep(_FULL_S)
            except OSError as error:
                raise _NurseryDiedError from error
            else:
                return
        raise _NurseryDiedError

    async def _keep(self) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            was_ready = await self._live()
            pause = _FIRST_PAUSE_S if was_ready else min(pause * 2, _LONGEST_PAUSE_S)
            _logger.warning(
                "the nursery of %s died (%s); another one starts in %.1f s",
                self._nurture.framework,
                self._last_words or "without a word",
                pause,
            )
            await asyncio.sleep(pause)

    async def _live(self) -> bool:
        """Start a nursery and serve it until it ends; whether it was ready."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(0)
        nursery: asyncio.subprocess.Process | None = None
        was_ready = False
        output: asyncio.Task[None] | None = None
        try:
            with theirs:
                nursery = await self._start(theirs)
            output = asyncio.create_task(self._pass_on(nursery.stdout))
            self._control = ours
            with contextlib.suppress(ConnectionError):
                while reply := await loop.sock_recv(ours, REQUEST_LIMIT):
                    self._hear(json.loads(reply))
            was_ready = self._ready
        except Exception:
            _logger.exception("the nursery of %s could not be served", self._nurture.framework)
        finally:
            self._ready = False
            # an event for each nursery: who waits for this one sees its end, however short it was
            self._decided.set()
            self._decided = asyncio.Event()
            self._control = None
            ours.close()
            self._forget()
            if nursery is not None:
                await _end(nursery)
            if output is not None:
                output.cancel()
        return was_ready

    async def _start(self, control: socket.socket) -> asyncio.subprocess.Process:
        nurture = self._nurture
        command = [str(nurture.python), "-c", _START, f"--control={control.fileno()}"]
        for option, values in (("--preload", nurture.preload), ("--packages", nurture.packages)):
            for value in values:
                command += [option, value]
        if not nurture.fork:
            command.append("--no-fork")
        if nurture.probe:
            command.append(f"--probe={nurture.probe}")
        environment = nurture.environment
        if nurture.walls is not None:
            command = nurture.walls.command(command)
            environment = {**environment, "TMPDIR": str(TEMPORARY)}
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
            pass_fds=(control.fileno(),),
            start_new_session=True,
        )

    async def _pass_on(self, stream: asyncio.StreamReader | None) -> None:
        if stream is not None:
            async for line in lines_of(stream):
                self._last_words = line
                _logger.debug("%s: %s", self._nurture.framework, line)

    def _hear(self, reply: dict[str, Any]) -> None:
        match reply:
            case {"kind": "ready", "versions": versions, "birth": birth, "seconds": seconds}:
                self._versions = versions
                self._birth = Birth(birth)
                self._ready = True
                self._decided.set()
                _logger.info("%s is loaded (%.1f s)", self._nurture.framework, seconds)
            case {"kind": "forked", "job": job, "pid": pid}:
                forked = self._forking.get(job)
                if forked is None or forked.done():
                    signal_group(pid, signal.SIGKILL)  # nobody waits for it any more
                else:
                    self._pids[job] = pid
                    forked.set_result(pid)
            case {"kind": "refused", "job": job, "message": message}:
                forked = self._forking.get(job)
                if forked is not None and not forked.done():
                    forked.set_exception(LaunchError(message))
            case {"kind": "exited", "job": job, "code": code}:
                self._pids.pop(job, None)
                ended = self._exits.pop(job, None)
                if ended is not None and not ended.done():
                    ended.set_result(code)
            case _:
                _logger.error("the nursery of %s says %r", self._nurture.framework, reply)

    def _forget(self) -> None:
        """Nobody tells any more what becomes of the processes: end them all."""
        for pid in self._pids.values():
            signal_group(pid, signal.SIGKILL)
        self._pids.clear()
        for forked in self._forking.values():
            if not forked.done():
                forked.set_exception(_NurseryDiedError())
        for ended in self._exits.values():
            if not ended.done():
                ended.set_result(None)


async def _end(nursery: asyncio.subprocess.Process) -> None:
    """Let it end what came out of it, then make sure of it and of its forkserver."""
    with contextlib.suppress(ProcessLookupError):
        nursery.terminate()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_ENDING_S):
            await nursery.wait()
    signal_group(nursery.pid, signal.SIGKILL)
    await nursery.wait()
    _remove_folder(nursery.pid)


def _remove_folder(pid: int) -> None:
    """Remove what a nursery that was killed could not remove."""
    for folder in Path(tempfile.gettempdir()).glob(f"{folder_prefix(pid)}*"):
        shutil.rmtree(folder, ignore_errors=True)


def nursery_environment(given: Mapping[str, str], *, threads: int, cache: Path) -> dict[str, str]:
    """What the processes of jobs see of the environment ``given``: no settings, no secrets.

    Kept are paths, languages and what the accelerators' drivers read; ``threads`` bounds each
    library's thread pool; what libraries keep between runs lies under ``cache``. A thread that
    waits for others soon falls asleep: where it spins on, as is the rule, it keeps them from the
    core they need when anything else computes, and a run takes up to fifteen times as long; on
    idle cores it costs a small network a quarter. ``given`` may say otherwise.
    """
    kept = {
        name: value
        for name, value in given.items()
        if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    return {
        **kept,
        "HOME": str(cache),
        "XDG_CACHE_HOME": str(cache),
        "MPLCONFIGDIR": str(cache / "matplotlib"),
        "MPLBACKEND": "Agg",
        "OMP_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": given.get("OMP_WAIT_POLICY", "PASSIVE"),
        "GOMP_SPINCOUNT": given.get("GOMP_SPINCOUNT", "1000"),
        "OPENBLAS_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": str(threads),
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "PYTHONUNBUFFERED": "1",
    }


_KEPT = frozenset({"PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "TMPDIR"})
_KEPT_PREFIXES = ("CUDA_", "NVIDIA_", "ROCR_", "HIP_")


def _give_up_first(pid: int) -> None:
    """Where memory runs out for all, the kernel shall take the job and not the runner."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text("800", encoding="ascii")


def _born(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0
