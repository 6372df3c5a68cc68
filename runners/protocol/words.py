"""The smallest words of the protocol: ids, frameworks, states, text in both languages."""

from enum import StrEnum
from typing import Literal, NewType

from pydantic import BaseModel, ConfigDict

JobId = NewType("JobId", str)
"""32 lower-case hexadecimal digits."""

Language = Literal["zh", "en"]


class Value(BaseModel):
    """The base of all that travels: frozen, and strict about unknown keys.

    Numbers that are not finite (a loss that diverged) travel as "NaN" and "Infinity".
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Text(Value):
    """One text in both languages."""

    zh: str
    en: str

    def text(self, language: Language) -> str:
        """The text in ``language``."""
        return self.zh if language == "zh" else self.en


class Framework(StrEnum):
    """What an example is written in."""

    TENSORFLOW = "tensorflow"
    PYTORCH = "pytorch"


class JobState(StrEnum):
    """Where a job stands. The last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"

    @property
    def final(self) -> bool:
        """Whether no event can follow."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class FailureReason(StrEnum):
    """Why a job failed, so far as its parent can tell."""

    ERROR = "error"
    """The example raised an exception."""
    MEMORY = "memory"
    """It used more memory than it may."""
    KILLED = "killed"
    """Its process ended without a word."""
    LOST = "lost"
    """The runner program, or the node of a cluster that ran it, went away while it ran."""
    LIMIT = "limit"
    """It used more processor time than it may."""
    DEVICE = "device"
    """Its graphics card failed or went away."""


class Birth(StrEnum):
    """Where a job's process came from."""

    FORKED = "forked"
    """Of a process that had the framework loaded."""
    KEPT_READY = "kept ready"
    """It had loaded the framework itself, ahead of the job."""
    FRESH = "fresh"
    """It began with nothing loaded."""


class Wall(StrEnum):
    """What keeps a job in where the machine can build it."""

    NETWORK = "network"
    """It reaches no other machine, and no program outside."""
    FILES = "files"
    """It writes only to its own folders, and does not see the tutor's data."""
