"""Two ways to have a warm process for a job: fork one, or keep one ready.

Forking is the cheaper way: the framework is loaded once. Where a framework refuses to compute
on a device in a forked process, a process that loaded it by itself is kept ready instead, and
the next one is started when that is taken.
"""

import contextlib
import importlib
import multiprocessing
import signal
import socket
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess, SpawnProcess
from typing import Final, Protocol

import psutil

from runners.jobs.lineage import die_with_parent
from runners.protocol.words import Birth

REQUEST_LIMIT: Final = 64 * 1024
"""The longest request or reply, bytes."""

_WORKER: Final = "runners.jobs.worker"
_LOADED: Final = b"loaded"
_PROBE_S: Final = 120


class WorkerSource(Protocol):
    """Where processes of jobs come from."""

    birth: Birth

    def start(
        self, assignment: str, connection: socket.socket, output: Connection
    ) -> ForkServerProcess | SpawnProcess:
        """A process that does ``assignment``. Raises OSError or EOFError."""
        ...

    def servants(self) -> list[psutil.Process]:
        """The processes that belong to this and are no jobs."""
        ...

    def healthy(self) -> bool:
        """Whether more processes can be had."""
        ...


class ForkedWorkers:
    """Forks of a forkserver that has ``preload`` imported."""

    def __init__(self, preload: Sequence[str]) -> None:
        self.birth = Birth.FORKED if preload else Birth.FRESH
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([*preload, _WORKER])
        warm_up = self._context.Process(target=_nothing)
        warm_up.start()
        warm_up.join()
        self._servants = psutil.Process().children()

    def start(
        self, assignment: str, connection: socket.socket, output: Connection
    ) -> ForkServerProcess:
        """Fork."""
        child = self._context.Process(target=_begin, args=(assignment, connection, output))
        child.start()
        return child

    def servants(self) -> list[psutil.Process]:
        """The forkserver, and the standard library's tracker of resources."""
        return self._servants

    def healthy(self) -> bool:
        """Whether the forkserver lives."""
        return all(servant.is_running() for servant in self._servants)

    def can(self, statements: str) -> bool:
        """Whether ``statements`` work in a fork."""
        trial = self._context.Process(target=_try, args=(statements,))
        trial.start()
        trial.join(_PROBE_S)
        if trial.exitcode is None:
            trial.kill()
            trial.join()
        return trial.exitcode == 0

    def close(self) -> None:
        """End the forkserver."""
        for servant in self._servants:
            with contextlib.suppress(psutil.Error):
                servant.kill()


class StandbyWorkers:
    """One process at a time that has imported ``preload`` and waits for its assignment."""

    birth = Birth.KEPT_READY

    def __init__(self, preload: Sequence[str]) -> None:
        self._preload = list(preload)
        self._context = multiprocessing.get_context("spawn")
        self._process, self._line = self._another(tell=True)
        self._line.recv(len(_LOADED))

    def start(self, assignment: str, connection: socket.socket, output: Connection) -> SpawnProcess:
        """Give the assignment to the one that is ready; it begins when it has loaded."""
        if not self._process.is_alive():
            self._line.close()
            self._process, self._line = self._another()
        taken, line = self._process, self._line
        with line:
            socket.send_fds(line, [assignment.encode()], [connection.fileno(), output.fileno()])
        self._process, self._line = self._another()
        return taken

    def servants(self) -> list[psutil.Process]:
        """The one that waits, and the standard library's tracker of resources."""
        return [child for child in psutil.Process().children() if self._serves(child)]

    def healthy(self) -> bool:
        """Always: one that died is replaced."""
        return True

    def _serves(self, child: psutil.Process) -> bool:
        if child.pid == self._process.pid:
            return True
        with contextlib.suppress(psutil.Error):
            return "multiprocessing.resource_tracker" in " ".join(child.cmdline())
        return False

    def _another(self, *, tell: bool = False) -> tuple[SpawnProcess, socket.socket]:
        """The next one; it says when it has loaded if somebody waits to be told."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = self._context.Process(
                target=_be_ready, args=(theirs, self._preload), kwargs={"tell": tell}
            )
            process.start()
        return process, ours


def worker_source(preload: Sequence[str], *, fork: bool, probe: str) -> WorkerSource:
    """Forks where they will do: when ``fork`` is wanted and ``probe`` works in one."""
    if fork:
        forked = ForkedWorkers(preload)
        if not probe or forked.can(probe):
            return forked
        forked.close()
    return StandbyWorkers(preload)


def _be_ready(line: socket.socket, preload: Sequence[str], *, tell: bool) -> None:
    die_with_parent(signal.SIGKILL)
    for module in preload:
        # what cannot be imported is missed by the example, which says so
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    with line:
        if tell:
            line.send(_LOADED)
        assignment, handed, _, _ = socket.recv_fds(line, REQUEST_LIMIT, 2)
    if assignment:
        channel, output = map(int, handed)
        _begin(
            assignment.decode(), socket.socket(fileno=channel), Connection(output, readable=False)
        )


def _begin(assignment: str, connection: socket.socket, output: Connection) -> None:
    from runners.jobs.worker import work

    work(assignment, connection, output)


def _nothing() -> None:
    """Be forked: that this is possible says that the preload is over."""


def _try(statements: str) -> None:
    exec(statements)  # noqa: S102 - the runner's own, see `runners.jobs.workshop`
