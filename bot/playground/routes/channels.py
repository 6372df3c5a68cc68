"""Channels and threads."""

from dataclasses import replace

from bot.playground.bodies.channels import (
    CHANNEL_EDIT,
    NEW_THREAD,
    THREAD_EDIT,
    THREAD_FROM_MESSAGE,
)
from bot.playground.calls import NO_CONTENT, Answer, Call, Route
from bot.playground.errors import ApiError, missing_permissions
from bot.playground.threads import open_thread
from bot.playground.values import Channel, ThreadState
from bot.playground.wire import ChannelKind, Permission


def get_channel(call: Call) -> Answer:
    """One channel."""
    return Answer(call.renderer.channel(call.channel))


def edit_channel(call: Call) -> Answer:
    """Change a channel (Manage Channels) or a thread (Manage Threads, or its owner)."""
    channel = call.channel
    if channel.guild_id is None:
        raise ApiError(403, 50003, "Cannot execute action on a DM channel")
    thread = channel.thread
    changed = _edited(call, channel) if thread is None else _edited_thread(call, channel, thread)
    return Answer(call.renderer.channel(call.world.directory.update_channel(changed)))


def delete_channel(call: Call) -> Answer:
    """Take a channel or thread away."""
    channel = call.channel
    if channel.guild_id is None:
        raise ApiError(403, 50003, "Cannot execute action on a DM channel")
    needed = Permission.MANAGE_THREADS if channel.thread else Permission.MANAGE_CHANNELS
    call.world.directory.require(call.bot_id, channel, needed)
    rendered = call.renderer.channel(channel)
    call.world.directory.delete_channel(channel)
    return Answer(rendered)


def start_thread_from_message(call: Call) -> Answer:
    """Open a thread below a message."""
    body = call.body(THREAD_FROM_MESSAGE)
    message = call.world.conversation.get(call.channel.id, call.snowflake("message_id"))
    thread = open_thread(
        call.world,
        call.channel,
        call.bot_id,
        body.name,
        message=message,
        auto_archive=body.auto_archive_duration,
    )
    return Answer(call.renderer.channel(thread), status=201)


def start_thread(call: Call) -> Answer:
    """Open a thread that starts from nothing; private unless the type says otherwise."""
    body = call.body(NEW_THREAD)
    thread = open_thread(
        call.world,
        call.channel,
        call.bot_id,
        body.name,
        kind=ChannelKind(body.type or ChannelKind.PRIVATE_THREAD),
        auto_archive=body.auto_archive_duration,
    )
    return Answer(call.renderer.channel(thread), status=201)


def join_thread(call: Call) -> Answer:
    """Become a member of a thread."""
    call.world.directory.join_thread(call.channel, call.bot_id)
    return NO_CONTENT


def add_thread_member(call: Call) -> Answer:
    """Make somebody a member of a thread."""
    user = call.world.directory.user(call.snowflake("user_id"))
    call.world.directory.require_sending(call.bot_id, call.channel)
    call.world.directory.join_thread(call.channel, user.id)
    return NO_CONTENT


def list_thread_members(call: Call) -> Answer:
    """The members of a thread."""
    channel = call.channel
    members = channel.thread.members if channel.thread else ()
    return Answer([call.renderer.thread_member(channel, user) for user in members])


def _edited(call: Call, channel: Channel) -> Channel:
    call.world.directory.require(call.bot_id, channel, Permission.MANAGE_CHANNELS)
    body = call.body(CHANNEL_EDIT)
    changes = body.model_dump(exclude_unset=True)
    return replace(channel, **{key: value for key, value in changes.items() if value is not None})


def _edited_thread(call: Call, channel: Channel, thread: ThreadState) -> Channel:
    body = call.body(THREAD_EDIT)
    bits = call.world.directory.permissions(call.bot_id, channel)
    may_manage = bool(bits & Permission.MANAGE_THREADS)
    if not may_manage and (thread.owner_id != call.bot_id or body.locked is not None):
        raise missing_permissions()
    state = replace(
        thread,
        archived=thread.archived if body.archived is None else body.archived,
        locked=thread.locked if body.locked is None else body.locked,
        auto_archive=body.auto_archive_duration or thread.auto_archive,
    )
    return replace(
        channel,
        name=body.name or channel.name,
        rate_limit_per_user=channel.rate_limit_per_user
        if body.rate_limit_per_user is None
        else body.rate_limit_per_user,
        thread=state,
    )


_CHANNEL = "/channels/{channel_id}"

ROUTES = (
    Route("GET", _CHANNEL, get_channel),
    Route("PATCH", _CHANNEL, edit_channel),
    Route("DELETE", _CHANNEL, delete_channel),
    Route("POST", _CHANNEL + "/messages/{message_id}/threads", start_thread_from_message),
    Route("POST", _CHANNEL + "/threads", start_thread),
    Route("GET", _CHANNEL + "/thread-members", list_thread_members),
    Route("PUT", _CHANNEL + "/thread-members/@me", join_thread),
    Route("PUT", _CHANNEL + "/thread-members/{user_id}", add_thread_member),
)
