"""The words of a corpus, cut once and used by many rankers."""

from dataclasses import dataclass
from typing import Self

from knowledge.corpus import Corpus
from knowledge.lexical import Bm25, tokens

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of every text of a corpus."""

    documents: tuple[Words, ...]
    lines: dict[str, Words]
    sentences: tuple[Words, ...]

    @classmethod
    def of(cls, corpus: Corpus) -> Self:
        """The words of ``corpus``."""
        return cls(
            tuple(tuple(tokens(text)) for text in corpus.documents),
            {line.text: tuple(tokens(line.text)) for line in (*corpus.lines, *corpus.outside)},
            tuple(tuple(tokens(text)) for text in corpus.sentences),
        )

    def joined(self, other: "Lexicon") -> "Lexicon":
        """The words of both corpora, for `Corpus.joined`."""
        return Lexicon(
            (*self.documents, *other.documents), self.lines | other.lines, self.sentences
        )

    def lexical_ranker(self, corpus: Corpus) -> Bm25:
        """The ranker over ``corpus``, whose words these are."""
        bags = [list(words) for words in self.documents]
        for line in corpus.lines:
            bags[line.entry].extend(self.lines[line.text])
        outside = (self.lines[line.text] for line in corpus.outside)
        return Bm25(bags, [*outside, *self.sentences])
