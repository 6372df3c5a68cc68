"""Somebody is there for whom the runner lives: each of them holds a connection open."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Final

from runners.errors import RunnerUnreachableError

_FIRST_S: Final = 10.0
_LOOK_S: Final = 0.2


class Supervision:
    """Who supervises, and when the runner is over because nobody does."""

    def __init__(self) -> None:
        self._supervisors = 0
        self._somebody = asyncio.Event()
        self._nobody = asyncio.Event()
        self._nobody.set()
        self._over = False

    @contextmanager
    def supervised(self) -> Generator[None]:
        """Count as a supervisor until the block ends.

        Raises RunnerUnreachableError when the runner is past being supervised.
        """
        if self._over:
            raise RunnerUnreachableError("the runner is ending")
        self._supervisors += 1
        self._somebody.set()
        self._nobody.clear()
        try:
            yield
        finally:
            self._supervisors -= 1
            if not self._supervisors:
                self._nobody.set()

    def check_supervised(self) -> None:
        """Raise RunnerUnreachableError when nobody would live to see a new job's end."""
        if not self._supervisors:
            raise RunnerUnreachableError("nobody supervises the runner: it takes no new jobs")

    async def until_over(self, idle: Callable[[], bool]) -> None:
        """Wait until nobody supervises any more, or nobody came, and the runner is ``idle``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_S):
                await self._somebody.wait()
        while True:
            await self._nobody.wait()
            if not self._supervisors and idle():
                self._over = True
                return
            await asyncio.sleep(_LOOK_S)
