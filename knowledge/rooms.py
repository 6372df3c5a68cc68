"""Rooms: what each guild can find, the common bank or the common bank and its own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from knowledge.bank import load_bank
from knowledge.corpus import Corpus, build_corpus
from knowledge.encoder import Encoder, Vectors
from knowledge.errors import BankError
from knowledge.guild_banks import GuildFolders, GuildId
from knowledge.lexicon import Lexicon
from knowledge.prepare import Prepared
from knowledge.search import Search


class Rooms:
    """One search for everybody, and one for each guild with a bank of its own.

    Searching and refreshing may happen in different threads: a room is replaced as a whole. What
    was trained on the common bank ranks the private entries too, so that they join as soon as
    they are encoded.
    """

    def __init__(
        self, prepared: Prepared, encoder: Encoder, folders: GuildFolders | None = None
    ) -> None:
        self._prepared = prepared
        self._encoder = encoder
        self._folders = folders
        self._lexicon = Lexicon.of(prepared.corpus)
        self._common = Search(
            prepared.bank,
            prepared.corpus,
            self._lexicon,
            prepared.trained,
            prepared.index.vectors,
        )
        self._rooms: dict[GuildId, Search] = {}

    def of(self, guild: GuildId | None) -> Search:
        """What ``guild`` can find; None stands for no guild, a direct conversation."""
        return self._common if guild is None else self._rooms.get(guild, self._common)

    def refresh(self) -> dict[GuildId, BankError | None]:
        """Take up what changed in the folders, and say for each changed guild what is wrong.

        A bank with faults is not taken up; what the guild had before stays.
        """
        told: dict[GuildId, BankError | None] = {}
        changed = self._folders.changed() if self._folders else {}
        for guild, folder in changed.items():
            rooms = dict(self._rooms)
            try:
                told[guild] = None
                if folder is None:
                    rooms.pop(guild, None)
                else:
                    rooms[guild] = self._opened(folder)
            except BankError as error:
                told[guild] = error
            self._rooms = rooms
        return told

    def _opened(self, folder: Path) -> Search:
        common = self._prepared
        own = load_bank(folder, beside=common.bank)
        corpus = build_corpus(own)
        return Search(
            common.bank.joined(own),
            common.corpus.joined(corpus),
            self._lexicon.joined(Lexicon.of(corpus)),
            common.trained,
            _Vectors(common, corpus, self._encoder),
        )


class _Vectors:
    """The vectors of the common corpus and of a guild's own, which are encoded here."""

    def __init__(self, common: Prepared, own: Corpus, encoder: Encoder) -> None:
        self._common = common
        texts = [text for text in own.texts() if not common.index.holds([text])]
        self._own = dict(zip(texts, encoder.encode_queries(texts), strict=True))

    def __call__(self, texts: Sequence[str]) -> Vectors:
        shared = [text for text in texts if text not in self._own]
        vectors = iter(self._common.index.vectors(shared)) if shared else iter(())
        return np.stack([self._own[text] if text in self._own else next(vectors) for text in texts])
