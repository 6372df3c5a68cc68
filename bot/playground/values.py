"""What the playground's Discord is made of: frozen values, replaced when something changes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.playground.wire import (
    ChannelKind,
    CommandKind,
    InteractionKind,
    Json,
    MessageFlag,
    MessageKind,
    Snowflake,
)

NO_FLAGS = MessageFlag(0)


@dataclass(frozen=True, slots=True)
class User:
    """An account; `locale` is the language of its client, such as zh-CN."""

    id: Snowflake
    username: str
    bot: bool
    locale: str


@dataclass(frozen=True, slots=True)
class Application:
    """The bot's application; `allowed_intents` are the privileged ones that it may ask for."""

    id: Snowflake
    name: str
    owner_id: Snowflake
    allowed_intents: int


@dataclass(frozen=True, slots=True)
class Role:
    """A role of a guild; the one with the guild's id is @everyone."""

    id: Snowflake
    name: str
    permissions: int
    position: int
    mentionable: bool = False


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What one channel allows and denies to one role or member."""

    target_id: Snowflake
    for_member: bool
    allow: int
    deny: int


@dataclass(frozen=True, slots=True)
class Member:
    """A user in a guild."""

    guild_id: Snowflake
    user_id: Snowflake
    roles: tuple[Snowflake, ...]
    joined_at: datetime
    nick: str | None = None


@dataclass(frozen=True, slots=True)
class Guild:
    """A server."""

    id: Snowflake
    name: str
    owner_id: Snowflake
    locale: str


@dataclass(frozen=True, slots=True)
class ThreadState:
    """What only threads have; `auto_archive` in minutes."""

    owner_id: Snowflake
    created_at: datetime
    auto_archive: int
    members: tuple[Snowflake, ...]
    archived: bool = False
    locked: bool = False
    message_count: int = 0


@dataclass(frozen=True, slots=True)
class Channel:
    """A text channel, a thread or a direct conversation; `guild_id` is None only for the last."""

    id: Snowflake
    kind: ChannelKind
    guild_id: Snowflake | None
    name: str
    position: int = 0
    topic: str | None = None
    parent_id: Snowflake | None = None
    recipients: tuple[Snowflake, ...] = ()
    overwrites: tuple[Overwrite, ...] = ()
    rate_limit_per_user: int = 0
    thread: ThreadState | None = None
    last_message_id: Snowflake | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message; `description` is the alt text, width and height are those of images."""

    id: Snowflake
    channel_id: Snowflake
    filename: str
    content_type: str
    content: bytes
    description: str | None = None
    width: int | None = None
    height: int | None = None
    ephemeral: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """The message that a message answers or belongs to."""

    guild_id: Snowflake | None
    channel_id: Snowflake
    message_id: Snowflake | None


@dataclass(frozen=True, slots=True)
class Reaction:
    """One emoji below a message and who chose it, in order."""

    emoji: str
    users: tuple[Snowflake, ...]


@dataclass(frozen=True, slots=True)
class Mentions:
    """Whom a message pings."""

    users: tuple[Snowflake, ...] = ()
    roles: tuple[Snowflake, ...] = ()
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """The interaction that a message came from."""

    interaction_id: Snowflake
    kind: InteractionKind
    user_id: Snowflake
    command_name: str | None = None
    interacted_message_id: Snowflake | None = None
    original_response_id: Snowflake | None = None
    triggered_by: "Origin | None" = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message; `visible_to` is set where it is ephemeral, `embeds` and `components` are as sent.

    `late_edits` counts the edits made when the message was over an hour old.
    """

    id: Snowflake
    channel_id: Snowflake
    author_id: Snowflake
    kind: MessageKind
    content: str
    created_at: datetime
    edited_at: datetime | None = None
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    mentions: Mentions = Mentions()
    flags: MessageFlag = NO_FLAGS
    reference: Reference | None = None
    reactions: tuple[Reaction, ...] = ()
    nonce: str | int | None = None
    origin: Origin | None = None
    visible_to: Snowflake | None = None
    thread_id: Snowflake | None = None
    late_edits: int = 0

    @property
    def ephemeral(self) -> bool:
        """Whether one user alone sees it."""
        return self.visible_to is not None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a message is to contain; the parts of a `Message` that its author decides."""

    content: str = ""
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    mentions: Mentions = Mentions()
    flags: MessageFlag = NO_FLAGS
    reference: Reference | None = None
    nonce: str | int | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """An application command; `guild_id` is None for a global one.

    `options` are in Discord's form. `default_member_permissions` is None where everybody may.
    """

    id: Snowflake
    version: Snowflake
    kind: CommandKind
    guild_id: Snowflake | None
    name: str
    description: str
    name_localizations: Json | None
    description_localizations: Json | None
    options: tuple[Json, ...]
    default_member_permissions: int | None
    contexts: tuple[int, ...] | None
    integration_types: tuple[int, ...]
    nsfw: bool = False


class InteractionState(StrEnum):
    """How far an interaction has come."""

    PENDING = "pending"
    ACKNOWLEDGED = "acknowledged"
    DEFERRED = "deferred"
    MODAL = "modal"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Interaction:
    """A learner's act that the bot answers.

    `context` is the payload that does not change (channel, data, …) in Discord's form;
    `message_id` the message whose component was used; `response_id` the message that the
    callback made or changed; `fills_response` says that the next follow-up becomes the
    deferred answer.
    """

    id: Snowflake
    token: str
    kind: InteractionKind
    user_id: Snowflake
    guild_id: Snowflake | None
    channel_id: Snowflake
    data: Json
    created_at: datetime
    origin: Origin
    message_id: Snowflake | None = None
    state: InteractionState = InteractionState.PENDING
    response_id: Snowflake | None = None
    fills_response: bool = False
    modal: Json | None = None
    choices: tuple[Json, ...] = ()
