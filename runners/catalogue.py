"""What can run: the files of ``runners/examples``, found by themselves, read without a framework.

A file that is not an example as it should be is a CatalogueError that names it and the fault.
"""

import hashlib
import importlib
import inspect
import math
import pkgutil
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import annotated_types
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from runners.errors import CatalogueError, InvalidParametersError, UnknownExampleError
from runners.example import Example, Parameters, Says
from runners.protocol.catalogue import ExampleInfo, ParameterInfo, ParameterValue
from runners.protocol.settings_text import allowed
from runners.protocol.words import Framework, Text

EXAMPLES = "runners.examples"
"""The package that holds the examples."""

MODULES: Mapping[Framework, str] = {Framework.TENSORFLOW: "tensorflow", Framework.PYTORCH: "torch"}
"""What is imported for each framework."""

_LOOK_UP_S = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """An example, the module that holds it, and what clients are told of it.

    ``fingerprint`` changes with the module's text: results of one are comparable.
    """

    example: Example
    module: str
    info: ExampleInfo
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All examples, by id in alphabetical order."""

    listed: Mapping[str, Listed]

    def __iter__(self) -> Iterator[ExampleInfo]:
        """What clients are told of each example."""
        return (each.info for each in self.listed.values())

    def __getitem__(self, example_id: str) -> Listed:
        """The example of that id, or UnknownExampleError."""
        try:
            return self.listed[example_id]
        except KeyError:
            raise UnknownExampleError(f"there is no example `{example_id[:80]}`") from None

    @property
    def frameworks(self) -> tuple[Framework, ...]:
        """The frameworks that an available example needs."""
        return tuple(
            framework
            for framework in Framework
            if any(info.framework is framework and info.available for info in self)
        )


def load_catalogue(
    package: str = EXAMPLES, pythons: Mapping[Framework, Path] | None = None
) -> Catalogue:
    """The examples in ``package``; raises CatalogueError for a file that is none.

    ``pythons`` names the interpreters of frameworks that live in another one than this.
    """
    folder = _import(package)
    names = sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
    listed = [_listed(_import(f"{package}.{name}")) for name in names]
    reasons = {
        framework: _missing(framework, (pythons or {}).get(framework))
        for framework in {each.example.framework for each in listed}
    }
    return Catalogue(
        {each.example.id: _with_reason(each, reasons[each.example.framework]) for each in listed}
    )


def check_parameters(
    listed: Listed, values: Mapping[str, ParameterValue]
) -> dict[str, ParameterValue]:
    """All parameters of a run, those not given with their default.

    Raises InvalidParametersError with one line that names the parameter and what is allowed.
    """
    known = {parameter.name: parameter for parameter in listed.info.parameters}
    for name in values:
        if name not in known:
            raise InvalidParametersError(
                f"there is no parameter `{name[:80]}`; there are {', '.join(known)}"
            )
    try:
        checked = listed.example.parameters.model_validate(dict(values))
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        parameter = known.get(str(fault["loc"][0])) if fault["loc"] else None
        if parameter is None:
            raise InvalidParametersError(fault["msg"].removeprefix("Value error, ")) from None
        raise InvalidParametersError(
            f"`{parameter.name}={str(values[parameter.name])[:80]}` is not allowed: "
            f"{allowed(parameter, 'en')}"
        ) from None
    return checked.model_dump(mode="json")


def markdown_table(catalogue: Catalogue) -> str:
    """The examples as the README lists them."""
    rows = (f"| `{info.id}` | {info.title.zh} | {info.title.en} |" for info in catalogue)
    return "\n".join(["| example | 看什么 | what it shows |", "|---|---|---|", *rows])


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise CatalogueError(f"{name} cannot be read: {type(error).__name__}: {error}") from error


def _listed(module: ModuleType) -> Listed:
    example = getattr(module, "EXAMPLE", None)
    if not isinstance(example, Example):
        raise CatalogueError(f"{module.__name__} has no EXAMPLE = Example(…)")
    file_id = module.__name__.rpartition(".")[2].replace("_", "-")
    if example.id != file_id:
        raise CatalogueError(f"{module.__name__}: its id is `{example.id}`, not `{file_id}`")
    _check(example, module.__name__)
    info = ExampleInfo(
        id=example.id,
        framework=example.framework,
        title=example.title,
        look_at=example.look_at,
        compares=example.compares,
        parameters=tuple(_parameters(example.parameters, module.__name__)),
        metrics=example.metrics,
        claims=example.claims,
        limit_s=example.limit_s,
        cards=example.cards,
        lower=example.lower,
        code=textwrap.dedent(inspect.getsource(example.run)),
    )
    fingerprint = hashlib.sha256(inspect.getsource(module).encode()).hexdigest()
    return Listed(example, module.__name__, info, fingerprint)


def _check(example: Example, where: str) -> None:
    if not example.metrics:
        raise CatalogueError(f"{where}: it has no metrics; describe each by a MetricInfo")
    names = [metric.name for metric in example.metrics]
    if len(set(names)) != len(names):
        raise CatalogueError(f"{where}: a metric is described twice")
    for claim in example.claims:
        for name in (claim.metric, claim.than):
            if name is not None and name not in names:
                raise CatalogueError(f"{where}: it claims something of `{name}`, no metric of it")
    if not (math.isfinite(example.limit_s) and example.limit_s > 0):
        raise CatalogueError(f"{where}: limit_s must be a positive number of seconds")
    unknown = [name for name in example.lower if name not in example.parameters.model_fields]
    if unknown:
        raise CatalogueError(f"{where}: it has no parameter `{unknown[0]}` to lower")
    if example.cards < 0:
        raise CatalogueError(f"{where}: cards must not be negative")
    texts = (example.title, example.look_at, *(metric.title for metric in example.metrics))
    for text in texts if example.compares is None else (*texts, example.compares):
        if not text.zh.strip() or not text.en.strip():
            raise CatalogueError(f"{where}: a text is empty in one language: {text}")


def _parameters(model: type[Parameters], where: str) -> Iterator[ParameterInfo]:
    for name, field in model.model_fields.items():
        says = next((each for each in field.metadata if isinstance(each, Says)), None)
        if says is None or not says.zh.strip() or not says.en.strip():
            raise CatalogueError(f"{where}: parameter `{name}` needs Says(zh, en)")
        if field.is_required():
            raise CatalogueError(f"{where}: parameter `{name}` needs a default")
        yield _parameter(name, field, Text(zh=says.zh, en=says.en), where)


def _parameter(name: str, field: FieldInfo, description: Text, where: str) -> ParameterInfo:
    default: Any = field.get_default(call_default_factory=False)
    annotation = field.annotation
    if annotation is bool:
        return ParameterInfo(name=name, kind="flag", default=default, description=description)
    if get_origin(annotation) is Literal:
        choices = get_args(annotation)
        if not all(isinstance(choice, str) for choice in choices):
            raise CatalogueError(f"{where}: the choices of `{name}` must be strings")
        return ParameterInfo(
            name=name, kind="choice", default=default, description=description, choices=choices
        )
    if annotation is not int and annotation is not float:
        raise CatalogueError(
            f"{where}: parameter `{name}` is {annotation}; it can be int, float, bool or a Literal"
        )
    minimum, maximum = _bounds(name, field, where, whole=annotation is int)
    return ParameterInfo(
        name=name,
        kind="integer" if annotation is int else "number",
        default=default,
        description=description,
        minimum=minimum,
        maximum=maximum,
    )


def _bounds(name: str, field: FieldInfo, where: str, *, whole: bool) -> tuple[float, float]:
    minimum: Any = None
    maximum: Any = None
    for bound in field.metadata:
        match bound:
            case annotated_types.Ge(ge=value):
                minimum = value
            case annotated_types.Le(le=value):
                maximum = value
            case annotated_types.Gt(gt=value) if whole:
                minimum = int(value) + 1  # pyright: ignore[reportArgumentType] - a number here
            case annotated_types.Lt(lt=value) if whole:
                maximum = int(value) - 1  # pyright: ignore[reportArgumentType] - a number here
            case annotated_types.Gt() | annotated_types.Lt():
                raise CatalogueError(
                    f"{where}: parameter `{name}` needs ge and le: "
                    "a learner is told the ends of a range, so they must be allowed"
                )
            case _:
                pass
    if minimum is None or maximum is None:
        raise CatalogueError(f"{where}: parameter `{name}` needs a smallest and a largest value")
    return float(minimum), float(maximum)


def _with_reason(listed: Listed, reason: str) -> Listed:
    info = listed.info.model_copy(update={"available": not reason, "reason": reason})
    return replace(listed, info=info)


def _missing(framework: Framework, python: Path | None) -> str:
    module = MODULES[framework]
    if python is None:
        return "" if find_spec(module) else f"{framework} is not installed"
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    try:
        found = subprocess.run(  # noqa: S603 - the interpreter is a setting of the operator
            [python, "-c", code], timeout=_LOOK_UP_S, check=False, capture_output=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{python} cannot be started: {error}"
    return "" if found.returncode == 0 else f"{framework} is not installed for {python}"
