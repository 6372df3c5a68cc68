"""Modals."""

from collections.abc import Iterator
from itertools import count
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from bot.playground.bodies.components import CustomId, EntitySelect, StringSelect, TextDisplay
from bot.playground.bodies.forms import Body, broken
from bot.playground.wire import Json

_TOP_LEVEL = 5


class TextInput(Body):
    """A field to write in; `label` only outside a label component."""

    type: Literal[4]
    id: int | None = Field(None, ge=0)
    custom_id: CustomId
    style: Literal[1, 2]
    label: str | None = Field(None, min_length=1, max_length=45)
    value: str | None = Field(None, max_length=4000)
    placeholder: str | None = Field(None, max_length=100)
    required: bool | None = None
    min_length: int | None = Field(None, ge=0, le=4000)
    max_length: int | None = Field(None, ge=1, le=4000)

    @model_validator(mode="after")
    def _range(self) -> "TextInput":
        if self.min_length and self.max_length and self.min_length > self.max_length:
            raise broken("TEXT_INPUT_RANGE_INVALID", "min_length is above max_length")
        return self


class GroupOption(Body):
    """An option of a radio or checkbox group."""

    label: str = Field(min_length=1, max_length=100)
    value: str = Field(min_length=1, max_length=100)
    description: str | None = Field(None, max_length=100)
    default: bool | None = None


class RadioGroup(Body):
    """One of two to ten."""

    type: Literal[21]
    id: int | None = Field(None, ge=0)
    custom_id: CustomId
    required: bool | None = None
    options: list[GroupOption] = Field(min_length=2, max_length=10)


class CheckboxGroup(Body):
    """Some of up to ten."""

    type: Literal[22]
    id: int | None = Field(None, ge=0)
    custom_id: CustomId
    min_values: int | None = Field(None, ge=0, le=10)
    max_values: int | None = Field(None, ge=1, le=10)
    required: bool | None = None
    options: list[GroupOption] = Field(min_length=1, max_length=10)


class Checkbox(Body):
    """Yes or no."""

    type: Literal[23]
    id: int | None = Field(None, ge=0)
    custom_id: CustomId
    default: bool | None = None


class Label(Body):
    """A title above one field."""

    type: Literal[18]
    id: int | None = Field(None, ge=0)
    label: str = Field(min_length=1, max_length=45)
    description: str | None = Field(None, min_length=1, max_length=100)
    component: Annotated[
        TextInput | StringSelect | EntitySelect | RadioGroup | CheckboxGroup | Checkbox,
        Field(discriminator="type"),
    ]

    @model_validator(mode="after")
    def _one_label(self) -> "Label":
        if isinstance(self.component, TextInput) and self.component.label is not None:
            raise broken("LABEL_DUPLICATED", "A text input inside a label has no label of its own")
        return self


class TextRow(Body):
    """The older form: one text input in a row."""

    type: Literal[1]
    id: int | None = Field(None, ge=0)
    components: list[TextInput] = Field(min_length=1, max_length=1)

    @model_validator(mode="after")
    def _labelled(self) -> "TextRow":
        if self.components[0].label is None:
            raise broken("BASE_TYPE_REQUIRED", "A text input in a row needs a label")
        return self


ModalPart: TypeAlias = Annotated[TextRow | Label | TextDisplay, Field(discriminator="type")]


class Modal(Body):
    """A form that opens before the learner."""

    custom_id: CustomId
    title: str = Field(min_length=1, max_length=45)
    components: list[ModalPart] = Field(min_length=1, max_length=_TOP_LEVEL)

    @model_validator(mode="after")
    def _unique(self) -> "Modal":
        custom_ids = [field["custom_id"] for field in fields_of(self.answer())]
        if len(set(custom_ids)) < len(custom_ids):
            raise broken("COMPONENT_CUSTOM_ID_DUPLICATED", "custom ids cannot be duplicated")
        return self

    def answer(self) -> Json:
        """The modal as the learner's client gets it, each component numbered."""
        modal = self.model_dump(exclude_none=True)
        numbers = count(1)
        for part in modal["components"]:
            _number(part, numbers)
        return modal


def fields_of(modal: Json) -> Iterator[Json]:
    """The components of a modal that are filled in."""
    for part in modal["components"]:
        inner = part.get("components") or [part.get("component")]
        yield from (field for field in inner if field is not None)


def _number(part: Json, numbers: Iterator[int]) -> None:
    part.setdefault("id", next(numbers))
    for inner in (*part.get("components", ()), part.get("component")):
        if inner is not None:
            _number(inner, numbers)
