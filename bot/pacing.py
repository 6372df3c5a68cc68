"""Showing a job no more often than a chat can take it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from runners.protocol.jobs import JobView


async def show_paced(
    views: AsyncIterator[JobView], show: Callable[[JobView], Awaitable[bool]], seconds: float
) -> None:
    """Show the newest of ``views`` again and again, at most once in ``seconds``.

    The first view is shown at once, and so is the final one; a view that a newer one overtakes
    while it waits is left out. ``show`` tells whether it showed anything: what was there already
    costs no time. Errors of ``views`` and ``show`` come through.
    """
    loop = asyncio.get_running_loop()
    waiting: JobView | None = None
    due = loop.time()
    coming = asyncio.ensure_future(anext(views))
    try:
        while True:
            wait_s = None if waiting is None else max(0.0, due - loop.time())
            done, _ = await asyncio.wait((coming,), timeout=wait_s)
            if done:
                try:
                    waiting = coming.result()
                except StopAsyncIteration:
                    break
                coming = asyncio.ensure_future(anext(views))
            if waiting is not None and (waiting.state.final or loop.time() >= due):
                shown = await show(waiting)
                waiting = None
                if shown:
                    due = loop.time() + seconds
        if waiting is not None:
            await show(waiting)
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
