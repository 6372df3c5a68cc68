import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.protocol.catalogue import ParameterInfo, ParameterValue
from runners.protocol.settings_text import Fault, allowed, parse_settings
from runners.protocol.words import Text

HELP = Text(zh="说明", en="help")
EPOCHS = ParameterInfo(
    name="epochs", kind="integer", default=5, description=HELP, minimum=1, maximum=50
)
RATE = ParameterInfo(
    name="rate", kind="number", default=0.1, description=HELP, minimum=0.0001, maximum=1
)
OPTIMIZER = ParameterInfo(
    name="optimizer", kind="choice", default="sgd", description=HELP, choices=("sgd", "adam")
)
AUGMENT = ParameterInfo(name="augment", kind="flag", default=False, description=HELP)
SEED = ParameterInfo(
    name="seed", kind="integer", default=0, description=HELP, minimum=0, maximum=2**31 - 1
)
ALL = (EPOCHS, RATE, OPTIMIZER, AUGMENT, SEED)

values = st.fixed_dictionaries(
    {},
    optional={
        "epochs": st.integers(1, 50),
        "rate": st.floats(0.0001, 1),
        "optimizer": st.sampled_from(["sgd", "adam"]),
        "augment": st.booleans(),
        "seed": st.integers(0, 2**31 - 1),
    },
)


@given(
    values,
    st.sampled_from(["=", " = ", "：", "＝", ": "]),
    st.sampled_from([" ", ", ", "，", "\n", "；"]),
)
def test_what_is_allowed_is_read_back_however_it_is_punctuated(
    given_values: dict[str, ParameterValue], equals: str, between: str
) -> None:
    text = between.join(f"{name}{equals}{value}" for name, value in given_values.items())
    assert parse_settings(text, ALL) == given_values


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_both_languages(text: str) -> None:
    outcome = parse_settings(text, ALL)
    if isinstance(outcome, Fault):
        assert outcome.zh.strip()
        assert outcome.en.strip()
        return
    for name, value in outcome.items():
        parameter = next(each for each in ALL if each.name == name)
        if parameter.minimum is not None and parameter.maximum is not None:
            assert isinstance(value, int | float)
            assert parameter.minimum <= value <= parameter.maximum
        if parameter.choices:
            assert value in parameter.choices


@pytest.mark.parametrize(
    "text",
    ["epochs=0", "epochs=51", "epochs=2.5", "epochs=many", "epochs=１e9", "epochs=" + "9" * 5_000],
)
def test_a_value_out_of_range_is_told_the_range(text: str) -> None:
    fault = parse_settings(text, ALL)
    assert isinstance(fault, Fault)
    assert "a whole number from 1 to 50" in fault.en
    assert "1 到 50 的整数" in fault.zh


@pytest.mark.parametrize("text", ["rate=nan", "rate=inf", "rate=-1", "rate=1e400"])
def test_a_number_must_be_finite_and_in_range(text: str) -> None:
    fault = parse_settings(text, ALL)
    assert isinstance(fault, Fault)
    assert "from 0.0001 to 1" in fault.en


def test_a_large_bound_is_told_in_full() -> None:
    assert allowed(SEED, "en") == "a whole number from 0 to 2147483647"


def test_an_unknown_name_is_told_the_names_there_are() -> None:
    fault = parse_settings("epoch=3", ALL)
    assert isinstance(fault, Fault)
    assert "`epochs`, `rate`, `optimizer`, `augment`, `seed`" in fault.en
    assert "`epochs`、`rate`" in fault.zh


def test_a_name_given_twice_is_refused() -> None:
    assert parse_settings("epochs=2 epochs=3", ALL) == Fault(
        "`epochs` 写了两次。", "`epochs` is given twice."
    )


def test_text_that_is_no_pair_is_shown_how_to_write_one() -> None:
    fault = parse_settings("epochs 3", ALL)
    assert isinstance(fault, Fault)
    assert "`epochs=5`" in fault.zh
    assert "`epochs=5`" in fault.en


def test_chinese_words_set_a_flag() -> None:
    assert parse_settings("augment=是", ALL) == {"augment": True}
    assert parse_settings("augment=关", ALL) == {"augment": False}


def test_backticks_in_a_fault_cannot_break_the_message() -> None:
    fault = parse_settings("epochs=`rm`", ALL)
    assert isinstance(fault, Fault)
    assert "'rm'" in fault.en


def test_no_settings_are_no_fault() -> None:
    assert parse_settings("  \n", ALL) == {}
