"""What the rankers say of one query, before it is weighed."""

from dataclasses import dataclass

from knowledge.lexical import Scores


@dataclass(frozen=True, slots=True)
class Signals:
    """The arrays have one number for each entry, in the bank's order.

    ``head`` is the log-probability that the trained head gives the entry and ``outside`` the one
    it gives to "none of them"; ``lexical`` is BM25; ``document`` is the cosine with the entry's
    document, ``phrasing`` the cosine with its nearest line. ``nearest_outside`` is the cosine with
    the nearest line that is out of scope, ``ordinary`` the mean cosine with the nearest background
    sentences: how much the query looks like any text. ``words`` is how many words the query has,
    ``known_words`` how many of them some entry has too.
    """

    head: Scores
    outside: float
    lexical: Scores
    document: Scores
    phrasing: Scores
    nearest_outside: float
    ordinary: float
    words: int
    known_words: int
