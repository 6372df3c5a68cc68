# matplotlib leaves the types of its keyword arguments open.
# pyright: reportUnknownMemberType=false
"""The house style of the examples' pictures.

A picture is 1,000 pixels wide, stands on its own light ground, so that it can be read on a dark
page, uses colours that colour-blind readers tell apart (Okabe and Ito, 2008), and writes
Chinese. It is drawn without pyplot: nothing global changes.
"""

import importlib.util
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runners.errors import MissingFontError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH_IN, _HEIGHT_IN, _DPI = 8.0, 4.5, 125
_GROUND, _INK, _GRID = "#fbfaf7", "#22262b", "#d9d7d0"
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
_MARKERS = ("o", "s", "^", "D", "v", "P")
_MARKERS_UP_TO = 16
"""Longer curves have no marker at each step: they would run into one another."""

_INSTALLED = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",  # the name that matplotlib gives the collection of all five languages
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
)
_PACKAGED = Path("fonts", "NotoSansCJKsc-Regular.otf")


@contextmanager
def new_figure(title: str, panels: int = 1) -> "Generator[tuple[Figure, list[Axes]]]":
    """A figure in the house style and its ``panels``, side by side, to be drawn on inside.

    Raises:
        MissingFontError: neither the system nor the package ``mplfonts`` has a Chinese font.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_style(chinese_font())):
        figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), dpi=_DPI, layout="constrained")
        figure.suptitle(title)
        axes = [figure.add_subplot(1, panels, place + 1) for place in range(panels)]
        yield figure, axes
        for each in axes:
            if each.get_legend_handles_labels()[0]:
                each.legend()
        figure.draw_without_rendering()  # ticks are made here, while the style holds


def curves(
    axes: "Axes",
    y: str,
    lines: Mapping[str, Sequence[float]],
    *,
    x: str = "轮次 epoch",
    dashed: Mapping[str, Sequence[float]] | None = None,
) -> None:
    """Draw one curve a name over the steps 1, 2, …; a line and its dashed one share a colour."""
    from matplotlib.ticker import MaxNLocator

    for style, group in (("-", lines), ("--", dashed or {})):
        for place, (label, values) in enumerate(group.items()):
            axes.plot(
                range(1, len(values) + 1),
                values,
                style,
                label=label,
                color=_COLOURS[place % len(_COLOURS)],
                marker=_MARKERS[place % len(_MARKERS)] if len(values) <= _MARKERS_UP_TO else None,
            )
    axes.set_xlabel(x)
    axes.set_title(y)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def bars(axes: "Axes", y: str, heights: Mapping[str, float], form: str = "{:.0f}") -> None:
    """Draw one bar a name, with its height written on it in the format ``form``."""
    colours = [_COLOURS[place % len(_COLOURS)] for place in range(len(heights))]
    drawn = axes.bar(list(heights), list(heights.values()), width=0.6, color=colours)
    axes.bar_label(drawn, labels=[form.format(height) for height in heights.values()], padding=3)
    axes.margins(y=0.12)
    axes.set_title(y)
    axes.grid(visible=False, axis="x")


def sample_bars(axes: "Axes", y: str, samples: Mapping[str, Sequence[float]]) -> None:
    """Draw one bar a name, as high as the mean of its values, and a dot for each value."""
    means = {name: sum(values) / len(values) for name, values in samples.items()}
    colours = [_COLOURS[place % len(_COLOURS)] for place in range(len(samples))]
    axes.bar(list(means), list(means.values()), width=0.6, color=colours)
    for place, (name, values) in enumerate(samples.items()):
        axes.plot([place] * len(values), values, "o", color=_INK, markersize=5, alpha=0.7)
        axes.annotate(
            f"{means[name]:.4g}",
            (place, max(0, *values)),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
        )
    axes.margins(y=0.12)
    if all(value >= 0 for values in samples.values() for value in values):
        axes.set_ylim(bottom=0)
    axes.set_title(y)
    axes.grid(visible=False, axis="x")


def chinese_font() -> str:
    """The family name of a font with Chinese characters, known to matplotlib from now on.

    Raises:
        MissingFontError: there is none.
    """
    from matplotlib import font_manager

    families = set(font_manager.get_font_names())
    for family in _INSTALLED:
        if family in families:
            return family
    spec = importlib.util.find_spec("mplfonts")
    if spec is None or spec.origin is None:
        raise MissingFontError
    path = Path(spec.origin).parent / _PACKAGED
    if not path.is_file():
        raise MissingFontError
    font_manager.fontManager.addfont(path)
    return font_manager.FontProperties(fname=path).get_name()


def _style(family: str) -> dict[Any, Any]:
    return {
        "font.family": [family],
        "font.size": 12,
        "text.color": _INK,
        "figure.facecolor": _GROUND,
        "figure.titlesize": 15,
        "axes.facecolor": _GROUND,
        "axes.edgecolor": _INK,
        "axes.labelcolor": _INK,
        "axes.titlesize": 13,
        "axes.titlepad": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "grid.color": _GRID,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "lines.linewidth": 2.2,
        "lines.markersize": 6,
        "legend.frameon": True,
        "legend.facecolor": _GROUND,
        "legend.edgecolor": _GRID,
        "legend.fontsize": 11,
    }
