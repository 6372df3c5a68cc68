"""Measured values as people read them."""

import math
from typing import Final

_THOUSAND: Final = 1_000
_LARGE: Final = 1e9


def shown_number(value: float) -> str:
    """A measured value for people: four significant digits, thousands kept apart."""
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= _LARGE:
        return f"{value:.3e}"
    if value == int(value) or abs(value) >= _THOUSAND:
        return f"{value:,.0f}"
    return f"{value:.4g}"
