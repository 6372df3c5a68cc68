"""Does what no job should do."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

from pydantic import Field

from runners.example import Context, Example, Parameters, Says
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class UnrulyParameters(Parameters):
    how: Annotated[
        Literal[
            "raise",
            "exit",
            "segfault",
            "swallow",
            "deaf",
            "stubborn",
            "hungry",
            "chatty",
            "flood",
            "garbage",
            "giant",
            "family",
            "pictures",
            "environment",
            "diverge",
            "thread",
            "abandon",
            "spin",
            "limits",
            "full",
            "lost",
        ],
        Says("方式", "how"),
    ] = "raise"
    size: Annotated[int, Field(ge=1, le=8), Says("大小", "size")] = 8


class OutOfMemoryError(RuntimeError):
    """As torch names its own."""


class Painting:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def savefig(self, path: str, **_: object) -> None:
        Path(path).write_bytes(self.content)


def run(context: Context, parameters: UnrulyParameters) -> None:
    how = parameters.how
    if how in globals():
        globals()[how](context)
    elif how == "raise":
        raise ValueError("seven is not a batch size\nand more")
    elif how == "exit":
        sys.stdout.write("about to leave\n")
        os._exit(7)
    elif how == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)


def swallow(context: Context) -> None:
    while True:
        with contextlib.suppress(Exception):
            context.progress(1, 2)
        time.sleep(0.02)


def deaf(context: Context) -> None:
    context.progress(1, 2)
    while True:
        time.sleep(1)


def stubborn(context: Context) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    deaf(context)


def hungry(context: Context) -> None:
    held = []
    while True:
        held.append(bytearray(os.urandom(1024)) * (16 * 1024))
        context.progress(1, 2)
        time.sleep(0.01)


def chatty(context: Context) -> None:
    line = "x" * 100 + "\n"
    for _ in range(200):
        sys.stdout.write(line * 100)
    sys.stdout.write("y" * 1_000_000)
    sys.stderr.write("\x1b[31mred\x1b[0m\n")
    context.metric(final=1.0)


def flood(context: Context) -> None:
    for step in range(20_000):
        context.metric(step=step, loss=1.0)
        context.progress(step + 1, 20_000)
    context.metric(final=1.0)


def _channel() -> socket.socket:
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            found = socket.socket(fileno=number)
            if found.family == socket.AF_UNIX and found.getpeername() == "":
                return found
            found.detach()
    raise LookupError


def garbage(context: Context) -> None:
    _channel().sendall(b'{"type": "succeeded"}\n')
    deaf(context)


def giant(context: Context) -> None:
    with contextlib.suppress(OSError):
        _channel().sendall(b"a" * 10_000_000)
    deaf(context)


def family(context: Context) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    subprocess.Popen(sleep)  # noqa: S603 - our own program
    subprocess.Popen(sleep, start_new_session=True)  # noqa: S603 - our own program
    if os.fork() == 0:
        time.sleep(600)
    deaf(context)


def pictures(context: Context) -> None:
    def draw(name: str, content: bytes) -> None:
        title = Text(zh="图", en="picture")
        context.figure(name, cast("Figure", Painting(content)), title, title)

    draw("text", b"this is no picture")
    draw("huge", b"\x89PNG\r\n\x1a\n" + b"0" * 9_000_000)
    context.metric(final=1.0)


def environment(context: Context) -> None:
    for name, value in sorted(os.environ.items()):
        context.log(f"{name}={value}")
    context.log(f"cwd={Path.cwd()}")
    context.log(f"loaded={'torch' in sys.modules}")
    context.log(f"session={os.getsid(0) == os.getpid()}")


def diverge(context: Context) -> None:
    context.metric(step=1, loss=float("nan"))
    context.metric(final=float("inf"))


def abandon(context: Context) -> None:
    sleep = f"{sys.executable} -c 'import time; time.sleep(600)'"
    command = ["/bin/sh", "-c", f"setsid {sleep} >/dev/null 2>&1 &"]
    subprocess.run(command, check=True)  # noqa: S603 - our own program
    context.metric(final=1.0)


def spin(context: Context) -> None:
    context.progress(1, 2)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (1, hard))
    while True:
        pass


def limits(context: Context) -> None:
    context.metric(
        processor_s=resource.getrlimit(resource.RLIMIT_CPU)[0],
        file_bytes=resource.getrlimit(resource.RLIMIT_FSIZE)[0],
    )


def full(context: Context) -> None:
    context.progress(1, 2)
    raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")


def lost(context: Context) -> None:
    context.progress(1, 2)
    raise RuntimeError("CUDA error: unspecified launch failure")


def thread(context: Context) -> None:
    import threading

    threading.Thread(target=time.sleep, args=(600,)).start()
    context.metric(final=1.0)


EXAMPLE = Example(
    id="unruly",
    framework=Framework.PYTORCH,
    title=Text(zh="乱", en="unruly"),
    look_at=Text(zh="看", en="look"),
    parameters=UnrulyParameters,
    metrics=(MetricInfo(name="final", title=Text(zh="最终", en="final")),),
    limit_s=60,
    lower=("size",),
    run=run,
)
