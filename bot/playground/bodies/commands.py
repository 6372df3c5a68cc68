"""Command registrations."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from bot.playground.bodies.forms import Body, SnowflakeField, broken
from bot.playground.commands import CommandDraft
from bot.playground.wire import CommandKind, InteractionContext, Json, OptionKind

_IN_ALL = 8000
"""Characters of names, descriptions and choice values over a whole command."""

# fmt: off
_LOCALES = frozenset((
    "id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu",
    "nl", "no", "pl", "pt-BR", "ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk",
    "hi", "th", "zh-CN", "ja", "zh-TW", "ko",
))
# fmt: on
_MARKED_SCRIPTS = ("DEVANAGARI", "THAI")


def _well_named(name: str) -> str:
    if not all(_fits(character) for character in name):
        raise broken(
            "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid: letters, digits, - and _"
        )
    if name != name.lower():
        raise broken("APPLICATION_COMMAND_INVALID_NAME", "Command name must be lower case")
    return name


def _fits(character: str) -> bool:
    if character in "-_'":
        return True
    category = unicodedata.category(character)
    return category[0] in "LN" or (
        category[0] == "M" and unicodedata.name(character, "").startswith(_MARKED_SCRIPTS)
    )


def _known_locales(localized: dict[str, str]) -> dict[str, str]:
    for locale in localized:
        if locale not in _LOCALES:
            raise broken("BASE_TYPE_CHOICES", f"{locale} is no locale of Discord's")
    return localized


Name = Annotated[str, Field(min_length=1, max_length=32), AfterValidator(_well_named)]
Description = Annotated[str, Field(min_length=1, max_length=100)]
Names = Annotated[dict[str, Name], AfterValidator(_known_locales)]
FreeNames = Annotated[
    dict[str, Annotated[str, Field(min_length=1, max_length=100)]], AfterValidator(_known_locales)
]
Descriptions = Annotated[dict[str, Description], AfterValidator(_known_locales)]


class OptionChoice(Body):
    """A fixed value of an option."""

    name: str = Field(min_length=1, max_length=100)
    name_localizations: FreeNames | None = None
    value: str | int | float


class Option(Body):
    """A parameter of a command, a subcommand, or a group of them."""

    type: int = Field(ge=1, le=11)
    name: Name
    name_localizations: Names | None = None
    description: Description
    description_localizations: Descriptions | None = None
    required: bool | None = None
    choices: list[OptionChoice] | None = Field(None, max_length=25)
    options: "list[Option] | None" = Field(None, max_length=25)
    channel_types: list[int] | None = None
    min_value: int | float | None = None
    max_value: int | float | None = None
    min_length: int | None = Field(None, ge=0, le=6000)
    max_length: int | None = Field(None, ge=1, le=6000)
    autocomplete: bool | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Option":
        if self.autocomplete and self.choices:
            raise broken(
                "APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE",
                "choices and autocomplete exclude each other",
            )
        names = [choice.name for choice in self.choices or ()]
        if len(set(names)) < len(names):
            raise broken("APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_DUPLICATED", "Names repeat")
        _check_choice_types(self)
        _check_ranges(self)
        if self.type in (OptionKind.SUB_COMMAND, OptionKind.SUB_COMMAND_GROUP):
            _check_nesting(self)
        elif self.options:
            raise broken(
                "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Only subcommands hold options"
            )
        return self

    def answer(self) -> Json:
        """The option as it comes back."""
        rendered = self.model_dump(exclude_none=True, exclude={"options"})
        if self.options is not None:
            rendered["options"] = [option.answer() for option in self.options]
        return rendered

    @property
    def length(self) -> int:
        """Characters that count against the command's limit."""
        return (
            _longest(self.name, self.name_localizations)
            + _longest(self.description, self.description_localizations)
            + sum(
                _longest(choice.name, choice.name_localizations) + len(str(choice.value))
                for choice in self.choices or ()
            )
            + sum(option.length for option in self.options or ())
        )


class CommandBody(Body):
    """A command of the application."""

    name: str = Field(min_length=1, max_length=32)
    type: Literal[1, 2, 3] | None = 1
    description: str | None = Field(None, max_length=100)
    name_localizations: Names | None = None
    description_localizations: Descriptions | None = None
    options: list[Option] | None = Field(None, max_length=25)
    default_member_permissions: SnowflakeField | None = None
    dm_permission: bool | None = None
    contexts: list[Literal[0, 1, 2]] | None = Field(None, min_length=1)
    integration_types: list[Literal[0, 1]] | None = Field(None, min_length=1)
    nsfw: bool | None = None
    id: SnowflakeField | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "CommandBody":
        if self.type in (None, CommandKind.CHAT_INPUT):
            _well_named(self.name)
            if not self.description:
                raise broken("BASE_TYPE_REQUIRED", "A slash command needs a description")
            check_options(self.options or ())
        elif self.options or self.description:
            raise broken("APPLICATION_COMMAND_INVALID", "Only slash commands have these")
        length = (
            _longest(self.name, self.name_localizations)
            + _longest(self.description or "", self.description_localizations)
            + sum(option.length for option in self.options or ())
        )
        if length > _IN_ALL:
            raise broken("APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds {_IN_ALL} characters")
        return self

    def draft(self) -> CommandDraft:
        """What the world registers."""
        contexts = self.contexts
        if contexts is None and self.dm_permission is False:
            contexts = [InteractionContext.GUILD.value]
        return CommandDraft(
            kind=CommandKind(self.type or CommandKind.CHAT_INPUT),
            name=self.name,
            description=self.description or "",
            name_localizations=self.name_localizations,
            description_localizations=self.description_localizations,
            options=tuple(option.answer() for option in self.options or ()),
            default_member_permissions=self.default_member_permissions,
            contexts=tuple(contexts) if contexts is not None else None,
            integration_types=tuple(self.integration_types or (0,)),
            nsfw=bool(self.nsfw),
        )


def check_options(options: Sequence[Option]) -> None:
    """Raise where the options do not go together."""
    names = [option.name for option in options]
    if len(set(names)) < len(names):
        raise broken("APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATED", "Option names repeat")
    subcommands = [
        option.type in (OptionKind.SUB_COMMAND, OptionKind.SUB_COMMAND_GROUP) for option in options
    ]
    if any(subcommands) and not all(subcommands):
        raise broken(
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
            "Sub-command and sub-command group option types are mutually exclusive to all others",
        )
    required = [bool(option.required) for option in options]
    if required != sorted(required, reverse=True):
        raise broken(
            "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
            "Required options must be placed before non-required options",
        )


def _check_nesting(option: Option) -> None:
    inner = option.options or ()
    if option.required is not None and option.required:
        raise broken("APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "A subcommand is not required")
    is_group = option.type == OptionKind.SUB_COMMAND_GROUP
    for one in inner:
        nested = one.type == OptionKind.SUB_COMMAND
        if nested is not is_group or one.type == OptionKind.SUB_COMMAND_GROUP:
            raise broken("APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Nested too deep or wrongly")
    check_options(inner)


def _check_choice_types(option: Option) -> None:
    expected: dict[int, tuple[type, ...]] = {
        OptionKind.STRING: (str,),
        OptionKind.INTEGER: (int,),
        OptionKind.NUMBER: (int, float),
    }
    if option.type not in expected:
        if option.choices or option.autocomplete:
            raise broken("APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "This type has no choices")
        return
    for choice in option.choices or ():
        if not isinstance(choice.value, expected[option.type]):
            raise broken("APPLICATION_COMMAND_OPTIONS_VALUE_INVALID", "Choice of another type")


def _check_ranges(option: Option) -> None:
    numeric = option.type in (OptionKind.INTEGER, OptionKind.NUMBER)
    if (option.min_value is not None or option.max_value is not None) and not numeric:
        raise broken("APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Only numbers have bounds")
    if option.type == OptionKind.INTEGER and (
        isinstance(option.min_value, float) or isinstance(option.max_value, float)
    ):
        raise broken("NUMBER_TYPE_COERCE", "An integer's bounds are integers")
    for least, most in (
        (option.min_value, option.max_value),
        (option.min_length, option.max_length),
    ):
        if least is not None and most is not None and least > most:
            raise broken("APPLICATION_COMMAND_OPTIONS_RANGE_INVALID", "min is above max")


def _longest(text: str, localized: dict[str, str] | None) -> int:
    return max(map(len, _all(text, localized)))


def _all(text: str, localized: dict[str, str] | None) -> Iterable[str]:
    return (text, *(localized or {}).values())


def _distinct(commands: list[CommandBody]) -> list[CommandBody]:
    names = [(command.type or 1, command.name) for command in commands]
    if len(set(names)) < len(names):
        raise broken("APPLICATION_COMMANDS_DUPLICATE_NAME", "Command names repeat")
    return commands


COMMAND = TypeAdapter(CommandBody)
CHANGES: TypeAdapter[Json] = TypeAdapter(Json)
COMMANDS: TypeAdapter[list[CommandBody]] = TypeAdapter(
    Annotated[list[CommandBody], Field(max_length=130), AfterValidator(_distinct)]
)
