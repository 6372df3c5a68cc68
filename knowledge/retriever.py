"""The retriever: from a query to one of five outcomes."""

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np

from knowledge.bank import Bank
from knowledge.consultation import Consultation
from knowledge.decision import decide
from knowledge.discussion import LONGEST, Message, texts_of, understand
from knowledge.encoder import Encoder, Vectors, open_encoder
from knowledge.errors import BankError, IndexMismatchError
from knowledge.guild_banks import GuildFolders, GuildId
from knowledge.manner import Manner
from knowledge.moves import Likely
from knowledge.normalise import has_words, normalise, without_mentions
from knowledge.outcome import Outcome, Query, Silent
from knowledge.prepare import Prepared, Sources, load_prepared
from knowledge.progress import Progress, silent
from knowledge.rooms import Rooms
from knowledge.search import Judged, Search
from knowledge.settings import KnowledgeSettings
from knowledge.spelling import Spelling

_log = logging.getLogger(__name__)

TOP_K: Final = 10
"""How many hits an outcome holds at most, unless told otherwise."""


class Retriever:
    """Answers queries out of a prepared bank. Its methods may be called from several threads."""

    def __init__(
        self, prepared: Prepared, encoder: Encoder, folders: GuildFolders | None = None
    ) -> None:
        self._prepared = prepared
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
        said = [self._messages(query) for query in queries]
        wanted: dict[GuildId | None, dict[str, None]] = {}
        for query, messages in zip(queries, said, strict=True):
            wanted.setdefault(query.guild, {}).update(dict.fromkeys(texts_of(messages)))
        texts = list(dict.fromkeys(text for each in wanted.values() for text in each))
        vectors = dict(zip(texts, self._encoder.encode_queries(texts), strict=True))
        judged = {guild: self._judged(guild, list(each), vectors) for guild, each in wanted.items()}
        outcomes: list[Outcome] = []
        for query, messages in zip(queries, said, strict=True):
            search, views = judged[query.guild]
            consultation = Consultation(search, views, lambda text: self._likely(text, vectors))
            outcomes.append(_outcome(query, messages, consultation, top_k))
        return outcomes

    def warm_up(self) -> None:
        """Load the dictionaries that the first learner would wait for."""
        self.retrieve(Query(self.bank.entries[0].question.zh))

    def _messages(self, query: Query) -> list[Message]:
        """The messages that count, oldest first; none where the query itself has no words."""
        knows, mended = self._rooms.of(query.guild).knows, self._spelling.mended
        said = (*query.conversation[-(LONGEST - 1) :], query.text)
        texts = [mended(normalise(without_mentions(text)), knows) for text in said]
        told = [Message.of(text) for text in texts if has_words(text)]
        return told if has_words(texts[-1]) else []

    def _judged(
        self, guild: GuildId | None, texts: Sequence[str], vectors: Mapping[str, Vectors]
    ) -> tuple[Search, dict[str, Judged]]:
        search = self._rooms.of(guild)
        if not texts:
            return search, {}
        judged = search.judge(texts, np.stack([vectors[text] for text in texts]))
        return search, dict(zip(texts, judged, strict=True))

    def _likely(self, text: str, vectors: Mapping[str, Vectors]) -> Likely:
        trained = self._prepared.trained
        vector = trained.centres.centred([text], vectors[text][np.newaxis])[0]
        return trained.moves.likely(text, vector)

    @cached_property
    def _spelling(self) -> Spelling:
        return Spelling.of(self.bank)


def _outcome(
    query: Query, messages: Sequence[Message], consultation: Consultation, top_k: int
) -> Outcome:
    if not messages:
        return Silent() if query.conversation else decide((), 0.0, Manner.ADDRESSED)
    wish = understand(messages, consultation)
    text = messages[-1].text
    return consultation.outcome(wish, text, addressed=query.addressed, top_k=top_k)


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
    retriever.warm_up()
    return retriever
