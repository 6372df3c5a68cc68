"""Ids that rise with time, as Discord makes them."""

from bot.playground.clock import MovableClock
from bot.playground.wire import EPOCH_MS, Snowflake

_INCREMENT_BITS = 22


class SnowflakeMint:
    """Makes ids that are unique and rise, whatever the clock does."""

    def __init__(self, clock: MovableClock) -> None:
        self._clock = clock
        self._last = 0

    def mint(self) -> Snowflake:
        """A new id, above every earlier one."""
        milliseconds = int(self._clock.now().timestamp() * 1000) - EPOCH_MS
        self._last = max(self._last + 1, milliseconds << _INCREMENT_BITS)
        return Snowflake(self._last)
