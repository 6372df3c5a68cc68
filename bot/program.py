"""The two long-running programs: the bot on Discord, and the playground with the bot in it."""

import logging
from collections.abc import Callable

import discord
from pydantic import SecretStr

from bot.client import create_bot
from bot.discord_address import discord_at
from bot.errors import NoTokenError
from bot.playground.server import Playground, open_playground
from bot.services import Clock, Services, open_services
from bot.settings import Settings

_log = logging.getLogger(__name__)


async def run_bot(settings: Settings, clock: Clock | None = None) -> None:
    """Serve Discord until cancelled or logged out.

    Raises:
        NoTokenError: no token is set.
        discord.LoginFailure: Discord does not accept the token.
    """
    if settings.discord_token is None:
        raise NoTokenError
    token = settings.discord_token.get_secret_value()
    # The bot never speaks; without this, discord.py warns of the packages that voice needs.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    async with open_services(settings, clock) as services:
        with discord_at(settings):
            await _connect(settings, services, token)


async def _connect(settings: Settings, services: Services, token: str) -> None:
    try:
        async with create_bot(settings, services) as bot:
            await bot.start(token)
    except discord.PrivilegedIntentsRequired:
        if not settings.message_content:
            raise
        _log.warning(
            "Discord does not grant the message content intent (developer portal, Bot, "
            "Privileged Gateway Intents): study channels stay silent; commands, mentions and "
            "direct messages work"
        )
        without = settings.model_copy(update={"message_content": False})
        await _connect(without, services, token)


async def run_playground(settings: Settings, say: Callable[[str], None]) -> None:
    """Open a Discord on loopback, put the bot into it, and say where it is."""
    async with open_playground(port=settings.playground_port) as playground:
        say(playground.url)
        await run_bot(at_playground(settings, playground), playground.clock)


def at_playground(settings: Settings, playground: Playground) -> Settings:
    """The settings of a bot that takes ``playground`` for Discord."""
    return settings.model_copy(
        update={
            "discord_token": SecretStr(playground.bot_token),
            "discord_api": playground.api_url,
            "discord_gateway": playground.gateway_url,
            "discord_cdn": playground.cdn_url,
        }
    )
