"""Buttons that outlive a restart: a button's whole state is its ``custom_id``.

A ``custom_id`` is an action and its arguments, joined by colons. A feature registers what an
action does with `TutorBot.on_press`; anybody may show a button for it.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import discord
from discord.ui import Button, DynamicItem, View

if TYPE_CHECKING:
    from bot.client import TutorBot

CUSTOM_ID_LIMIT = 100
LABEL_LIMIT = 80
ROWS = 5
ROW_WIDTH = 5

Press = Callable[[discord.Interaction["TutorBot"], tuple[str, ...]], Awaitable[None]]
"""What an action does: it is given the interaction and the arguments."""


@dataclass(frozen=True, slots=True)
class ButtonSpec:
    """A button as a value. ``arguments`` hold no colon; ``row`` is 0 to 4."""

    label: str
    action: str
    arguments: tuple[str, ...] = ()
    row: int = 0
    style: discord.ButtonStyle = discord.ButtonStyle.secondary
    emoji: str | None = None

    @property
    def custom_id(self) -> str:
        """The action and its arguments, at most 100 characters."""
        return ":".join((self.action, *self.arguments))


class ActionButton(
    DynamicItem[Button[Any]],
    template=re.compile(r"(?P<action>[a-z]+)(?P<arguments>(?::[^:]*)*)"),
):
    """The one class of all the bot's buttons; the client looks up what its action does."""

    def __init__(self, button: Button[Any], action: str, arguments: tuple[str, ...]) -> None:
        super().__init__(button)
        self.action = action
        self.arguments = arguments

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - the signature is discord.py's
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """The button of a message that was sent before, perhaps by an earlier process."""
        if not isinstance(item, Button):
            raise TypeError(f"{match.string!r} is no button")
        return cls(item, match["action"], tuple(match["arguments"].split(":")[1:]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do what the action was registered for."""
        client: TutorBot = interaction.client
        await client.press(interaction, self.action, self.arguments)


def view_of(buttons: Iterable[ButtonSpec]) -> View | None:
    """The buttons as discord.py sends them, or None where there are none.

    The view is new each time and never ends: its buttons keep nothing in memory.

    Raises:
        ValueError: a custom_id is longer than Discord takes.
    """
    view = View(timeout=None)
    for spec in buttons:
        if len(spec.custom_id) > CUSTOM_ID_LIMIT:
            raise ValueError(f"custom_id is longer than {CUSTOM_ID_LIMIT}: {spec.custom_id}")
        button: Button[Any] = Button(
            label=shorten(spec.label, LABEL_LIMIT),
            custom_id=spec.custom_id,
            style=spec.style,
            emoji=spec.emoji,
            row=spec.row,
        )
        view.add_item(ActionButton(button, spec.action, spec.arguments))
    return view if view.children else None


def shorten(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters, with an ellipsis where it was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
