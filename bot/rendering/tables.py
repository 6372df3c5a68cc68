"""Tables in fixed-width text, where a Chinese character takes two cells."""

import unicodedata
from collections.abc import Sequence

_WIDE = frozenset({"W", "F"})
_GAP = "  "


def cell_width(text: str) -> int:
    """The cells that ``text`` takes in a fixed-width font (Unicode annex 11).

    Wide and full-width characters take two, combining and invisible ones none.
    """
    return sum(_width(character) for character in text)


def clipped(text: str, cells: int) -> str:
    """``text`` on one line in at most ``cells`` cells, with an ellipsis where it was cut."""
    line = " ".join(text.split())
    if cell_width(line) <= cells:
        return line
    kept: list[str] = []
    left = cells - 1
    for character in line:
        left -= _width(character)
        if left < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """The rows as lines: the first column to the left, the others to the right.

    A row may be shorter than others; its cells still stand under theirs.
    """
    columns = max((len(row) for row in rows), default=0)
    widths = [
        max(cell_width(row[column]) for row in rows if column < len(row))
        for column in range(columns)
    ]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        _padded(text, width, right=column > 0)
        for column, (text, width) in enumerate(zip(row, widths, strict=False))
    ]
    return _GAP.join(cells).rstrip()


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - cell_width(text))
    return space + text if right else text + space


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf", "Cc"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1
