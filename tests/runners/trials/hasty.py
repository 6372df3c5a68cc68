"""Has hardly any time."""

import time

from runners.example import Context, Example, Parameters
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text


def run(context: Context, parameters: Parameters) -> None:
    for step in range(parameters.seed, 1_000):
        context.progress(step, 1_000)
        time.sleep(0.05)


EXAMPLE = Example(
    id="hasty",
    framework=Framework.PYTORCH,
    title=Text(zh="急", en="hasty"),
    look_at=Text(zh="看", en="look"),
    parameters=Parameters,
    metrics=(MetricInfo(name="final", title=Text(zh="最终", en="final")),),
    limit_s=0.5,
    run=run,
)
