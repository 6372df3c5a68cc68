"""A fault in a file of the bank: where it is, and what is wrong there."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault. ``line`` counts from 1."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        """The fault as ``path:line: message``, which editors turn into a link."""
        return f"{self.path}:{self.line}: {self.message}"
