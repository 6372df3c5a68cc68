"""The report: tables in Markdown, between two marks of a file whose other text stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from benchmarks.retrieval.ranking import Rate

_BEGIN: Final = "<!-- measured -->"
_END: Final = "<!-- /measured -->"


@dataclass(frozen=True, slots=True)
class Bar:
    """What a rate should reach: at least, or at most, ``bound``."""

    bound: float
    at_most: bool

    @classmethod
    def at_least(cls, bound: float) -> Self:
        """A rate must not be below ``bound``."""
        return cls(bound, at_most=False)

    @classmethod
    def no_more_than(cls, bound: float) -> Self:
        """A rate must not be above ``bound``."""
        return cls(bound, at_most=True)

    def verdict(self, rate: Rate) -> str:
        """The bar, and whether it is met."""
        met = rate.value <= self.bound if self.at_most else rate.value >= self.bound
        return f"{'≤' if self.at_most else '≥'} {self.bound:.3g} {'met' if met else '**not met**'}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def write(path: Path, sections: Sequence[str]) -> None:
    """Put ``sections`` between the marks of the file at ``path``.

    Raises:
        ValueError: the file lacks the marks.
    """
    text = path.read_text("utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{path} lacks the marks {_BEGIN} and {_END}")
    measured = "\n\n".join(sections)
    path.write_text(f"{before}{_BEGIN}\n\n{measured}\n\n{_END}{after}", "utf-8")
