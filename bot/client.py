"""The client: built whole without token or network, from settings and opened services."""

import hashlib
import json
import logging
import pkgutil
import secrets
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

import bot.features
from bot.buttons import ActionButton, Press
from bot.error_messages import learner_message, unexpected_message
from bot.localization import BilingualTranslator, command_payloads, language_of_locale
from bot.services import Services
from bot.settings import Settings
from bot.under_discussion import UnderDiscussion
from knowledge.language import Language

_log = logging.getLogger(__name__)

_COMMANDS_NOTE = "commands-synced"


def create_bot(settings: Settings, services: Services) -> "TutorBot":
    """The whole client, ready to be started or driven by a harness."""
    return TutorBot(settings, services)


class TutorBot(commands.AutoShardedBot):
    """Xueban on Discord. Features are found by themselves in `bot.features`."""

    def __init__(self, settings: Settings, services: Services) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=_intents(message_content=settings.message_content),
            allowed_mentions=discord.AllowedMentions.none(),
            chunk_guilds_at_startup=False,
            shard_count=settings.shards,
        )
        self.settings = settings
        self.services = services
        self.under_discussion = UnderDiscussion(services.clock)
        self._presses: dict[str, Press] = {}
        self.tree.error(self._on_command_error)

    async def setup_hook(self) -> None:
        """Add the features and tell Discord of their commands; called by discord.py."""
        await self.tree.set_translator(BilingualTranslator())
        self.add_dynamic_items(ActionButton)
        await self.load_features()
        await self._sync_commands()

    async def load_features(self) -> None:
        """Add every feature; anew in a client that was closed and is started again."""
        self._presses.clear()
        for module in pkgutil.iter_modules(bot.features.__path__, f"{bot.features.__name__}."):
            if module.name in self.extensions:
                await self.unload_extension(module.name)
            await self.load_extension(module.name)

    async def on_message(self, message: discord.Message, /) -> None:
        """Nothing: features listen by themselves, and there are no prefix commands."""

    def on_press(self, action: str, press: Press) -> None:
        """Let ``press`` be what buttons with ``action`` do.

        Raises:
            ValueError: another feature has that action already.
        """
        if action in self._presses:
            raise ValueError(f"two features want the action {action!r}")
        self._presses[action] = press

    async def press(
        self, interaction: discord.Interaction["TutorBot"], action: str, arguments: tuple[str, ...]
    ) -> None:
        """Do what a pressed button stands for; its errors reach the learner."""
        try:
            await self._presses[action](interaction, arguments)
        except Exception as error:  # noqa: BLE001 - the learner is told, the rest is logged
            await self.tell_error(interaction, error)

    async def tell_error(
        self, interaction: discord.Interaction["TutorBot"], error: Exception
    ) -> None:
        """Tell the learner in plain words; an unknown error is logged under a reference."""
        text = self.explain(error, language_of_locale(interaction.locale))
        if interaction.response.is_done():
            await interaction.followup.send(text, ephemeral=True)
        else:
            await interaction.response.send_message(text, ephemeral=True)

    def explain(self, error: Exception, language: Language) -> str:
        """What the learner is told of ``error``."""
        known = learner_message(error, language)
        if known is not None:
            return known
        reference = secrets.token_hex(4)
        _log.error("reference %s", reference, exc_info=error)
        return unexpected_message(reference, language)

    async def _on_command_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError
    ) -> None:
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        await self.tell_error(interaction, cause)

    async def _sync_commands(self) -> None:
        """Tell Discord of the commands, only when they changed: it counts the changes."""
        payloads = await command_payloads(self.tree)
        told = json.dumps([self.application_id, payloads], sort_keys=True, ensure_ascii=False)
        digest = hashlib.sha256(told.encode()).hexdigest()
        if await self.services.store.note(_COMMANDS_NOTE) == digest:
            return
        await self.tree.sync()
        await self.services.store.set_note(_COMMANDS_NOTE, digest)


def _intents(*, message_content: bool) -> discord.Intents:
    intents = discord.Intents.none()
    intents.guilds = True
    intents.guild_messages = True
    intents.dm_messages = True
    intents.message_content = message_content
    return intents
