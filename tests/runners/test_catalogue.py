import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runners.catalogue import Catalogue, check_parameters, load_catalogue
from runners.errors import CatalogueError, InvalidParametersError, UnknownExampleError
from runners.protocol.catalogue import MetricInfo, ParameterInfo
from runners.protocol.words import Framework, Text

FILE = '''
from enum import Enum
from typing import Annotated, Literal
from pydantic import Field
from runners.example import Context, Example, Parameters, Says, at_least, at_most
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

class P(Parameters):
    {parameter}

def run(context: Context, parameters: P) -> None:
    """Runs."""
    context.metric(final=1.0)

EXAMPLE = Example(
    id="{id}", framework=Framework.TENSORFLOW, title=Text(zh="题", en="title"),
    look_at=Text(zh="看", en="{look_at}"), parameters=P, metrics={metrics}, run=run,
    limit_s={limit_s}, claims={claims},
)
'''
EPOCHS = 'epochs: Annotated[int, Field(ge=1, le=9), Says("轮", "epochs")] = 3'
METRICS = '(MetricInfo(name="final", title=Text(zh="终", en="final"), unit="s"),)'

Write = Callable[..., Catalogue]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Write:
    """Write one example and load the catalogue that holds it."""
    package = f"written_{abs(hash(request.node.name))}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))

    def write_one(text: str | None = None, name: str = "one_thing", **parts: str) -> Catalogue:
        filled = {
            "parameter": EPOCHS,
            "id": "one-thing",
            "look_at": "look",
            "metrics": METRICS,
            "limit_s": "300",
            "claims": "()",
            **parts,
        }
        (tmp_path / package / f"{name}.py").write_text(text or FILE.format(**filled))
        return load_catalogue(package)

    return write_one


def test_an_example_is_told_in_full(write: Write) -> None:
    info = write()["one-thing"].info
    assert info.framework is Framework.TENSORFLOW
    assert info.title == Text(zh="题", en="title")
    assert info.metrics == (MetricInfo(name="final", title=Text(zh="终", en="final"), unit="s"),)
    assert info.limit_s == 300
    assert info.code.startswith("def run(context: Context, parameters: P) -> None:\n")
    assert [parameter.name for parameter in info.parameters] == ["seed", "epochs"]
    assert info.available


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            'x: Annotated[int, Field(gt=0, lt=10), Says("甲", "x")] = 3',
            {"kind": "integer", "default": 3, "minimum": 1, "maximum": 9},
        ),
        (
            'x: Annotated[float, Field(ge=0.001, le=0.5), Says("甲", "x")] = 0.1',
            {"kind": "number", "default": 0.1, "minimum": 0.001, "maximum": 0.5},
        ),
        ('x: Annotated[bool, Says("甲", "x")] = True', {"kind": "flag", "default": True}),
        (
            'x: Annotated[Literal["sgd", "adam"], Says("甲", "x")] = "adam"',
            {"kind": "choice", "default": "adam", "choices": ("sgd", "adam")},
        ),
    ],
)
def test_a_parameter_is_read_from_its_type(
    write: Write, source: str, expected: dict[str, object]
) -> None:
    parameter = write(parameter=source)["one-thing"].info.parameters[-1]
    assert parameter == ParameterInfo.model_validate(
        {"name": "x", "description": Text(zh="甲", en="x"), **expected}
    )


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ({"text": "x = 1"}, "one_thing has no EXAMPLE"),
        ({"text": "EXAMPLE = 1"}, "one_thing has no EXAMPLE"),
        ({"text": "import nowhere_at_all"}, "cannot be read: ModuleNotFoundError"),
        ({"text": "def"}, "cannot be read: SyntaxError"),
        ({"id": "another"}, "its id is `another`, not `one-thing`"),
        ({"look_at": " "}, "empty in one language"),
        ({"metrics": "()"}, "no metrics"),
        ({"metrics": f"{METRICS} * 2"}, "described twice"),
        ({"claims": '(at_least("final", 1), at_least("final", "los"))'}, "of `los`, no metric"),
        ({"claims": '(at_most("los", 1),)'}, "of `los`, no metric"),
        ({"limit_s": "0"}, "limit_s must be"),
        ({"limit_s": 'float("inf")'}, "limit_s must be"),
        ({"parameter": "x: Annotated[int, Field(ge=1, le=2)] = 1"}, "`x` needs Says"),
        ({"parameter": 'x: Annotated[int, Field(ge=1), Says("甲", "x")] = 1'}, "a largest value"),
        ({"parameter": 'x: Annotated[float, Says("甲", "x")] = 1'}, "a smallest and a largest"),
        (
            {"parameter": 'x: Annotated[float, Field(gt=0, le=1), Says("甲", "x")] = 1'},
            "needs ge and le",
        ),
        ({"parameter": 'x: Annotated[int, Field(ge=1, le=2), Says("甲", "x")]'}, "needs a default"),
        ({"parameter": 'x: Annotated[str, Says("甲", "x")] = "a"'}, "it can be int, float"),
        ({"parameter": 'x: Annotated[Literal[1, 2], Says("甲", "x")] = 1'}, "must be strings"),
    ],
)
def test_a_file_that_is_no_example_is_named_with_its_fault(
    write: Write, parts: dict[str, str], fault: str
) -> None:
    with pytest.raises(CatalogueError, match=fault) as raised:
        write(**parts)
    assert "one_thing" in str(raised.value)


def test_a_package_that_is_not_there_is_named() -> None:
    with pytest.raises(CatalogueError, match="nowhere_at_all"):
        load_catalogue("nowhere_at_all")


def test_parameters_are_filled_up_and_checked(trials: Catalogue) -> None:
    steady = trials["steady"]
    assert check_parameters(steady, {"steps": 7}) == {"seed": 0, "steps": 7, "pause_ms": 0}
    with pytest.raises(InvalidParametersError, match="`steps=0` is not allowed: a whole number"):
        check_parameters(steady, {"steps": 0})
    with pytest.raises(InvalidParametersError, match="`steps=many` is not allowed"):
        check_parameters(steady, {"steps": "many"})
    with pytest.raises(InvalidParametersError, match="no parameter `step`; there are seed, steps"):
        check_parameters(steady, {"step": 1})
    with pytest.raises(InvalidParametersError, match="raise, exit"):
        check_parameters(trials["unruly"], {"how": "politely"})


def test_an_unknown_example_is_named(trials: Catalogue) -> None:
    with pytest.raises(UnknownExampleError, match="`nothing`"):
        trials["nothing"]


def test_an_interpreter_without_the_framework_is_the_reason(
    tmp_path: Path, trials: Catalogue
) -> None:
    del trials
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    bare.chmod(0o755)
    catalogue = load_catalogue("trials", {Framework.PYTORCH: bare})
    assert {(info.available, info.reason) for info in catalogue} == {
        (False, f"pytorch is not installed for {bare}")
    }
    assert catalogue.frameworks == ()
    nowhere = load_catalogue("trials", {Framework.PYTORCH: tmp_path / "nowhere"})
    assert "cannot be started" in nowhere["steady"].info.reason


def test_the_catalogue_loads_without_a_framework(trials: Catalogue) -> None:
    del trials
    code = (
        "import sys; from runners.catalogue import load_catalogue;"
        "load_catalogue('trials'); import runners.client, runners.local, runners.settings;"
        "sys.exit(', '.join(sorted({'torch', 'tensorflow', 'numpy', 'matplotlib'}"
        " & set(sys.modules))))"
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""
