"""Opening a thread, by the bot or by a learner."""

from bot.playground.errors import ApiError
from bot.playground.values import Channel, Draft, Message, Reference
from bot.playground.wire import ChannelKind, MessageKind, Permission, Snowflake
from bot.playground.world import World

_AUTO_ARCHIVE = 4320


def open_thread(  # noqa: PLR0913 -- what a thread is made of, each by name
    world: World,
    parent: Channel,
    owner_id: Snowflake,
    name: str,
    *,
    message: Message | None = None,
    kind: ChannelKind = ChannelKind.PUBLIC_THREAD,
    auto_archive: int | None = None,
) -> Channel:
    """A new thread in ``parent``, below ``message`` where one is given.

    400/50024 where the channel holds no threads, 400/160004 where the message has one already.
    """
    if parent.kind is not ChannelKind.TEXT:
        raise ApiError(400, 50024, "Cannot execute action on this channel type")
    needed = (
        Permission.CREATE_PRIVATE_THREADS
        if kind is ChannelKind.PRIVATE_THREAD
        else Permission.CREATE_PUBLIC_THREADS
    )
    world.directory.require(owner_id, parent, needed)
    if message is not None and message.thread_id is not None:
        raise ApiError(400, 160004, "A thread has already been created for this message")
    thread = world.directory.add_thread(
        parent,
        owner_id,
        name,
        thread_id=message.id if message else None,
        kind=kind,
        auto_archive=auto_archive or _AUTO_ARCHIVE,
    )
    if message is not None:
        world.conversation.mark_thread(message, thread)
        reference = Reference(parent.guild_id, parent.id, message.id)
        world.conversation.send(
            thread, message.author_id, Draft(reference=reference), kind=MessageKind.THREAD_STARTER
        )
    return world.directory.channel(thread.id)
