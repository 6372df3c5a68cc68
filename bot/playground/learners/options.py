"""From what a learner filled in to a command's options on the wire."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.playground.errors import LearnerError
from bot.playground.wire import Json, OptionKind

_NESTING = (OptionKind.SUB_COMMAND, OptionKind.SUB_COMMAND_GROUP)
_ENTITIES = (OptionKind.USER, OptionKind.CHANNEL, OptionKind.ROLE, OptionKind.MENTIONABLE)


@dataclass(frozen=True, slots=True)
class Leaf:
    """The command or subcommand that a name leads to: its options, and the way there."""

    options: tuple[Json, ...]
    path: tuple[Json, ...] = ()

    def wrapped(self, filled: list[Json]) -> list[Json]:
        """The filled options inside the subcommands that lead to them."""
        for step in reversed(self.path):
            filled = [{"type": step["type"], "name": step["name"], "options": filled}]
        return filled


@dataclass(frozen=True, slots=True)
class Filled:
    """Options as the wire carries them, and the entities that they name by id."""

    options: list[Json]
    entities: dict[int, OptionKind] = field(default_factory=dict[int, OptionKind])


def leaf_of(options: Iterable[Json], names: Iterable[str]) -> Leaf:
    """What ``names`` lead to below a command with ``options``."""
    present = tuple(options)
    path: list[Json] = []
    for name in names:
        step = next((one for one in present if one["name"] == name), None)
        if step is None or step["type"] not in _NESTING:
            raise LearnerError(404, "unknown_command", f"没有子命令 {name} · No subcommand {name}")
        path.append(step)
        present = tuple(step.get("options", ()))
    if any(option["type"] in _NESTING for option in present):
        offered = "、".join(option["name"] for option in present)
        raise LearnerError(
            400, "subcommand_needed", f"还要选子命令：{offered} · Choose a subcommand: {offered}"
        )
    return Leaf(present, tuple(path))


def fill(leaf: Leaf, values: Mapping[str, Any]) -> Filled:
    """All values checked as Discord's client does before it sends a command."""
    _refuse_unknown(leaf, values)
    filled = Filled([])
    for option in leaf.options:
        value = values.get(option["name"])
        if value is None or value == "":
            if option.get("required"):
                raise _refusal(option, "必填", "is required", code="missing_option")
            continue
        _put(filled, option, _converted(option, value))
    return filled


def fill_partly(leaf: Leaf, values: Mapping[str, Any], focused: str) -> Filled:
    """What is there while the learner still types in ``focused``, whose text goes as it is."""
    _refuse_unknown(leaf, [*values, focused])
    filled = Filled([])
    for option in leaf.options:
        value = values.get(option["name"])
        if option["name"] == focused:
            if not option.get("autocomplete"):
                raise _refusal(option, "没有补全", "has no completion", code="no_autocomplete")
            told = {"type": option["type"], "name": focused, "value": str(value or "")}
            filled.options.append(told | {"focused": True})
            continue
        if value is None or value == "":
            continue
        try:
            _put(filled, option, _converted(option, value))
        except LearnerError:
            continue  # what is not yet right is not sent
    return filled


def _put(filled: Filled, option: Json, value: str | float | bool) -> None:  # noqa: FBT001 -- the value of a boolean option
    filled.options.append({"type": option["type"], "name": option["name"], "value": value})
    if option["type"] in _ENTITIES:
        filled.entities[int(value)] = OptionKind(option["type"])


def _refuse_unknown(leaf: Leaf, names: Iterable[str]) -> None:
    known = {option["name"] for option in leaf.options}
    for name in names:
        if name not in known:
            raise LearnerError(400, "unknown_option", f"没有选项 {name} · No option {name}")


def _converted(option: Json, value: Any) -> str | float | bool:  # noqa: ANN401 -- any JSON value
    try:
        converted = _typed(OptionKind(option["type"]), value)
    except ValueError:
        raise _refusal(option, "的值类型不对", "has a value of the wrong kind") from None
    choices = option.get("choices")
    if choices and converted not in [choice["value"] for choice in choices]:
        raise _refusal(option, "只能选给出的值", "takes only the offered values")
    measure = len(converted) if isinstance(converted, str) else converted
    unit = "length" if isinstance(converted, str) else "value"
    least, most = option.get(f"min_{unit}"), option.get(f"max_{unit}")
    if (least is not None and measure < least) or (most is not None and measure > most):
        span = f"{'' if least is None else least}–{'' if most is None else most}"
        raise _refusal(option, f"超出范围 {span}", f"is outside {span}")
    return converted


def _typed(kind: OptionKind, value: Any) -> str | float | bool:  # noqa: ANN401 -- any JSON value
    match kind:
        case OptionKind.STRING:
            if isinstance(value, str):
                return value
        case OptionKind.INTEGER:
            if not isinstance(value, (bool, float)):
                return int(value)
        case OptionKind.NUMBER:
            if not isinstance(value, bool):
                return float(value)
        case OptionKind.BOOLEAN:
            if isinstance(value, bool):
                return value
            if str(value).lower() in ("true", "false"):
                return str(value).lower() == "true"
        case OptionKind.USER | OptionKind.CHANNEL | OptionKind.ROLE | OptionKind.MENTIONABLE:
            return str(int(value))
        case _:
            pass
    raise ValueError(value)


def _refusal(option: Json, zh: str, en: str, code: str = "invalid_option") -> LearnerError:
    name = option["name"]
    return LearnerError(400, code, f"选项 {name} {zh} · Option {name} {en}")
