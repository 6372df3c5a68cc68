"""How the runner program is doing."""

from typing import Literal

from pydantic import Field

from runners.protocol.words import Framework, Value


class Health(Value):
    """The runner answers, and what it is busy with."""

    running: int = Field(ge=0, description="jobs that hold a slot")
    waiting: int = Field(ge=0, description="jobs that wait for one")
    frameworks: dict[Framework, Literal["ready", "loading", "missing", "on demand"]]
