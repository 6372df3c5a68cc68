"""How a job ended: one terminal event out of what was seen of it. A pure decision."""

import signal
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from runners.jobs.intake import UNNUMBERED
from runners.jobs.messages import GaveUp, LastWord, Raised, Returned
from runners.protocol.events import (
    Cancelled,
    Failed,
    Measured,
    Succeeded,
    Terminal,
    TimedOut,
)
from runners.protocol.words import FailureReason


class Cause(Enum):
    """Why the parent ended a job's process."""

    CANCEL = auto()
    TIME = auto()
    MEMORY = auto()
    GARBAGE = auto()
    SHUTDOWN = auto()


@dataclass(frozen=True, slots=True)
class Ending:
    """What was seen of a job's end.

    ``cause`` is None when the process ended by itself; ``word`` is its last one; ``exit_code``
    its exit status, negative for a signal, None when unknown. ``lower`` names the parameters
    that would have it need less memory.
    """

    cause: Cause | None
    word: LastWord | None
    exit_code: int | None
    measured: Measured
    limit_s: float
    memory_limit_mb: float
    processor_s: float
    lower: tuple[str, ...] = ()


def verdict(ending: Ending, at: datetime) -> Terminal:
    """The terminal event of a job that had started."""
    match ending.cause:
        case Cause.TIME:
            return TimedOut(
                sequence=UNNUMBERED, at=at, limit_s=ending.limit_s, measured=ending.measured
            )
        case Cause.MEMORY:
            message = f"it used more than {ending.memory_limit_mb:.0f} MiB of memory"
            return _failed(ending, at, FailureReason.MEMORY, message + _advice(ending))
        case Cause.GARBAGE:
            return _failed(ending, at, FailureReason.ERROR, "it reported what nobody can read")
        case Cause.CANCEL | Cause.SHUTDOWN | None:
            return _by_its_word(ending, at)


def _by_its_word(ending: Ending, at: datetime) -> Terminal:
    match ending.word:
        case Returned():
            # it was through before it heard that it should end
            return Succeeded(sequence=UNNUMBERED, at=at, measured=ending.measured)
        case Raised() if ending.cause is None:
            word = ending.word
            advice = _advice(ending) if word.reason is FailureReason.MEMORY else ""
            return _failed(ending, at, word.reason, word.message + advice, word.detail)
        case Raised() | GaveUp() | None:
            return _without_a_word(ending, at)


def _without_a_word(ending: Ending, at: datetime) -> Terminal:
    match ending.cause:
        case Cause.CANCEL:
            return Cancelled(sequence=UNNUMBERED, at=at, measured=ending.measured)
        case Cause.SHUTDOWN:
            return lost(at, "the runner was stopped while it ran", ending.measured)
        case _:
            detail = exit_status(ending.exit_code)
            if ending.exit_code == -signal.SIGXCPU:
                message = f"it used more than {ending.processor_s:.0f} s of processor time"
                return _failed(ending, at, FailureReason.LIMIT, message, detail)
            return _failed(
                ending, at, FailureReason.KILLED, f"its process ended early ({detail})", detail
            )


def lost(at: datetime, message: str, measured: Measured | None = None) -> Failed:
    """The end of a job whose runner ended before it."""
    return Failed(
        sequence=UNNUMBERED,
        at=at,
        reason=FailureReason.LOST,
        message=message,
        measured=measured,
    )


def exit_status(code: int | None) -> str:
    """An exit status in words."""
    if code is None:
        return "exit status unknown"
    if code >= 0:
        return f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _advice(ending: Ending) -> str:
    return f"; lower {' or '.join(f'`{name}`' for name in ending.lower)}" if ending.lower else ""


def _failed(
    ending: Ending, at: datetime, reason: FailureReason, message: str, detail: str = ""
) -> Failed:
    return Failed(
        sequence=UNNUMBERED,
        at=at,
        reason=reason,
        message=message,
        detail=detail,
        measured=ending.measured,
    )
