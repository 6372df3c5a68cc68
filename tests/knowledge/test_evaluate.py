import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from knowledge.entry import EntryId
from knowledge.errors import EvaluationFileError
from knowledge.evaluate import Question, evaluate, read_questions
from knowledge.language import Bilingual
from knowledge.outcome import Answered, Hit, Outcome, Query, Refused, Unsure


def hits(*names: str) -> tuple[Hit, ...]:
    return tuple(Hit(EntryId(name), Bilingual(name, name), 0.0) for name in names)


OUTCOMES: dict[str, Outcome] = {
    "right": Answered(EntryId("a"), 0.9, hits("a", "b", "c")),
    "also right": Answered(EntryId("b"), 0.8, hits("b", "a", "c")),
    "wrong": Answered(EntryId("c"), 0.7, hits("c", "b", "d", "a")),
    "unsure": Unsure(hits("b", "a"), 0.4, hits("b", "a", "c")),
    "recipe": Refused(hits("a"), 0.1, hits("a", "b", "c")),
    "near": Answered(EntryId("a"), 0.7, hits("a", "b", "c")),
}

QUESTIONS = [
    Question("right", frozenset({"a"}), "zh"),
    Question("also right", frozenset({"a", "b"}), "zh"),
    Question("wrong", frozenset({"a"}), "en"),
    Question("unsure", frozenset({"a"}), "en"),
    Question("recipe", frozenset(), "out"),
    Question("near", frozenset(), "out"),
]


def answer(queries: Sequence[Query]) -> list[Outcome]:
    return [OUTCOMES[query.text] for query in queries]


def test_rates_are_over_the_lines_that_they_apply_to() -> None:
    measured = evaluate(QUESTIONS, answer).all
    assert measured.n == 6
    assert measured.recall_at_1 == 2 / 4
    assert measured.recall_at_3 == 3 / 4
    assert measured.mrr_at_10 == pytest.approx((1 + 1 + 1 / 4 + 1 / 2) / 4)
    assert measured.answered_right == 2 / 4
    assert measured.answered_wrong == 1 / 4
    assert measured.unsure == 1 / 6
    assert measured.refused == 1 / 6
    assert measured.false_answers == 1 / 2
    # Of the eight pairs, 0.4 loses to 0.7 and 0.7 draws with 0.7.
    assert measured.auroc == pytest.approx(6.5 / 8)


def test_each_tag_is_measured_alone_and_what_does_not_apply_is_null() -> None:
    result = evaluate(QUESTIONS, answer).as_json()
    assert list(result["tags"]) == ["en", "out", "zh"]
    assert result["tags"]["zh"] == {
        "n": 2,
        "recall_at_1": 1,
        "recall_at_3": 1,
        "mrr_at_10": 1,
        "answered_right": 1,
        "answered_wrong": 0,
        "unsure": 0,
        "refused": 0,
        "false_answers": None,
        "auroc": None,
    }
    assert result["tags"]["out"] == {
        "n": 2,
        "recall_at_1": None,
        "recall_at_3": None,
        "mrr_at_10": None,
        "answered_right": None,
        "answered_wrong": None,
        "unsure": 0,
        "refused": 0.5,
        "false_answers": 0.5,
        "auroc": None,
    }


def test_questions_are_asked_as_addressed_or_not() -> None:
    asked: list[bool] = []

    def listen(queries: Sequence[Query]) -> list[Outcome]:
        asked.extend(query.addressed for query in queries)
        return answer(queries)

    evaluate(QUESTIONS[:1], listen)
    evaluate(QUESTIONS[:1], listen, addressed=False)
    assert asked == [True, False]


def test_lines_are_read_and_empty_ones_skipped(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(
        '{"query": "为什么", "entries": ["a", "b"], "tag": "zh"}\n'
        '\n{"query": "x", "entries": []}\n',
        "utf-8",
    )
    assert read_questions(path, {"a", "b"}.__contains__) == [
        Question("为什么", frozenset({"a", "b"}), "zh"),
        Question("x", frozenset(), ""),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "Invalid JSON"),
        ("[]", "object"),
        ('{"entries": []}', "query: Field required"),
        ('{"query": "x"}', "entries: Field required"),
        ('{"query": 3, "entries": []}', "query: "),
        ('{"query": "x", "entries": "a"}', "entries: "),
        ('{"query": "x", "entries": ["z"]}', "there is no entry z"),
    ],
)
def test_a_faulty_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "questions.jsonl"
    good = json.dumps({"query": "x", "entries": []})
    path.write_text(f"{good}\n{line}\n", "utf-8")
    with pytest.raises(EvaluationFileError, match=rf"questions.jsonl:2: .*{message}"):
        read_questions(path, {"a"}.__contains__)


def test_a_file_that_is_missing_or_empty_says_so(tmp_path: Path) -> None:
    with pytest.raises(EvaluationFileError, match="cannot be read"):
        read_questions(tmp_path / "none.jsonl", bool)
    (tmp_path / "empty.jsonl").write_text("\n", "utf-8")
    with pytest.raises(EvaluationFileError, match="holds no questions"):
        read_questions(tmp_path / "empty.jsonl", bool)
