"""Messages of a channel, their reactions, and typing."""

from dataclasses import replace
from urllib.parse import unquote

from bot.playground.bodies.messages import MESSAGE_EDIT, NEW_MESSAGE, NewMessage
from bot.playground.calls import NO_CONTENT, Answer, Call, Route
from bot.playground.drafts import Place, allowed_mentions, edited_draft, new_draft, with_reply_ping
from bot.playground.errors import ApiError, FormError
from bot.playground.values import Channel, Message, Reference
from bot.playground.wire import Permission

_NONCE_SECONDS = 180
_PAGE = 50
_MAX_PAGE = 100


def create_message(call: Call) -> Answer:
    """Send a message."""
    directory, conversation = call.world.directory, call.world.conversation
    channel = call.channel
    directory.require_sending(call.bot_id, channel)
    body = call.body(NEW_MESSAGE)
    if call.uploads:
        directory.require(call.bot_id, channel, Permission.ATTACH_FILES)
    if body.enforce_nonce and body.nonce is not None:
        sent = conversation.with_nonce(channel, call.bot_id, body.nonce, _NONCE_SECONDS)
        if sent is not None:
            return Answer(call.renderer.message(sent, call.bot_id))
    draft = new_draft(Place(directory, channel, call.bot_id), body, call.uploads)
    answered = _answered(call, channel, body)
    if answered is not None:
        if allowed_mentions(body).replied_user:
            draft = with_reply_ping(draft, answered.author_id)
        reference = Reference(channel.guild_id, channel.id, answered.id)
        draft = replace(draft, reference=reference)
    if body.nonce is not None:
        draft = replace(draft, nonce=body.nonce)
    message = conversation.send(channel, call.bot_id, draft)
    return Answer(call.renderer.message(message, call.bot_id))


def get_message(call: Call) -> Answer:
    """One message."""
    return Answer(call.renderer.message(_message(call), call.bot_id))


def list_messages(call: Call) -> Answer:
    """A page of the history, newest first."""
    channel = call.channel
    call.world.directory.require(call.bot_id, channel, Permission.READ_MESSAGE_HISTORY)
    limit = call.asked("limit") or _PAGE
    if not 1 <= limit <= _MAX_PAGE:
        raise FormError.at("limit", "NUMBER_TYPE_MAX", f"int value should be 1 to {_MAX_PAGE}.")
    page = call.world.conversation.history(
        channel.id,
        limit=limit,
        before=call.asked("before"),
        after=call.asked("after"),
        around=call.asked("around"),
    )
    return Answer([call.renderer.message(message, call.bot_id) for message in page])


def edit_message(call: Call) -> Answer:
    """Change a message of the bot's own; of another's, its flags alone."""
    message = _message(call)
    body = call.body(MESSAGE_EDIT)
    if message.author_id != call.bot_id:
        if body.model_fields_set != {"flags"}:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
        call.world.directory.require(call.bot_id, call.channel, Permission.MANAGE_MESSAGES)
    place = Place(call.world.directory, call.channel, call.bot_id)
    draft = edited_draft(place, message, body, call.uploads)
    edited = call.world.conversation.edit(message, draft)
    return Answer(call.renderer.message(edited, call.bot_id))


def delete_message(call: Call) -> Answer:
    """Take a message away; another's needs Manage Messages."""
    message = _message(call)
    if message.author_id != call.bot_id:
        if call.channel.guild_id is None:
            raise ApiError(403, 50003, "Cannot execute action on a DM channel")
        call.world.directory.require(call.bot_id, call.channel, Permission.MANAGE_MESSAGES)
    call.world.conversation.delete(message)
    return NO_CONTENT


def start_typing(call: Call) -> Answer:
    """Show that the bot writes."""
    call.world.directory.require_sending(call.bot_id, call.channel)
    call.world.conversation.start_typing(call.channel, call.bot_id)
    return NO_CONTENT


def add_reaction(call: Call) -> Answer:
    """React as the bot."""
    message = _message(call)
    emoji = _emoji(call)
    needed = [Permission.READ_MESSAGE_HISTORY]
    if all(reaction.emoji != emoji for reaction in message.reactions):
        needed.append(Permission.ADD_REACTIONS)
    call.world.directory.require(call.bot_id, call.channel, *needed)
    call.world.conversation.react(message, call.bot_id, emoji)
    return NO_CONTENT


def remove_own_reaction(call: Call) -> Answer:
    """Take the bot's reaction back."""
    call.world.conversation.unreact(_message(call), call.bot_id, _emoji(call))
    return NO_CONTENT


def remove_reaction(call: Call) -> Answer:
    """Take somebody's reaction away."""
    user_id = call.snowflake("user_id")
    if user_id != call.bot_id:
        call.world.directory.require(call.bot_id, call.channel, Permission.MANAGE_MESSAGES)
    call.world.conversation.unreact(_message(call), user_id, _emoji(call))
    return NO_CONTENT


def clear_reactions(call: Call) -> Answer:
    """Take all reactions away."""
    call.world.directory.require(call.bot_id, call.channel, Permission.MANAGE_MESSAGES)
    for reaction in _message(call).reactions:
        for user_id in reaction.users:
            call.world.conversation.unreact(_message(call), user_id, reaction.emoji)
    return NO_CONTENT


def list_reactions(call: Call) -> Answer:
    """Who reacted with an emoji."""
    emoji = _emoji(call)
    users = [
        call.renderer.user(call.world.directory.user(user_id))
        for reaction in _message(call).reactions
        if reaction.emoji == emoji
        for user_id in reaction.users
    ]
    return Answer(users)


def _message(call: Call) -> Message:
    return call.world.conversation.get(call.channel.id, call.snowflake("message_id"))


def _emoji(call: Call) -> str:
    emoji = unquote(call.parts["emoji"])
    if not emoji or emoji.isascii():
        raise ApiError(400, 10014, "Unknown Emoji")
    return emoji


def _answered(call: Call, channel: Channel, body: NewMessage) -> Message | None:
    reference = body.message_reference
    if reference is None:
        return None
    if reference.channel_id not in (None, channel.id):
        raise FormError.at(
            "message_reference",
            "MESSAGE_REFERENCE_CHANNEL_MISMATCH",
            "Cannot reply to a message in another channel",
        )
    call.world.directory.require(call.bot_id, channel, Permission.READ_MESSAGE_HISTORY)
    found = call.world.conversation.find(channel.id, reference.message_id)
    if found is not None and not found.ephemeral:
        return found
    if reference.fail_if_not_exists is False:
        return None
    raise FormError.at("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")


_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = _MESSAGES + "/{message_id}"
_REACTIONS = _MESSAGE + "/reactions"

ROUTES = (
    Route("GET", _MESSAGES, list_messages),
    Route("POST", _MESSAGES, create_message),
    Route("GET", _MESSAGE, get_message),
    Route("PATCH", _MESSAGE, edit_message),
    Route("DELETE", _MESSAGE, delete_message),
    Route("POST", "/channels/{channel_id}/typing", start_typing),
    Route("DELETE", _REACTIONS, clear_reactions),
    Route("GET", _REACTIONS + "/{emoji}", list_reactions),
    Route("PUT", _REACTIONS + "/{emoji}/@me", add_reaction),
    Route("DELETE", _REACTIONS + "/{emoji}/@me", remove_own_reaction),
    Route("DELETE", _REACTIONS + "/{emoji}/{user_id}", remove_reaction),
)
