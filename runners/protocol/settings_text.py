"""The learner's settings: ``name=value …`` read and checked against an example's parameters."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from runners.protocol.catalogue import ParameterInfo, ParameterValue
from runners.protocol.words import Language

_PAIR = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*[=:：＝]\s*([^\s,，;；]+)\s*[,，;；]?")
_TRUE = frozenset({"true", "yes", "on", "1", "是", "开"})
_FALSE = frozenset({"false", "no", "off", "0", "否", "关"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a learner's settings, in both languages."""

    zh: str
    en: str

    def text(self, language: Language) -> str:
        """The fault in ``language``."""
        return self.zh if language == "zh" else self.en


def parse_settings(
    text: str, parameters: Sequence[ParameterInfo]
) -> dict[str, ParameterValue] | Fault:
    """The values that ``text`` sets, by name; what it does not name is left out.

    Pairs are separated by white space or commas, half or full width. Every value is checked
    for its kind and range; the first fault found is given back and says what is allowed.
    """
    known = {parameter.name: parameter for parameter in parameters}
    values: dict[str, ParameterValue] = {}
    at = 0
    text = text.strip()
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            rest = text[at : at + 40]
            return Fault(
                f"看不懂 `{_plain(rest)}`，请写成 `名字=值`，例如 `{_sample(parameters)}`。",
                f"cannot read `{_plain(rest)}`; write `name=value`, as in `{_sample(parameters)}`.",
            )
        name, raw = pair.group(1), pair.group(2)
        at = pair.end()
        parameter = known.get(name)
        if parameter is None:
            names = "、".join(f"`{each}`" for each in known)
            return Fault(
                f"没有 `{_plain(name)}` 这个参数，可用的有 {names}。",
                f"there is no parameter `{_plain(name)}`; there are {names.replace('、', ', ')}.",
            )
        if name in values:
            return Fault(f"`{name}` 写了两次。", f"`{name}` is given twice.")
        value = parse_value(raw, parameter)
        if isinstance(value, Fault):
            return value
        values[name] = value
    return values


def parse_value(raw: str, parameter: ParameterInfo) -> ParameterValue | Fault:
    """The value that ``raw`` stands for, or the fault that names what is allowed."""
    match parameter.kind:
        case "integer" | "number":
            value = _number(raw, whole=parameter.kind == "integer")
        case "flag":
            word = raw.casefold()
            value = True if word in _TRUE else False if word in _FALSE else None
        case "choice":
            value = raw if raw in parameter.choices else None
    if value is None or not _within(value, parameter):
        return Fault(
            f"`{parameter.name}={_plain(raw)}` 不行，允许的是 {allowed(parameter, 'zh')}。",
            f"`{parameter.name}={_plain(raw)}` is not allowed: {allowed(parameter, 'en')}.",
        )
    return value


def allowed(parameter: ParameterInfo, language: Language) -> str:
    """What a parameter may be, in words: a range, the choices, yes or no."""
    match parameter.kind:
        case "choice":
            return ("、" if language == "zh" else ", ").join(parameter.choices)
        case "flag":
            return "true / false"
        case "integer" | "number":
            kind = {
                ("integer", "zh"): "整数",
                ("integer", "en"): "a whole number",
                ("number", "zh"): "数",
                ("number", "en"): "a number",
            }[parameter.kind, language]
            digits = ".0f" if parameter.kind == "integer" else "g"
            low = "" if parameter.minimum is None else f"{parameter.minimum:{digits}}"
            high = "" if parameter.maximum is None else f"{parameter.maximum:{digits}}"
            if not low and not high:
                return kind
            return (
                f"{low} 到 {high} 的{kind}" if language == "zh" else f"{kind} from {low} to {high}"
            )


def _number(raw: str, *, whole: bool) -> int | float | None:
    try:
        value = int(raw) if whole else float(raw)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _within(value: ParameterValue, parameter: ParameterInfo) -> bool:
    if isinstance(value, str | bool):
        return True
    low = -math.inf if parameter.minimum is None else parameter.minimum
    high = math.inf if parameter.maximum is None else parameter.maximum
    return low <= value <= high


def _sample(parameters: Sequence[ParameterInfo]) -> str:
    return f"{parameters[0].name}={parameters[0].default}" if parameters else "epochs=2"


def _plain(text: str) -> str:
    return text.replace("`", "'")
