"""Search: one bank's entries, ordered for a query, with the confidence in the first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from knowledge.bank import Bank
from knowledge.confidence import features
from knowledge.corpus import Corpus
from knowledge.encoder import Vectors
from knowledge.fusion import Weighed, log_softmax, weigh
from knowledge.lexical import Scores
from knowledge.lexicon import Lexicon
from knowledge.outcome import Hit
from knowledge.rankers import Rankers, VectorsOf
from knowledge.relations import Relations
from knowledge.signals import Signals
from knowledge.training import Trained


@dataclass(frozen=True, slots=True)
class Found:
    """The best hits, best first, and the probability, 0 to 1, that the first one answers."""

    hits: tuple[Hit, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rankers say of a text, and how it was weighed."""

    signals: Signals
    weighed: Weighed

    def leaning(self, prior: Scores) -> "Judged":
        """The same with ``prior`` added to the log-shares of the entries."""
        scores = log_softmax(self.weighed.scores + prior)
        return Judged(self.signals, replace(self.weighed, scores=scores))


class Search:
    """Searches the bank that ``corpus`` was built from. Safe to use from several threads."""

    def __init__(
        self,
        bank: Bank,
        corpus: Corpus,
        lexicon: Lexicon,
        trained: Trained,
        vectors_of: VectorsOf,
    ) -> None:
        self.bank = bank
        self._weights, self._gate = trained.weights, trained.gate
        self._rankers = Rankers(corpus, lexicon, trained.centres, vectors_of)

    def knows(self, word: str) -> bool:
        """Whether any entry uses ``word``."""
        return self._rankers.lexical.knows(word)

    @cached_property
    def relations(self) -> Relations:
        """How the entries belong together."""
        return Relations.of(self.bank)

    def find(self, texts: Sequence[str], vectors: Vectors, top_k: int) -> list[Found]:
        """At most ``top_k`` hits for each of ``texts`` (normalised), whose vectors are given."""
        return [
            Found(self.hits(judged.weighed.scores, top_k), self.confidence(judged))
            for judged in self.judge(texts, vectors)
        ]

    def judge(self, texts: Sequence[str], vectors: Vectors) -> list[Judged]:
        """What is to be said of each of ``texts`` (normalised), whose vectors are given."""
        return [
            Judged(signals, weigh(signals, self._weights))
            for signals in self._rankers.signals(texts, vectors)
        ]

    def confidence(self, judged: Judged) -> float:
        """The probability, 0 to 1, that the best entry answers the text."""
        return self._gate.confidence(features(judged.signals, judged.weighed))

    def hits(self, scores: Scores, top_k: int) -> tuple[Hit, ...]:
        """At most ``top_k`` entries, best first, by ``scores`` in the bank's order."""
        best = np.argsort(-scores, kind="stable")[:top_k]
        return tuple(self._hit(int(number), float(scores[number])) for number in best)

    def _hit(self, number: int, score: float) -> Hit:
        entry = self.bank.entries[number]
        return Hit(entry.id, entry.question, score)
