"""What `/run` offers while a learner types: examples, then the settings of the chosen one."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.buttons import shorten
from bot.rendering.runs import written_value
from knowledge.language import Bilingual, Language
from runners.protocol.catalogue import ExampleInfo, ParameterInfo, ParameterValue
from runners.protocol.settings_text import Fault, allowed, parse_settings

CHOICES = 25
CHOICE_LIMIT = 100

_TAIL = re.compile(r"(?P<name>[^\s,，;；=:：＝]*)(?P<pair>\s*[=:：＝]\s*(?P<value>[^\s,，;；]*))?$")
"""The pair, or the name, that the typed text ends with; it may be empty."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One line to choose: what it says and what it stands for, at most 100 characters each."""

    name: str
    value: str


def complete_example(
    typed: str, examples: Iterable[ExampleInfo], language: Language
) -> tuple[Proposal, ...]:
    """The examples whose id or titles hold every word typed; those that cannot run come last."""
    words = typed.casefold().split()
    found = [example for example in examples if _holds(example, words)]
    found.sort(key=lambda example: not example.available)
    return tuple(
        Proposal(_example_line(example, language), example.id)
        for example in found
        if len(example.id) <= CHOICE_LIMIT
    )[:CHOICES]


def complete_settings(
    typed: str, parameters: Sequence[ParameterInfo], language: Language
) -> tuple[Proposal, ...]:
    """How the settings typed so far can go on; a value is always the whole text.

    Behind ``name=`` values are proposed, else the parameters that are not set yet. What is
    wrong already is said in words instead.
    """
    tail = next(_TAIL.finditer(typed))
    before = typed[: tail.start()]
    given = parse_settings(before, parameters)
    if isinstance(given, Fault):
        return _fitting([_faulty(given, typed, language)])
    free = [parameter for parameter in parameters if parameter.name not in given]
    free.sort(key=lambda parameter: parameter.name == "seed")
    if tail["pair"] is None:
        finished = given and not tail["name"]
        return _fitting(
            (
                *([_as_typed(typed.rstrip(" ,，;；"), language)] if finished else []),
                *_names(before, tail["name"], free, language),
            )
        )
    return _fitting(_after_name(typed, tail, free, parameters, language))


def _after_name(
    typed: str,
    tail: re.Match[str],
    free: Sequence[ParameterInfo],
    parameters: Sequence[ParameterInfo],
    language: Language,
) -> Iterator[Proposal]:
    parameter = next((each for each in free if each.name == tail["name"]), None)
    values = _values(parameter, tail["value"]) if parameter else []
    whole = parse_settings(typed, parameters)
    if not isinstance(whole, Fault):
        yield _as_typed(typed, language)
    elif not values:
        yield _faulty(whole, typed, language)
    before = typed[: tail.start()]
    if parameter:
        for value in values:
            line = _value_line(parameter, value, language)
            yield Proposal(line, f"{before}{parameter.name}={value}")
    if not isinstance(whole, Fault):
        rest = [each for each in free if each is not parameter]
        yield from _names(f"{typed} ", "", rest, language)


def _holds(example: ExampleInfo, words: Iterable[str]) -> bool:
    text = f"{example.id} {example.title.zh} {example.title.en}".casefold()
    return all(word in text for word in words)


def _example_line(example: ExampleInfo, language: Language) -> str:
    mark = "" if example.available else f"⚠️ {_UNAVAILABLE.text(language)} "
    return shorten(f"{mark}{example.title.text(language.value)} · {example.id}", CHOICE_LIMIT)


def _names(
    before: str, prefix: str, parameters: Iterable[ParameterInfo], language: Language
) -> tuple[Proposal, ...]:
    wanted = prefix.casefold()
    return tuple(
        Proposal(_parameter_line(parameter, language), f"{before}{parameter.name}=")
        for parameter in parameters
        if wanted in parameter.name.casefold()
        or wanted in parameter.description.text(language.value).casefold()
    )


def _parameter_line(parameter: ParameterInfo, language: Language) -> str:
    words = (
        parameter.description.text(language.value),
        allowed(parameter, language.value),
        f"{_DEFAULT.text(language)} {written_value(parameter.default)}",
    )
    return f"{parameter.name}=  {' · '.join(words)}"


def _value_line(parameter: ParameterInfo, value: str, language: Language) -> str:
    mark = f" · {_DEFAULT.text(language)}" if value == written_value(parameter.default) else ""
    return f"{parameter.name}={value}{mark} · {allowed(parameter, language.value)}"


def _values(parameter: ParameterInfo, prefix: str) -> list[str]:
    """Values to choose, the default first; those that go on from ``prefix`` but are not it."""
    found = dict.fromkeys(
        written_value(value) for value in (parameter.default, *_some_values(parameter))
    )
    return [value for value in found if value.startswith(prefix) and value != prefix]


def _some_values(parameter: ParameterInfo) -> Iterator[ParameterValue]:
    """Values worth trying: all choices, or half, double and the ends of a range."""
    match parameter.kind:
        case "choice":
            yield from parameter.choices
        case "flag":
            yield from (True, False)
        case "integer" | "number":
            whole = parameter.kind == "integer"
            low, high = parameter.minimum, parameter.maximum
            default = float(parameter.default)
            tried = {low, high, default // 2 if whole else default / 2, default * 2}
            for value in sorted(value for value in tried if value is not None):
                if (low is None or value >= low) and (high is None or value <= high):
                    yield int(value) if whole else value


def _as_typed(typed: str, language: Language) -> Proposal:
    return Proposal(f"{_RUN_WITH.text(language)} {typed}", typed)


def _faulty(fault: Fault, typed: str, language: Language) -> Proposal:
    return Proposal(f"⚠️ {fault.text(language.value).replace('`', '')}", typed)


def _fitting(proposals: Iterable[Proposal]) -> tuple[Proposal, ...]:
    return tuple(
        Proposal(shorten(proposal.name, CHOICE_LIMIT), proposal.value)
        for proposal in proposals
        if proposal.value and len(proposal.value) <= CHOICE_LIMIT
    )[:CHOICES]


_UNAVAILABLE = Bilingual("现在跑不了", "cannot run here")
_DEFAULT = Bilingual("默认", "default")
_RUN_WITH = Bilingual("✓ 就用", "✓ run with")
