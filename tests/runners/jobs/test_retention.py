from datetime import UTC, datetime, timedelta

import pytest

from runners.jobs.retention import Kept, Retention
from runners.protocol.words import JobId

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def kept(name: str, days: float, size: int = 1) -> Kept:
    return Kept(JobId(name), NOW - timedelta(days=days), size)


@pytest.mark.parametrize(
    ("jobs", "forgotten"),
    [
        ([kept("old", 31), kept("new", 1)], ["old"]),
        ([kept("a", 1, 60), kept("c", 3, 10), kept("b", 2, 60)], ["c", "b"]),
        ([kept("a", 1, 100)], []),
        ([kept("a", 1, 101)], ["a"]),
        ([], []),
    ],
)
def test_the_old_and_the_oldest_of_too_many_go(jobs: list[Kept], forgotten: list[str]) -> None:
    assert Retention(timedelta(days=30), 100).to_forget(jobs, NOW) == forgotten
