"""Messages: sent, edited, deleted, read and reacted to."""

from dataclasses import replace
from datetime import timedelta

from bot.playground.directory import Directory
from bot.playground.errors import ApiError, unknown
from bot.playground.happenings import (
    MessageCreated,
    MessageDeleted,
    MessageUpdated,
    ReactionAdded,
    ReactionRemoved,
    TypingStarted,
)
from bot.playground.values import Attachment, Channel, Draft, Message, Origin, Reaction
from bot.playground.wire import MessageFlag, MessageKind, Snowflake

_OLD = timedelta(hours=1)
_LATE_EDITS = 3
_MAX_REACTIONS = 20


class Conversation:
    """All messages by channel, oldest first."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._messages: dict[Snowflake, dict[Snowflake, Message]] = {}
        self._attachments: dict[Snowflake, Attachment] = {}

    def attachment(self, attachment_id: int) -> Attachment | None:
        """A file that a message holds or held."""
        return self._attachments.get(Snowflake(attachment_id))

    def find(self, channel_id: int, message_id: int) -> Message | None:
        """The message, ephemeral ones too; None where there is none."""
        return self._messages.get(Snowflake(channel_id), {}).get(Snowflake(message_id))

    def get(self, channel_id: int, message_id: int) -> Message:
        """The message that everybody in the channel sees, or 404/10008."""
        message = self.find(channel_id, message_id)
        if message is None or message.ephemeral:
            raise unknown("Message")
        return message

    def seen_by(self, user_id: Snowflake, channel_id: Snowflake) -> list[Message]:
        """What the user sees in the channel, oldest first."""
        return [
            message
            for message in self._messages.get(channel_id, {}).values()
            if message.visible_to in (None, user_id)
        ]

    def history(
        self,
        channel_id: Snowflake,
        *,
        limit: int,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
    ) -> list[Message]:
        """Up to ``limit`` messages that everybody sees, newest first."""
        everyone = [
            message
            for message in self._messages.get(channel_id, {}).values()
            if not message.ephemeral
        ]
        if around is not None:
            older = [message for message in everyone if message.id < around]
            newer = [message for message in everyone if message.id >= around]
            half = limit // 2
            chosen = older[max(0, len(older) - half) :] + newer[: limit - half]
        elif after is not None:
            chosen = [message for message in everyone if message.id > after][:limit]
        else:
            chosen = [message for message in everyone if before is None or message.id < before]
            chosen = chosen[max(0, len(chosen) - limit) :]
        return chosen[::-1]

    def send(  # noqa: PLR0913 -- what a message is made of, each by name
        self,
        channel: Channel,
        author_id: Snowflake,
        draft: Draft,
        *,
        kind: MessageKind | None = None,
        origin: Origin | None = None,
        visible_to: Snowflake | None = None,
    ) -> Message:
        """Put a message into the channel and tell of it."""
        if kind is None:
            kind = MessageKind.REPLY if draft.reference else MessageKind.DEFAULT
        message = Message(
            id=self._directory.mint.mint(),
            channel_id=channel.id,
            author_id=author_id,
            kind=kind,
            content=draft.content,
            created_at=self._directory.clock.now(),
            embeds=draft.embeds,
            components=draft.components,
            attachments=draft.attachments,
            mentions=draft.mentions,
            flags=draft.flags,
            reference=draft.reference,
            nonce=draft.nonce,
            origin=origin,
            visible_to=visible_to,
        )
        self._put(message)
        self._note_arrival(channel, message)
        self._directory.bulletin.post(MessageCreated(message))
        return message

    def with_nonce(
        self, channel: Channel, author_id: Snowflake, nonce: str | int, seconds: float
    ) -> Message | None:
        """What the author sent there with that nonce in the last ``seconds``."""
        since = self._directory.clock.now() - timedelta(seconds=seconds)
        for message_id in reversed(self._messages.get(channel.id, {})):
            message = self._messages[channel.id][message_id]
            if message.created_at < since:
                return None
            if message.author_id == author_id and str(message.nonce) == str(nonce):
                return message
        return None

    def edit(self, message: Message, draft: Draft) -> Message:
        """Replace what the author decides; 30046 for a message over an hour old, edited often."""
        now = self._directory.clock.now()
        late_edits = message.late_edits
        if not message.ephemeral and now - message.created_at > _OLD:
            if late_edits >= _LATE_EDITS:
                raise ApiError(
                    429,
                    30046,
                    "Maximum number of edits to messages older than 1 hour reached. "
                    "Try again later.",
                )
            late_edits += 1
        loading = MessageFlag.LOADING
        edited = replace(
            message,
            content=draft.content,
            embeds=draft.embeds,
            components=draft.components,
            attachments=draft.attachments,
            mentions=draft.mentions,
            flags=draft.flags & ~loading,
            edited_at=message.edited_at if message.flags & loading else now,
            late_edits=late_edits,
        )
        self._put(edited)
        self._directory.bulletin.post(MessageUpdated(edited))
        return edited

    def mark_thread(self, message: Message, thread: Channel) -> None:
        """Let the message show the thread that starts from it."""
        marked = replace(message, thread_id=thread.id, flags=message.flags | MessageFlag.HAS_THREAD)
        self._put(marked)
        self._directory.bulletin.post(MessageUpdated(marked))

    def delete(self, message: Message) -> None:
        """Take the message away and tell of it."""
        del self._messages[message.channel_id][message.id]
        self._directory.bulletin.post(MessageDeleted(message))

    def react(self, message: Message, user_id: Snowflake, emoji: str) -> None:
        """Add the user's reaction, once; 400/30010 beyond twenty emojis."""
        reactions = {reaction.emoji: reaction.users for reaction in message.reactions}
        if user_id in reactions.get(emoji, ()):
            return
        if emoji not in reactions and len(reactions) >= _MAX_REACTIONS:
            raise ApiError(400, 30010, "Maximum number of reactions reached (20)")
        reactions[emoji] = (*reactions.get(emoji, ()), user_id)
        changed = self._with_reactions(message, reactions)
        self._directory.bulletin.post(ReactionAdded(changed, user_id, emoji))

    def unreact(self, message: Message, user_id: Snowflake, emoji: str) -> None:
        """Take the user's reaction back; nothing where there is none."""
        reactions = {reaction.emoji: reaction.users for reaction in message.reactions}
        if user_id not in reactions.get(emoji, ()):
            return
        reactions[emoji] = tuple(user for user in reactions[emoji] if user != user_id)
        changed = self._with_reactions(message, reactions)
        self._directory.bulletin.post(ReactionRemoved(changed, user_id, emoji))

    def start_typing(self, channel: Channel, user_id: Snowflake) -> None:
        """Tell that the user writes."""
        at = self._directory.clock.now()
        self._directory.bulletin.post(TypingStarted(channel, user_id, at))

    def _with_reactions(
        self, message: Message, reactions: dict[str, tuple[Snowflake, ...]]
    ) -> Message:
        kept = tuple(Reaction(emoji, users) for emoji, users in reactions.items() if users)
        changed = replace(message, reactions=kept)
        self._put(changed)
        return changed

    def _put(self, message: Message) -> None:
        self._messages.setdefault(message.channel_id, {})[message.id] = message
        for attachment in message.attachments:
            self._attachments[attachment.id] = attachment

    def _note_arrival(self, channel: Channel, message: Message) -> None:
        if message.ephemeral:
            return
        current = self._directory.join_thread(
            self._directory.channel(channel.id), message.author_id
        )
        thread = current.thread
        if thread is not None:
            thread = replace(thread, archived=False, message_count=thread.message_count + 1)
        self._directory.put(replace(current, last_message_id=message.id, thread=thread))
