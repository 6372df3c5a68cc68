"""Who may do what: Discord's computation over owner, roles and overwrites."""

from collections.abc import Iterable, Mapping

from bot.playground.values import Channel, Guild, Member, Overwrite, Role
from bot.playground.wire import ALL_PERMISSIONS, Permission, Snowflake


def in_guild(guild: Guild, roles: Mapping[Snowflake, Role], member: Member) -> int:
    """The permission bits of ``member`` before any channel's overwrites."""
    if member.user_id == guild.owner_id:
        return ALL_PERMISSIONS
    bits = roles[guild.id].permissions
    for role_id in member.roles:
        bits |= roles[role_id].permissions
    return ALL_PERMISSIONS if bits & Permission.ADMINISTRATOR else bits


def in_channel(
    guild: Guild, roles: Mapping[Snowflake, Role], member: Member, channel: Channel
) -> int:
    """The permission bits of ``member`` in ``channel`` (for a thread, pass its parent)."""
    bits = in_guild(guild, roles, member)
    if bits == ALL_PERMISSIONS:
        return bits
    overwrites = {overwrite.target_id: overwrite for overwrite in channel.overwrites}
    bits = _overwritten(bits, [overwrites[guild.id]] if guild.id in overwrites else [])
    bits = _overwritten(bits, [overwrites[role] for role in member.roles if role in overwrites])
    own = overwrites.get(member.user_id)
    return _overwritten(bits, [own] if own else [])


def _overwritten(bits: int, overwrites: Iterable[Overwrite]) -> int:
    allow = deny = 0
    for overwrite in overwrites:
        allow |= overwrite.allow
        deny |= overwrite.deny
    return bits & ~deny | allow
