"""Follow-ups of an interaction and its original answer."""

from bot.playground.bodies.messages import INTERACTION_MESSAGE
from bot.playground.calls import NO_CONTENT, Answer, Call, Route
from bot.playground.drafts import Place, edited_draft, new_draft
from bot.playground.values import Interaction, Message
from bot.playground.wire import MessageFlag

_ORIGINAL = "@original"


def follow_up(call: Call) -> Answer:
    """Send a further message; the first after a deferral becomes the deferred answer."""
    interaction = _interaction(call)
    body = call.body(INTERACTION_MESSAGE)
    channel = call.world.directory.channel(interaction.channel_id)
    ephemeral = bool((body.flags or 0) & MessageFlag.EPHEMERAL)
    if interaction.fills_response:
        deferred = call.world.conversation.find(channel.id, interaction.response_id or 0)
        ephemeral = deferred.ephemeral if deferred else ephemeral
    place = Place(call.world.directory, channel, call.bot_id, ephemeral=ephemeral)
    draft = new_draft(place, body, call.uploads)
    message = call.world.interactions.follow_up(interaction, draft)
    return Answer(call.renderer.message(message, call.bot_id))


def get_message(call: Call) -> Answer:
    """A message of the interaction."""
    message = _message(call, _interaction(call))
    return Answer(call.renderer.message(message, call.bot_id))


def edit_message(call: Call) -> Answer:
    """Change a message of the interaction."""
    interaction = _interaction(call)
    message = _message(call, interaction)
    body = call.body(INTERACTION_MESSAGE)
    channel = call.world.directory.channel(interaction.channel_id)
    place = Place(call.world.directory, channel, call.bot_id, ephemeral=message.ephemeral)
    draft = edited_draft(place, message, body, call.uploads)
    edited = call.world.interactions.fill(interaction, message, draft)
    return Answer(call.renderer.message(edited, call.bot_id))


def delete_message(call: Call) -> Answer:
    """Take a message of the interaction away."""
    interaction = _interaction(call)
    call.world.interactions.delete(interaction, _message(call, interaction))
    return NO_CONTENT


def _interaction(call: Call) -> Interaction:
    return call.world.interactions.by_token(call.snowflake("application_id"), call.parts["token"])


def _message(call: Call, interaction: Interaction) -> Message:
    if call.parts["message_id"] == _ORIGINAL:
        return call.world.interactions.response(interaction)
    return call.world.interactions.message(interaction, call.snowflake("message_id"))


_WEBHOOK = "/webhooks/{application_id}/{token}"
_MESSAGE = _WEBHOOK + "/messages/{message_id}"

ROUTES = (
    Route("POST", _WEBHOOK, follow_up, by_token=True),
    Route("GET", _MESSAGE, get_message, by_token=True),
    Route("PATCH", _MESSAGE, edit_message, by_token=True),
    Route("DELETE", _MESSAGE, delete_message, by_token=True),
)
