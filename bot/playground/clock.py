"""The playground's time: the real one, plus what somebody moved it by."""

import asyncio
from datetime import UTC, datetime, timedelta


class MovableClock:
    """Runs on with real time; `advance` moves it on, never back."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """This moment of the playground, aware, UTC."""
        return datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> None:
        """Move on by ``seconds``; ValueError where it is negative."""
        if seconds < 0:
            raise ValueError("the clock only moves on")
        self._offset += timedelta(seconds=seconds)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def sleep_until(self, moment: datetime) -> None:
        """Return once it is ``moment`` or later, by waiting or by being moved."""
        while (left := (moment - self.now()).total_seconds()) > 0:
            moved = self._moved
            try:
                await asyncio.wait_for(moved.wait(), left)
            except TimeoutError:
                continue
