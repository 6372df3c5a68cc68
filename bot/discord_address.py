"""Where Discord is: the one place that points discord.py at an address."""

from collections.abc import Generator
from contextlib import contextmanager

from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.settings import Settings


@contextmanager
def discord_at(settings: Settings) -> Generator[None]:
    """Within the block, discord.py talks to the addresses that the settings name.

    discord.py keeps them on its classes, so this holds for the whole process.
    """
    addresses = (
        (Route, "BASE", settings.discord_api),
        (DiscordWebSocket, "DEFAULT_GATEWAY", URL(settings.discord_gateway)),
        (Asset, "BASE", settings.discord_cdn),
    )
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in addresses]
    for owner, name, address in addresses:
        setattr(owner, name, address)
    try:
        yield
    finally:
        for owner, name, address in before:
            setattr(owner, name, address)
