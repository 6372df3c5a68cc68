"""The retriever: from a query to one of three outcomes."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from knowledge.bank import Bank
from knowledge.decision import decide
from knowledge.encoder import Encoder, open_encoder
from knowledge.errors import BankError, IndexMismatchError
from knowledge.follow_up import in_context
from knowledge.guild_banks import GuildFolders, GuildId
from knowledge.manner import Manner, manner_of
from knowledge.normalise import has_words, normalise, without_mentions
from knowledge.outcome import Outcome, Query
from knowledge.prepare import Prepared, Sources, load_prepared
from knowledge.progress import Progress, silent
from knowledge.rooms import Rooms
from knowledge.search import Found
from knowledge.settings import KnowledgeSettings

_log = logging.getLogger(__name__)

TOP_K: Final = 10
"""How many hits an outcome holds at most, unless told otherwise."""


class Retriever:
    """Answers queries out of a prepared bank. Its methods may be called from several threads."""

    def __init__(
        self, prepared: Prepared, encoder: Encoder, folders: GuildFolders | None = None
    ) -> None:
        self._encoder = encoder
        self._rooms = Rooms(prepared, encoder, folders)

    @property
    def bank(self) -> Bank:
        """The entries that everybody can ask for."""
        return self.bank_of(None)

    def bank_of(self, guild: GuildId | None) -> Bank:
        """The entries that can be asked for in ``guild``: everybody's, and its own."""
        return self._rooms.of(guild).bank

    def refresh(self) -> Mapping[GuildId, BankError | None]:
        """Take up what changed in the guilds' own banks; tells what is wrong with each of them.

        It may run beside questions that are being answered.
        """
        return self._rooms.refresh()

    def retrieve(self, query: Query, top_k: int = TOP_K) -> Outcome:
        """The outcome of ``query``; it holds at most ``top_k`` hits."""
        return self.retrieve_many([query], top_k)[0]

    def retrieve_many(self, queries: Sequence[Query], top_k: int = TOP_K) -> list[Outcome]:
        """The outcome of each query, in their order; all are encoded in one batch."""
        texts = [self._text(query) for query in queries]
        told = [number for number, text in enumerate(texts) if text]
        vectors = self._encoder.encode_queries([texts[number] for number in told])
        found: dict[int, Found] = {}
        for guild in {queries[number].guild for number in told}:
            own = [place for place, number in enumerate(told) if queries[number].guild == guild]
            numbers = [told[place] for place in own]
            asked = [texts[number] for number in numbers]
            results = self._rooms.of(guild).find(asked, vectors[own], top_k)
            found.update(zip(numbers, results, strict=True))
        return [
            self._outcome(query, texts[number], found.get(number))
            for number, query in enumerate(queries)
        ]

    def _text(self, query: Query) -> str:
        text = normalise(without_mentions(query.text))
        if not has_words(text):
            return ""
        return in_context(text, query.conversation, self._rooms.of(query.guild).knows)

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
    retriever = Retriever(prepared, encoder, GuildFolders(settings.guilds_dir))
    for guild, error in retriever.refresh().items():
        if error is not None:
            _log.error("the bank of guild %s is left out: %s", guild, error)
    # The first question loads dictionaries and warms the model up; nobody should wait for that.
    retriever.retrieve(Query(prepared.bank.entries[0].question.zh))
    return retriever
