import signal
from datetime import UTC, datetime

import pytest

from runners.jobs.messages import GaveUp, LastWord, Raised, Returned
from runners.jobs.verdict import Cause, Ending, verdict
from runners.protocol.events import Failed, Measured, Terminal
from runners.protocol.words import FailureReason

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
RAISED = Raised(reason=FailureReason.ERROR, message="ValueError: no", detail="Traceback")
OUT_OF_MEMORY = Raised(reason=FailureReason.MEMORY, message="MemoryError", detail="")


def end(cause: Cause | None, word: LastWord | None, code: int | None) -> Terminal:
    ending = Ending(
        cause=cause,
        word=word,
        exit_code=code,
        measured=Measured(elapsed_s=2, peak_memory_mb=3),
        limit_s=60,
        memory_limit_mb=512,
        processor_s=120,
        lower=("batch_size", "hidden"),
    )
    event = verdict(ending, AT)
    assert event.measured == ending.measured
    return event


@pytest.mark.parametrize(
    ("cause", "word", "code", "expected"),
    [
        (None, Returned(), 0, ("succeeded", None)),
        (None, Returned(), -9, ("succeeded", None)),
        (None, RAISED, 1, ("failed", "error")),
        (None, OUT_OF_MEMORY, 1, ("failed", "memory")),
        (None, None, -9, ("failed", "killed")),
        (None, None, 0, ("failed", "killed")),
        (None, None, None, ("failed", "killed")),
        (Cause.CANCEL, GaveUp(), 1, ("cancelled", None)),
        (Cause.CANCEL, RAISED, 1, ("cancelled", None)),
        (Cause.CANCEL, None, -15, ("cancelled", None)),
        (Cause.CANCEL, Returned(), 0, ("succeeded", None)),
        (Cause.TIME, None, -15, ("timed_out", None)),
        (Cause.TIME, Returned(), 0, ("timed_out", None)),
        (Cause.MEMORY, None, -9, ("failed", "memory")),
        (Cause.GARBAGE, None, -9, ("failed", "error")),
        (Cause.SHUTDOWN, None, -9, ("failed", "lost")),
        (Cause.SHUTDOWN, Returned(), 0, ("succeeded", None)),
        (None, None, -signal.SIGXCPU, ("failed", "limit")),
    ],
)
def test_the_end_is_what_was_seen(
    cause: Cause | None, word: LastWord | None, code: int | None, expected: tuple[str, str | None]
) -> None:
    event = end(cause, word, code)
    assert (event.type, event.reason if isinstance(event, Failed) else None) == expected


@pytest.mark.parametrize(
    ("cause", "word", "code", "message"),
    [
        (
            Cause.MEMORY,
            None,
            -9,
            "it used more than 512 MiB of memory; lower `batch_size` or `hidden`",
        ),
        (None, OUT_OF_MEMORY, 1, "MemoryError; lower `batch_size` or `hidden`"),
        (None, RAISED, 1, "ValueError: no"),
        (None, None, -signal.SIGXCPU, "it used more than 120 s of processor time"),
    ],
)
def test_a_failure_says_what_helps(
    cause: Cause | None, word: LastWord | None, code: int, message: str
) -> None:
    event = end(cause, word, code)
    assert isinstance(event, Failed)
    assert event.message == message
