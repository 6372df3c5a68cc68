"""Who the bot is, other users, and direct conversations."""

from bot.playground.bodies.channels import DIRECT_CHANNEL
from bot.playground.calls import Answer, Call, Route
from bot.playground.errors import ApiError, unknown


def own_user(call: Call) -> Answer:
    """The bot's user."""
    return Answer(call.renderer.own_user())


def own_application(call: Call) -> Answer:
    """The bot's application."""
    return Answer(call.renderer.application())


def gateway(call: Call) -> Answer:
    """Where the gateway is."""
    return Answer({"url": call.gateway_url})


def gateway_for_bots(call: Call) -> Answer:
    """Where the gateway is, and how many shards it wants."""
    limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
    return Answer({"url": call.gateway_url, "shards": 1, "session_start_limit": limit})


def get_user(call: Call) -> Answer:
    """Any user."""
    return Answer(call.renderer.user(call.world.directory.user(call.snowflake("user_id"))))


def open_direct_channel(call: Call) -> Answer:
    """The conversation with a user."""
    body = call.body(DIRECT_CHANNEL)
    directory = call.world.directory
    if body.recipient_id not in directory.users:
        raise unknown("User")
    user = directory.user(body.recipient_id)
    if user.bot:
        raise ApiError(400, 50007, "Cannot send messages to this user")
    return Answer(call.renderer.channel(directory.direct_channel(user)))


ROUTES = (
    Route("GET", "/users/@me", own_user),
    Route("POST", "/users/@me/channels", open_direct_channel),
    Route("GET", "/users/{user_id}", get_user),
    Route("GET", "/oauth2/applications/@me", own_application),
    Route("GET", "/applications/@me", own_application),
    Route("GET", "/gateway", gateway),
    Route("GET", "/gateway/bot", gateway_for_bots),
)
