"""Who and where: users, guilds, roles, members, channels, and what each may do."""

from collections.abc import Iterator
from dataclasses import replace

from bot.playground import permissions
from bot.playground.bulletin import Bulletin
from bot.playground.clock import MovableClock
from bot.playground.errors import ApiError, missing_access, missing_permissions, unknown
from bot.playground.happenings import (
    ChannelCreated,
    ChannelDeleted,
    ChannelUpdated,
    MemberJoined,
    ThreadCreated,
)
from bot.playground.snowflakes import SnowflakeMint
from bot.playground.values import (
    Application,
    Channel,
    Guild,
    Member,
    Overwrite,
    Role,
    ThreadState,
    User,
)
from bot.playground.wire import (
    ALL_PERMISSIONS,
    PRIVILEGED_INTENTS,
    ChannelKind,
    Permission,
    Snowflake,
)

_THREADS = (ChannelKind.PUBLIC_THREAD, ChannelKind.PRIVATE_THREAD)


class Directory:
    """Users, guilds and channels by id.

    From the start there are the bot, the user of the application, and its owner.
    """

    def __init__(
        self, clock: MovableClock, bulletin: Bulletin, bot_name: str, owner_name: str
    ) -> None:
        mint = SnowflakeMint(clock)
        owner = User(mint.mint(), owner_name, bot=False, locale="zh-CN")
        bot = User(mint.mint(), bot_name, bot=True, locale="en-US")
        self.clock = clock
        self.mint = mint
        self.bulletin = bulletin
        self.application = Application(bot.id, bot.username, owner.id, int(PRIVILEGED_INTENTS))
        self.users: dict[Snowflake, User] = {owner.id: owner, bot.id: bot}
        self.guilds: dict[Snowflake, Guild] = {}
        self.roles: dict[Snowflake, dict[Snowflake, Role]] = {}
        self.members: dict[Snowflake, dict[Snowflake, Member]] = {}
        self.channels: dict[Snowflake, Channel] = {}

    @property
    def bot(self) -> User:
        """The bot's own user; it has the application's id."""
        return self.users[self.application.id]

    def user(self, user_id: int) -> User:
        """The user, or 404/10013."""
        try:
            return self.users[Snowflake(user_id)]
        except KeyError:
            raise unknown("User") from None

    def guild(self, guild_id: int) -> Guild:
        """The guild, or 404/10004."""
        try:
            return self.guilds[Snowflake(guild_id)]
        except KeyError:
            raise unknown("Guild") from None

    def member(self, guild_id: int, user_id: int) -> Member:
        """The member, or 404/10007."""
        try:
            return self.members[self.guild(guild_id).id][Snowflake(user_id)]
        except KeyError:
            raise unknown("Member") from None

    def channel(self, channel_id: int) -> Channel:
        """The channel, thread or direct conversation, or 404/10003."""
        try:
            return self.channels[Snowflake(channel_id)]
        except KeyError:
            raise unknown("Channel") from None

    def channels_of(self, guild_id: Snowflake) -> Iterator[Channel]:
        """The guild's channels that are no threads, in their order."""
        found = [
            channel
            for channel in self.channels.values()
            if channel.guild_id == guild_id and channel.thread is None
        ]
        return iter(sorted(found, key=lambda channel: (channel.position, channel.id)))

    def threads_of(self, guild_id: Snowflake) -> Iterator[Channel]:
        """The guild's threads that are not archived."""
        return (
            channel
            for channel in self.channels.values()
            if channel.guild_id == guild_id and channel.thread and not channel.thread.archived
        )

    def permissions(self, user_id: Snowflake, channel: Channel) -> int:
        """The permission bits of the user there; 0 where it has no part in the channel."""
        if channel.guild_id is None:
            return ALL_PERMISSIONS if user_id in channel.recipients else 0
        member = self.members[channel.guild_id].get(user_id)
        if member is None:
            return 0
        place = (
            self.channels[channel.parent_id] if channel.thread and channel.parent_id else channel
        )
        bits = permissions.in_channel(
            self.guilds[channel.guild_id], self.roles[channel.guild_id], member, place
        )
        if (
            channel.kind is ChannelKind.PRIVATE_THREAD
            and channel.thread is not None
            and user_id not in channel.thread.members
            and not bits & Permission.MANAGE_THREADS
        ):
            return 0
        return bits if bits & Permission.VIEW_CHANNEL else 0

    def guild_permissions(self, user_id: Snowflake, guild_id: Snowflake) -> int:
        """The permission bits of a member before any channel's overwrites."""
        member = self.member(guild_id, user_id)
        return permissions.in_guild(self.guilds[guild_id], self.roles[guild_id], member)

    def may_see(self, user_id: Snowflake, channel: Channel) -> bool:
        """Whether the user sees the channel."""
        return bool(self.permissions(user_id, channel) & Permission.VIEW_CHANNEL)

    def require(self, user_id: Snowflake, channel: Channel, *needed: Permission) -> None:
        """Raise 403 (50001 where the channel is unseen, else 50013) unless all are given."""
        bits = self.permissions(user_id, channel)
        if not bits & Permission.VIEW_CHANNEL:
            raise missing_access()
        if any(not bits & permission for permission in needed):
            raise missing_permissions()

    def require_sending(self, user_id: Snowflake, channel: Channel) -> None:
        """Raise unless the user may write there; also 400/50083 in an archived, locked thread."""
        in_thread = channel.kind in _THREADS
        self.require(
            user_id,
            channel,
            Permission.SEND_MESSAGES_IN_THREADS if in_thread else Permission.SEND_MESSAGES,
        )
        if channel.thread and channel.thread.archived and channel.thread.locked:
            raise ApiError(400, 50083, "Thread is archived")

    def add_user(self, username: str, locale: str) -> User:
        """A new account, in no guild."""
        user = User(self.mint.mint(), username, bot=False, locale=locale)
        self.users[user.id] = user
        return user

    def add_guild(self, name: str, owner: User, everyone: int) -> Guild:
        """A new guild with its owner in it; ``everyone`` are the bits of @everyone."""
        guild = Guild(self.mint.mint(), name, owner.id, owner.locale)
        self.guilds[guild.id] = guild
        self.roles[guild.id] = {guild.id: Role(guild.id, "@everyone", everyone, 0)}
        self.members[guild.id] = {}
        self.join(guild, owner)
        return guild

    def add_role(self, guild: Guild, name: str, permission_bits: int) -> Role:
        """A new role above all others."""
        role = Role(self.mint.mint(), name, permission_bits, len(self.roles[guild.id]))
        self.roles[guild.id][role.id] = role
        return role

    def join(self, guild: Guild, user: User, *roles: Role) -> Member:
        """Make the user a member."""
        member = Member(guild.id, user.id, tuple(role.id for role in roles), self.clock.now())
        self.members[guild.id][user.id] = member
        self.bulletin.post(MemberJoined(member))
        return member

    def add_channel(
        self, guild: Guild, name: str, overwrites: tuple[Overwrite, ...] = ()
    ) -> Channel:
        """A new text channel below the others."""
        channel = Channel(
            self.mint.mint(),
            ChannelKind.TEXT,
            guild.id,
            name,
            position=len(list(self.channels_of(guild.id))),
            overwrites=overwrites,
        )
        self.channels[channel.id] = channel
        self.bulletin.post(ChannelCreated(channel))
        return channel

    def direct_channel(self, user: User) -> Channel:
        """The conversation of the user with the bot, opened where there is none."""
        for channel in self.channels.values():
            if channel.kind is ChannelKind.DM and user.id in channel.recipients:
                return channel
        recipients = (user.id, self.bot.id)
        channel = Channel(self.mint.mint(), ChannelKind.DM, None, "", recipients=recipients)
        self.channels[channel.id] = channel
        self.bulletin.post(ChannelCreated(channel))
        return channel

    def add_thread(  # noqa: PLR0913 -- what a thread is made of, each by name
        self,
        parent: Channel,
        owner_id: Snowflake,
        name: str,
        *,
        thread_id: Snowflake | None = None,
        kind: ChannelKind = ChannelKind.PUBLIC_THREAD,
        auto_archive: int = 4320,
    ) -> Channel:
        """A new thread below ``parent``; one that starts from a message has the message's id."""
        channel = Channel(
            thread_id or self.mint.mint(),
            kind,
            parent.guild_id,
            name,
            parent_id=parent.id,
            thread=ThreadState(owner_id, self.clock.now(), auto_archive, (owner_id,)),
        )
        self.channels[channel.id] = channel
        self.bulletin.post(ThreadCreated(channel))
        return channel

    def join_thread(self, channel: Channel, user_id: Snowflake) -> Channel:
        """Make the user a member of the thread, where it is none yet."""
        if channel.thread is None or user_id in channel.thread.members:
            return channel
        members = (*channel.thread.members, user_id)
        return self.put(replace(channel, thread=replace(channel.thread, members=members)))

    def put(self, channel: Channel) -> Channel:
        """Take the new state of a channel without telling anybody."""
        self.channels[channel.id] = channel
        return channel

    def update_channel(self, channel: Channel) -> Channel:
        """Take the new state of a channel and tell of it."""
        self.put(channel)
        self.bulletin.post(ChannelUpdated(channel))
        return channel

    def delete_channel(self, channel: Channel) -> None:
        """Take the channel away, and its threads with it."""
        for thread in [one for one in self.channels.values() if one.parent_id == channel.id]:
            self.delete_channel(thread)
        del self.channels[channel.id]
        self.bulletin.post(ChannelDeleted(channel))
