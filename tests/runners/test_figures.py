import ast
import importlib
import io
import pkgutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import runners.examples
import runners.figures
from runners.errors import MissingFontError
from runners.figures import bars, chinese_font, curves, new_figure

PNG = b"\x89PNG\r\n\x1a\n"
LATIN = "DejaVu Sans"  # comes with matplotlib


@pytest.fixture(autouse=True)
def _fonts_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from matplotlib import font_manager

    manager: Any = font_manager.fontManager
    with monkeypatch.context() as patch:
        patch.setattr(manager, "ttflist", list(manager.ttflist))
        yield
    manager._findfont_cached.cache_clear()


@pytest.fixture
def install_only(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let matplotlib know the fonts of one family and no other."""

    def install(family: str) -> None:
        from matplotlib import font_manager

        manager: Any = font_manager.fontManager
        known = [font for font in manager.ttflist if font.name == family]
        monkeypatch.setattr(manager, "ttflist", known)
        manager._findfont_cached.cache_clear()

    return install


def written() -> str:
    """Every character of every text in the examples."""
    folder = runners.examples.__path__
    modules = [f"runners.examples.{module.name}" for module in pkgutil.iter_modules(folder)]
    texts: list[str] = []
    for name in [*modules, "runners.figures"]:
        source = importlib.import_module(name).__file__
        assert source is not None
        tree = ast.parse(Path(source).read_text(encoding="utf-8"))
        texts += [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
    return "".join(sorted({letter for text in texts for letter in text if letter.isprintable()}))


def png(title: str) -> bytes:
    with new_figure(title, panels=2) as (figure, (left, right)):
        curves(left, "损失 loss", {"训练 train": [3, 2, 1]}, dashed={"验证 validation": [3, 2, 2]})
        bars(right, "每秒图片数 pictures a second", {"一个 one": 10.25, "两个 two": 20.5}, "{:.1f}")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def test_an_installed_font_is_preferred() -> None:
    from matplotlib import font_manager

    family = chinese_font()
    installed = set(font_manager.get_font_names())
    known = [each for each in runners.figures._INSTALLED if each in installed]
    if not known:
        pytest.skip("this machine has no Chinese font installed")
    assert family == known[0]


def test_an_installed_font_writes_all_that_the_examples_write() -> None:
    assert "轮" in written()
    assert png(written().replace("$", "")).startswith(PNG)


def test_the_packaged_font_writes_all_that_the_examples_write(
    install_only: Callable[[str], None],
) -> None:
    install_only(LATIN)
    assert chinese_font() == "Noto Sans CJK SC"
    assert png(written().replace("$", "")).startswith(PNG)


def test_a_font_without_chinese_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runners.figures, "chinese_font", lambda: LATIN)
    with pytest.raises(UserWarning, match=r"Glyph .* missing from font"):
        png("轮次")


def test_without_any_chinese_font_it_says_what_to_install(
    install_only: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    install_only(LATIN)
    monkeypatch.setitem(sys.modules, "mplfonts", None)
    with (
        pytest.raises(MissingFontError, match="install Noto Sans CJK or mplfonts"),
        new_figure("轮次"),
    ):
        pass


def test_a_package_that_lost_its_font_is_no_font(
    install_only: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install_only(LATIN)
    (tmp_path / "mplfonts").mkdir()
    (tmp_path / "mplfonts" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "mplfonts", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingFontError):
        chinese_font()


def test_a_picture_is_1000_pixels_wide_on_a_light_ground() -> None:
    from matplotlib.colors import to_rgba

    picture = png("两个 two")
    assert picture.startswith(PNG)
    assert int.from_bytes(picture[16:20], "big") == 1_000
    with new_figure("两个 two") as (figure, _):
        pass
    red, green, blue, opacity = to_rgba(figure.get_facecolor())
    assert min(red, green, blue) > 0.9
    assert opacity == 1


def test_a_line_and_its_dashed_one_share_a_colour_and_count_from_one() -> None:
    with new_figure("曲线 curves") as (_, (axes,)):
        curves(axes, "损失 loss", {"a": [1, 2], "b": [2, 3]}, dashed={"c": [3, 4], "d": [4, 5]})
    a, b, c, d = axes.get_lines()
    assert a.get_color() == c.get_color() != b.get_color() == d.get_color()
    assert [line.get_linestyle() for line in (a, b, c, d)] == ["-", "-", "--", "--"]
    assert np.array_equal(a.get_xdata(), [1, 2])
    assert np.array_equal(d.get_ydata(), [4, 5])
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b", "c", "d"]


def test_a_bar_carries_its_height() -> None:
    with new_figure("柱 bars") as (_, (axes,)):
        bars(axes, "%", {"一 one": 12.345, "二 two": 99.9}, "{:.1f}")
    assert [text.get_text() for text in axes.texts] == ["12.3", "99.9"]


def test_the_style_stays_in_the_picture() -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    png("两个 two")
    assert dict(mpl.rcParams) == before
