"""How well conversations are read, and how often a new question is taken for a follow-up."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.retrieval.ranking import chosen, rate
from benchmarks.retrieval.report import Bar, table
from knowledge.conversations import Case, evaluate_conversations, read_conversations
from knowledge.evaluate import Question
from knowledge.outcome import Answered, Compared, Query
from knowledge.retriever import Retriever

_BAR: Final = Bar.at_least(0.92)


def follow_ups_table(retriever: Retriever, path: Path) -> str:
    """How often entry and aspect of the last message are right, for all and for each tag."""
    cases = read_conversations(path, lambda entry: retriever.bank.entry(entry) is not None)
    rows: list[tuple[str, ...]] = []
    for tag in ("all", *dict.fromkeys(sorted(case.tag for case in cases))):
        some = [case for case in cases if tag in ("all", case.tag)]
        entries, aspects = _right(retriever, some)
        every = np.ones(len(some), bool)
        figures = [rate(right, every) for right in (entries, aspects)]
        verdicts = [f"{figure}, {_BAR.verdict(figure)}" for figure in figures]
        rows.append((tag, str(len(some)), *(verdicts if tag == "all" else map(str, figures))))
    return table(("tag", "conversations", "entry right", "aspect right"), rows)


def _right(
    retriever: Retriever, cases: Sequence[Case]
) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    each = [evaluate_conversations([case], retriever.retrieve_many).all for case in cases]
    return (
        np.array([one.entry_accuracy == 1 for one in each]),
        np.array([one.aspect_accuracy == 1 for one in each]),
    )


def swallowed_table(retriever: Retriever, questions: Sequence[Question]) -> str:
    """How often a question gets an answer about what was asked before, to which it is unrelated.

    Each question follows one of the bank's own, these in turn.
    """
    before = cycle(retriever.bank.entries)
    led_in = [next(before) for _ in questions]
    outcomes = retriever.retrieve_many(
        [
            Query(question.query, conversation=(entry.question.zh,))
            for question, entry in zip(questions, led_in, strict=True)
        ]
    )
    swallowed = np.array(
        [
            entry.id not in question.entries
            and isinstance(outcome, Answered | Compared)
            and outcome.entry == entry.id
            for question, entry, outcome in zip(questions, led_in, outcomes, strict=True)
        ]
    )
    groups = (
        ("questions of the bank", chosen(questions, lambda one: bool(one.entries))),
        ("small talk", chosen(questions, lambda one: one.tag == "out-smalltalk")),
        (
            "other questions out of scope",
            chosen(questions, lambda one: not one.entries and one.tag != "out-smalltalk"),
        ),
    )
    return table(
        ("after another question", "taken for a follow-up", "messages"),
        [(name, str(rate(swallowed, group)), str(group.sum())) for name, group in groups],
    )
