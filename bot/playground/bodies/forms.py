"""Request bodies and how Discord says what is wrong with one."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from bot.playground.errors import FormError
from bot.playground.wire import Json

Form = TypeVar("Form")


class Body(BaseModel):
    """A JSON object of a request; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _snowflake(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


SnowflakeField = Annotated[int, BeforeValidator(_snowflake)]
"""An id, written as a number or as text."""


def read(form: TypeAdapter[Form], raw: object) -> Form:
    """The body ``raw`` in the form asked for, or `FormError`."""
    try:
        return form.validate_python(raw)
    except ValidationError as error:
        raise FormError(_nested(error.errors(include_url=False), raw)) from None


def broken(code: str, message: str) -> PydanticCustomError:
    """What a validator raises for a rule of Discord's that no type expresses."""
    return PydanticCustomError(code, "{text}", {"text": message})  # pyright: ignore[reportArgumentType] -- Discord's codes are not known in advance


_CODES = {
    "missing": "BASE_TYPE_REQUIRED",
    "string_too_long": "BASE_TYPE_MAX_LENGTH",
    "too_long": "BASE_TYPE_MAX_LENGTH",
    "string_too_short": "BASE_TYPE_MIN_LENGTH",
    "too_short": "BASE_TYPE_MIN_LENGTH",
    "less_than_equal": "NUMBER_TYPE_MAX",
    "greater_than_equal": "NUMBER_TYPE_MIN",
    "literal_error": "BASE_TYPE_CHOICES",
    "enum": "BASE_TYPE_CHOICES",
    "union_tag_invalid": "UNION_TYPE_CHOICES",
    "union_tag_not_found": "BASE_TYPE_REQUIRED",
    "string_pattern_mismatch": "STRING_TYPE_REGEX",
    "string_type": "STRING_TYPE_CONVERT",
    "int_type": "NUMBER_TYPE_COERCE",
    "bool_type": "BOOLEAN_TYPE_CONVERT",
    "list_type": "LIST_TYPE_CONVERT",
    "dict_type": "DICT_TYPE_CONVERT",
    "model_type": "MODEL_TYPE_CONVERT",
    "extra_forbidden": "UNKNOWN_FIELD",
}

_MESSAGES = {
    "missing": "This field is required",
    "string_too_long": "Must be {max_length} or fewer in length.",
    "too_long": "Must be {max_length} or fewer in length.",
    "string_too_short": "Must be {min_length} or more in length.",
    "too_short": "Must be {min_length} or more in length.",
    "less_than_equal": "Value should be less than or equal to {le}.",
    "greater_than_equal": "Value should be greater than or equal to {ge}.",
    "extra_forbidden": "Unknown field",
}


def _nested(errors: list[ErrorDetails], raw: object) -> Json:
    nested: Json = {}
    for error in errors:
        kind = error["type"]
        code = _CODES.get(kind) or (kind if kind.isupper() else "BASE_TYPE_BAD_VALUE")
        template = _MESSAGES.get(kind)
        message = template.format(**error.get("ctx", {})) if template else error["msg"]
        place = nested
        for part in _path(error["loc"], raw):
            place = place.setdefault(part, {})
        place.setdefault("_errors", []).append({"code": code, "message": message})
    return nested


def _path(location: tuple[int | str, ...], raw: Any) -> list[str]:  # noqa: ANN401 -- any JSON value
    """The error's place without the tags of unions: numbers that index no list."""
    path: list[str] = []
    for part in location:
        if isinstance(part, int) and not isinstance(raw, list):
            continue
        path.append(str(part))
        if isinstance(raw, Mapping):
            raw = raw.get(part)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] -- any JSON value
        elif isinstance(raw, list) and isinstance(part, int) and part < len(raw):  # pyright: ignore[reportUnknownArgumentType] -- any JSON value
            raw = raw[part]  # pyright: ignore[reportUnknownVariableType] -- any JSON value
        else:
            raw = None
    return path
