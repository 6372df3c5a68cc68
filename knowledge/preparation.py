"""Preparation: encoder, index and training, brought up to date with as little work as possible."""

from dataclasses import dataclass
from typing import Final

from filelock import FileLock

from knowledge.background import Background, load_background
from knowledge.bank import Bank, load_bank
from knowledge.corpus import Corpus, build_corpus
from knowledge.encoder import Encoder, encoder_name, open_encoder
from knowledge.errors import IndexMismatchError, IndexMissingError
from knowledge.index import FaissIndex
from knowledge.offline_encoder import convert
from knowledge.progress import Progress, silent
from knowledge.settings import BUILT_IN_ENCODER, KnowledgeSettings
from knowledge.trained_file import fingerprint, load_trained, save_trained
from knowledge.training import Trained, train

_LOCK: Final = ".lock"


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that retrieval needs beside a loaded encoder."""

    bank: Bank
    corpus: Corpus
    index: FaissIndex
    trained: Trained


def prepare(
    settings: KnowledgeSettings,
    progress: Progress = silent,
    *,
    force: bool = False,
    mend: bool = True,
    bank: Bank | None = None,
    background: Background | None = None,
    encoder: Encoder | None = None,
) -> Prepared:
    """Bring encoder, index and training up to date, and give them.

    Only texts that are new are encoded, and the encoder is not loaded when there are none. With
    ``force`` everything is made anew. ``bank``, ``background`` and ``encoder`` stand in for those
    that ship and those that are set. Several programs may call it at once; they wait for each
    other.

    Raises:
        IndexMismatchError: ``mend`` is False, and what is there was made by another encoder or is
            damaged. What merely lacks texts is always brought up to date.
        BankError, BackgroundError, EncoderError: see there.
    """
    bank = bank or load_bank()
    corpus = build_corpus(bank, background or load_background())
    name = encoder.name if encoder else encoder_name(settings)
    belongs_to = fingerprint(corpus, name)
    folder = settings.index_dir
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / _LOCK):
        if encoder is None and settings.encoder == BUILT_IN_ENCODER:
            convert(settings.encoder_dir, progress)
        index = None if force else _existing_index(settings, name, mend=mend)
        texts = corpus.texts()
        missing = index is None or not index.holds(texts)
        if index is None or missing:
            encoder = encoder or open_encoder(settings, progress)
            start = index or FaissIndex.empty(name, encoder.dimension)
            index = start.updated(
                texts,
                encoder,
                lambda done, total: progress("encoding the question bank", done / total),
            )
            index.save(folder)
        trained = None if force else _existing_training(settings, belongs_to)
        if trained is None:
            trained = train(corpus, index.vectors, progress)
            save_trained(folder, trained, belongs_to)
    return Prepared(bank, corpus, index, trained)


def load_prepared(
    settings: KnowledgeSettings,
    *,
    bank: Bank | None = None,
    background: Background | None = None,
    encoder: Encoder | None = None,
) -> Prepared:
    """What `prepare` left, and nothing is made.

    Raises:
        IndexMissingError: nothing is prepared yet.
        IndexMismatchError: what is there was made by another encoder or for another bank, or it
            is damaged.
        BankError, BackgroundError: see there.
    """
    bank = bank or load_bank()
    corpus = build_corpus(bank, background or load_background())
    name = encoder.name if encoder else encoder_name(settings)
    index = FaissIndex.load(settings.index_dir, name, encoder.dimension if encoder else None)
    if not index.holds(corpus.texts()):
        raise IndexMismatchError("the bank changed since the index was made")
    trained = load_trained(settings.index_dir, fingerprint(corpus, name))
    return Prepared(bank, corpus, index, trained)


def _existing_index(settings: KnowledgeSettings, name: str, *, mend: bool) -> FaissIndex | None:
    try:
        return FaissIndex.load(settings.index_dir, name)
    except IndexMissingError:
        return None
    except IndexMismatchError:
        if not mend:
            raise
        return None


def _existing_training(settings: KnowledgeSettings, belongs_to: str) -> Trained | None:
    try:
        return load_trained(settings.index_dir, belongs_to)
    except IndexMismatchError:
        return None
