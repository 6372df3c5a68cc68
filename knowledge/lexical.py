"""The lexical ranker: which entries share words with a query."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

K1: Final = 2.5
"""How long a word's repetition goes on to count; a bag holds a hundred lines, not one."""

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
        self._lengths, self._mean = lengths, mean
        self._postings: dict[str, _Posting] = {}
        by_word: dict[str, list[tuple[int, int]]] = {}
        for number, count in enumerate(counts):
            for word, times in count.items():
                by_word.setdefault(word, []).append((number, times))
        elsewhere = Counter(word for bag in others for word in set(bag))
        texts = len(bags) + len(others)
        for word, places in by_word.items():
            rows = np.array([number for number, _ in places])
            times = np.array([times for _, times in places], np.float64)
            holding = len(places) + elsewhere[word]
            rarity = math.log1p((texts - holding + 0.5) / (holding + 0.5))
            self._postings[word] = _Posting(
                rows, times, rarity, rarity * _saturated(times, lengths[rows] / mean)
            )

    def knows(self, word: str) -> bool:
        """Whether any entry has ``word``."""
        return word in self._postings

    def scores(self, words: Sequence[str]) -> Scores:
        """How well each entry matches ``words``, at least 0; a repeated word counts once."""
        scores = np.zeros(self._size, np.float64)
        for posting in self._found(words):
            scores[posting.rows] += posting.weights
        return scores

    def score_without(self, words: Sequence[str], entry: int, gone: Counter[str]) -> float:
        """How well ``entry`` would match ``words`` if its bag lacked the words ``gone``.

        How rare a word is stays as it was.
        """
        length = (self._lengths[entry] - gone.total()) / self._mean
        score = 0.0
        for word in dict.fromkeys(words):
            posting = self._postings.get(word)
            if posting is None:
                continue
            place = int(np.searchsorted(posting.rows, entry))
            if place < len(posting.rows) and posting.rows[place] == entry:
                times = max(posting.times[place] - gone[word], 0.0)
                score += posting.rarity * float(_saturated(np.asarray(times), np.asarray(length)))
        return score

    def _found(self, words: Sequence[str]) -> Iterator["_Posting"]:
        for word in dict.fromkeys(words):
            posting = self._postings.get(word)
            if posting is not None:
                yield posting


@dataclass(frozen=True, slots=True)
class _Posting:
    """Which entries have a word, in rising order, how often, and what that is worth."""

    rows: npt.NDArray[np.int64]
    times: Scores
    rarity: float
    weights: Scores


def _saturated(times: Scores, length: Scores) -> Scores:
    """BM25's count of a word that occurs ``times``, in a bag ``length`` times the mean's length."""
    return times * (K1 + 1) / (times + K1 * (1 - B + B * length))


@cache
def _segmenter() -> _Segmenter:
    from rjieba import Jieba

    return Jieba()
