"""How long examples take, by what was measured of them."""

from collections import deque
from collections.abc import Iterable
from statistics import median
from typing import Final

_REMEMBERED: Final = 20


class Durations:
    """The latest measured times of each example, seconds; ``measured`` begins with the oldest."""

    def __init__(self, measured: Iterable[tuple[str, float]] = ()) -> None:
        self._seconds: dict[str, deque[float]] = {}
        for example, seconds in measured:
            self.note(example, seconds)

    def note(self, example: str, seconds: float) -> None:
        """A job of ``example`` took ``seconds``."""
        self._seconds.setdefault(example, deque(maxlen=_REMEMBERED)).append(seconds)

    def typical_s(self, example: str) -> float | None:
        """The median for ``example``; for one never measured that of all, None without any."""
        known = self._seconds.get(example) or [
            seconds for each in self._seconds.values() for seconds in each
        ]
        return median(known) if known else None
