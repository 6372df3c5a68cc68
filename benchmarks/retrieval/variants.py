"""Retrieval as it is, retrieval without one of its parts, and plainer ways to retrieve."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from benchmarks.retrieval.ranking import Ranking, rank_of
from knowledge.centre import Centres
from knowledge.confidence import features
from knowledge.corpus import Corpus
from knowledge.encoder import Vectors
from knowledge.evaluate import Question
from knowledge.fusion import Weights, weigh
from knowledge.lexical import Scores, tokens
from knowledge.lexicon import Lexicon
from knowledge.normalise import normalise
from knowledge.progress import silent
from knowledge.rankers import Rankers, VectorsOf
from knowledge.signals import Signals
from knowledge.training import SEED, TEMPERATURES, fit_gate, fit_weights
from knowledge.trials import Trials

_NEAREST_ALONE: Final = 0.002
"""A temperature so low that only an entry's nearest line counts."""

_FUSION_CONSTANT: Final = 60.0
"""Of reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions with their vectors."""

    questions: Sequence[Question]
    vectors: Vectors

    @property
    def texts(self) -> list[str]:
        """What is asked, normalised."""
        return [normalise(question.query) for question in self.questions]


@dataclass(frozen=True, slots=True)
class Variant:
    """Retrieval, but with other lines, uncentred, at other temperatures or with other weights.

    Everything that is trained is trained anew for it. Without the ``gate`` the share of the best
    entry stands for the confidence.
    """

    corpus: Corpus
    ids: Sequence[str]
    vectors_of: VectorsOf
    centred: bool = True
    temperatures: Sequence[float] = TEMPERATURES
    adjust: Callable[[Weights], Weights] = lambda weights: weights
    gate: bool = True

    def rank(self, *asked: Asked) -> list[Ranking]:
        """Train, and rank each set of questions."""
        lexicon = Lexicon.of(self.corpus)
        centres = Centres.of(self.corpus.sentences, self.vectors_of(self.corpus.sentences))
        if not self.centred:
            centres = Centres(np.zeros_like(centres.vectors))
        rankers = Rankers(self.corpus, lexicon, centres, self.vectors_of)
        tried = Trials(self.corpus, lexicon, rankers, SEED).run(self.vectors_of, silent)
        weights = self.adjust(fit_weights(tried, self.temperatures))
        gate, _ = fit_gate(tried, weights)

        def judged(signals: Signals) -> tuple[Scores, float]:
            weighed = weigh(signals, weights)
            share = float(weighed.scores.max())
            return weighed.scores, gate.confidence(
                features(signals, weighed)
            ) if self.gate else share

        return [
            _ranking(
                one.questions,
                [judged(each) for each in rankers.signals(one.texts, one.vectors)],
                self.ids,
            )
            for one in asked
        ]


def ablations(whole: Variant) -> dict[str, Variant]:
    """Retrieval without each of its parts."""
    corpus = whole.corpus
    return {
        "without nearness (words alone)": replace(
            whole, adjust=lambda weights: replace(weights, nearness=0.0, lexical=1.0)
        ),
        "without words (nearness alone)": replace(
            whole, adjust=lambda weights: replace(weights, lexical=0.0)
        ),
        "each entry's nearest line instead of the density of its lines": replace(
            whole, temperatures=(_NEAREST_ALONE,)
        ),
        "without centring": replace(whole, centred=False),
        "without the words of the answers (documents)": replace(
            whole, corpus=replace(corpus, documents=("",) * len(corpus.documents))
        ),
        "without lines out of scope": replace(whole, corpus=replace(corpus, outside=())),
        "without the gate (share of the best entry)": replace(whole, gate=False),
    }


def with_phrasings(whole: Variant, count: int) -> Variant:
    """Retrieval that knows only the first ``count`` phrasings of each entry, in a mixed order."""
    corpus = whole.corpus
    order = np.random.default_rng(SEED).permutation(len(corpus.lines))
    seen: dict[int, int] = {}
    kept: set[int] = set()
    for row in order.tolist():
        line = corpus.lines[row]
        if line.official:
            kept.add(row)
        elif seen.get(line.entry, 0) < count:
            seen[line.entry] = seen.get(line.entry, 0) + 1
            kept.add(row)
    lines = tuple(line for row, line in enumerate(corpus.lines) if row in kept)
    return replace(whole, corpus=replace(corpus, lines=lines))


def plainer(whole: Variant, asked: Sequence[Asked]) -> dict[str, list[Ranking]]:
    """What is usually done: the encoder alone, BM25 alone, and both by reciprocal rank."""
    corpus, size = whole.corpus, len(whole.ids)
    official = [line for line in corpus.lines if line.official]
    questions = _nearest_line([line.text for line in official], [line.entry for line in official])
    phrasings = _nearest_line(
        [line.text for line in corpus.lines], [line.entry for line in corpus.lines]
    )
    words = Lexicon.of(corpus).lexical_ranker(corpus)

    def lexical(one: Asked) -> list[Scores]:
        return [words.scores(tokens(text)) for text in one.texts]

    ways: dict[str, Callable[[Asked], list[Scores]]] = {
        "plain e5, the entry's question and summary": lambda one: questions(whole, one, size),
        "plain e5, the nearest phrasing": lambda one: phrasings(whole, one, size),
        "BM25": lexical,
        "reciprocal rank fusion of the last two": lambda one: [
            _reciprocal(left) + _reciprocal(right)
            for left, right in zip(phrasings(whole, one, size), lexical(one), strict=True)
        ],
    }
    return {
        name: [
            _ranking(one.questions, [(each, float(each.max())) for each in way(one)], whole.ids)
            for one in asked
        ]
        for name, way in ways.items()
    }


def _nearest_line(
    texts: Sequence[str], entries: Sequence[int]
) -> Callable[[Variant, Asked, int], list[Scores]]:
    def scores(whole: Variant, one: Asked, size: int) -> list[Scores]:
        lines = whole.vectors_of(texts)
        best = np.full((len(one.questions), size), -1.0)
        for row, cosines in enumerate(one.vectors @ lines.T):
            np.maximum.at(best[row], np.array(entries), cosines.astype(np.float64))
        return list(best)

    return scores


def _reciprocal(scores: Scores) -> Scores:
    ranks = np.empty(len(scores))
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return 1 / (_FUSION_CONSTANT + ranks)


def _ranking(
    questions: Sequence[Question], judged: Sequence[tuple[Scores, float]], ids: Sequence[str]
) -> Ranking:
    ranks = [
        rank_of(question, [ids[int(place)] for place in np.argsort(-scores, kind="stable")])
        for question, (scores, _) in zip(questions, judged, strict=True)
    ]
    return Ranking(np.array(ranks), np.array([confidence for _, confidence in judged]))
