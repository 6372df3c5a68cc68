"""What a learner fills into a modal and chooses in a select, checked as Discord's client does."""

from collections.abc import Mapping
from typing import Any, cast

from bot.playground.bodies.modals import fields_of
from bot.playground.errors import LearnerError
from bot.playground.wire import ComponentKind, Json

_MANY = (
    ComponentKind.STRING_SELECT,
    ComponentKind.USER_SELECT,
    ComponentKind.ROLE_SELECT,
    ComponentKind.MENTIONABLE_SELECT,
    ComponentKind.CHANNEL_SELECT,
    ComponentKind.CHECKBOX_GROUP,
)


def submitted(modal: Json, answers: Mapping[str, Any]) -> list[Json]:
    """The components of a modal with what was filled in."""
    known = {field["custom_id"] for field in fields_of(modal)}
    for custom_id in answers:
        if custom_id not in known:
            raise LearnerError(400, "unknown_field", f"没有字段 {custom_id} · No field {custom_id}")
    rendered: list[Json] = []
    for part in modal["components"]:
        told: Json = {"type": part["type"], "id": part["id"]}
        if "component" in part:
            told["component"] = _answered(part["component"], answers)
        elif "components" in part:
            told["components"] = [_answered(one, answers) for one in part["components"]]
        rendered.append(told)
    return rendered


def chosen(select: Json, values: object) -> list[str]:
    """The values chosen in a select, each once, within its bounds."""
    if not isinstance(values, list) or not all(
        isinstance(value, str) for value in cast("list[object]", values)
    ):
        raise _refusal(select, "的值应为文本列表", "takes a list of texts")
    texts = cast("list[str]", values)
    offered = [option["value"] for option in select.get("options", ())]
    if len(set(texts)) < len(texts) or (offered and not set(texts) <= set(offered)):
        raise _refusal(select, "只能选给出的值", "takes only the offered values")
    least, most = _bounds(select)
    if not least <= len(texts) <= most:
        raise _refusal(select, f"要选 {least}–{most} 项", f"takes {least}–{most} choices")
    return texts


def _bounds(select: Json) -> tuple[int, int]:
    is_group = select["type"] == ComponentKind.CHECKBOX_GROUP
    least = select.get("min_values", 1)
    most = select.get("max_values", len(select.get("options", ())) if is_group else 1)
    return (0 if select.get("required") is False else least), most


def _answered(field: Json, answers: Mapping[str, Any]) -> Json:
    told: Json = {"type": field["type"], "id": field["id"], "custom_id": field["custom_id"]}
    answer = answers.get(field["custom_id"])
    kind = field["type"]
    if kind in _MANY:
        return told | {"values": chosen(field, [] if answer is None else answer)}
    if kind == ComponentKind.CHECKBOX:
        return told | {"value": bool(answer)}
    if kind == ComponentKind.RADIO_GROUP:
        if answer is None and field.get("required") is False:
            return told | {"value": None}
        return told | {"value": chosen(field, [answer])[0]}
    return told | {"value": _written(field, answer)}


def _written(field: Json, answer: object) -> str:
    text = field.get("value", "") if answer is None else answer
    if not isinstance(text, str):
        raise _refusal(field, "应为文本", "takes text")
    required = field.get("required", True)
    least = field.get("min_length", 1 if required else 0)
    most = field.get("max_length", 4000)
    if (text or required) and not least <= len(text) <= most:
        raise _refusal(field, f"要 {least}–{most} 个字符", f"takes {least}–{most} characters")
    return text


def _refusal(field: Json, zh: str, en: str) -> LearnerError:
    name = field["custom_id"]
    return LearnerError(400, "invalid_field", f"字段 {name} {zh} · Field {name} {en}")
