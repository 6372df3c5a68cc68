"""The rankers: each looks at a query in its own way and gives every entry a number."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from knowledge.corpus import Corpus, Line
from knowledge.encoder import Vectors
from knowledge.head import Head
from knowledge.index import FaissIndex, text_hash
from knowledge.lexical import Bm25, Scores, tokens
from knowledge.signals import Signals

_NEAREST_LINES: Final = 100
_NEAREST_SENTENCES: Final = 5

VectorsOf = Callable[[Sequence[str]], Vectors]
"""Gives the encoder's vectors of texts of the corpus."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of every text of a corpus, cut once."""

    documents: tuple[tuple[str, ...], ...]
    lines: dict[str, tuple[str, ...]]
    others: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, corpus: Corpus) -> "Lexicon":
        """The words of ``corpus``."""
        return cls(
            tuple(tuple(tokens(text)) for text in corpus.documents),
            {line.text: tuple(tokens(line.text)) for line in (*corpus.lines, *corpus.outside)},
            tuple(tuple(tokens(text)) for text in corpus.sentences),
        )


class Rankers:
    """All rankers over one set of lines. Reading them from several threads is safe.

    Made with some lines of a corpus left out, they are what retrieval would be without these.
    """

    def __init__(
        self,
        corpus: Corpus,
        lines: Sequence[Line],
        outside: Sequence[Line],
        lexicon: Lexicon,
        head: Head,
        vectors_of: VectorsOf,
    ) -> None:
        self._head = head
        self._size = len(corpus.documents)
        self._entry_of = np.array([line.entry for line in lines], np.int64)
        self._lines = self._index([line.text for line in lines], vectors_of)
        self._outside = self._index([line.text for line in outside], vectors_of)
        self._sentences = self._index(corpus.sentences, vectors_of)
        self._documents = head.centred(vectors_of(corpus.documents))
        bags = [list(words) for words in lexicon.documents]
        for line in lines:
            bags[line.entry].extend(lexicon.lines[line.text])
        self._lexical = Bm25(
            bags, [*(lexicon.lines[line.text] for line in outside), *lexicon.others]
        )

    def signals(self, texts: Sequence[str], vectors: Vectors) -> Iterator[Signals]:
        """What the rankers say of ``texts`` (normalised), whose encoder's vectors are given."""
        if not texts:
            return
        moved = self._head.centred(vectors)
        heads = self._head.log_probabilities(moved)
        documents = moved.astype(np.float64) @ self._documents.T.astype(np.float64)
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

    def _index(self, texts: Sequence[str], vectors_of: VectorsOf) -> FaissIndex:
        vectors = self._head.centred(vectors_of(texts))
        return FaissIndex("", [text_hash(text) for text in texts], vectors)

    def _by_entry(self, rows: npt.NDArray[np.int64], scores: npt.NDArray[np.float32]) -> Scores:
        """The best score of each entry; one without a line among the nearest gets the last's."""
        best = np.full(self._size, float(scores[-1]), np.float64)
        np.maximum.at(best, self._entry_of[rows], scores.astype(np.float64))
        return best
