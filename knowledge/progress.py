"""How far a slow step is."""

import sys
from collections.abc import Callable
from typing import Final

Progress = Callable[[str, float], None]
"""Called with what is being done, for people to read, and the share that is done.

Every step begins with 0 and ends with 1.
"""

_WIDTH: Final = 24


def silent(_step: str, _done: float) -> None:
    """Tell nobody."""


def terminal_progress(step: str, done: float) -> None:
    """Show a bar on standard error, and take it away at the end of the step.

    Without a terminal the step is named once.
    """
    if not sys.stderr.isatty():
        if done <= 0:
            sys.stderr.write(f"{step} …\n")
            sys.stderr.flush()
        return
    filled = round(done * _WIDTH)
    bar = f"{step} [{'#' * filled}{'.' * (_WIDTH - filled)}] {done:4.0%}"
    # The cursor waits at the start of the line, so that whatever is printed next replaces the bar.
    sys.stderr.write(f"{bar if done < 1 else ''}\x1b[K\r")
    sys.stderr.flush()
