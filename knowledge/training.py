"""Training: the head, and the gate that turns what the rankers say into a confidence.

The gate learns from queries that the rankers have not seen: in each of some rounds a part of the
phrasings is held out, and some entries are left out altogether. The phrasings of the latter are
the hardest questions to refuse, those that a good bank could hold and this one does not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from knowledge.centre import Centres
from knowledge.confidence import Gate, features
from knowledge.corpus import OUTSIDE, Corpus, Line
from knowledge.fusion import fuse
from knowledge.head import Floats, Head
from knowledge.lexicon import Lexicon
from knowledge.logistic_regression import fit_logistic_regression
from knowledge.progress import Progress, silent
from knowledge.rankers import Rankers, VectorsOf
from knowledge.signals import Signals

RECIPE: Final = 3
"""Raised whenever training changes, so that what was trained before is trained anew."""

_ROUNDS: Final = 5
_HEAD_FREEDOM: Final = 100.0
_GATE_FREEDOM: Final = 0.03
_LEAVING_OUT_FROM: Final = 3
"""How many entries a bank must have for some to be left out in a round."""

_LEFT_OUT_SHARE: Final = 0.3
"""How much the phrasings of left-out entries count among what must be refused."""

_NEVER: Final = -30.0
_STEP: Final = "training retrieval"


@dataclass(frozen=True, slots=True)
class Trained:
    """What training gives."""

    head: Head
    gate: Gate


@dataclass(frozen=True, slots=True)
class _Trial:
    """A query that the rankers had not seen. ``right`` says whether the first entry is the one."""

    numbers: Floats
    right: bool
    weight: float


def train(corpus: Corpus, vectors_of: VectorsOf, progress: Progress = silent) -> Trained:
    """Train on ``corpus``, whose vectors ``vectors_of`` gives; the same corpus, the same result."""
    lexicon = Lexicon.of(corpus)
    centres = Centres.of(corpus.sentences, vectors_of(corpus.sentences))
    trials: list[_Trial] = []
    for number in range(_ROUNDS):
        progress(_STEP, number / (_ROUNDS + 1))
        trials.extend(_round(corpus, lexicon, number, centres, vectors_of))
    progress(_STEP, _ROUNDS / (_ROUNDS + 1))
    head = _fit_head(corpus, centres, vectors_of)
    gate = _fit_gate(trials)
    progress(_STEP, 1.0)
    return Trained(head, gate)


def _round(
    corpus: Corpus, lexicon: Lexicon, number: int, centres: Centres, vectors_of: VectorsOf
) -> Iterator[_Trial]:
    absent = _absent(len(corpus.documents), number)
    held_out = _held_out((*corpus.lines, *corpus.outside), number)
    seen = replace(
        corpus,
        lines=tuple(
            line for line in corpus.lines if line.entry not in absent and line.text not in held_out
        ),
        # With too few lines to hold some out, the gate is tried on what the head has seen.
        outside=tuple(line for line in corpus.outside if line.text not in held_out)
        or corpus.outside,
    )
    rankers = Rankers(seen, lexicon, _fit_head(seen, centres, vectors_of), vectors_of)
    known = [line for line in corpus.lines if line.text in held_out and line.entry not in absent]
    foreign = [line for line in corpus.outside if line.text in held_out]
    left_out = [line for line in corpus.lines if line.entry in absent and not line.official]
    foreign_share = 1 - (_LEFT_OUT_SHARE if left_out else 0.0)
    for group, share in ((known, 1.0), (foreign, foreign_share), (left_out, _LEFT_OUT_SHARE)):
        texts = [line.text for line in group]
        for line, signals in zip(group, rankers.signals(texts, vectors_of(texts)), strict=True):
            remaining = _without(signals, absent)
            fused = fuse(remaining)
            yield _Trial(
                features(line.text, remaining, fused),
                right=line.entry not in absent and int(fused.argmax()) == line.entry,
                weight=share / len(group),
            )


def _absent(size: int, number: int) -> frozenset[int]:
    """The entries that a round does without."""
    if size < _LEAVING_OUT_FROM:
        return frozenset()
    return frozenset(entry for entry in range(size) if entry % _ROUNDS == number)


def _held_out(lines: Sequence[Line], number: int) -> set[str]:
    """Every fifth phrasing of each entry, others in each round."""
    counts: dict[int, int] = {}
    held_out: set[str] = set()
    for line in lines:
        if line.official:
            continue
        count = counts.get(line.entry, max(line.entry, 0))
        counts[line.entry] = count + 1
        if count % _ROUNDS == number:
            held_out.add(line.text)
    return held_out


def _without(signals: Signals, absent: frozenset[int]) -> Signals:
    """The signals of a bank that lacks the entries ``absent``."""
    if not absent:
        return signals
    gone = np.zeros(len(signals.head), bool)
    gone[list(absent)] = True
    return replace(
        signals,
        head=np.where(gone, _NEVER, signals.head),
        lexical=np.where(gone, 0.0, signals.lexical),
        document=np.where(gone, -1.0, signals.document),
        phrasing=np.where(gone, -1.0, signals.phrasing),
    )


def _fit_head(corpus: Corpus, centres: Centres, vectors_of: VectorsOf) -> Head:
    size = len(corpus.documents)
    lines = (*corpus.lines, *corpus.outside)
    texts = [line.text for line in lines]
    vectors = centres.centred(texts, vectors_of(texts))
    classes = np.array([size if line.entry == OUTSIDE else line.entry for line in lines], np.int64)
    fitted = fit_logistic_regression(vectors.astype(np.float64), classes, freedom=_HEAD_FREEDOM)
    weights = np.zeros((size + 1, vectors.shape[1]), np.float64)
    biases = np.full(size + 1, _NEVER, np.float64)
    weights[fitted.classes], biases[fitted.classes] = fitted.weights, fitted.biases
    return Head(centres, weights, biases)


def _fit_gate(trials: Sequence[_Trial]) -> Gate:
    numbers = np.array([trial.numbers for trial in trials])
    right = np.array([trial.right for trial in trials], np.int64)
    weights = np.array([trial.weight for trial in trials])
    means = numbers.mean(axis=0)
    scales = np.maximum(numbers.std(axis=0), 1e-6)
    if right.all() or not right.any():
        # Nothing to learn from, so nothing is promised.
        return Gate(means, scales, np.zeros_like(means), 0.0)
    fitted = fit_logistic_regression(
        (numbers - means) / scales,
        right,
        freedom=_GATE_FREEDOM,
        sample_weights=weights * len(trials) / weights.sum(),
    )
    return Gate(means, scales, fitted.weights[1], float(fitted.biases[1]))
