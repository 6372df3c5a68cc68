"""The retriever: from a query to one of three outcomes."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from knowledge.bank import Bank
from knowledge.confidence import features
from knowledge.decision import decide
from knowledge.encoder import Encoder, open_encoder
from knowledge.errors import IndexMismatchError
from knowledge.follow_up import in_context
from knowledge.fusion import fuse
from knowledge.lexical import Scores
from knowledge.lexicon import Lexicon
from knowledge.manner import Manner, manner_of
from knowledge.normalise import has_words, normalise, without_mentions
from knowledge.outcome import Hit, Outcome, Query
from knowledge.prepare import Prepared, Sources, load_prepared
from knowledge.progress import Progress, silent
from knowledge.rankers import Rankers
from knowledge.settings import KnowledgeSettings
from knowledge.signals import Signals

TOP_K: Final = 10
"""How many hits an outcome holds at most, unless told otherwise."""


class Retriever:
    """Answers queries out of a prepared bank. Its methods may be called from several threads."""

    def __init__(self, prepared: Prepared, encoder: Encoder) -> None:
        corpus = prepared.corpus
        self._bank = prepared.bank
        self._gate = prepared.trained.gate
        self._encoder = encoder
        self._rankers = Rankers(
            corpus, Lexicon.of(corpus), prepared.trained.head, prepared.index.vectors
        )

    @property
    def bank(self) -> Bank:
        """The entries that are asked for."""
        return self._bank

    def retrieve(self, query: Query, top_k: int = TOP_K) -> Outcome:
        """The outcome of ``query``; it holds at most ``top_k`` hits."""
        return self.retrieve_many([query], top_k)[0]

    def retrieve_many(self, queries: Sequence[Query], top_k: int = TOP_K) -> list[Outcome]:
        """The outcome of each query, in their order; all are encoded in one batch."""
        texts = [self._text(query) for query in queries]
        told = [number for number, text in enumerate(texts) if text]
        asked = [texts[number] for number in told]
        signals = dict(
            zip(
                told,
                self._rankers.signals(asked, self._encoder.encode_queries(asked)),
                strict=True,
            )
        )
        return [
            self._outcome(query, texts[number], signals.get(number), top_k)
            for number, query in enumerate(queries)
        ]

    def _text(self, query: Query) -> str:
        text = normalise(without_mentions(query.text))
        if not has_words(text):
            return ""
        return in_context(text, query.conversation, self._rankers.knows)

    def _outcome(self, query: Query, text: str, signals: Signals | None, top_k: int) -> Outcome:
        if signals is None:
            return decide((), 0.0, Manner.ADDRESSED)
        fused = fuse(signals)
        confidence = self._gate.confidence(features(text, signals, fused))
        manner = manner_of(text, addressed=query.addressed)
        return decide(self._hits(fused, top_k), confidence, manner)

    def _hits(self, fused: Scores, top_k: int) -> list[Hit]:
        best = [int(number) for number in np.argsort(-fused, kind="stable")[:top_k]]
        entries = self._bank.entries
        return [
            Hit(entries[number].id, entries[number].question, float(fused[number]))
            for number in best
        ]


def check_index(settings: KnowledgeSettings, bank: Bank | None = None) -> None:
    """Make sure, without loading the encoder, that what was prepared fits bank and encoder.

    Raises:
        IndexMismatchError: it does not, or there is nothing; the message names the command that
            mends it.
        BackgroundError: the background is missing or damaged.
    """
    load_prepared(settings, sources=Sources.shipped(bank))


def open_retriever(settings: KnowledgeSettings, progress: Progress = silent) -> Retriever:
    """Load what was prepared, and the encoder; takes seconds.

    Raises:
        IndexMismatchError: what was prepared does not fit the bank or the encoder, or there is
            nothing; the message names the command that mends it.
        BankError: the bank has faults.
        BackgroundError: the background is missing or damaged.
        EncoderError: the encoder cannot be loaded.
    """
    prepared = load_prepared(settings)
    encoder = open_encoder(settings, progress)
    if encoder.dimension != prepared.index.dimension:
        raise IndexMismatchError(
            f"the index holds vectors of {prepared.index.dimension} numbers, but the encoder "
            f"gives {encoder.dimension}"
        )
    retriever = Retriever(prepared, encoder)
    # The first question loads dictionaries and warms the model up; nobody should wait for that.
    retriever.retrieve(Query(prepared.bank.entries[0].question.zh))
    return retriever
