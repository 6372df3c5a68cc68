"""The bodies of interaction callbacks."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bot.playground.bodies.forms import Body
from bot.playground.bodies.messages import InteractionMessage
from bot.playground.bodies.modals import Modal

_LOCALIZED = dict[str, Annotated[str, Field(min_length=1, max_length=100)]]


class DeferredData(Body):
    """Whether the answer to come is ephemeral."""

    flags: int | None = None


class ChoiceBody(Body):
    """One completion."""

    name: str = Field(min_length=1, max_length=100)
    value: Annotated[str, Field(max_length=100)] | int | float
    name_localizations: _LOCALIZED | None = None


class ChoicesData(Body):
    """Up to 25 completions."""

    choices: list[ChoiceBody] = Field(max_length=25)


class MessageCallback(Body):
    """Types 4 and 7."""

    type: Literal[4, 7]
    data: InteractionMessage


class DeferredCallback(Body):
    """Types 5 and 6."""

    type: Literal[5, 6]
    data: DeferredData | None = None


class ChoicesCallback(Body):
    """Type 8."""

    type: Literal[8]
    data: ChoicesData


class ModalCallback(Body):
    """Type 9."""

    type: Literal[9]
    data: Modal


CALLBACK: TypeAdapter[MessageCallback | DeferredCallback | ChoicesCallback | ModalCallback] = (
    TypeAdapter(
        Annotated[
            MessageCallback | DeferredCallback | ChoicesCallback | ModalCallback,
            Field(discriminator="type"),
        ]
    )
)
