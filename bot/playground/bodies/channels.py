"""Bodies about channels, threads and the bot itself."""

from typing import Literal

from pydantic import Field, TypeAdapter

from bot.playground.bodies.forms import Body, SnowflakeField

AutoArchive = Literal[60, 1440, 4320, 10080]


class ThreadFromMessage(Body):
    """A thread that starts from a message."""

    name: str = Field(min_length=1, max_length=100)
    auto_archive_duration: AutoArchive | None = None
    rate_limit_per_user: int | None = Field(None, ge=0, le=21600)


class NewThread(ThreadFromMessage):
    """A thread that starts from nothing."""

    type: Literal[11, 12] | None = 12
    invitable: bool | None = None


class ChannelEdit(Body):
    """A change of a text channel."""

    name: str | None = Field(None, min_length=1, max_length=100)
    topic: str | None = Field(None, max_length=4096)
    position: int | None = Field(None, ge=0)
    rate_limit_per_user: int | None = Field(None, ge=0, le=21600)


class ThreadEdit(Body):
    """A change of a thread."""

    name: str | None = Field(None, min_length=1, max_length=100)
    archived: bool | None = None
    locked: bool | None = None
    auto_archive_duration: AutoArchive | None = None
    rate_limit_per_user: int | None = Field(None, ge=0, le=21600)


class DirectChannel(Body):
    """A conversation with one user."""

    recipient_id: SnowflakeField


THREAD_FROM_MESSAGE = TypeAdapter(ThreadFromMessage)
NEW_THREAD = TypeAdapter(NewThread)
CHANNEL_EDIT = TypeAdapter(ChannelEdit)
THREAD_EDIT = TypeAdapter(ThreadEdit)
DIRECT_CHANNEL = TypeAdapter(DirectChannel)
