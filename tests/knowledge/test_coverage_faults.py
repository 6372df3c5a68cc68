from pathlib import Path

import pytest

from knowledge.bank import check_bank
from knowledge.coverage_faults import LEAST, TOLD
from knowledge.fault import Fault
from knowledge.language import Language
from knowledge.phrasing import PhrasingKind

IDS = ("gradient-clipping", "word-embedding", "beam-search", "knowledge-distillation")
IN_EACH_FILE = 6
"""Wordings that an entry's own file holds in each language, its question among them."""

Counts = dict[tuple[Language, PhrasingKind], int]


@pytest.fixture
def complete(bank_dir: Path) -> Path:
    """A bank whose entries have exactly what they need."""
    for entry in IDS:
        write(bank_dir, entry, needed())
    return bank_dir


def needed() -> Counts:
    return {
        (language, PhrasingKind.SYMPTOM): least - IN_EACH_FILE for language, least in LEAST.items()
    }


def write(bank_dir: Path, entry: str, counts: Counts) -> Path:
    path = bank_dir.parent / "phrasings" / f"{entry}.tsv"
    path.parent.mkdir(exist_ok=True)
    texts = {
        Language.ZH: "{entry} 的第 {number} 句 {kind}",
        Language.EN: "{entry} {kind} no {number}",
    }
    lines = [
        f"{language}\t{kind}\t" + texts[language].format(entry=entry, kind=kind, number=number)
        for (language, kind), count in counts.items()
        for number in range(count)
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_a_complete_bank_has_enough_in_both_languages(complete: Path) -> None:
    assert check_bank(complete, complete=True) == ()


@pytest.mark.parametrize("language", list(Language))
def test_one_wording_too_few_is_a_fault_of_the_phrasings(
    complete: Path, language: Language
) -> None:
    counts = needed()
    counts[language, PhrasingKind.SYMPTOM] -= 1
    path = write(complete, "beam-search", counts)
    count, least = LEAST[language] - 1, LEAST[language]
    assert check_bank(complete, complete=True) == (
        Fault(path, 1, f"{count} wordings in {language} are too few, {least} are needed"),
    )


def test_without_phrasings_beside_it_the_entry_has_the_fault(complete: Path) -> None:
    (complete.parent / "phrasings" / "beam-search.tsv").unlink()
    path = complete / "language" / "beam-search.md"
    line = path.read_text("utf-8").split("\n").index("phrasings:") + 1
    assert check_bank(complete, complete=True) == (
        Fault(path, line, "6 wordings in en are too few, 15 are needed"),
        Fault(path, line, "6 wordings in zh are too few, 30 are needed"),
    )


def test_three_fifths_tell_what_somebody_lives_through(complete: Path) -> None:
    counts = needed()
    told = sum(counts.values())
    counts[Language.ZH, PhrasingKind.FORMAL] = told * 2 // 3
    path = write(complete, "beam-search", counts)
    assert check_bank(complete, complete=True) == ()
    counts[Language.ZH, PhrasingKind.FORMAL] += 1
    write(complete, "beam-search", counts)
    total = sum(counts.values())
    assert check_bank(complete, complete=True) == (
        Fault(
            path,
            1,
            f"{told} of {total} phrasings tell what somebody lives through, "
            f"{told + 1} are needed: {', '.join(TOLD)}",
        ),
    )


def test_a_bank_that_need_not_be_complete_may_have_few(bank_dir: Path) -> None:
    write(bank_dir, "beam-search", {(Language.EN, PhrasingKind.FORMAL): 1})
    assert check_bank(bank_dir) == ()
