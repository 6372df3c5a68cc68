"""Where Discord is: the one place that points discord.py at an address."""

from collections.abc import Iterator
from contextlib import contextmanager

from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.settings import Settings


@contextmanager
def discord_at(settings: Settings) -> Iterator[None]:
    """Within the block, discord.py talks to the addresses that the settings name.

    discord.py keeps them on its classes, so this holds for the whole process.
    """
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, Asset.BASE
    Route.BASE = settings.discord_api
    DiscordWebSocket.DEFAULT_GATEWAY = URL(settings.discord_gateway)
    Asset.BASE = settings.discord_cdn
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, Asset.BASE = before
