"""The callback by which the bot answers an interaction."""

from typing import assert_never

from bot.playground.bodies.callbacks import (
    CALLBACK,
    ChoicesCallback,
    DeferredCallback,
    MessageCallback,
    ModalCallback,
)
from bot.playground.calls import NO_CONTENT, Answer, Call, Route
from bot.playground.drafts import Place, edited_draft, new_draft
from bot.playground.values import Interaction, Message
from bot.playground.wire import CallbackKind, MessageFlag

_CHOSEN = MessageFlag.EPHEMERAL | MessageFlag.SUPPRESS_NOTIFICATIONS


def acknowledge(call: Call) -> Answer:
    """Answer in time, once, and in a way that fits."""
    interactions = call.world.interactions
    interaction = interactions.to_acknowledge(call.snowflake("interaction_id"), call.parts["token"])
    callback = call.body(CALLBACK)
    kind = CallbackKind(callback.type)
    interactions.check_kind(interaction, kind)
    message: Message | None = None
    match callback:
        case MessageCallback():
            message = _message(call, interaction, callback)
        case DeferredCallback():
            message = _deferred(call, interaction, callback)
        case ChoicesCallback():
            choices = tuple(
                choice.model_dump(exclude_none=True) for choice in callback.data.choices
            )
            interactions.choose(interaction, choices)
        case ModalCallback():
            interactions.show_modal(interaction, callback.data.answer())
        case _:
            assert_never(callback)
    if not call.wants("with_response"):
        return NO_CONTENT
    return Answer(call.renderer.callback(interaction, kind, message))


def _message(call: Call, interaction: Interaction, callback: MessageCallback) -> Message:
    interactions = call.world.interactions
    channel = call.world.directory.channel(interaction.channel_id)
    if callback.type == CallbackKind.UPDATE:
        source = interactions.source(interaction)
        place = Place(call.world.directory, channel, call.bot_id, ephemeral=source.ephemeral)
        draft = edited_draft(place, source, callback.data, call.uploads)
        return interactions.update(interaction, draft)
    ephemeral = bool((callback.data.flags or 0) & MessageFlag.EPHEMERAL)
    place = Place(call.world.directory, channel, call.bot_id, ephemeral=ephemeral)
    return interactions.answer(interaction, new_draft(place, callback.data, call.uploads))


def _deferred(call: Call, interaction: Interaction, callback: DeferredCallback) -> Message | None:
    interactions = call.world.interactions
    if callback.type == CallbackKind.DEFERRED_UPDATE:
        return interactions.defer_update(interaction)
    flags = MessageFlag((callback.data and callback.data.flags) or 0) & _CHOSEN
    return interactions.defer(interaction, flags)


ROUTES = (
    Route(
        "POST",
        "/interactions/{interaction_id}/{token}/callback",
        acknowledge,
        by_token=True,
        limited=False,
    ),
)
