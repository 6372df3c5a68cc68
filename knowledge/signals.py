"""What the rankers say of one query, before it is weighed."""

from dataclasses import dataclass

from knowledge.lexical import Scores
from knowledge.neighbours import Neighbours


@dataclass(frozen=True, slots=True)
class Signals:
    """What is near to a query in meaning, and what shares words with it.

    ``lexical`` is BM25, a number for each entry in the bank's order. ``words`` is how many words
    the query has, ``known_words`` how many of them some entry has too.
    """

    neighbours: Neighbours
    lexical: Scores
    words: int
    known_words: int
