from pathlib import Path

import pytest

from knowledge.bank import Bank, check_bank, load_bank
from knowledge.errors import BankError
from knowledge.fault import Fault
from knowledge.language import Language
from knowledge.phrasing import Phrasing, PhrasingKind


def found(folder: Path) -> list[tuple[str, str]]:
    """The faults: what stands on the line, and what is wrong with it."""
    return [(line_at(fault), fault.message) for fault in check_bank(folder)]


def line_at(fault: Fault) -> str:
    if fault.path.is_dir():
        return ""
    return fault.path.read_text("utf-8").split("\n")[fault.line - 1].strip()


def test_the_bank_that_ships_has_no_faults() -> None:
    assert check_bank(complete=True) == ()


def test_entries_come_in_the_order_of_topics_and_ids(bank: Bank) -> None:
    assert [(entry.topic, entry.id) for entry in bank.entries] == [
        ("cost", "knowledge-distillation"),
        ("language", "beam-search"),
        ("language", "word-embedding"),
        ("training", "gradient-clipping"),
    ]


def test_an_entry_is_found_by_its_id(bank: Bank) -> None:
    entry = bank.entry("beam-search")
    assert entry is not None
    assert entry.question.text(Language.EN) == "What is beam search?"
    assert bank.entry("no-such-entry") is None


def test_every_part_of_a_file_is_read(bank: Bank) -> None:
    entry = bank.entry("beam-search")
    assert entry is not None
    assert entry.phrasings_zh[:2] == ("束搜索怎么理解", "讲讲束搜索的原理")
    assert entry.phrasings_en[-1] == "beam search in short"
    assert [point.en for point in entry.key_points] == [
        "the definition of beam search",
        "the use of beam search",
        "the cost of beam search",
    ]
    assert entry.sources == ("A book on beam search",)
    answer = entry.answer(Language.ZH)
    assert answer.summary == "束搜索是一种方法。"
    assert answer.explanation == '束搜索先看数据，再动手。\n\n```python\nprint("beam-search")\n```'
    assert answer.pitfalls == "- 束搜索不是万能的。"


def test_an_answer_without_code_has_that_of_the_other_language(bank: Bank) -> None:
    entry = bank.entry("beam-search")
    assert entry is not None
    assert [block.text for block in entry.answer_en.code] == ['print("beam-search")']
    assert entry.answer_en.code == entry.answer_zh.code
    assert "```" not in entry.answer_en.explanation


def test_an_empty_folder_has_no_entries(tmp_path: Path) -> None:
    assert found(tmp_path) == [("", "there are no entries here")]


def test_a_related_entry_must_exist(bank_dir: Path) -> None:
    path = bank_dir / "language" / "beam-search.md"
    path.write_text(
        path.read_text("utf-8").replace("related: []", "related: [word-embedding, greedy-search]"),
        "utf-8",
    )
    (fault,) = check_bank(bank_dir)
    line = path.read_text("utf-8").split("\n").index("related: [word-embedding, greedy-search]") + 1
    assert str(fault) == f"{path}:{line}: there is no entry greedy-search"


def test_one_wording_belongs_to_one_entry(bank_dir: Path) -> None:
    path = bank_dir / "language" / "word-embedding.md"
    path.write_text(path.read_text("utf-8").replace("词嵌入入门", "束搜索入門！"), "utf-8")
    earlier = bank_dir / "language" / "beam-search.md"
    line = earlier.read_text("utf-8").split("\n").index("    - 束搜索入门") + 1
    assert found(bank_dir) == [
        ("- 束搜索入門！", f"'束搜索入門！' stands already at {earlier}:{line}")
    ]


def test_a_wording_stands_once_in_its_entry(bank_dir: Path) -> None:
    path = bank_dir / "language" / "word-embedding.md"
    path.write_text(
        path.read_text("utf-8").replace("why use word embedding", "What is  WORD embedding"),
        "utf-8",
    )
    assert found(bank_dir) == [
        ("- What is  WORD embedding", f"'What is  WORD embedding' stands already at {path}:6")
    ]


def test_an_entry_lies_in_the_folder_of_its_topic(bank_dir: Path) -> None:
    path = bank_dir / "language" / "beam-search.md"
    deeper = bank_dir / "language" / "decoding" / "beam-search.md"
    deeper.parent.mkdir()
    path.rename(deeper)
    assert found(bank_dir) == [
        ("---", "an entry lies in its topic's folder: <topic>/<id>.md"),
        ("topic: language", "topic is language, but the folder's name is decoding"),
    ]


def test_an_id_is_taken_once(bank_dir: Path) -> None:
    path = bank_dir / "language" / "beam-search.md"
    copy = bank_dir / "training" / "beam-search.md"
    copy.write_text(path.read_text("utf-8").replace("topic: language", "topic: training"), "utf-8")
    assert ("---", f"the id beam-search is taken by {path}") in found(bank_dir)


def test_loading_a_faulty_bank_tells_all_its_faults(bank_dir: Path) -> None:
    for name in ("beam-search", "word-embedding"):
        path = bank_dir / "language" / f"{name}.md"
        path.write_text(path.read_text("utf-8").replace("sources:", "origins:"), "utf-8")
    with pytest.raises(BankError, match="python -m knowledge check") as caught:
        load_bank(bank_dir)
    told = caught.value.faults
    assert [(fault.path.stem, line_at(fault), fault.message) for fault in told] == [
        ("beam-search", "id: beam-search", "the key sources is missing"),
        ("beam-search", "origins:", "unknown key origins"),
        ("word-embedding", "id: word-embedding", "the key sources is missing"),
        ("word-embedding", "origins:", "unknown key origins"),
    ]


def test_phrasings_beside_the_bank_belong_to_its_entries(bank_dir: Path) -> None:
    write_phrasings(bank_dir, "beam-search", "zh\tsymptom\t翻译总是漏半句\n")
    bank = load_bank(bank_dir)
    assert bank.phrasings == {
        "beam-search": (Phrasing(Language.ZH, PhrasingKind.SYMPTOM, "翻译总是漏半句"),)
    }


def test_phrasings_of_an_entry_that_is_not_there_are_a_fault(bank_dir: Path) -> None:
    path = write_phrasings(bank_dir, "greedy-search", "zh\tsymptom\t翻译总是漏半句\n")
    assert check_bank(bank_dir) == (Fault(path, 1, "there is no entry greedy-search"),)


def test_a_phrasing_repeats_neither_an_entry_nor_another_phrasing(bank_dir: Path) -> None:
    entry = bank_dir / "language" / "beam-search.md"
    line = entry.read_text("utf-8").split("\n").index("    - 束搜索入门") + 1
    first = write_phrasings(
        bank_dir, "beam-search", "zh\tchat\t束搜索入門？\nen\tchat\tWhy five\nen\twhen\twhy five?\n"
    )
    second = write_phrasings(bank_dir, "word-embedding", "en\tchat\twhy  five\n")
    assert check_bank(bank_dir) == (
        Fault(first, 1, f"'束搜索入門？' stands already at {entry}:{line}"),
        Fault(first, 3, f"'why five?' stands already at {first}:2"),
        Fault(second, 1, f"'why  five' stands already at {first}:2"),
    )


def test_a_bank_with_faulty_phrasings_is_not_loaded(bank_dir: Path) -> None:
    write_phrasings(bank_dir, "beam-search", "zh\trumour\t翻译总是漏半句\n")
    with pytest.raises(BankError, match=r"beam-search.tsv:1: there is no kind 'rumour'"):
        load_bank(bank_dir)


def write_phrasings(bank_dir: Path, entry: str, content: str) -> Path:
    path = bank_dir.parent / "phrasings" / f"{entry}.tsv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, "utf-8")
    return path
