"""Two ways to do a thing, measured in turns, and how one stands to the other."""

from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True, slots=True)
class Comparison:
    """Seconds of ``ours`` and of the ``bare`` thing, measured alternately in one run."""

    title: str
    ours: tuple[float, ...]
    bare: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times the bare thing's median our median is."""
        return median(self.ours) / median(self.bare)

    def report(self) -> str:
        """One paragraph: the ratio first, then both medians with their quartiles."""
        return (
            f"{self.title}\n"
            f"  ratio {self.ratio:.2f}\n"
            f"  ours  {_spread(self.ours)}\n"
            f"  bare  {_spread(self.bare)}"
        )


def _spread(seconds: tuple[float, ...]) -> str:
    low, _, high = quantiles(seconds, n=4)
    return (
        f"median {median(seconds):.4f} s, quartiles {low:.4f} to {high:.4f} s, n = {len(seconds)}"
    )
