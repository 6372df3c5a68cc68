"""Preparation: encoder, index and training, brought up to date with as little work as possible."""

from dataclasses import dataclass
from typing import Final, Self

from filelock import FileLock

from knowledge.background import Background, load_background
from knowledge.bank import Bank, load_bank
from knowledge.corpus import Corpus, build_corpus
from knowledge.encoder import Encoder, encoder_name, open_encoder
from knowledge.encoder_form import Form
from knowledge.errors import IndexMismatchError, IndexMissingError
from knowledge.form_trial import settle_form
from knowledge.index import FaissIndex
from knowledge.offline_encoder import convert
from knowledge.progress import Progress, silent
from knowledge.settings import BUILT_IN_ENCODER, KnowledgeSettings
from knowledge.trained_file import fingerprint, load_trained, save_trained
from knowledge.training import Trained, train

_LOCK: Final = ".lock"
_ENCODING: Final = "encoding the question bank"


@dataclass(frozen=True, slots=True)
class Sources:
    """What retrieval is made from. ``encoder`` is None for the one that the settings name."""

    bank: Bank
    background: Background
    encoder: Encoder | None = None

    @classmethod
    def shipped(cls, bank: Bank | None = None) -> Self:
        """The bank (unless another is given) and the background that ship with the tutor."""
        return cls(bank or load_bank(), load_background())

    def encoder_name(self, settings: KnowledgeSettings) -> str:
        """The name of the encoder that will be used, known without loading it."""
        return self.encoder.name if self.encoder else encoder_name(settings)


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
    sources: Sources | None = None,
    force: bool = False,
    mend: bool = True,
) -> Prepared:
    """Bring encoder, index and training up to date, and give them.

    Only texts that are new are encoded, and the encoder is not loaded when there are none. The form
    of the settings' encoder is chosen once; the index is always made in fp32. With ``force``
    everything is made anew. Several programs may call it at once; they wait for each other.

    Raises:
        IndexMismatchError: ``mend`` is False, and what is there was made by another encoder or is
            damaged. What merely lacks texts is always brought up to date.
        BankError: the bank has faults.
        BackgroundError: the background is missing or damaged.
        EncoderError: the encoder cannot be loaded.
    """
    sources = sources or Sources.shipped()
    corpus = build_corpus(sources.bank, sources.background)
    name = sources.encoder_name(settings)
    belongs_to = fingerprint(corpus, name)
    folder = settings.index_dir
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / _LOCK):
        if sources.encoder is None and settings.encoder == BUILT_IN_ENCODER:
            convert(settings.encoder_dir, progress)
        index = None if force else _existing_index(settings, name, mend=mend)
        if index is None or not index.holds(corpus.texts()):
            encoder = sources.encoder or open_encoder(settings, progress, Form.FP32)
            index = _updated(
                index or FaissIndex.empty(name, encoder.dimension), corpus, encoder, progress
            )
            index.save(folder)
        trained = None if force else _existing_training(settings, belongs_to)
        if trained is None:
            trained = train(corpus, index.vectors, progress)
            save_trained(folder, trained, corpus, name)
        if sources.encoder is None:
            settle_form(settings, corpus, index.vectors, progress, force=force)
    return Prepared(sources.bank, corpus, index, trained)


def load_prepared(settings: KnowledgeSettings, *, sources: Sources | None = None) -> Prepared:
    """What `prepare` left; nothing is made, and no encoder is loaded.

    Raises:
        IndexMissingError: nothing is prepared yet.
        IndexMismatchError: what is there was made by another encoder or for another bank, or it
            is damaged.
        BankError: the bank has faults.
        BackgroundError: the background is missing or damaged.
    """
    sources = sources or Sources.shipped()
    corpus = build_corpus(sources.bank, sources.background)
    name = sources.encoder_name(settings)
    dimension = sources.encoder.dimension if sources.encoder else None
    index = FaissIndex.load(settings.index_dir, name, dimension)
    if not index.holds(corpus.texts()):
        raise IndexMismatchError("the bank changed since the index was made")
    trained = load_trained(settings.index_dir, fingerprint(corpus, name))
    return Prepared(sources.bank, corpus, index, trained)


def _updated(index: FaissIndex, corpus: Corpus, encoder: Encoder, progress: Progress) -> FaissIndex:
    progress(_ENCODING, 0.0)
    updated = index.updated(
        corpus.texts(), encoder, lambda done, total: progress(_ENCODING, done / total)
    )
    progress(_ENCODING, 1.0)
    return updated


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
