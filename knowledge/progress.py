"""How far a slow step is."""

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with what is being done, for people to read, and the share that is done, 0 to 1."""


def silent(_step: str, _done: float) -> None:
    """A progress that tells nobody."""
