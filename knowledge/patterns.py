"""Patterns that are written as lists."""

import re


def any_of(lines: str) -> re.Pattern[str]:
    """The pattern of what matches one of the ``lines``; spaces within a line count."""
    return re.compile(within(lines))


def within(lines: str) -> str:
    """The same as part of a larger pattern."""
    return f"(?:{'|'.join(each for line in lines.splitlines() if (each := line.strip()))})"
