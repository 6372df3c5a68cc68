"""The retriever: from a query to one of three outcomes."""

from collections.abc import Sequence
from typing import Final

from knowledge.bank import Bank
from knowledge.decision import decide
from knowledge.encoder import Encoder, open_encoder
from knowledge.errors import IndexMismatchError
from knowledge.follow_up import in_context
from knowledge.lexicon import Lexicon
from knowledge.manner import Manner, manner_of
from knowledge.normalise import has_words, normalise, without_mentions
from knowledge.outcome import Outcome, Query
from knowledge.prepare import Prepared, Sources, load_prepared
from knowledge.progress import Progress, silent
from knowledge.search import Found, Search
from knowledge.settings import KnowledgeSettings

TOP_K: Final = 10
"""How many hits an outcome holds at most, unless told otherwise."""


class Retriever:
    """Answers queries out of a prepared bank. Its methods may be called from several threads."""

    def __init__(self, prepared: Prepared, encoder: Encoder) -> None:
        self._encoder = encoder
        self._search = Search(
            prepared.bank,
            prepared.corpus,
            Lexicon.of(prepared.corpus),
            prepared.trained,
            prepared.index.vectors,
        )

    @property
    def bank(self) -> Bank:
        """The entries that are asked for."""
        return self._search.bank

    def retrieve(self, query: Query, top_k: int = TOP_K) -> Outcome:
        """The outcome of ``query``; it holds at most ``top_k`` hits."""
        return self.retrieve_many([query], top_k)[0]

    def retrieve_many(self, queries: Sequence[Query], top_k: int = TOP_K) -> list[Outcome]:
        """The outcome of each query, in their order; all are encoded in one batch."""
        texts = [self._text(query) for query in queries]
        told = [number for number, text in enumerate(texts) if text]
        asked = [texts[number] for number in told]
        found = dict(
            zip(
                told,
                self._search.find(asked, self._encoder.encode_queries(asked), top_k),
                strict=True,
            )
        )
        return [
            self._outcome(query, texts[number], found.get(number))
            for number, query in enumerate(queries)
        ]

    def _text(self, query: Query) -> str:
        text = normalise(without_mentions(query.text))
        if not has_words(text):
            return ""
        return in_context(text, query.conversation, self._search.knows)

    def _outcome(self, query: Query, text: str, found: Found | None) -> Outcome:
        if found is None:
            return decide((), 0.0, Manner.ADDRESSED)
        return decide(found.hits, found.confidence, manner_of(text, addressed=query.addressed))


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
