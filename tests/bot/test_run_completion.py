import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.run_completion import Proposal, complete_example, complete_settings
from knowledge.language import Language
from runners.protocol.catalogue import ExampleInfo, ParameterInfo
from runners.protocol.settings_text import Fault, parse_settings
from runners.protocol.words import Framework, Text


def example(example_id: str, zh: str, en: str, *, available: bool = True) -> ExampleInfo:
    return ExampleInfo(
        id=example_id,
        framework=Framework.PYTORCH,
        title=Text(zh=zh, en=en),
        look_at=Text(zh="看", en="look"),
        parameters=(),
        metrics=(),
        limit_s=60,
        code="",
        available=available,
    )


EXAMPLES = (
    example("tensorflow-simple-network", "两层网络", "A two-layer network", available=False),
    example("pytorch-resnet", "残差网络", "A residual network"),
)
PARAMETERS = (
    ParameterInfo(
        name="seed",
        kind="integer",
        default=0,
        description=Text(zh="随机种子", en="random seed"),
        minimum=0,
        maximum=100,
    ),
    ParameterInfo(
        name="epochs",
        kind="integer",
        default=5,
        description=Text(zh="训练轮数", en="passes over the data"),
        minimum=1,
        maximum=20,
    ),
    ParameterInfo(
        name="learning_rate",
        kind="number",
        default=0.01,
        description=Text(zh="学习率", en="learning rate"),
        minimum=0.0001,
        maximum=1,
    ),
    ParameterInfo(
        name="data",
        kind="choice",
        default="digits",
        description=Text(zh="数据", en="data set"),
        choices=("digits", "mnist"),
    ),
    ParameterInfo(
        name="augment",
        kind="flag",
        default=False,
        description=Text(zh="增强", en="augmentation"),
    ),
)


def settings(typed: str, language: Language = Language.ZH) -> list[str]:
    return [proposal.value for proposal in complete_settings(typed, PARAMETERS, language)]


def test_every_example_is_proposed_first_those_that_can_run() -> None:
    assert complete_example("", EXAMPLES, Language.ZH) == (
        Proposal("残差网络 · pytorch-resnet", "pytorch-resnet"),
        Proposal("⚠️ 现在跑不了 两层网络 · tensorflow-simple-network", "tensorflow-simple-network"),
    )
    assert complete_example("", EXAMPLES, Language.EN)[0].name == (
        "A residual network · pytorch-resnet"
    )


@pytest.mark.parametrize("typed", ["resnet", "残差", "RESIDUAL net", " pytorch "])
def test_example_is_found_by_id_and_by_either_title(typed: str) -> None:
    for language in Language:
        assert [each.value for each in complete_example(typed, EXAMPLES, language)] == [
            "pytorch-resnet"
        ]


def test_no_more_examples_are_proposed_than_discord_takes() -> None:
    many = [example(f"example-{number}", "例" * 200, "x") for number in range(40)]
    found = complete_example("", many, Language.ZH)
    assert len(found) == 25
    assert {len(each.name) for each in found} == {100}


def test_parameters_are_proposed_with_range_and_default_in_words() -> None:
    proposals = complete_settings("", PARAMETERS, Language.ZH)
    assert proposals[0] == Proposal("epochs=  训练轮数 · 1 到 20 的整数 · 默认 5", "epochs=")
    assert proposals[-1].value == "seed="
    english = complete_settings("ep", PARAMETERS, Language.EN)
    assert english == (
        Proposal(
            "epochs=  passes over the data · a whole number from 1 to 20 · default 5", "epochs="
        ),
    )


def test_parameter_is_found_by_its_description() -> None:
    assert settings("学习") == ["learning_rate="]


def test_values_are_proposed_behind_the_name_the_default_first() -> None:
    assert settings("epochs=") == [f"epochs={value}" for value in (5, 1, 2, 10, 20)]
    assert settings("data=") == ["data=digits", "data=mnist"]
    assert settings("data=m") == ["data=mnist"]
    assert settings("augment=") == ["augment=false", "augment=true"]
    assert complete_settings("epochs=", PARAMETERS, Language.EN)[0].name == (
        "epochs=5 · default · a whole number from 1 to 20"
    )


def test_proposal_keeps_what_was_typed_before() -> None:
    assert settings("epochs=2 da") == ["epochs=2 data="]
    assert settings("epochs=2，data：m") == ["epochs=2，data=mnist"]
    assert settings("epochs = ") == [f"epochs={value}" for value in (5, 1, 2, 10, 20)]


def test_finished_pair_can_be_used_or_gone_on_from() -> None:
    assert settings("epochs=2") == [
        "epochs=2",
        "epochs=20",
        "epochs=2 learning_rate=",
        "epochs=2 data=",
        "epochs=2 augment=",
        "epochs=2 seed=",
    ]
    assert settings("epochs=2 ")[0] == "epochs=2"


@pytest.mark.parametrize("typed", ["epochs=99", "epochs=99 da", "epochs=x"])
def test_wrong_value_is_answered_with_what_is_allowed(typed: str) -> None:
    (proposal,) = complete_settings(typed, PARAMETERS, Language.ZH)
    assert proposal.value == typed
    assert proposal.name.startswith("⚠️ epochs=")
    assert "允许的是 1 到 20 的整数" in proposal.name


def test_unknown_or_repeated_name_is_said() -> None:
    assert complete_settings("foo=1", PARAMETERS, Language.EN)[0].name.startswith(
        "⚠️ there is no parameter foo"
    )
    assert complete_settings("epochs=1 epochs=2", PARAMETERS, Language.ZH)[0].name == (
        "⚠️ epochs 写了两次。"
    )


def test_a_value_beyond_discords_limit_is_not_proposed() -> None:
    assert settings("x" * 101) == []


_pieces = st.sampled_from(
    [
        "epochs",
        "learning_rate",
        "data",
        "augment",
        "seed",
        "foo",
        "=",
        "：",
        " ",
        "，",
        "2",
        "mnist",
    ]
)


@given(st.lists(_pieces, max_size=20).map("".join) | st.text(max_size=150))
def test_any_typed_text_gives_proposals_that_discord_takes(typed: str) -> None:
    proposals = complete_settings(typed, PARAMETERS, Language.EN)
    assert len(proposals) <= 25
    for proposal in proposals:
        assert 1 <= len(proposal.name) <= 100
        assert 1 <= len(proposal.value) <= 100


@given(st.lists(_pieces, max_size=12).map("".join))
def test_proposed_values_are_right_where_nothing_wrong_was_typed(typed: str) -> None:
    for proposal in complete_settings(typed, PARAMETERS, Language.EN):
        if not proposal.name.startswith("⚠️") and not proposal.value.endswith("="):
            assert not isinstance(parse_settings(proposal.value, PARAMETERS), Fault)
