"""Whom a text pings: what it names, less what `allowed_mentions` keeps out."""

import re
from dataclasses import dataclass

from bot.playground.values import Mentions
from bot.playground.wire import Snowflake

_CODE = re.compile(r"```.*?```|``.*?``|`[^`]*`", re.DOTALL)
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(everyone|here)\b")


@dataclass(frozen=True, slots=True)
class AllowedMentions:
    """What a message may ping; None for `users` or `roles` means all that the text names."""

    users: frozenset[int] | None = None
    roles: frozenset[int] | None = None
    everyone: bool = True
    replied_user: bool = True


def mentions_in(content: str, allowed: AllowedMentions) -> Mentions:
    """The users, roles and everyone that ``content`` names outside code and ``allowed`` lets by."""
    text = _CODE.sub("", content)
    return Mentions(
        users=_named(_USER, text, allowed.users),
        roles=_named(_ROLE, text, allowed.roles),
        everyone=allowed.everyone and _EVERYONE.search(text) is not None,
    )


def _named(
    pattern: re.Pattern[str], text: str, allowed: frozenset[int] | None
) -> tuple[Snowflake, ...]:
    found = dict.fromkeys(Snowflake(int(match)) for match in pattern.findall(text))
    return tuple(target for target in found if allowed is None or target in allowed)
