"""The lexical ranker: which entries share words with a query."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

K1: Final = 1.2
B: Final = 0.5

_HAN_RUN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
_WORDY: Final = re.compile(r"\w")

Scores = npt.NDArray[np.float64]
"""One number for each entry, in the bank's order."""


class _Segmenter(Protocol):
    def cut_for_search(self, text: str) -> list[str]: ...


def words(text: str) -> list[str]:
    """The words of ``text`` (normalised), cut as for a search engine.

    A long word brings the shorter ones in it along.
    """
    return [word.lower() for word in _segmenter().cut_for_search(text) if _WORDY.search(word)]


def tokens(text: str) -> list[str]:
    """What ``text`` is compared by: its words, and pairs of neighbouring Han characters."""
    found = words(text)
    known = set(found)
    pairs = [left + right for run in _HAN_RUN.findall(text) for left, right in pairwise(run)]
    return found + [pair for pair in pairs if pair not in known]


class Bm25:
    """Okapi BM25 over one bag of words an entry.

    Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009. How rare
    a word is counts in ``others`` too, texts that belong to no entry: in a bank of a few entries
    "how" and "do" would otherwise look like subjects.
    """

    def __init__(self, bags: Sequence[Sequence[str]], others: Sequence[Sequence[str]] = ()) -> None:
        counts = [Counter(bag) for bag in bags]
        lengths = np.array([len(bag) for bag in bags], np.float64)
        mean = float(lengths.mean()) if len(bags) and lengths.any() else 1.0
        self._size = len(bags)
        self._postings: dict[str, tuple[npt.NDArray[np.int64], Scores]] = {}
        by_word: dict[str, list[tuple[int, int]]] = {}
        for number, count in enumerate(counts):
            for word, times in count.items():
                by_word.setdefault(word, []).append((number, times))
        elsewhere = Counter(word for bag in others for word in set(bag))
        texts = len(bags) + len(others)
        damping = K1 * (1 - B + B * lengths / mean)
        for word, places in by_word.items():
            rows = np.array([number for number, _ in places])
            times = np.array([times for _, times in places], np.float64)
            holding = len(places) + elsewhere[word]
            rarity = math.log1p((texts - holding + 0.5) / (holding + 0.5))
            self._postings[word] = (rows, rarity * times * (K1 + 1) / (times + damping[rows]))

    def knows(self, word: str) -> bool:
        """Whether any entry has ``word``."""
        return word in self._postings

    def scores(self, words: Sequence[str]) -> Scores:
        """How well each entry matches ``words``, at least 0; a repeated word counts once."""
        scores = np.zeros(self._size, np.float64)
        for word in dict.fromkeys(words):
            if word in self._postings:
                rows, weights = self._postings[word]
                scores[rows] += weights
        return scores


@cache
def _segmenter() -> _Segmenter:
    from rjieba import Jieba

    return Jieba()
