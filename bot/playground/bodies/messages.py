"""Message bodies: sent, edited, and sent or edited through an interaction."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, field_validator, model_validator

from bot.playground.bodies.components import TopLevel
from bot.playground.bodies.embeds import Embed, check_embeds
from bot.playground.bodies.forms import Body, SnowflakeField, broken
from bot.playground.mentions import AllowedMentions
from bot.playground.wire import MessageFlag

CONTENT_LIMIT = 2000
"""Characters of a message."""


class AllowedMentionsBody(Body):
    """What may ping."""

    parse: list[Literal["users", "roles", "everyone"]] | None = None
    users: Annotated[list[SnowflakeField], Field(max_length=100)] | None = None
    roles: Annotated[list[SnowflakeField], Field(max_length=100)] | None = None
    replied_user: bool | None = None

    @model_validator(mode="after")
    def _exclusive(self) -> "AllowedMentionsBody":
        for kind, named in (("users", self.users), ("roles", self.roles)):
            if named and kind in (self.parse or ()):
                raise broken(
                    "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                    f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.',
                )
        return self

    def read(self) -> AllowedMentions:
        """The rule that it states."""
        parse = self.parse or ()
        return AllowedMentions(
            users=None if "users" in parse else frozenset(self.users or ()),
            roles=None if "roles" in parse else frozenset(self.roles or ()),
            everyone="everyone" in parse,
            replied_user=bool(self.replied_user),
        )


class AttachmentBody(Body):
    """A file: the index of one sent along, or the id of one to keep.

    discord.py keeps a file by sending back all that it was told of it, as Discord allows.
    """

    model_config = ConfigDict(extra="ignore")

    id: SnowflakeField
    filename: str | None = Field(None, min_length=1, max_length=1024)
    description: str | None = Field(None, max_length=1024)
    title: str | None = Field(None, max_length=1024)
    duration_secs: float | None = None
    waveform: str | None = Field(None, max_length=400)
    is_spoiler: bool | None = None


class ReferenceBody(Body):
    """The message that is answered."""

    message_id: SnowflakeField
    channel_id: SnowflakeField | None = None
    guild_id: SnowflakeField | None = None
    fail_if_not_exists: bool | None = True
    type: Literal[0] | None = 0


class MessageParts(Body):
    """What every message body may hold; `None` and absent differ in edits."""

    content: str | None = None
    embeds: list[Embed] | None = Field(None, max_length=10)
    allowed_mentions: AllowedMentionsBody | None = None
    components: list[TopLevel] | None = Field(None, max_length=40)
    attachments: list[AttachmentBody] | None = Field(None, max_length=10)
    flags: int | None = None

    @field_validator("content")
    @classmethod
    def _length(cls, content: str | None) -> str | None:
        stripped = content.strip() if content else content
        if stripped and len(stripped) > CONTENT_LIMIT:
            raise broken("BASE_TYPE_MAX_LENGTH", f"Must be {CONTENT_LIMIT} or fewer in length.")
        return stripped

    @field_validator("embeds")
    @classmethod
    def _embeds(cls, embeds: list[Embed] | None) -> list[Embed] | None:
        check_embeds(embeds or ())
        return embeds

    @property
    def second_version(self) -> bool:
        """Whether the flags ask for components v2."""
        return bool((self.flags or 0) & MessageFlag.COMPONENTS_V2)

    def sets(self, field: str) -> bool:
        """Whether the body names the field."""
        return field in self.model_fields_set


class NewMessage(MessageParts):
    """A message to a channel."""

    tts: bool | None = None
    nonce: Annotated[str, Field(max_length=25)] | int | None = None
    enforce_nonce: bool | None = None
    message_reference: ReferenceBody | None = None
    sticker_ids: Annotated[list[SnowflakeField], Field(max_length=0)] | None = None


class MessageEdit(MessageParts):
    """A change of a message in a channel; libraries send ``tts`` along, which changes nothing."""

    tts: bool | None = None


class InteractionMessage(MessageParts):
    """A message or an edit by a callback or a follow-up."""

    tts: bool | None = None


NEW_MESSAGE = TypeAdapter(NewMessage)
MESSAGE_EDIT = TypeAdapter(MessageEdit)
INTERACTION_MESSAGE = TypeAdapter(InteractionMessage)
