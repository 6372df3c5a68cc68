"""The application's commands: registered by the bot, seen and used by learners."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.playground.directory import Directory
from bot.playground.errors import ApiError, unknown
from bot.playground.values import Command, User
from bot.playground.wire import (
    ALL_PERMISSIONS,
    CommandKind,
    InteractionContext,
    Json,
    Permission,
    Snowflake,
)

_LIMITS = {CommandKind.CHAT_INPUT: 100, CommandKind.USER: 15, CommandKind.MESSAGE: 15}


@dataclass(frozen=True, slots=True)
class CommandDraft:
    """What the bot decides of a command."""

    kind: CommandKind
    name: str
    description: str
    name_localizations: Json | None
    description_localizations: Json | None
    options: tuple[Json, ...]
    default_member_permissions: int | None
    contexts: tuple[int, ...] | None
    integration_types: tuple[int, ...]
    nsfw: bool = False


class Commands:
    """Global and guild commands."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._commands: dict[Snowflake, Command] = {}

    def of(self, guild_id: int | None) -> list[Command]:
        """The commands of a guild, or the global ones for None, in the order they came."""
        return [command for command in self._commands.values() if command.guild_id == guild_id]

    def get(self, guild_id: int | None, command_id: int) -> Command:
        """The command, or 404/10063."""
        command = self._commands.get(Snowflake(command_id))
        if command is None or command.guild_id != guild_id:
            raise unknown("Application Command")
        return command

    def upsert(self, guild_id: Snowflake | None, draft: CommandDraft) -> tuple[Command, bool]:
        """Register a command, in place of one of that name; whether it is new."""
        old = self._named(guild_id, draft.kind, draft.name)
        return self._register(guild_id, draft, old), old is None

    def replace_all(
        self, guild_id: Snowflake | None, drafts: Sequence[CommandDraft]
    ) -> list[Command]:
        """Make these the only commands; those that keep their name keep their id."""
        for kind, limit in _LIMITS.items():
            if sum(draft.kind is kind for draft in drafts) > limit:
                raise _too_many(limit)
        old = {(command.kind, command.name): command for command in self.of(guild_id)}
        for command in old.values():
            del self._commands[command.id]
        return [
            self._register(guild_id, draft, old.get((draft.kind, draft.name))) for draft in drafts
        ]

    def edit(self, command: Command, draft: CommandDraft) -> Command:
        """Change a command, its name too."""
        return self._register(command.guild_id, draft, command)

    def delete(self, command: Command) -> None:
        """Take the command away."""
        del self._commands[command.id]

    def visible_to(self, user: User, guild_id: Snowflake | None) -> list[Command]:
        """The slash commands that the user is offered in a guild, or in the bot's DM for None."""
        guild_ids = (None,) if guild_id is None else (guild_id, None)
        return [
            command
            for place in guild_ids
            for command in self.of(place)
            if command.kind is CommandKind.CHAT_INPUT and self._may_use(user, guild_id, command)
        ]

    def _may_use(self, user: User, guild_id: Snowflake | None, command: Command) -> bool:
        contexts = command.contexts
        if guild_id is None:
            return contexts is None or InteractionContext.BOT_DM in contexts
        if contexts is not None and InteractionContext.GUILD not in contexts:
            return False
        bits = self._directory.guild_permissions(user.id, guild_id)
        if not bits & Permission.USE_APPLICATION_COMMANDS:
            return False
        needed = command.default_member_permissions
        if needed is None or bits == ALL_PERMISSIONS:
            return True
        return needed != 0 and bits & needed == needed

    def _named(self, guild_id: Snowflake | None, kind: CommandKind, name: str) -> Command | None:
        for command in self.of(guild_id):
            if command.kind is kind and command.name == name:
                return command
        return None

    def _register(
        self, guild_id: Snowflake | None, draft: CommandDraft, old: Command | None
    ) -> Command:
        if old is None:
            count = sum(command.kind is draft.kind for command in self.of(guild_id))
            if count >= _LIMITS[draft.kind]:
                raise _too_many(_LIMITS[draft.kind])
        mint = self._directory.mint
        command = Command(
            id=old.id if old else mint.mint(),
            version=mint.mint(),
            guild_id=guild_id,
            kind=draft.kind,
            name=draft.name,
            description=draft.description,
            name_localizations=draft.name_localizations,
            description_localizations=draft.description_localizations,
            options=draft.options,
            default_member_permissions=draft.default_member_permissions,
            contexts=draft.contexts,
            integration_types=draft.integration_types,
            nsfw=draft.nsfw,
        )
        if old is not None and replace(command, version=old.version) == old:
            command = old
        self._commands[command.id] = command
        return command


def _too_many(limit: int) -> ApiError:
    return ApiError(400, 30032, f"Maximum number of application commands reached ({limit})")
