"""What happens in the world, one class each; gateway and learners are told of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from bot.playground.values import Channel, Interaction, Member, Message
from bot.playground.wire import Snowflake


@dataclass(frozen=True, slots=True)
class MessageCreated:
    """A message was sent."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageUpdated:
    """A message was edited, or filled after it was deferred."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """A message is gone; `message` is as it last was."""

    message: Message


@dataclass(frozen=True, slots=True)
class ReactionAdded:
    """Somebody reacted; `message` is as it is now."""

    message: Message
    user_id: Snowflake
    emoji: str


@dataclass(frozen=True, slots=True)
class ReactionRemoved:
    """Somebody took a reaction back; `message` is as it is now."""

    message: Message
    user_id: Snowflake
    emoji: str


@dataclass(frozen=True, slots=True)
class ThreadCreated:
    """A thread was opened."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class ChannelCreated:
    """A direct conversation was opened."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class ChannelUpdated:
    """A channel or a thread was changed."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class ChannelDeleted:
    """A channel or a thread is gone."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class MemberJoined:
    """A user came into a guild."""

    member: Member


@dataclass(frozen=True, slots=True)
class TypingStarted:
    """Somebody is writing."""

    channel: Channel
    user_id: Snowflake
    at: datetime


@dataclass(frozen=True, slots=True)
class InteractionCreated:
    """A learner used a command, a component or a modal."""

    interaction: Interaction


@dataclass(frozen=True, slots=True)
class InteractionChanged:
    """An interaction was acknowledged, or failed."""

    interaction: Interaction


@dataclass(frozen=True, slots=True)
class BotOnline:
    """The bot has a gateway connection."""


@dataclass(frozen=True, slots=True)
class BotOffline:
    """The bot's last gateway connection is gone."""


@dataclass(frozen=True, slots=True)
class ClockMoved:
    """The playground's clock was moved on."""

    now: datetime


Happening: TypeAlias = (
    MessageCreated
    | MessageUpdated
    | MessageDeleted
    | ReactionAdded
    | ReactionRemoved
    | ThreadCreated
    | ChannelCreated
    | ChannelUpdated
    | ChannelDeleted
    | MemberJoined
    | TypingStarted
    | InteractionCreated
    | InteractionChanged
    | BotOnline
    | BotOffline
    | ClockMoved
)
