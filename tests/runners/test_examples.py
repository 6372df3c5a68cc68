"""What holds of every example that ships, whatever it shows."""

import re

import pytest

from runners.catalogue import load_catalogue
from runners.protocol.catalogue import ExampleInfo

EXAMPLES = tuple(load_catalogue())
MOST_CLAIMS = 4  # a card has room for them beside all else


def test_there_are_enough_of_them() -> None:
    assert len(EXAMPLES) >= 26


@pytest.mark.parametrize("info", EXAMPLES, ids=lambda info: info.id)
def test_it_claims_something_that_its_results_can_show(info: ExampleInfo) -> None:
    assert 1 <= len(info.claims) <= MOST_CLAIMS


@pytest.mark.parametrize("info", EXAMPLES, ids=lambda info: info.id)
def test_a_learner_can_read_it_and_knows_what_to_look_at(info: ExampleInfo) -> None:
    lines = [line for line in info.code.splitlines() if line.strip()]
    assert 40 <= len(lines) <= 90
    assert info.look_at.zh.endswith("。")
    assert info.look_at.en.endswith(".")
    assert len(re.findall(r"[。；？]", info.look_at.zh)) >= 2
    assert len(re.findall(r"[.;?:](?:\s|$)", info.look_at.en)) >= 2
