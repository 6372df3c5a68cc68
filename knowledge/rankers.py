"""The rankers: each looks at a query in its own way and gives every entry a number."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from knowledge.corpus import Corpus
from knowledge.encoder import Vectors
from knowledge.head import Head
from knowledge.index import FaissIndex, text_hash
from knowledge.lexical import Scores, tokens
from knowledge.lexicon import Lexicon
from knowledge.signals import Signals

_NEAREST_LINES: Final = 100
_NEAREST_SENTENCES: Final = 5

VectorsOf = Callable[[Sequence[str]], Vectors]
"""Gives the encoder's vectors of texts of the corpus."""


class Rankers:
    """All rankers over one corpus. Reading them from several threads is safe.

    Over a corpus that lacks some lines, they are what retrieval would be without these.
    """

    def __init__(self, corpus: Corpus, lexicon: Lexicon, head: Head, vectors_of: VectorsOf) -> None:
        self._head = head
        self._centred = head.centres.centred
        self._size = len(corpus.documents)
        self._entry_of = np.array([line.entry for line in corpus.lines], np.int64)
        self._lines = self._index([line.text for line in corpus.lines], vectors_of)
        self._outside = self._index([line.text for line in corpus.outside], vectors_of)
        self._sentences = self._index(corpus.sentences, vectors_of)
        self._documents = self._centred(corpus.documents, vectors_of(corpus.documents)).astype(
            np.float64
        )
        self._lexical = lexicon.lexical_ranker(corpus)

    def signals(self, texts: Sequence[str], vectors: Vectors) -> Iterator[Signals]:
        """What the rankers say of ``texts`` (normalised), whose encoder's vectors are given."""
        if not texts:
            return
        moved = self._centred(texts, vectors)
        heads = self._head.log_probabilities(moved)
        documents = moved.astype(np.float64) @ self._documents.T
        lines = self._lines.search(moved, _NEAREST_LINES)
        outside = self._outside.search(moved, 1)
        ordinary = self._sentences.search(moved, _NEAREST_SENTENCES)
        for number, text in enumerate(texts):
            words = list(dict.fromkeys(tokens(text)))
            yield Signals(
                head=heads[number, :-1],
                outside=float(heads[number, -1]),
                lexical=self._lexical.scores(words),
                document=documents[number],
                phrasing=self._by_entry(lines.rows[number], lines.scores[number]),
                nearest_outside=float(outside.scores[number, 0]),
                ordinary=float(ordinary.scores[number].mean()),
                words=len(words),
                known_words=sum(self._lexical.knows(word) for word in words),
            )

    def knows(self, word: str) -> bool:
        """Whether any entry uses ``word``."""
        return self._lexical.knows(word)

    def _index(self, texts: Sequence[str], vectors_of: VectorsOf) -> FaissIndex:
        vectors = self._centred(texts, vectors_of(texts))
        return FaissIndex("", [text_hash(text) for text in texts], vectors)

    def _by_entry(self, rows: npt.NDArray[np.int64], scores: npt.NDArray[np.float32]) -> Scores:
        """The best score of each entry; one without a line among the nearest gets the last's."""
        best = np.full(self._size, float(scores[-1]), np.float64)
        np.maximum.at(best, self._entry_of[rows], scores.astype(np.float64))
        return best
