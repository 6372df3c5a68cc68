"""Trials: questions that retrieval is tried on while it learns, as if it had never seen them.

A line of the corpus is taken for a question, and taken away from what retrieval knows. Without
its whole entry the same line is the hardest question to refuse: one that a good bank could hold
and this one does not.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from knowledge.corpus import OUTSIDE, Corpus, Line
from knowledge.lexicon import Lexicon
from knowledge.neighbours import NEAREST
from knowledge.progress import Progress
from knowledge.rankers import Rankers, VectorsOf
from knowledge.signals import Signals

MOST: Final = 8000
"""How many lines of entries are tried at most; more change nothing but the time it takes."""

_PORTION: Final = 500
_STEP: Final = "training retrieval"

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Trial:
    """A question and what the rankers say of it. ``entry`` is its entry, or `OUTSIDE`.

    ``absent`` is a question whose entry was taken away, and which nothing answers now.
    """

    entry: int
    signals: Signals
    absent: bool = False


class Trials:
    """Tries ``rankers`` on the lines of ``corpus``.

    ``seed`` decides which lines are tried where there are many.
    """

    def __init__(self, corpus: Corpus, lexicon: Lexicon, rankers: Rankers, seed: int) -> None:
        self._lines: tuple[Line, ...] = (*corpus.lines, *corpus.outside)
        self._words = lexicon.lines
        self._rankers = rankers
        self._chosen = _chosen(corpus, seed)
        # So that enough neighbours are left when all lines of one entry are taken away.
        largest = max(Counter(line.entry for line in corpus.lines).values(), default=0)
        self._nearest = NEAREST + largest

    def run(self, vectors_of: VectorsOf, progress: Progress) -> list[Trial]:
        """All trials; ``vectors_of`` gives the encoder's vectors of lines."""
        found: list[Trial] = []
        for start in range(0, len(self._chosen), _PORTION):
            progress(_STEP, start / len(self._chosen))
            rows = self._chosen[start : start + _PORTION]
            texts = [self._lines[row].text for row in rows]
            told = self._rankers.signals(texts, vectors_of(texts), self._nearest)
            for row, signals in zip(rows, told, strict=True):
                found.extend(self._of_line(row, signals))
        progress(_STEP, 1.0)
        return found

    def _of_line(self, row: int, signals: Signals) -> Iterator[Trial]:
        neighbours, entry = signals.neighbours, self._lines[row].entry
        itself = neighbours.rows == row
        if entry == OUTSIDE:
            yield Trial(entry, replace(signals, neighbours=neighbours.only(~itself)))
            return
        own = neighbours.entries == entry
        words = self._words[self._lines[row].text]
        score = self._rankers.lexical.score_without(words, entry, Counter(words))
        yield Trial(entry, _changed(signals, ~itself, entry, score))
        yield Trial(entry, _changed(signals, ~own, entry, 0.0), absent=True)


def _chosen(corpus: Corpus, seed: int) -> list[int]:
    """The rows of the lines that are tried: phrasings, and all lines out of scope."""
    phrasings = [row for row, line in enumerate(corpus.lines) if not line.official]
    order: list[int] = np.random.default_rng(seed).permutation(len(phrasings))[:MOST].tolist()
    size = len(corpus.lines)
    return [phrasings[place] for place in order] + list(range(size, size + len(corpus.outside)))


def _changed(signals: Signals, kept: Flags, entry: int, lexical: float) -> Signals:
    """The signals with only the neighbours that are ``kept``, and the entry's own word score."""
    scores = signals.lexical.copy()
    scores[entry] = lexical
    return replace(signals, neighbours=signals.neighbours.only(kept), lexical=scores)
