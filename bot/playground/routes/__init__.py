"""The bot's side over HTTP, a module for each kind of thing."""

from bot.playground.calls import Route
from bot.playground.routes import (
    channels,
    commands,
    guilds,
    interactions,
    messages,
    users,
    webhooks,
)

ROUTES: tuple[Route, ...] = (
    *users.ROUTES,
    *guilds.ROUTES,
    *channels.ROUTES,
    *messages.ROUTES,
    *commands.ROUTES,
    *interactions.ROUTES,
    *webhooks.ROUTES,
)
