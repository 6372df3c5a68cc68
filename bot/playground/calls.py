"""A request of the bot and what is answered, apart from the socket they travel on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from pydantic import TypeAdapter

from bot.playground.bodies.forms import read
from bot.playground.drafts import Upload
from bot.playground.errors import FormError
from bot.playground.render import Renderer
from bot.playground.values import Channel
from bot.playground.wire import Json, Snowflake
from bot.playground.world import World

Form = TypeVar("Form")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON body; no body for 204."""

    body: Json | list[Json] | None = None
    status: int = 200


NO_CONTENT = Answer(status=204)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that came to a route: the parts of its path, its query, its body, its files."""

    world: World
    renderer: Renderer
    gateway_url: str
    parts: Mapping[str, str]
    query: Mapping[str, str]
    payload: Any
    uploads: tuple[Upload, ...] = ()

    def body(self, form: TypeAdapter[Form]) -> Form:
        """The body in the form asked for, or 400/50035."""
        return read(form, self.payload)

    def snowflake(self, part: str) -> Snowflake:
        """An id in the path, or 400/50035."""
        return Snowflake(_number(part, self.parts[part]))

    def asked(self, name: str) -> int | None:
        """A number of the query; None where it is absent."""
        text = self.query.get(name)
        return None if text is None else _number(name, text)

    def wants(self, name: str) -> bool:
        """Whether the query says yes to ``name``."""
        return self.query.get(name, "").lower() in ("1", "true")

    @property
    def channel(self) -> Channel:
        """The channel of the path, which the bot must see."""
        channel = self.world.directory.channel(self.snowflake("channel_id"))
        self.world.directory.require(self.bot_id, channel)
        return channel

    @property
    def bot_id(self) -> Snowflake:
        """Who is asking."""
        return self.world.directory.bot.id


Handler: TypeAlias = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path below the API's root; without ``by_token`` a bot token is needed.

    ``limited`` is False where Discord counts nothing.
    """

    method: str
    template: str
    handler: Handler
    by_token: bool = False
    limited: bool = True


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise FormError.at(name, "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')
    return int(text)
