"""Components of messages: rows of buttons and selects, and the second version's layout."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bot.playground.bodies.forms import Body, SnowflakeField, broken
from bot.playground.errors import FormError
from bot.playground.wire import ButtonStyle, ComponentKind, Json

_ROWS = 5
_IN_ALL = 40
_TEXT_IN_ALL = 4000

CustomId = Annotated[str, Field(min_length=1, max_length=100)]


class Emoji(Body):
    """A unicode emoji by its character."""

    name: str = Field(min_length=1, max_length=32)
    id: SnowflakeField | None = None
    animated: bool | None = None


class Part(Body):
    """A component; the answer gives each a number of its own."""

    id: int | None = Field(None, ge=0)

    def inner(self) -> Iterable["Part"]:
        """The components inside."""
        return ()

    def answer(self, numbers: Iterator[int]) -> Json:
        """The component as it comes back."""
        return self.model_dump(exclude_none=True) | {"id": self.id or next(numbers)}


class Button(Part):
    """A button: custom_id for an act, url for a link."""

    type: Literal[2]
    style: Literal[1, 2, 3, 4, 5]
    label: str | None = Field(None, max_length=80)
    emoji: Emoji | None = None
    custom_id: CustomId | None = None
    url: str | None = Field(None, max_length=512, pattern=r"^(https?|discord)://.+")
    disabled: bool | None = None

    @model_validator(mode="after")
    def _one_target(self) -> "Button":
        if self.style == ButtonStyle.LINK:
            if self.url is None:
                raise broken("BASE_TYPE_REQUIRED", "A link button needs a url")
            if self.custom_id is not None:
                raise broken(
                    "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
                    "A custom id and url cannot both be specified",
                )
        elif self.custom_id is None:
            raise broken("BASE_TYPE_REQUIRED", "A button needs a custom_id")
        elif self.url is not None:
            raise broken(
                "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
                "A custom id and url cannot both be specified",
            )
        if not self.label and self.emoji is None:
            raise broken("BUTTON_COMPONENT_INVALID_EMPTY", "A button needs a label or an emoji")
        return self


class Choice(Body):
    """An option of a select."""

    label: str = Field(min_length=1, max_length=100)
    value: str = Field(min_length=1, max_length=100)
    description: str | None = Field(None, max_length=100)
    emoji: Emoji | None = None
    default: bool | None = None


class Select(Part):
    """What all selects share."""

    custom_id: CustomId
    placeholder: str | None = Field(None, max_length=150)
    min_values: int | None = Field(1, ge=0, le=25)
    max_values: int | None = Field(1, ge=1, le=25)
    disabled: bool | None = None
    required: bool | None = None

    @model_validator(mode="after")
    def _range(self) -> "Select":
        if (1 if self.min_values is None else self.min_values) > (self.max_values or 1):
            raise broken("SELECT_COMPONENT_RANGE_INVALID", "min_values is above max_values")
        return self

    def answer(self, numbers: Iterator[int]) -> Json:
        """The select as it comes back; only modals know `required`."""
        answer = super().answer(numbers)
        answer.pop("required", None)
        return answer


class StringSelect(Select):
    """A select with options of its own."""

    type: Literal[3]
    options: list[Choice] = Field(min_length=1, max_length=25)

    @model_validator(mode="after")
    def _options(self) -> "StringSelect":
        values = [option.value for option in self.options]
        if len(set(values)) < len(values):
            raise broken("SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "Option values repeat")
        most = self.max_values or 1
        if most > len(values):
            raise broken("SELECT_COMPONENT_MAX_VALUES", "max_values is above the options")
        if sum(bool(option.default) for option in self.options) > most:
            raise broken("SELECT_COMPONENT_TOO_MANY_DEFAULTS", "More defaults than max_values")
        return self


class DefaultValue(Body):
    """A value that a select of users, roles or channels starts with."""

    id: SnowflakeField
    type: Literal["user", "role", "channel"]


class EntitySelect(Select):
    """A select of users, roles, both, or channels."""

    type: Literal[5, 6, 7, 8]
    default_values: list[DefaultValue] | None = Field(None, max_length=25)
    channel_types: list[int] | None = None


class ActionRow(Part):
    """A row of up to five buttons or of one select."""

    type: Literal[1]
    components: list[Annotated[Button | StringSelect | EntitySelect, Field(discriminator="type")]]

    @model_validator(mode="after")
    def _width(self) -> "ActionRow":
        selects = sum(isinstance(part, Select) for part in self.components)
        if not self.components:
            raise broken("BASE_TYPE_MIN_LENGTH", "A row needs a component")
        if len(self.components) > _ROWS or (selects and len(self.components) > 1):
            raise broken("COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The row is wider than 5")
        return self

    def inner(self) -> Iterable[Part]:
        """The buttons, or the select."""
        return self.components

    def answer(self, numbers: Iterator[int]) -> Json:
        """The row as it comes back."""
        own = self.id or next(numbers)
        return {
            "type": 1,
            "id": own,
            "components": [one.answer(numbers) for one in self.components],
        }


class TextDisplay(Part):
    """Markdown text."""

    type: Literal[10]
    content: str = Field(min_length=1, max_length=_TEXT_IN_ALL)


class Media(Body):
    """Where a picture or file is."""

    url: str = Field(max_length=2048, pattern=r"^(https?|attachment)://.+")

    def answer(self, numbers: Iterator[int]) -> Json:
        """The media as it comes back."""
        return {"id": str(next(numbers)), "url": self.url}


class Thumbnail(Part):
    """A small picture beside a section."""

    type: Literal[11]
    media: Media
    description: str | None = Field(None, min_length=1, max_length=1024)
    spoiler: bool | None = None

    def answer(self, numbers: Iterator[int]) -> Json:
        """The thumbnail as it comes back."""
        return {
            "type": 11,
            "id": self.id or next(numbers),
            "media": self.media.answer(numbers),
            "description": self.description,
            "spoiler": bool(self.spoiler),
        }


class Section(Part):
    """Text with a button or a picture beside it."""

    type: Literal[9]
    components: list[TextDisplay] = Field(min_length=1, max_length=3)
    accessory: Annotated[Button | Thumbnail, Field(discriminator="type")]

    def inner(self) -> Iterable[Part]:
        """The texts and what stands beside them."""
        return (*self.components, self.accessory)

    def answer(self, numbers: Iterator[int]) -> Json:
        """The section as it comes back."""
        return {
            "type": 9,
            "id": self.id or next(numbers),
            "components": [one.answer(numbers) for one in self.components],
            "accessory": self.accessory.answer(numbers),
        }


class GalleryItem(Body):
    """A picture of a gallery."""

    media: Media
    description: str | None = Field(None, min_length=1, max_length=1024)
    spoiler: bool | None = None


class MediaGallery(Part):
    """Up to ten pictures."""

    type: Literal[12]
    items: list[GalleryItem] = Field(min_length=1, max_length=10)

    def answer(self, numbers: Iterator[int]) -> Json:
        """The gallery as it comes back."""
        own = self.id or next(numbers)
        items = [
            {
                "media": item.media.answer(numbers),
                "description": item.description,
                "spoiler": bool(item.spoiler),
            }
            for item in self.items
        ]
        return {"type": 12, "id": own, "items": items}


class File(Part):
    """An attached file."""

    type: Literal[13]
    file: Media
    spoiler: bool | None = None

    def answer(self, numbers: Iterator[int]) -> Json:
        """The file as it comes back."""
        return {
            "type": 13,
            "id": self.id or next(numbers),
            "file": self.file.answer(numbers),
            "name": self.file.url.rpartition("/")[2],
            "size": None,
            "spoiler": bool(self.spoiler),
        }


class Separator(Part):
    """Space, with a line or without."""

    type: Literal[14]
    divider: bool | None = True
    spacing: Literal[1, 2] | None = 1


InContainer = Annotated[
    ActionRow | Section | TextDisplay | MediaGallery | File | Separator,
    Field(discriminator="type"),
]


class Container(Part):
    """A box with an accent colour."""

    type: Literal[17]
    components: list[InContainer] = Field(min_length=1, max_length=_IN_ALL)
    accent_color: int | None = Field(None, ge=0, le=0xFFFFFF)
    spoiler: bool | None = None

    def inner(self) -> Iterable[Part]:
        """What is in the box."""
        return self.components

    def answer(self, numbers: Iterator[int]) -> Json:
        """The box as it comes back."""
        return {
            "type": 17,
            "id": self.id or next(numbers),
            "components": [one.answer(numbers) for one in self.components],
            "accent_color": self.accent_color,
            "spoiler": bool(self.spoiler),
        }


TopLevel = Annotated[
    ActionRow | Section | TextDisplay | MediaGallery | File | Separator | Container,
    Field(discriminator="type"),
]


def answered(parts: Iterable[Part]) -> tuple[Json, ...]:
    """The components as they come back, numbered."""
    numbers = count(1)
    return tuple(part.answer(numbers) for part in parts)


def check_components(parts: Sequence[TopLevel], *, second_version: bool) -> None:
    """Raise where the layout as a whole breaks a rule."""
    every = list(_flat(parts))
    custom_ids = [
        custom_id for part in every if (custom_id := getattr(part, "custom_id", None)) is not None
    ]
    if len(set(custom_ids)) < len(custom_ids):
        raise FormError.at(
            "components",
            "COMPONENT_CUSTOM_ID_DUPLICATED",
            "Component custom id cannot be duplicated",
        )
    if not second_version:
        if any(part.type != ComponentKind.ACTION_ROW for part in parts):
            raise FormError.at(
                "components", "UNION_TYPE_CHOICES", "Only action rows without IS_COMPONENTS_V2"
            )
        if len(parts) > _ROWS:
            raise FormError.at(
                "components", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {_ROWS} in length."
            )
        return
    if len(every) > _IN_ALL:
        raise FormError.at(
            "components",
            "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
            f"More than {_IN_ALL} components",
        )
    texts = [part.content for part in every if isinstance(part, TextDisplay)]
    if sum(len(text) for text in texts) > _TEXT_IN_ALL:
        raise FormError.at(
            "components",
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
            f"Total text is longer than {_TEXT_IN_ALL}",
        )


def _flat(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        yield part
        yield from _flat(part.inner())
