"""The application's commands, global and of a guild."""

from bot.playground.bodies.commands import CHANGES, COMMAND, COMMANDS
from bot.playground.bodies.forms import read
from bot.playground.calls import NO_CONTENT, Answer, Call, Route
from bot.playground.errors import missing_access
from bot.playground.wire import Snowflake


def list_commands(call: Call) -> Answer:
    """All of them."""
    localized = call.wants("with_localizations")
    return Answer(
        [
            call.renderer.command(command, with_localizations=localized)
            for command in call.world.commands.of(_place(call))
        ]
    )


def replace_commands(call: Call) -> Answer:
    """Make these the only ones."""
    place = _place(call)
    drafts = [body.draft() for body in call.body(COMMANDS)]
    registered = call.world.commands.replace_all(place, drafts)
    return Answer([call.renderer.command(command) for command in registered])


def create_command(call: Call) -> Answer:
    """Register one, in place of one of its name."""
    place = _place(call)
    command, is_new = call.world.commands.upsert(place, call.body(COMMAND).draft())
    return Answer(call.renderer.command(command), status=201 if is_new else 200)


def get_command(call: Call) -> Answer:
    """One of them."""
    command = call.world.commands.get(_place(call), call.snowflake("command_id"))
    return Answer(call.renderer.command(command))


def edit_command(call: Call) -> Answer:
    """Change one; what the body leaves out stays."""
    command = call.world.commands.get(_place(call), call.snowflake("command_id"))
    present = call.renderer.command(command)
    kept = {
        key: present[key]
        for key in (
            "name",
            "description",
            "name_localizations",
            "description_localizations",
            "options",
            "default_member_permissions",
            "contexts",
            "integration_types",
            "nsfw",
            "type",
        )
        if key in present and present[key] not in (None, "")
    }
    body = read(COMMAND, {**kept, **call.body(CHANGES)})
    edited = call.world.commands.edit(command, body.draft())
    return Answer(call.renderer.command(edited))


def delete_command(call: Call) -> Answer:
    """Take one away."""
    commands = call.world.commands
    commands.delete(commands.get(_place(call), call.snowflake("command_id")))
    return NO_CONTENT


def _place(call: Call) -> Snowflake | None:
    if call.snowflake("application_id") != call.bot_id:
        raise missing_access()
    if "guild_id" not in call.parts:
        return None
    return call.world.directory.guild(call.snowflake("guild_id")).id


_GLOBAL = "/applications/{application_id}/commands"
_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"

ROUTES = tuple(
    Route(method, base + tail, handler)
    for base in (_GLOBAL, _GUILD)
    for method, tail, handler in (
        ("GET", "", list_commands),
        ("PUT", "", replace_commands),
        ("POST", "", create_command),
        ("GET", "/{command_id}", get_command),
        ("PATCH", "/{command_id}", edit_command),
        ("DELETE", "/{command_id}", delete_command),
    )
)
