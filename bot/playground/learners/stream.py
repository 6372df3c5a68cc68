"""What learners are told of: every happening numbered, kept for a while, seen by whom it may."""

import asyncio
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager

from bot.playground import happenings
from bot.playground.happenings import Happening
from bot.playground.render import Renderer, instant
from bot.playground.values import Channel, Interaction, Message, User
from bot.playground.wire import Json, Snowflake
from bot.playground.world import World

_KEPT = 2000

Numbered = tuple[int, Happening]


class LearnerStream:
    """The happenings of a world in the order of their numbers, from 1."""

    def __init__(self, world: World, renderer: Renderer) -> None:
        self._world = world
        self._directory = world.directory
        self._renderer = renderer
        self._kept: deque[Numbered] = deque(maxlen=_KEPT)
        self._followers: set[asyncio.Queue[Numbered | None]] = set()
        self._ended = False
        self.last = 0
        world.bulletin.listen(self._note)

    @contextmanager
    def follow(self, after: int) -> Generator["asyncio.Queue[Numbered | None]"]:
        """A queue of what happened after a number and goes on to happen; None is its end."""
        queue: asyncio.Queue[Numbered | None] = asyncio.Queue()
        for numbered in self._kept:
            if numbered[0] > after:
                queue.put_nowait(numbered)
        if self._ended:
            queue.put_nowait(None)
        self._followers.add(queue)
        try:
            yield queue
        finally:
            self._followers.discard(queue)

    def end(self) -> None:
        """Tell every follower that nothing more comes."""
        self._ended = True
        for queue in self._followers:
            queue.put_nowait(None)

    def seen_by(self, user: User, happening: Happening) -> Json | None:
        """The event as the user sees it; None where it is not theirs to see."""
        match happening:
            case happenings.MessageCreated(message):
                return self._message("message_create", message, user)
            case happenings.MessageUpdated(message):
                return self._message("message_update", message, user)
            case happenings.MessageDeleted(message):
                return self._message("message_delete", message, user)
            case happenings.ReactionAdded(message, by, emoji):
                return self._reaction(message, user, by, emoji, removed=False)
            case happenings.ReactionRemoved(message, by, emoji):
                return self._reaction(message, user, by, emoji, removed=True)
            case happenings.TypingStarted(channel, by):
                told: Json = {"channel_id": str(channel.id), "user_id": str(by)}
                return {"type": "typing"} | told if self._sees(user, channel) else None
            case happenings.InteractionChanged(interaction):
                return self._interaction(interaction, user)
            case happenings.BotOnline():
                return {"type": "bot_online"}
            case happenings.BotOffline():
                return {"type": "bot_offline"}
            case happenings.ClockMoved(now):
                return {"type": "clock", "now": instant(now)}
            case _:
                return self._place(happening, user)

    def _note(self, happening: Happening) -> None:
        self.last += 1
        self._kept.append((self.last, happening))
        for queue in self._followers:
            queue.put_nowait((self.last, happening))

    def _sees(self, user: User, channel: Channel) -> bool:
        return channel.id in self._directory.channels and self._directory.may_see(user.id, channel)

    def _message(self, kind: str, message: Message, user: User) -> Json | None:
        channel = self._directory.channels.get(message.channel_id)
        if channel is None or not self._sees(user, channel):
            return None
        if message.visible_to not in (None, user.id):
            return None
        return {
            "type": kind,
            "channel_id": str(message.channel_id),
            "message_id": str(message.id),
            "message": self._renderer.message(message, user.id),
        }

    def _reaction(
        self, message: Message, user: User, by: Snowflake, emoji: str, *, removed: bool
    ) -> Json | None:
        told = self._message("reaction", message, user)
        return told and told | {"user_id": str(by), "emoji": emoji, "removed": removed}

    def _interaction(self, interaction: Interaction, user: User) -> Json | None:
        if interaction.user_id != user.id:
            return None
        rendered = self._renderer.learner_interaction(interaction)
        return {"type": "interaction", "interaction": rendered}

    def _place(self, happening: Happening, user: User) -> Json | None:
        match happening:
            case (
                happenings.ThreadCreated(channel)
                | happenings.ChannelCreated(channel)
                | happenings.ChannelUpdated(channel)
            ):
                if not self._sees(user, channel):
                    return None
                kind = "thread" if channel.thread else "channel"
                rendered = self._renderer.channel(channel, user.id)
                return {"type": kind, "channel_id": str(channel.id), "channel": rendered}
            case happenings.ChannelDeleted(channel):
                return {"type": "channel", "channel_id": str(channel.id), "deleted": True}
            case happenings.MemberJoined(member):
                return {"type": "user", "user_id": str(member.user_id)}
            case _:
                return None
