"""Training: how much each ranker counts, and the gate that turns their word into a confidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np

from knowledge.centre import Centres
from knowledge.confidence import Gate, features
from knowledge.corpus import OUTSIDE, Corpus
from knowledge.fusion import Weights, log_softmax, weigh
from knowledge.lexical import Scores
from knowledge.lexicon import Lexicon
from knowledge.logistic_regression import fit_logistic_regression
from knowledge.move import Move
from knowledge.moves import MoveTeller, fit_moves
from knowledge.progress import Progress, silent
from knowledge.rankers import Rankers, VectorsOf
from knowledge.trials import Trial, Trials

RECIPE: Final = 5
"""Raised whenever training changes, so that what was trained before is trained anew."""

SEED: Final = 0

TEMPERATURES: Final = (0.02, 0.03, 0.05, 0.08, 0.12)
"""At which nearness may be read; encoders differ in how far apart they put texts."""

_EVIDENCE: Final = 50.0
"""What all trials together weigh against the gate's L2 penalty of strength 1.

Lines of the bank are no strangers' questions, and a gate that learns them by heart promises too
much; more than this was no better on questions of other hands.
"""

_ABSENT_SHARE: Final = 0.3
"""How much questions whose entry was taken away count among what must be refused."""

_QUESTIONS: Final = 1_500
"""How many lines of the bank show what a question of its own is like."""

_START: Final = Weights(0.05, 1.0, 0.1)


@dataclass(frozen=True, slots=True)
class Figures:
    """How training went: rates from 0 to 1 over ``trials`` questions that were held out.

    ``recall_at_1`` is over those that an entry answers; ``auroc`` is the probability that one
    which is answered rightly gets more confidence than one which must not be answered.
    """

    trials: int
    recall_at_1: float
    auroc: float


@dataclass(frozen=True, slots=True)
class Trained:
    """What training gives."""

    centres: Centres
    weights: Weights
    gate: Gate
    moves: MoveTeller
    figures: Figures


def train(corpus: Corpus, vectors_of: VectorsOf, progress: Progress = silent) -> Trained:
    """Train on ``corpus``, whose vectors ``vectors_of`` gives; the same corpus, the same result."""
    lexicon = Lexicon.of(corpus)
    centres = Centres.of(corpus.sentences, vectors_of(corpus.sentences))
    rankers = Rankers(corpus, lexicon, centres, vectors_of)
    tried = Trials(corpus, lexicon, rankers, SEED).run(vectors_of, progress)
    weights = fit_weights(tried)
    gate, figures = fit_gate(tried, weights)
    return Trained(centres, weights, gate, learn_moves(corpus, centres, vectors_of), figures)


def learn_moves(corpus: Corpus, centres: Centres, vectors_of: VectorsOf) -> MoveTeller:
    """What tells moves: the follow-ups of ``corpus``, beside some of its questions."""
    texts = [follow_up.text for follow_up in corpus.follow_ups]
    moves = [follow_up.move for follow_up in corpus.follow_ups]
    order: list[int] = (
        np.random.default_rng(SEED).permutation(len(corpus.lines))[:_QUESTIONS].tolist()
    )
    known = frozenset(texts)
    questions = [corpus.lines[row].text for row in order]
    questions += [line.text for line in corpus.outside if line.text not in known]
    texts += questions
    moves += [Move.QUESTION] * len(questions)
    return fit_moves(texts, centres.centred(texts, vectors_of(texts)), moves)


def fit_weights(tried: Sequence[Trial], temperatures: Sequence[float] = TEMPERATURES) -> Weights:
    """The weights under which the right entries get the largest shares."""
    asked = [one for one in tried if one.entry != OUTSIDE and not one.absent]
    if not asked:
        return _START
    return min((_fitted(asked, temperature) for temperature in temperatures), key=_loss)[1]


def _loss(fitted: tuple[float, Weights]) -> float:
    return fitted[0]


def _fitted(asked: Sequence[Trial], temperature: float) -> tuple[float, Weights]:
    """The mean of −log(share of the right entry), and the weights that make it smallest."""
    # scipy ships no types that pyright can read.
    optimize: Any = import_module("scipy.optimize")
    size = len(asked[0].signals.lexical)
    signals = np.stack(
        [
            [one.signals.neighbours.nearness(size, temperature)[0] for one in asked],
            [one.signals.lexical for one in asked],
        ]
    )
    rows = np.arange(len(asked))
    right = np.array([one.entry for one in asked])

    def loss(weights: Scores) -> tuple[float, Scores]:
        shares = log_softmax(np.tensordot(weights, signals, 1))
        errors = np.exp(shares)
        errors[rows, right] -= 1
        return float(-shares[rows, right].mean()), np.einsum("sre,re->s", signals, errors) / len(
            asked
        )

    start = np.array([_START.nearness, _START.lexical])
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * 2)
    nearness, lexical = (float(weight) for weight in found.x)
    return float(found.fun), Weights(temperature, nearness, lexical)


def fit_gate(tried: Sequence[Trial], weights: Weights) -> tuple[Gate, Figures]:
    """The gate over what ``weights`` make of the trials, and how well both do on these."""
    weighed = [weigh(one.signals, weights) for one in tried]
    numbers = np.array(
        [features(one.signals, each) for one, each in zip(tried, weighed, strict=True)]
    )
    right = np.array(
        [
            not one.absent and int(each.scores.argmax()) == one.entry
            for one, each in zip(tried, weighed, strict=True)
        ]
    )
    counts = _sample_weights(tried)
    means = numbers.mean(axis=0)
    scales = np.maximum(numbers.std(axis=0), 1e-6)
    if right.all() or not right.any():
        # Nothing to learn from, so nothing is promised.
        gate = Gate(means, scales, np.zeros_like(means), 0.0)
    else:
        fitted = fit_logistic_regression(
            (numbers - means) / scales,
            right,
            sample_weights=counts * _EVIDENCE / counts.sum(),
        )
        gate = Gate(means, scales, *fitted)
    asked = np.array([one.entry != OUTSIDE and not one.absent for one in tried])
    confidences = np.array([gate.confidence(row) for row in numbers])
    return gate, Figures(
        trials=len(tried),
        recall_at_1=float(right[asked].mean()) if asked.any() else 0.0,
        auroc=_auroc(confidences[right], confidences[~asked]),
    )


def _sample_weights(tried: Sequence[Trial]) -> Scores:
    """What is asked weighs as much as what must be refused, however many there are of each."""
    foreign = np.array([one.entry == OUTSIDE for one in tried])
    absent = np.array([one.absent for one in tried])
    absent_share = _ABSENT_SHARE if absent.any() else 0.0
    groups = ((foreign, 1 - absent_share), (absent, absent_share), (~foreign & ~absent, 1.0))
    counts = np.zeros(len(tried))
    for group, share in groups:
        counts[group] = share / max(int(group.sum()), 1)
    return counts


def _auroc(higher: Scores, lower: Scores) -> float:
    """The probability that one of ``higher`` exceeds one of ``lower``, a draw counting half."""
    if not len(higher) or not len(lower):
        return 0.5
    ordered = np.sort(lower)
    below = np.searchsorted(ordered, higher, "left") + np.searchsorted(ordered, higher, "right")
    return float(below.mean() / 2 / len(lower))
