import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.pacing import show_paced
from runners.protocol.jobs import JobView
from runners.protocol.words import Framework, JobId, JobState

JOB = JobView(
    id=JobId("a" * 32),
    example="x",
    framework=Framework.PYTORCH,
    parameters={},
    seed=0,
    submitted_at=datetime(2026, 3, 2, tzinfo=UTC),
)
LONG_S = 3_600


def at(sequence: int, state: JobState = JobState.RUNNING) -> JobView:
    return JOB.model_copy(update={"sequence": sequence, "state": state})


async def stream(*steps: JobView | asyncio.Event) -> AsyncIterator[JobView]:
    for step in steps:
        if isinstance(step, JobView):
            yield step
        else:
            await step.wait()


class Shown:
    """Keeps what was shown; ``third`` is set as soon as the view number 3 is among it.

    The views numbered in ``known`` were there already.
    """

    def __init__(self, *known: int) -> None:
        self.known = known
        self.sequences: list[int] = []
        self.third = asyncio.Event()

    async def __call__(self, view: JobView) -> bool:
        self.sequences.append(view.sequence)
        if view.sequence == 3:
            self.third.set()
        return view.sequence not in self.known


async def test_first_and_final_view_are_shown_at_once_and_the_rest_is_left_out() -> None:
    shown = Shown()
    end = at(4, JobState.SUCCEEDED)
    await show_paced(stream(at(1), at(2), at(3), end), shown, LONG_S)
    assert shown.sequences == [1, 4]


async def test_what_was_there_already_holds_nothing_up() -> None:
    shown = Shown(1)
    await show_paced(stream(at(1), at(2), at(3), at(4, JobState.FAILED)), shown, LONG_S)
    assert shown.sequences == [1, 2, 4]


async def test_without_a_pace_every_view_is_shown() -> None:
    shown = Shown()
    await show_paced(stream(at(1), at(2), at(3, JobState.FAILED)), shown, 0)
    assert shown.sequences == [1, 2, 3]


async def test_a_view_that_waits_is_shown_when_its_time_comes_although_none_follows() -> None:
    shown = Shown()
    steps = stream(at(1), at(2), at(3), shown.third, at(4, JobState.CANCELLED))
    await show_paced(steps, shown, 0.05)
    assert shown.sequences[-2:] == [3, 4]


async def test_the_newest_view_is_shown_where_the_stream_ends_without_an_end() -> None:
    shown = Shown()
    await show_paced(stream(at(1), at(2)), shown, LONG_S)
    assert shown.sequences == [1, 2]


async def test_errors_of_the_stream_and_of_showing_come_through() -> None:
    async def broken() -> AsyncIterator[JobView]:
        yield at(1)
        raise ConnectionError

    async def refuse(view: JobView) -> bool:
        raise ValueError(view.sequence)

    with pytest.raises(ConnectionError):
        await show_paced(broken(), Shown(), LONG_S)
    with pytest.raises(ValueError, match="1"):
        await show_paced(stream(at(1)), refuse, LONG_S)


async def test_cancelling_ends_the_stream_too() -> None:
    ended = asyncio.Event()

    async def endless() -> AsyncIterator[JobView]:
        try:
            yield at(1)
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(show_paced(endless(), Shown(), 0))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
