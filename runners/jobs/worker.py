"""The process of one job: it runs the example and reports to its parent, nothing else.

It is forked from a process that has the framework loaded. It leads a session of its own, has
its own working folder and ends as soon as its parent is gone.
"""

import contextlib
import importlib
import math
import os
import resource
import signal
import socket
import sys
import tempfile
import threading
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from runners.jobs.faults import reason_of
from runners.jobs.lineage import die_with_parent
from runners.jobs.messages import (
    END,
    LEAVE,
    LINE_LIMIT,
    Assignment,
    FigureReport,
    GaveUp,
    LastWord,
    LogReport,
    MetricReport,
    ProgressReport,
    Raised,
    Report,
    Returned,
)
from runners.protocol.words import Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from runners.example import Example

_LOG_LIMIT = 2_000
_DETAIL_LIMIT = 8_000
_FILE_LIMIT = 2 * 1024**3
_FAREWELL_S = 10
_OVER_S = 5


class _EndAsked(BaseException):
    """Raised inside the example when its end was asked for; no ``except Exception`` stops it."""


class _Channel:
    """The socket to the parent."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self.end_asked = threading.Event()
        self.may_leave = threading.Event()

    def report(self, report: Report) -> None:
        line = report.model_dump_json().encode() + b"\n"
        if len(line) > LINE_LIMIT:
            raise ValueError("that is too much for one report")
        with self._lock:
            self._connection.sendall(line)

    def listen(self) -> None:
        """Hear the parent's words until it is gone; then this process group is killed."""
        with contextlib.suppress(OSError), self._connection.makefile("rb") as lines:
            for word in lines:
                if word == END:
                    self.end_asked.set()
                elif word == LEAVE:
                    self.may_leave.set()
                    return
        os.killpg(0, signal.SIGKILL)


class _JobContext:
    """What the example sees: `runners.example.Context`."""

    def __init__(self, channel: _Channel, assignment: Assignment) -> None:
        self._channel = channel
        self._scratch = Path(assignment.scratch)
        self.datasets = Path(assignment.datasets)
        self.encoder = Path(assignment.encoder)
        self.bank = Path(assignment.bank)

    def progress(self, done: int, total: int, note: Text | None = None) -> None:
        if not 0 <= done <= total or total < 1:
            raise ValueError(f"progress({done}, {total}) says nothing")
        self._report(ProgressReport(done=int(done), total=int(total), note=note))

    def metric(self, step: int | None = None, **values: float) -> None:
        plain = {name: float(value) for name, value in values.items()}
        self._report(MetricReport(step=None if step is None else int(step), values=plain))

    def log(self, text: str) -> None:
        self._report(LogReport(text=str(text)[:_LOG_LIMIT]))

    def figure(self, name: str, figure: "Figure", title: Text, alt: Text) -> None:
        report = FigureReport(name=f"{name}.png", title=title, alt=alt)
        # under another name first: the parent never sees half a picture
        unfinished = self._scratch / f".{name}.png"
        figure.savefig(unfinished, format="png")  # pyright: ignore[reportUnknownMemberType] - half typed
        unfinished.replace(self._scratch / report.name)
        self._report(report)

    def _report(self, report: Report) -> None:
        if self._channel.end_asked.is_set():
            raise _EndAsked
        self._channel.report(report)


def work(assignment_json: str, connection: socket.socket, output: Connection) -> None:
    """Run one job in this process and end it."""
    os.setsid()
    die_with_parent(signal.SIGKILL)
    assignment = Assignment.model_validate_json(assignment_json)
    _settle_in(assignment, output)
    channel = _Channel(connection)
    threading.Thread(target=channel.listen, name="parent", daemon=True).start()
    word = _run(assignment, channel)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    channel.report(word)
    # the parent takes its last measure while this process still is what the example made of it
    channel.may_leave.wait(_FAREWELL_S)
    # no interpreter shutdown: threads that the example left behind could hold it up
    os._exit(0 if isinstance(word, Returned) else 1)


def _settle_in(assignment: Assignment, output: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    output.close()
    sys.stdout = os.fdopen(1, "w", 1, "utf-8", "replace", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, "utf-8", "replace", closefd=False)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_LIMIT, _FILE_LIMIT))
    processor_s = math.ceil(assignment.processor_s)
    resource.setrlimit(resource.RLIMIT_CPU, (processor_s, processor_s + _OVER_S))
    if assignment.cards is not None:
        # read when the framework first touches a device, which happens after this
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(assignment.cards) or "-1"
    os.chdir(assignment.scratch)
    os.environ["TMPDIR"] = assignment.scratch
    tempfile.tempdir = None


def _run(assignment: Assignment, channel: _Channel) -> LastWord:
    context = _JobContext(channel, assignment)
    try:
        example: Example = importlib.import_module(assignment.module).EXAMPLE
        parameters = example.parameters.model_validate(assignment.parameters)
        example.run(context, parameters)
    except _EndAsked:
        return GaveUp()
    except BaseException as error:  # noqa: BLE001 - whatever ends the example is reported
        return _raised(error)
    return Returned()


def _raised(error: BaseException) -> Raised:
    lines = str(error).strip().splitlines()
    message = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    detail = "".join(traceback.format_exception(error))
    return Raised(reason=reason_of(error), message=message[:500], detail=detail[-_DETAIL_LIMIT:])
