"""Guilds, their channels, members and roles."""

from bot.playground.calls import Answer, Call, Route
from bot.playground.errors import unknown
from bot.playground.values import Guild
from bot.playground.wire import Json

_PAGE = 1000


def list_guilds(call: Call) -> Answer:
    """The guilds that the bot is in."""
    directory = call.world.directory
    mine = [
        guild for guild in directory.guilds.values() if call.bot_id in directory.members[guild.id]
    ]
    return Answer([_partial(call, guild) for guild in mine])


def get_guild(call: Call) -> Answer:
    """One guild."""
    guild = _guild(call)
    rendered = call.renderer.guild(guild)
    if call.wants("with_counts"):
        count = len(call.world.directory.members[guild.id])
        rendered |= {"approximate_member_count": count, "approximate_presence_count": count}
    return Answer(rendered)


def list_channels(call: Call) -> Answer:
    """The channels that the bot sees."""
    directory = call.world.directory
    return Answer(
        [
            call.renderer.channel(channel)
            for channel in directory.channels_of(_guild(call).id)
            if directory.may_see(call.bot_id, channel)
        ]
    )


def list_members(call: Call) -> Answer:
    """Members after an id, in the order of their ids."""
    after = call.asked("after") or 0
    members = call.world.directory.members[_guild(call).id].values()
    page = sorted(
        (member for member in members if member.user_id > after),
        key=lambda member: member.user_id,
    )[: min(call.asked("limit") or 1, _PAGE)]
    return Answer([call.renderer.member(member) for member in page])


def get_member(call: Call) -> Answer:
    """One member."""
    member = call.world.directory.member(_guild(call).id, call.snowflake("user_id"))
    return Answer(call.renderer.member(member))


def list_roles(call: Call) -> Answer:
    """All roles."""
    roles = call.world.directory.roles[_guild(call).id].values()
    return Answer([call.renderer.role(role) for role in roles])


def list_active_threads(call: Call) -> Answer:
    """The threads that are not archived."""
    directory = call.world.directory
    threads = [
        thread
        for thread in directory.threads_of(_guild(call).id)
        if directory.may_see(call.bot_id, thread)
    ]
    members = [
        call.renderer.thread_member(thread, call.bot_id)
        for thread in threads
        if thread.thread and call.bot_id in thread.thread.members
    ]
    rendered = [call.renderer.channel(thread) for thread in threads]
    return Answer({"threads": rendered, "members": members, "has_more": False})


def _guild(call: Call) -> Guild:
    guild = call.world.directory.guild(call.snowflake("guild_id"))
    if call.bot_id not in call.world.directory.members[guild.id]:
        raise unknown("Guild")
    return guild


def _partial(call: Call, guild: Guild) -> Json:
    return {
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "banner": None,
        "owner": guild.owner_id == call.bot_id,
        "permissions": str(call.world.directory.guild_permissions(call.bot_id, guild.id)),
        "features": [],
    }


_GUILD = "/guilds/{guild_id}"

ROUTES = (
    Route("GET", "/users/@me/guilds", list_guilds),
    Route("GET", _GUILD, get_guild),
    Route("GET", _GUILD + "/channels", list_channels),
    Route("GET", _GUILD + "/members", list_members),
    Route("GET", _GUILD + "/members/{user_id}", get_member),
    Route("GET", _GUILD + "/roles", list_roles),
    Route("GET", _GUILD + "/threads/active", list_active_threads),
)
