"""Work that is given up when its end is asked for."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def unless_ended(end: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What ``work`` comes to; None when ``end`` was set before, and then it is cancelled.

    Errors of ``work`` come through.
    """
    working = asyncio.create_task(work)
    ended = asyncio.create_task(end.wait())
    try:
        await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        return await working
    except asyncio.CancelledError:
        if not end.is_set():
            raise
        return None
    finally:
        ended.cancel()
