import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.example import at_least, at_most
from runners.protocol.catalogue import Claim, ExampleInfo, MetricInfo
from runners.protocol.claims import Finding, findings
from runners.protocol.numbers import shown_number
from runners.protocol.words import Framework, Text

EXAMPLE = ExampleInfo(
    id="a",
    framework=Framework.PYTORCH,
    title=Text(zh="甲", en="a"),
    look_at=Text(zh="看。", en="Look."),
    parameters=(),
    limit_s=1,
    code="",
    metrics=(
        MetricInfo(name="int8", title=Text(zh="八位", en="8 bits"), unit="MB"),
        MetricInfo(name="float32", title=Text(zh="三十二位", en="32 bits"), unit="MB"),
    ),
)


def found(claims: Sequence[Claim], **results: float) -> tuple[Finding, ...]:
    return findings(EXAMPLE.model_copy(update={"claims": tuple(claims)}), results)


def said(claim: Claim, **results: float) -> tuple[bool, str]:
    [one] = found([claim], **results)
    return one.holds, one.text("en")


@pytest.mark.parametrize(
    ("claim", "int8", "holds", "text"),
    [
        (at_least("int8", 4), 4, True, "8 bits 4 MB ≥ 4 MB"),
        (at_least("int8", 4), 3.5, False, "8 bits 3.5 MB < 4 MB"),
        (at_most("int8", 4), 4, True, "8 bits 4 MB ≤ 4 MB"),
        (at_most("int8", 4), 4.5, False, "8 bits 4.5 MB > 4 MB"),
        (at_most("int8", 2, times=3, plus=1), 8, False, "8 bits 8 MB > 7 MB"),
        (at_least("int8", "float32"), 10, True, "8 bits 10 MB ≥ 32 bits 10 MB"),
        (at_most("int8", "float32", times=0.5), 5, True, "8 bits 5 MB ≤ 0.5 × 32 bits 10 MB"),
        (at_most("int8", "float32", times=0.5), 6, False, "8 bits 6 MB > 0.5 × 32 bits 10 MB"),
        (at_least("int8", "float32", plus=2), 12, True, "8 bits 12 MB ≥ 32 bits 10 MB + 2"),
        (at_least("int8", "float32", plus=-2), 7, False, "8 bits 7 MB < 32 bits 10 MB − 2"),
    ],
)
def test_a_claim_is_held_against_the_results(
    claim: Claim, int8: float, *, holds: bool, text: str
) -> None:
    assert said(claim, int8=int8, float32=10) == (holds, text)


def test_it_is_said_in_both_languages() -> None:
    [one] = found([at_most("int8", "float32")], int8=1, float32=4)
    assert (one.mark, one.text("zh")) == ("✔", "八位 1 MB ≤ 三十二位 4 MB")


def test_a_result_without_a_title_goes_by_its_name() -> None:
    assert said(at_least("bits", 2), bits=3) == (True, "bits 3 ≥ 2")


@pytest.mark.parametrize("claim", [at_least("int8", 0), at_most("int8", "float32")])
def test_nothing_holds_of_what_is_no_number(claim: Claim) -> None:
    holds, text = said(claim, int8=math.nan, float32=1)
    assert not holds
    assert text.startswith(
        "8 bits nan MB ≱ " if claim.relation == "at least" else "8 bits nan MB ≰ "
    )


def test_nothing_is_found_of_results_that_are_not_there() -> None:
    claims = [at_least("int8", "float32"), at_least("float32", 1), at_least("int8", 1)]
    assert [each.claim for each in found(claims, int8=2)] == [claims[2]]
    assert found(claims) == ()


@given(st.floats(), st.floats(), st.sampled_from([at_least, at_most]))
def test_what_is_said_names_both_numbers(one: float, other: float, relation: object) -> None:
    claim = at_least("a", "b") if relation is at_least else at_most("a", "b")
    [each] = found([claim], a=one, b=other)
    assert each.text("en").startswith(f"a {shown_number(one)} ")
    assert each.text("en").endswith(f" b {shown_number(other)}")
