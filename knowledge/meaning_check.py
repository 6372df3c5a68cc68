"""The check of a folder's wordings by their meaning, with what was prepared for the common bank."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from knowledge.bank import QUESTIONS, load_bank, read_wordings
from knowledge.corpus import build_corpus
from knowledge.encoder import Encoder
from knowledge.fault import Fault
from knowledge.meaning_faults import Meanings, meaning_faults
from knowledge.prepare import Prepared
from knowledge.progress import Progress, silent


@dataclass(frozen=True, slots=True)
class Common:
    """The common bank: where it lies, what was prepared for it, and how to load its encoder."""

    prepared: Prepared
    open_encoder: Callable[[], Encoder]
    folder: Path = QUESTIONS


def check_meanings(
    folder: Path, common: Common, progress: Progress = silent, *, private: bool = False
) -> tuple[Fault, ...]:
    """Every fault of meaning of the bank in ``folder``, in the order of files and lines.

    Another bank than the common one is compared with itself or, when it is ``private``, with both,
    as a guild's is used. Its wordings are encoded for that and not kept.

    Raises:
        BankError: the bank in ``folder`` has faults in its files.
        EncoderError: the encoder cannot be loaded.
    """
    prepared, index, wordings = common.prepared, common.prepared.index, read_wordings(folder)
    if folder.resolve() == common.folder.resolve():
        meanings = Meanings(prepared.bank, prepared.corpus, prepared.trained, index.vectors)
        return meaning_faults(meanings, wordings, progress=progress)
    bank = load_bank(folder, prepared.bank if private else None)
    corpus = build_corpus(bank)
    if private:
        bank, corpus = prepared.bank.joined(bank), prepared.corpus.joined(corpus)
    else:
        around = prepared.corpus
        corpus = replace(corpus, outside=around.outside, sentences=around.sentences)
    if not index.holds(corpus.texts()):
        step = "encoding the folder's wordings"
        progress(step, 0.0)
        index = index.updated(
            corpus.texts(), common.open_encoder(), lambda done, total: progress(step, done / total)
        )
        progress(step, 1.0)
    meanings = Meanings(bank, corpus, prepared.trained, index.vectors)
    beside = read_wordings(common.folder) if private else ()
    return meaning_faults(meanings, wordings, beside, progress)
