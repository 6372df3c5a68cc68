"""The rankers: one compares what a query means with every line, the other compares words."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from knowledge.centre import Centres
from knowledge.corpus import Corpus
from knowledge.encoder import Vectors
from knowledge.index import FaissIndex, text_hash
from knowledge.lexical import tokens
from knowledge.lexicon import Lexicon
from knowledge.neighbours import NEAREST, Neighbours
from knowledge.signals import Signals

VectorsOf = Callable[[Sequence[str]], Vectors]
"""Gives the encoder's vectors of texts of the corpus."""


class Rankers:
    """Both rankers over one corpus. Reading them from several threads is safe."""

    def __init__(
        self, corpus: Corpus, lexicon: Lexicon, centres: Centres, vectors_of: VectorsOf
    ) -> None:
        lines = (*corpus.lines, *corpus.outside)
        texts = [line.text for line in lines]
        vectors = centres.centred(texts, vectors_of(texts))
        self._centres = centres
        self._entry_of = np.array([line.entry for line in lines], np.int64)
        self._lines = FaissIndex.of("", [text_hash(text) for text in texts], vectors)
        self.lexical = lexicon.lexical_ranker(corpus)

    def signals(
        self, texts: Sequence[str], vectors: Vectors, nearest: int = NEAREST
    ) -> Iterator[Signals]:
        """What the rankers say of ``texts`` (normalised), whose encoder's vectors are given.

        The ``nearest`` neighbours of each are told.
        """
        if not texts:
            return
        found = self._lines.search(self._centres.centred(texts, vectors), nearest)
        for text, rows, cosines in zip(texts, found.rows, found.scores, strict=True):
            words = list(dict.fromkeys(tokens(text)))
            yield Signals(
                neighbours=Neighbours(rows, self._entry_of[rows], cosines.astype(np.float64)),
                lexical=self.lexical.scores(words),
                words=len(words),
                known_words=sum(map(self.lexical.knows, words)),
            )
