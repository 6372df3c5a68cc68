"""A message that is edited again and again, and what to do when Discord refuses."""

import io
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

import aiohttp
import discord
from discord.utils import MISSING, snowflake_time

from bot.buttons import ButtonSpec, view_of

_log = logging.getLogger(__name__)

OLD_AFTER = timedelta(minutes=55)
"""From this age on a message is not edited any more: Discord counts edits beyond an hour."""

_UNKNOWN_MESSAGE = 10008
_EDITED_TOO_OFTEN = 30046
_THREAD_ARCHIVED = 50083
_FORBIDDEN, _NOT_FOUND, _TOO_MANY_REQUESTS, _SERVER_ERROR = 403, 404, 429, 500


class Delivery(Enum):
    """What became of a message's last content."""

    SHOWN = auto()
    LATER = auto()
    """Discord had a hiccup; the same content may be tried again."""
    NO_FILES = auto()
    """Not with these files; the content may be tried without them."""
    NOWHERE = auto()
    """The channel is gone, or the bot may not write there any more."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A file to attach; ``alt`` describes it, at most 1,024 characters."""

    name: str
    content: bytes
    alt: str


@dataclass(frozen=True, slots=True)
class Content:
    """All that a message shows."""

    text: str
    buttons: tuple[ButtonSpec, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message is."""

    channel: discord.PartialMessageable
    message_id: int

    @property
    def message(self) -> discord.PartialMessage:
        """The message, as far as one can be edited without being looked up."""
        return self.channel.get_partial_message(self.message_id)


class LiveMessage:
    """One message of the bot's own, sent anew where it can no longer be edited.

    ``moved`` is told the id of the message that took over, ``farewell`` gives the text that
    then stays in the old one, from the address of the new. ``shown`` is what the message holds,
    where that is known.
    """

    def __init__(
        self,
        place: Place,
        *,
        moved: Callable[[int], Awaitable[None]],
        farewell: Callable[[str], str],
        now: Callable[[], datetime],
        shown: Content | None = None,
    ) -> None:
        self._place = place
        self._moved = moved
        self._farewell = farewell
        self._now = now
        self._shown = shown
        self._deleted = False
        self._unwanted = False

    async def update(self, content: Content) -> bool:
        """Show ``content``, which more will follow; False where nothing had to be sent.

        What Discord refuses is logged and left to the contents that follow. Where somebody
        deleted the message, or the bot may not write any more, only the last is tried again.
        """
        if self._unwanted or content == self._shown:
            return False
        try:
            if self._old():
                await self._take_over(content)
            else:
                await self._edit(content)
        except discord.HTTPException as error:
            self._deleted = error.code == _UNKNOWN_MESSAGE
            self._unwanted = error.status in (_FORBIDDEN, _NOT_FOUND)
            _log.warning("message %s was not updated: %s", self._place.message_id, error)
        except (aiohttp.ClientError, OSError) as error:
            _log.warning("message %s was not updated: %s", self._place.message_id, error)
        return True

    async def finish(self, content: Content) -> Delivery:
        """Show ``content``, the last one, in a new message if need be.

        Raises:
            discord.HTTPException: Discord takes offence at the content itself.
        """
        try:
            if self._deleted:
                await self._send_anew(content)
            elif self._old():
                await self._take_over(content)
            else:
                await self._edit(content)
        except discord.HTTPException as error:
            if error.code == _UNKNOWN_MESSAGE and not self._deleted:
                self._deleted = True
                return await self.finish(content)
            return _refusal(error, with_files=bool(content.pictures))
        except (aiohttp.ClientError, OSError) as error:
            _log.warning("Discord cannot be reached: %s", error)
            return Delivery.LATER
        return Delivery.SHOWN

    def _old(self) -> bool:
        return self._now() - snowflake_time(self._place.message_id) >= OLD_AFTER

    async def _edit(self, content: Content) -> None:
        try:
            await self._place.message.edit(
                content=content.text, attachments=_files(content), view=view_of(content.buttons)
            )
        except discord.HTTPException as error:
            if error.code not in (_EDITED_TOO_OFTEN, _THREAD_ARCHIVED):
                raise
            await self._take_over(content)
        else:
            self._shown = content

    async def _take_over(self, content: Content) -> None:
        """Send a message anew and say so, where that still works, in the old one."""
        old = self._place.message
        await self._send_anew(content)
        try:
            await old.edit(content=self._farewell(self._place.message.jump_url), view=None)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            _log.info("message %s cannot say where its successor is: %s", old.id, error)

    async def _send_anew(self, content: Content) -> None:
        view = view_of(content.buttons)
        sent = await self._place.channel.send(
            content.text, files=_files(content), view=MISSING if view is None else view
        )
        self._place = Place(self._place.channel, sent.id)
        self._deleted, self._shown = False, content
        await self._moved(sent.id)


def _refusal(error: discord.HTTPException, *, with_files: bool) -> Delivery:
    _log.warning("Discord refused a message: %s", error)
    if error.status >= _SERVER_ERROR or error.status == _TOO_MANY_REQUESTS:
        return Delivery.LATER
    if with_files:
        return Delivery.NO_FILES
    if error.status in (_FORBIDDEN, _NOT_FOUND):
        return Delivery.NOWHERE
    raise error


def _files(content: Content) -> list[discord.File]:
    return [
        discord.File(io.BytesIO(picture.content), picture.name, description=picture.alt)
        for picture in content.pictures
    ]
