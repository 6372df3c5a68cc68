"""Looks what is in its reach."""

import contextlib
import os
import socket
from pathlib import Path
from typing import Annotated

from pydantic import Field

from runners.example import Context, Example, Parameters, Says
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text


class CuriousParameters(Parameters):
    port: Annotated[int, Field(ge=1, le=65_535), Says("端口", "port")] = 1


def _reached(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 2):
        return True
    return False


def _talks_to_itself() -> bool:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return _reached(listening.getsockname()[1])


def _wrote(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        (folder / "written").write_text("by a job")
        return True
    return False


def run(context: Context, parameters: CuriousParameters) -> None:
    data = Path(os.environ["HOME"]).parent
    context.metric(
        reached=_reached(parameters.port),
        talks_to_itself=_talks_to_itself(),
        wrote_data=_wrote(data),
        wrote_beside=_wrote(data.parent),
        wrote_scratch=_wrote(Path.cwd()),
        saw_secret=(data / "secret").exists(),
        saw_datasets=(context.datasets / "mnist.npz").exists(),
    )


EXAMPLE = Example(
    id="curious",
    framework=Framework.PYTORCH,
    title=Text(zh="好奇", en="curious"),
    look_at=Text(zh="看", en="look"),
    parameters=CuriousParameters,
    metrics=(MetricInfo(name="reached", title=Text(zh="够到", en="reached")),),
    run=run,
)
