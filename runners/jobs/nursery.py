"""The nursery of one framework: a small process that has processes of jobs for the runner.

It runs in the framework's interpreter, and its processes have the framework imported before
they get a job (see `runners.jobs.worker_sources`). The runner talks to it through a
socket that is handed down: requests carry the two file descriptors that the job's process gets.
No device is touched here: that is left to the job's own process.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess, SpawnProcess
from types import FrameType
from typing import Final, NoReturn

import psutil

from runners.jobs.cards import versions_of
from runners.jobs.lineage import adopt_orphans, die_with_parent
from runners.jobs.worker_sources import REQUEST_LIMIT, WorkerSource, worker_source

_ENDING_S: Final = 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the runner is gone."""
    parser = argparse.ArgumentParser(prog="runners.jobs.nursery")
    parser.add_argument("--control", type=int, required=True)
    parser.add_argument("--preload", action="append", default=[])
    parser.add_argument("--packages", action="append", default=[])
    parser.add_argument("--no-fork", action="store_true")
    parser.add_argument("--probe", default="")
    options = parser.parse_args(arguments)
    # in the system's folder, because a socket's path has a limit of some hundred bytes; made
    # before anything can interrupt, and removed by the runner when this process is killed
    folder = tempfile.mkdtemp(prefix=folder_prefix(os.getpid()))
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    try:
        # the runner's end is heard twice, as a signal and on the socket, in any order: the
        # signal must not interrupt what comes after
        with contextlib.suppress(SystemExit), socket.socket(fileno=options.control) as control:
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, _leave)
                die_with_parent(signal.SIGTERM)
                adopt_orphans()
                began = time.monotonic()
                source = worker_source(
                    options.preload, fork=not options.no_fork, probe=options.probe
                )
                _serve(control, source, versions_of(options.packages), began)
            finally:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
    finally:
        try:
            _end(psutil.Process().children(recursive=True))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            # the forkserver is in this group
            os.killpg(0, signal.SIGKILL)


def folder_prefix(pid: int) -> str:
    """How the name of a nursery's temporary folder begins."""
    return f"xueban-{pid}-"


def _serve(
    control: socket.socket, source: WorkerSource, versions: dict[str, str], began: float
) -> None:
    children: dict[str, ForkServerProcess | SpawnProcess] = {}
    seconds = time.monotonic() - began
    _reply(control, kind="ready", versions=versions, birth=source.birth, seconds=seconds)
    while True:
        ready = wait([control, *(child.sentinel for child in children.values())])
        for job in [job for job, child in children.items() if child.sentinel in ready]:
            child = children.pop(job)
            child.join()
            _reply(control, kind="exited", job=job, code=child.exitcode)
            child.close()
            if not source.healthy():
                return  # the forkserver died: a new nursery will do better than this one
            if not children:
                # what jobs started and did not end has come to this process
                servants = source.servants()
                _end([each for each in psutil.Process().children() if each not in servants])
        if control in ready and not _answer(control, children, source):
            return


def _answer(
    control: socket.socket,
    children: dict[str, ForkServerProcess | SpawnProcess],
    source: WorkerSource,
) -> bool:
    """Have the process that one request asks for. False when the runner is gone."""
    request, handed, _, _ = socket.recv_fds(control, REQUEST_LIMIT, 2)
    if not request:
        return False
    asked = json.loads(request)
    job: str = asked["job"]
    connection = socket.socket(fileno=handed[0])
    with connection, Connection(handed[1], readable=False) as output:
        try:
            child = source.start(asked["assignment"], connection, output)
        except OSError as error:
            _reply(control, kind="refused", job=job, message=str(error))
            return True
        except EOFError:
            _reply(control, kind="refused", job=job, message="the forkserver is gone")
            return True
    children[job] = child
    _reply(control, kind="forked", job=job, pid=child.pid)
    return True


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes, timeout=_ENDING_S)


def _reply(control: socket.socket, **reply: object) -> None:
    # a runner that is gone is noticed by the next read
    with contextlib.suppress(BrokenPipeError):
        control.send(json.dumps(reply).encode())


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)
