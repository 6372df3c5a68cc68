"""Progress on a terminal: one line that is written over, or a line a step where it cannot be."""

from types import TracebackType
from typing import Final, Self, TextIO

_WIDTH: Final = 24


class ProgressLine:
    """A `Progress` for people. Nothing is left of it on a terminal when it is done."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._overwrites = stream.isatty()
        self._step = ""
        self._drawn = ""

    def __enter__(self) -> Self:
        """Start with nothing drawn."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the line away again."""
        if self._drawn:
            self._write("\r\x1b[K")

    def __call__(self, step: str, done: float) -> None:
        """Show that ``done`` (0 to 1) of ``step`` is done."""
        if not self._overwrites:
            if step != self._step:
                self._step = step
                self._write(f"{step} …\n")
            return
        filled = round(done * _WIDTH)
        drawn = f"{step} [{'#' * filled}{'.' * (_WIDTH - filled)}] {done:4.0%}"
        if drawn != self._drawn:
            self._drawn = drawn
            self._write(f"\r\x1b[K{drawn}")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
