import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.gpu import chosen, main, reason_against, well
from benchmarks.gpu_training import (
    PARAMETERS,
    Load,
    Network,
    Rates,
    Way,
    check_sizes,
    compare,
    count_parameters,
    example_network,
    reference_network,
)
from tests.runners.examples.laboratory import Laboratory

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Trained:
    counts: list[int]
    rates: Rates


def train_a_little() -> Trained:
    import torch

    counts: list[int] = []

    def counted(network: Network) -> Network:
        def build() -> torch.nn.Module:
            built = network.build()
            counts.append(count_parameters(built))
            return built

        return Network(network.name, build)

    networks = (counted(example_network()), counted(reference_network()))
    load = Load(batch_size=2, steps=1, side=32, warm_up=1, repeats=2)
    way = Way("little", bf16=True, channels_last=True)
    rates = compare(way, load, torch.device("cpu"), networks)
    return Trained(counts, rates)


def fail_to_train() -> tuple[str, Rates]:
    import torch

    def refuse() -> torch.nn.Module:
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 2 GiB")

    small = Network("a small one", lambda: torch.nn.Linear(2, 1))
    with pytest.raises(ValueError, match="small one has 3 parameters") as told:
        check_sizes([small])
    refusing = Network("ours", refuse)
    rates = compare(Way("full"), Load(), torch.device("cpu"), (refusing, small))
    return str(told.value), rates


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    return Laboratory(tmp_path_factory.mktemp("laboratory"))


def test_both_networks_are_resnet_50_and_train_on_a_processor_too(laboratory: Laboratory) -> None:
    trained = laboratory.alone(train_a_little)
    assert trained.counts == [PARAMETERS, PARAMETERS]
    assert trained.rates.fault == ""
    for rates in (trained.rates.ours, trained.rates.reference):
        assert len(rates) == 2
        assert min(rates) > 0


def test_what_cannot_be_trained_is_told_and_ends_nothing(laboratory: Laboratory) -> None:
    told, rates = laboratory.alone(fail_to_train)
    assert f"{PARAMETERS:,}" in told
    assert rates == Rates("full", fault="OutOfMemoryError: CUDA out of memory.")


def test_without_a_card_the_command_says_so_in_one_line() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu"],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("benchmarks.gpu: nothing to measure: PyTorch ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("cuda", "available", "reason"),
    [
        (None, False, "PyTorch 2.13.0 is built without CUDA"),
        ("13.0", False, "PyTorch 2.13.0 (CUDA 13.0) finds no NVIDIA card"),
        ("13.0", True, ""),
    ],
)
def test_why_there_is_nothing_to_measure(cuda: str | None, available: bool, reason: str) -> None:  # noqa: FBT001 - a case
    assert reason_against("2.13.0", cuda, available=available) == reason


@pytest.mark.parametrize("wrong", [["--steps", "0"], ["--batch-size", "1"], ["--write", "no/no"]])
def test_what_cannot_be_measured_is_refused_at_once(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(wrong)
    assert wrong[0] in capsys.readouterr().err


def test_which_examples_are_asked_for() -> None:
    known = ["pytorch-ddp", "pytorch-resnet"]
    assert chosen([], known) == chosen(["examples"], known) == known
    assert chosen(["training", "pytorch-resnet"], known) == ["pytorch-resnet"]
    assert chosen(["training"], known) == []


def test_a_way_that_could_not_be_trained_is_not_well() -> None:
    assert well([], [Rates("full", (1.0, 1.0), (1.0, 1.0))])
    assert not well([], [Rates("full", fault="RuntimeError: no")])
