"""Search: one bank's entries, ordered for a query, with the confidence in the first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.bank import Bank
from knowledge.confidence import features
from knowledge.corpus import Corpus
from knowledge.encoder import Vectors
from knowledge.fusion import weigh
from knowledge.lexicon import Lexicon
from knowledge.outcome import Hit
from knowledge.rankers import Rankers, VectorsOf
from knowledge.training import Trained


@dataclass(frozen=True, slots=True)
class Found:
    """The best hits, best first, and the probability, 0 to 1, that the first one answers."""

    hits: tuple[Hit, ...]
    confidence: float


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

    def find(self, texts: Sequence[str], vectors: Vectors, top_k: int) -> list[Found]:
        """At most ``top_k`` hits for each of ``texts`` (normalised), whose vectors are given."""
        found: list[Found] = []
        for signals in self._rankers.signals(texts, vectors):
            weighed = weigh(signals, self._weights)
            confidence = self._gate.confidence(features(signals, weighed))
            best = np.argsort(-weighed.scores, kind="stable")[:top_k]
            hits = (self._hit(int(number), float(weighed.scores[number])) for number in best)
            found.append(Found(tuple(hits), confidence))
        return found

    def _hit(self, number: int, score: float) -> Hit:
        entry = self.bank.entries[number]
        return Hit(entry.id, entry.question, score)
