"""Counts, as well behaved as a job can be."""

import time
from typing import TYPE_CHECKING, Annotated, cast

from pydantic import Field

from runners.example import Context, Example, Parameters, Says, at_most
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
)


class Pixel:
    def savefig(self, path: str, **_: object) -> None:
        with open(path, "wb") as file:  # noqa: PTH123 - stands for a figure of matplotlib
            file.write(PIXEL)


class SteadyParameters(Parameters):
    steps: Annotated[int, Field(ge=1, le=100_000), Says("步数", "steps")] = 3
    pause_ms: Annotated[int, Field(ge=0, le=1_000), Says("间隔", "pause")] = 0


def run(context: Context, parameters: SteadyParameters) -> None:
    for step in range(1, parameters.steps + 1):
        time.sleep(parameters.pause_ms / 1000)
        context.metric(step=step, loss=1 / step)
        context.progress(step, parameters.steps, Text(zh="走", en="going"))
    context.metric(final=parameters.seed)
    context.figure(
        "curves", cast("Figure", Pixel()), Text(zh="曲线", en="curves"), Text(zh="点", en="a dot")
    )


EXAMPLE = Example(
    id="steady",
    framework=Framework.PYTORCH,
    title=Text(zh="稳", en="steady"),
    look_at=Text(zh="看", en="look"),
    claims=(at_most("final", 9),),
    parameters=SteadyParameters,
    metrics=(
        MetricInfo(name="loss", title=Text(zh="损失", en="loss")),
        MetricInfo(name="final", title=Text(zh="最终", en="final")),
    ),
    run=run,
)
