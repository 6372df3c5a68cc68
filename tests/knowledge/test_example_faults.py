from pathlib import Path

import pytest

from knowledge.bank import QUESTIONS, check_bank
from knowledge.example_faults import names_entry
from knowledge.fault import Fault
from runners.catalogue import load_catalogue


def name_examples(bank_dir: Path, names: str) -> tuple[Path, int]:
    """Let the entry on beam search name them; gives its file and the line."""
    path = bank_dir / "language" / "beam-search.md"
    text = path.read_text("utf-8").replace("examples: []", f"examples: [{names}]")
    path.write_text(text, "utf-8")
    return path, text.split("\n").index(f"examples: [{names}]") + 1


def test_the_bank_that_ships_and_the_examples_name_each_other() -> None:
    assert check_bank(QUESTIONS, {info.id for info in load_catalogue()}) == ()


def test_an_example_that_is_not_there_is_a_fault_where_it_is_named(bank_dir: Path) -> None:
    path, line = name_examples(bank_dir, "pytorch-resnet, keras-mlp")
    assert check_bank(bank_dir) == ()
    assert check_bank(bank_dir, {"pytorch-resnet"}) == (
        Fault(path, line, "there is no example keras-mlp"),
    )


def test_an_entry_names_the_example_that_bears_its_name(bank_dir: Path) -> None:
    path, line = name_examples(bank_dir, "pytorch-resnet")
    known = {"pytorch-resnet", "pytorch-beam-search"}
    assert check_bank(bank_dir, known) == (
        Fault(path, line, "the example pytorch-beam-search is not named"),
    )


def test_an_example_is_named_by_some_entry(bank_dir: Path) -> None:
    assert check_bank(bank_dir, {"pytorch-resnet"}) == (
        Fault(bank_dir, 1, "no entry names the example pytorch-resnet"),
    )
    name_examples(bank_dir, "pytorch-resnet")
    assert check_bank(bank_dir, {"pytorch-resnet"}) == ()


@pytest.mark.parametrize(
    ("example", "entry"),
    [
        ("pytorch-resnet", "pytorch-resnet"),
        ("tensorflow-overfitting", "overfitting"),
        ("tensorflow-data-parallel", "data-parallelism"),
    ],
)
def test_an_example_bears_an_entrys_name(example: str, entry: str) -> None:
    assert names_entry(example, entry)


@pytest.mark.parametrize(
    ("example", "entry"),
    [
        ("pytorch-resnet", "pytorch-training-loop"),
        ("pytorch-rag", "rag-chunking"),
        ("pytorch-lora", "qlora"),
        ("tensorflow-simple-network", "simple"),
    ],
)
def test_some_common_words_are_no_name(example: str, entry: str) -> None:
    assert not names_entry(example, entry)
