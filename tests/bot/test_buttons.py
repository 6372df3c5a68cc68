import pytest

from bot.buttons import ActionButton, ButtonSpec, shorten, view_of


async def test_no_buttons_are_no_view() -> None:
    assert view_of([]) is None


async def test_a_view_never_ends_and_holds_dynamic_buttons_only() -> None:
    view = view_of([ButtonSpec("更多", "more", ("overfitting", "zh"))])
    assert view is not None
    assert view.timeout is None
    (button,) = view.children
    assert isinstance(button, ActionButton)
    assert button.item.custom_id == "more:overfitting:zh"


async def test_a_state_that_discord_would_refuse_is_refused_here() -> None:
    with pytest.raises(ValueError, match="longer than 100"):
        view_of([ButtonSpec("x", "show", ("a" * 100,))])


async def test_a_long_label_is_shortened() -> None:
    view = view_of([ButtonSpec("长" * 100, "show", ("a",))])
    assert view is not None
    (button,) = view.children
    assert isinstance(button, ActionButton)
    assert button.item.label == "长" * 79 + "…"


def test_shorten_leaves_what_fits() -> None:
    assert shorten("十个字以内", 5) == "十个字以内"
