"""``python -m benchmarks.retrieval``: measure all of it and write ``benchmarks/RETRIEVAL.md``."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.retrieval.ranking import (
    NEAR,
    Flags,
    Ranking,
    bound_at,
    chosen,
    rank_of,
    rate,
    recall,
)
from benchmarks.retrieval.report import Bar, table, write
from benchmarks.retrieval.talks import follow_ups_table, swallowed_table
from benchmarks.retrieval.variants import Asked, Variant, ablations, plainer, with_phrasings
from knowledge.encoder import open_encoder
from knowledge.evaluate import Question, read_questions
from knowledge.normalise import normalise
from knowledge.outcome import Answered, Outcome, Query
from knowledge.prepare import Prepared, prepare
from knowledge.progress import terminal_progress
from knowledge.retriever import Retriever
from knowledge.settings import read_settings

_REPORT: Final = Path(__file__).parents[1] / "RETRIEVAL.md"
_EVALUATION: Final = Path(__file__).parents[2] / "knowledge" / "evaluation"
_COUNTS: Final = (5, 10, 20, 40, 80)
_FALSE_ANSWERS: Final = 0.01
_FAR: Final = ("out-smalltalk", "out-life", "out-school")


def main() -> None:
    """Measure and write."""
    settings = read_settings()
    prepared = prepare(settings, terminal_progress)
    encoder = open_encoder(settings, terminal_progress)

    def asked(name: str) -> Asked:
        questions = read_questions(
            _EVALUATION / f"{name}.jsonl", lambda entry: prepared.bank.entry(entry) is not None
        )
        texts = [normalise(question.query) for question in questions]
        return Asked(questions, encoder.encode_queries(texts))

    tune, reported = asked("tune"), asked("reported")
    whole = Variant(
        prepared.corpus, [entry.id for entry in prepared.bank.entries], prepared.index.vectors
    )
    rankings = {"as it is": whole.rank(tune, reported)}
    for name, variant in ablations(whole).items():
        _say(name)
        rankings[name] = variant.rank(tune, reported)
    curve: dict[int, list[Ranking]] = {}
    for count in _COUNTS:
        _say(f"{count} phrasings an entry")
        curve[count] = with_phrasings(whole, count).rank(tune, reported)
    _say("plainer ways")
    beside = {**plainer(whole, [tune, reported]), "ours": rankings["as it is"]}
    learned = {f"{count} phrasings an entry": each for count, each in curve.items()}
    learned["all"] = rankings["as it is"]
    retriever = Retriever(prepared, encoder)
    sections = [
        _made_from(prepared),
        "## The bars, on the reported questions\n\n" + _bars(retriever, reported.questions),
        "## Beside plainer ways\n\n" + _compared(beside, tune, reported),
        "## Without each part\n\n" + _compared(rankings, tune, reported),
        "## Learning curve\n\n" + _compared(learned, tune, reported),
        "## Conversations, on the reported ones\n\n"
        + follow_ups_table(retriever, _EVALUATION / "conversations_reported.jsonl"),
        swallowed_table(retriever, reported.questions),
    ]
    write(_REPORT, sections)
    _say(f"written to {_REPORT}")


def _made_from(prepared: Prepared) -> str:
    corpus, figures = prepared.corpus, prepared.trained.figures
    phrasings = sum(not line.official for line in corpus.lines)
    return (
        f"{len(corpus.documents)} entries, {phrasings} phrasings, {len(corpus.outside)} lines out "
        f"of scope; encoder {prepared.index.model}. In training, {figures.trials} trials on lines "
        f"taken away: recall@1 {figures.recall_at_1:.3f}, AUROC of the gate {figures.auroc:.3f}. "
        "Rates with the bounds between which 95 % of 1,000 bootstrap draws lie."
    )


def _bars(retriever: Retriever, questions: Sequence[Question]) -> str:
    addressed = [Query(question.query) for question in questions]
    to_nobody = [Query(question.query, addressed=False) for question in questions]
    outcomes = retriever.retrieve_many(addressed)
    ranking = _outcome_ranking(questions, outcomes)
    answered, aloud = _answered(outcomes), _answered(retriever.retrieve_many(to_nobody))
    inside = chosen(questions, lambda one: bool(one.entries))
    chinese = chosen(questions, lambda one: bool(one.entries) and not one.tag.startswith("en"))
    far = chosen(questions, lambda one: one.tag in _FAR)
    near = chosen(questions, lambda one: one.tag in ("out-near", "out-ai"))
    talk = chosen(questions, lambda one: one.tag == "out-smalltalk")
    right = answered & (ranking.ranks == 1)
    wrong = answered & ~right
    lines = (
        ("recall@1, Chinese and mixed", ranking.ranks == 1, chinese, Bar.at_least(0.95)),
        ("recall@1, English", ranking.ranks == 1, inside & ~chinese, Bar.at_least(0.95)),
        ("recall@3", (ranking.ranks > 0) & (ranking.ranks <= NEAR), inside, Bar.at_least(0.99)),
        ("answered and right", right, inside, Bar.at_least(0.90)),
        ("answered and wrong", wrong, inside, Bar.no_more_than(0.03)),
        ("answered, small talk or far from the subject", answered, far, Bar.no_more_than(0.01)),
        ("answered, near the subject", answered, near, Bar.no_more_than(0.05)),
        ("answered, small talk to nobody", aloud, talk, Bar.no_more_than(0.003)),
        ("answered, questions to nobody", aloud, inside, Bar.at_least(1 / 3)),
    )
    rates = [(name, rate(hits, over), bar, over.sum()) for name, hits, over, bar in lines]
    return table(
        ("rate", "measured", "bar", "questions"),
        [(name, str(one), bar.verdict(one), str(count)) for name, one, bar, count in rates],
    )


def _outcome_ranking(questions: Sequence[Question], outcomes: Sequence[Outcome]) -> Ranking:
    return Ranking(
        np.array(
            [
                rank_of(question, [hit.entry for hit in outcome.hits])
                for question, outcome in zip(questions, outcomes, strict=True)
            ]
        ),
        np.array([outcome.confidence for outcome in outcomes]),
    )


def _answered(outcomes: Sequence[Outcome]) -> Flags:
    return np.array([isinstance(outcome, Answered) for outcome in outcomes])


def _compared(ways: dict[str, list[Ranking]], tune: Asked, reported: Asked) -> str:
    """One row a way; when it answers is set so that 1 % of the tuning lines out of scope are."""
    inside = chosen(reported.questions, lambda one: bool(one.entries))
    chinese = chosen(
        reported.questions, lambda one: bool(one.entries) and not one.tag.startswith("en")
    )
    outside = chosen(tune.questions, lambda one: not one.entries)
    rows: list[tuple[str, ...]] = []
    for name, (tuned, ranking) in ways.items():
        answered = ranking.confidences > bound_at(tuned.confidences[outside], _FALSE_ANSWERS)
        right = answered & (ranking.ranks == 1)
        rows.append(
            (
                name,
                str(recall(ranking, chinese)),
                str(recall(ranking, inside & ~chinese)),
                str(recall(ranking, inside, NEAR)),
                str(rate(right, inside)),
                str(rate(answered & ~right, inside)),
                str(rate(answered, ~inside)),
            )
        )
    head = ("", "R@1 zh", "R@1 en", "R@3", "right", "wrong", "out of scope answered")
    return table(head, rows)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


main()
