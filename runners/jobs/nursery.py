"""The nursery of one framework: a small process that has job processes forked for the runner.

It runs in the framework's interpreter and uses the standard library's forkserver with the
framework preloaded, so a job starts with its imports done. The runner talks to it through a
socket that is handed down: requests carry the two file descriptors that the job's process gets.
No device is touched here: that is left to the job's own process.
"""

import argparse
import contextlib
import importlib.metadata
import json
import multiprocessing
import os
import platform
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from types import FrameType
from typing import Final, NoReturn

import psutil

from runners.jobs.lineage import adopt_orphans, die_with_parent

REQUEST_LIMIT: Final = 64 * 1024
"""The longest request or reply, bytes."""

_ENDING_S: Final = 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the runner is gone."""
    parser = argparse.ArgumentParser(prog="runners.jobs.nursery")
    parser.add_argument("--control", type=int, required=True)
    parser.add_argument("--preload", action="append", default=[])
    parser.add_argument("--packages", action="append", default=[])
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
                _serve(control, options.preload, options.packages)
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


def _serve(control: socket.socket, preload: list[str], packages: list[str]) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(preload)
    began = time.monotonic()
    warm_up = context.Process(target=_nothing)
    warm_up.start()
    warm_up.join()
    servants = psutil.Process().children()
    children: dict[str, ForkServerProcess] = {}
    _reply(control, kind="ready", versions=_versions(packages), seconds=time.monotonic() - began)
    while True:
        ready = wait([control, *(child.sentinel for child in children.values())])
        for job in [job for job, child in children.items() if child.sentinel in ready]:
            child = children.pop(job)
            child.join()
            _reply(control, kind="exited", job=job, code=child.exitcode)
            child.close()
            if not all(servant.is_running() for servant in servants):
                return  # the forkserver died: a new nursery will do better than this one
            if not children:
                # what jobs started and did not end has come to this process
                _end([each for each in psutil.Process().children() if each not in servants])
        if control in ready and not _answer(control, children, context):
            return


def _answer(
    control: socket.socket,
    children: dict[str, ForkServerProcess],
    context: ForkServerContext,
) -> bool:
    """Fork the process that one request asks for. False when the runner is gone."""
    request, handed, _, _ = socket.recv_fds(control, REQUEST_LIMIT, 2)
    if not request:
        return False
    asked = json.loads(request)
    job: str = asked["job"]
    connection = socket.socket(fileno=handed[0])
    with connection, Connection(handed[1], readable=False) as output:
        child = context.Process(target=_begin, args=(asked["assignment"], connection, output))
        try:
            child.start()
        except OSError as error:
            _reply(control, kind="refused", job=job, message=str(error))
            return True
        except EOFError:
            _reply(control, kind="refused", job=job, message="the forkserver is gone")
            return True
    children[job] = child
    _reply(control, kind="forked", job=job, pid=child.pid)
    return True


def _begin(assignment: str, connection: socket.socket, output: Connection) -> None:
    from runners.jobs.worker import work

    work(assignment, connection, output)


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes, timeout=_ENDING_S)


def _nothing() -> None:
    """Be forked: that this is possible says that the preload is over."""


def _reply(control: socket.socket, **reply: object) -> None:
    # a runner that is gone is noticed by the next read
    with contextlib.suppress(BrokenPipeError):
        control.send(json.dumps(reply).encode())


def _versions(packages: list[str]) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)
