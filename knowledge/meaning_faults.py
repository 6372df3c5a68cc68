"""What is wrong with wordings once their meaning is compared.

One says what a wording of another entry says already, or asks for another entry rather than for
its own. Retrieval cannot tell such entries apart, and no more phrasings teach it to.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from knowledge.bank import Bank
from knowledge.bank_faults import Wording
from knowledge.corpus import OUTSIDE, Corpus
from knowledge.fault import Fault
from knowledge.fusion import weigh
from knowledge.lexical import words
from knowledge.lexicon import Lexicon
from knowledge.neighbours import NEAREST
from knowledge.normalise import normalise
from knowledge.progress import Progress, silent
from knowledge.rankers import Rankers, VectorsOf
from knowledge.training import Trained

SAME_COSINE: Final = 0.9
"""From which cosine two wordings say the same.

Measured on the bank with its built-in encoder, by eye: of the 11 pairs above it which share enough
words all ask the same; of the 15 next ones a third does not, such as how much memory training
takes and how much inference.
"""

SAME_WORDS: Final = 0.6
"""Which share of the shorter one's words such wordings have in common at least.

Below it lie wordings that name two subjects and ask different things of them.
"""

NEARER_BY: Final = 5.0
"""How far a phrasing's own entry lies below the best other, as log-shares, before that is a fault.

A line that tells a situation is often nearer to another entry: of the bank's own, tried one by one
as if they were unknown, 29 % were, and most of these are right. With this margin, `AGREEING` and
`NEAR_COSINE` 79 of some 23,000 were left, of which, by eye, 71 fitted the other entry as well or
better.
"""

AGREEING: Final = 3
"""How many of the nearest lines must all belong to that other entry."""

NEAR_COSINE: Final = 0.7
"""How close the nearest of them must lie: what is far from everything is nearest to anything."""

_PORTION: Final = 500
_STEP: Final = "comparing meanings"

Cosines = npt.NDArray[np.float32]
"""How close lines lie, −1 to 1."""


@dataclass(frozen=True, slots=True)
class Meanings:
    """The lines of ``bank`` with their meanings.

    ``vectors_of`` gives the encoder's vectors of all texts of ``corpus``, which was built from
    ``bank``; ``trained`` says how they are read.
    """

    bank: Bank
    corpus: Corpus
    trained: Trained
    vectors_of: VectorsOf


def meaning_faults(
    meanings: Meanings,
    wordings: Sequence[Wording],
    beside: Sequence[Wording] = (),
    progress: Progress = silent,
) -> tuple[Fault, ...]:
    """The faults of ``wordings``, in the order of files and lines.

    They are compared with all lines; ``beside`` are those of another bank, which are named where
    they are met but not judged.
    """
    compared = _Compared(meanings, [*wordings, *beside])
    judged = sorted({compared.row_of(wording) for wording in wordings})
    faults: list[Fault] = []
    doubtful: list[_Doubtful] = []
    for row, cosines in compared.cosines(judged, progress):
        faults += compared.repeated(row, cosines, judged)
        doubtful += compared.doubtful(row, cosines)
    faults += compared.astray(doubtful)
    return tuple(sorted(faults))


@dataclass(frozen=True, slots=True)
class _Doubtful:
    """A row whose nearest lines all belong to ``other``; the very nearest is ``nearest``."""

    row: int
    other: int
    nearest: int


class _Compared:
    """The lines of ``meanings``, and which of them stand where."""

    def __init__(self, meanings: Meanings, wordings: Sequence[Wording]) -> None:
        self._meanings = meanings
        corpus = meanings.corpus
        self._lines = (*corpus.lines, *corpus.outside)
        self._entries = np.array([line.entry for line in self._lines], np.int64)
        texts = [line.text for line in self._lines]
        self._vectors = meanings.trained.centres.centred(texts, meanings.vectors_of(texts))
        self._numbers = {entry.id: number for number, entry in enumerate(meanings.bank.entries)}
        self._rows = {(line.entry, line.text): row for row, line in enumerate(corpus.lines)}
        self._places = {self.row_of(wording): wording for wording in wordings}

    def row_of(self, wording: Wording) -> int:
        """The row of the line that ``wording`` became."""
        return self._rows[self._numbers[wording.entry], normalise(wording.text)]

    def cosines(self, rows: Sequence[int], progress: Progress) -> Iterator[tuple[int, Cosines]]:
        """Each of ``rows`` with its cosines to all lines; to itself it is −1."""
        progress(_STEP, 0.0)
        for start in range(0, len(rows), _PORTION):
            portion = rows[start : start + _PORTION]
            table: Cosines = self._vectors[portion] @ self._vectors.T
            table[np.arange(len(portion)), portion] = -1
            yield from zip(portion, table, strict=True)
            progress(_STEP, min(start + _PORTION, len(rows)) / len(rows))

    def repeated(self, row: int, cosines: Cosines, judged: Collection[int]) -> Iterator[Fault]:
        """Whether ``row`` says what a line of another entry says that stands before it."""
        here = self._places[row]
        for twin in np.flatnonzero(cosines >= SAME_COSINE).tolist():
            there = self._places.get(twin)
            if there is None or there.entry == here.entry or (here < there and twin in judged):
                continue
            if _shared(self._lines[row].text, self._lines[twin].text) >= SAME_WORDS:
                message = f"{here.text!r} asks what {_told(there)} asks"
                yield Fault(here.path, here.line, message)

    def doubtful(self, row: int, cosines: Cosines) -> Iterator[_Doubtful]:
        """Whether the lines nearest to ``row`` all belong to one other entry."""
        first = int(cosines.argmax())
        other = int(self._entries[first])
        strange = other not in (OUTSIDE, self._entries[row])
        if self._lines[row].official or not strange or cosines[first] < NEAR_COSINE:
            return
        nearest = np.argpartition(-cosines, AGREEING)[:AGREEING]
        if (self._entries[nearest] == other).all():
            yield _Doubtful(row, other, first)

    def astray(self, doubtful: Sequence[_Doubtful]) -> Iterator[Fault]:
        """Those of ``doubtful`` that retrieval, without the line itself, ranks far too low."""
        if not doubtful:
            return
        meanings, corpus = self._meanings, self._meanings.corpus
        lexicon = Lexicon.of(corpus)
        rankers = Rankers(corpus, lexicon, meanings.trained.centres, meanings.vectors_of)
        texts = [self._lines[each.row].text for each in doubtful]
        told = rankers.signals(texts, meanings.vectors_of(texts), NEAREST + 1)
        for each, text, signals in zip(doubtful, texts, told, strict=True):
            own = int(self._entries[each.row])
            lexical = signals.lexical.copy()
            said = lexicon.lines[text]
            lexical[own] = rankers.lexical.score_without(said, own, Counter(said))
            neighbours = signals.neighbours.only(signals.neighbours.rows != each.row)
            unknown = replace(signals, neighbours=neighbours, lexical=lexical)
            scores = weigh(unknown, meanings.trained.weights).scores
            if scores[each.other] - scores[own] > NEARER_BY:
                yield self._astray(each)

    def _astray(self, doubtful: _Doubtful) -> Fault:
        here = self._places[doubtful.row]
        there = self._places.get(doubtful.nearest)
        nearest = _told(there) if there else repr(self._lines[doubtful.nearest].text)
        other = self._meanings.bank.entries[doubtful.other].id
        return Fault(here.path, here.line, f"{here.text!r} is nearer to {other}, see {nearest}")


def _told(wording: Wording) -> str:
    return f"{wording.text!r} at {wording.path}:{wording.line}"


def _shared(text: str, other: str) -> float:
    """The share of the words of the one with fewer that the other has too; 0 to 1."""
    bags = set(words(text)), set(words(other))
    return len(bags[0] & bags[1]) / max(min(map(len, bags)), 1)
