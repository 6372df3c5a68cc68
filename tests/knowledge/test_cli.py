import json
from pathlib import Path

import pytest

from knowledge import cli
from knowledge.bank import Bank
from knowledge.commands import command, evaluate
from knowledge.entry import EntryId
from knowledge.language import Bilingual
from knowledge.outcome import Answered, Hit, Outcome, Query, Refused, Unsure


class FixedRetriever:
    """Gives one outcome for whatever it is asked."""

    def __init__(self, bank: Bank, outcome: Outcome) -> None:
        self.bank = bank
        self.outcome = outcome
        self.asked: list[Query] = []

    def retrieve(self, query: Query, _top_k: int) -> Outcome:
        self.asked.append(query)
        return self.outcome

    def retrieve_many(self, queries: list[Query]) -> list[Outcome]:
        self.asked.extend(queries)
        return [self.outcome for _ in queries]


@pytest.fixture
def found(bank: Bank) -> tuple[Hit, ...]:
    return tuple(
        Hit(entry.id, entry.question, -float(number)) for number, entry in enumerate(bank.entries)
    )


@pytest.fixture
def retriever(
    bank: Bank, found: tuple[Hit, ...], monkeypatch: pytest.MonkeyPatch
) -> FixedRetriever:
    fixed = FixedRetriever(bank, Answered(found[0].entry, 0.91234567, found))
    monkeypatch.setattr(command, "prepared_retriever", lambda: fixed)
    monkeypatch.setattr(evaluate, "load_bank", lambda: bank)
    return fixed


def test_ask_gives_one_json_object(
    retriever: FixedRetriever, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["ask", "什么是知识蒸馏", "--json", "--top", "2"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told.pop("elapsed_ms") >= 0
    assert told == {
        "state": "answered",
        "entry": "knowledge-distillation",
        "confidence": 0.9123,
        "hits": [
            {"entry": "knowledge-distillation", "question": "什么是知识蒸馏？", "score": 0.0},
            {"entry": "beam-search", "question": "什么是束搜索？", "score": -1.0},
        ],
    }
    assert retriever.asked == [Query("什么是知识蒸馏")]


def test_what_was_not_answered_has_no_entry(
    retriever: FixedRetriever, found: tuple[Hit, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    for outcome, state in (
        (Unsure(found[:2], 0.4, found), "unsure"),
        (Refused(found[:3], 0.1, found), "refused"),
    ):
        retriever.outcome = outcome
        cli.main(["ask", "x", "--json"])
        told = json.loads(capsys.readouterr().out)
        assert (told["state"], told["entry"]) == (state, None)


@pytest.mark.usefixtures("retriever")
def test_an_answer_is_readable_in_the_askers_language(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["ask", "什么是知识蒸馏"])
    assert capsys.readouterr().out == (
        "# 什么是知识蒸馏？\n\n知识蒸馏是一种方法。\n\n知识蒸馏先看数据，再动手。\n\n"
        '```python\nprint("knowledge-distillation")\n```\n\n'
        "**常见误会**\n\n- 知识蒸馏不是万能的。\n\n"
        "相近的问题：\n- 什么是束搜索？  (beam-search)\n- 什么是词嵌入？  (word-embedding)\n"
    )


@pytest.mark.usefixtures("retriever")
def test_the_language_of_the_answer_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["ask", "什么是知识蒸馏", "--language", "en", "--top", "1"])
    told = capsys.readouterr().out
    assert told.startswith(
        "# What is distillation?\n\ndistillation is a method.\n\n"
        "distillation looks at the numbers first.\n\n"
        '```python\nprint("knowledge-distillation")\n```\n\n**Common mistakes**\n\n'
    )
    assert "Close to it" not in told


def test_asking_back_and_refusing_are_readable(
    retriever: FixedRetriever, found: tuple[Hit, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    retriever.outcome = Unsure(found[:2], 0.4, found)
    cli.main(["ask", "which one"])
    assert capsys.readouterr().out == (
        "Did you mean:\n- What is distillation?  (knowledge-distillation)\n"
        "- What is beam search?  (beam-search)\n"
    )
    retriever.outcome = Refused(found[:1], 0.0, found)
    cli.main(["ask", "红烧肉"])
    assert capsys.readouterr().out == (
        "题库里没有这个问题的答案。最接近的主题：\n- 什么是知识蒸馏？  (knowledge-distillation)\n"
    )
    retriever.outcome = Refused((), 0.0, ())
    cli.main(["ask", "😀"])
    assert capsys.readouterr().out == "There is no question in that.\n"


def test_evaluate_prints_what_was_measured(
    retriever: FixedRetriever, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(
        '{"query": "a", "entries": ["knowledge-distillation"], "tag": "zh"}\n'
        '{"query": "b", "entries": [], "tag": "out"}\n',
        "utf-8",
    )
    assert cli.main(["evaluate", str(path), "--json", "--unaddressed"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["all", "tags"]
    assert told["all"]["answered_right"] == 1
    assert told["all"]["false_answers"] == 1
    assert told["all"]["auroc"] == 0.5
    assert told["tags"]["out"]["recall_at_1"] is None
    assert retriever.asked == [Query("a", addressed=False), Query("b", addressed=False)]
    cli.main(["evaluate", str(path)])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0][:2] == ["n", "recall_at_1"]
    assert rows[1][:3] == ["all", "2", "1.000"]
    assert rows[2][:3] == ["out", "1", "-"]


@pytest.mark.usefixtures("retriever")
def test_evaluate_measures_conversations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "talks.jsonl"
    path.write_text(
        '{"turns": ["a"], "entry": "knowledge-distillation", "aspect": "answer", "tag": "new"}\n'
        '{"turns": ["a", "b"], "entry": null, "aspect": null, "tag": "thanks"}\n',
        "utf-8",
    )
    assert cli.main(["evaluate", "--conversations", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["all"] == {"n": 2, "entry_accuracy": 0.5, "aspect_accuracy": 0.5}
    assert list(told["tags"]) == ["new", "thanks"]
    cli.main(["evaluate", "--conversations", str(path)])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        ["n", "entry_accuracy", "aspect_accuracy"],
        ["all", "2", "0.500", "0.500"],
        ["new", "1", "1.000", "1.000"],
        ["thanks", "1", "0.000", "0.000"],
    ]


@pytest.mark.parametrize("files", [[], ["x.jsonl", "--conversations", "y.jsonl"]])
def test_evaluate_takes_one_file(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["evaluate", *files])
    assert ended.value.code == 2
    assert "--conversations" in capsys.readouterr().err


@pytest.mark.usefixtures("retriever")
def test_a_faulty_line_is_one_clear_line_and_code_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"query": "a", "entries": ["nonsense"]}\n', "utf-8")
    assert cli.main(["evaluate", str(path)]) == 2
    assert capsys.readouterr().err == f"error: {path}:1: there is no entry nonsense\n"


def test_a_wrong_setting_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_bytes(b"XUEBAN_DATA_DIR='a\x00b'\n")
    monkeypatch.delenv("XUEBAN_DATA_DIR", raising=False)
    assert cli.main(["train"]) == 2
    assert capsys.readouterr().err.startswith("error: XUEBAN_DATA_DIR: ")


@pytest.mark.parametrize("option", ["--top 0", "--top two", "--language de"])
def test_wrong_options_are_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["ask", "x", *option.split()])
    assert ended.value.code == 2
    assert "invalid" in capsys.readouterr().err


def test_an_entry_that_left_the_bank_is_an_error(
    retriever: FixedRetriever, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = Hit(EntryId("gone"), Bilingual("没了", "gone"), 0.0)
    retriever.outcome = Answered(gone.entry, 0.9, (gone,))
    assert cli.main(["ask", "x"]) == 2
    assert capsys.readouterr().err == "error: the bank has no entry gone\n"
