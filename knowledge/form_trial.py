"""The trial of an encoder's forms on questions of the bank, and the choice that follows from it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import quantiles
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from knowledge.centre import Centres
from knowledge.corpus import Corpus
from knowledge.encoder import Encoder, Vectors, encoder_name, open_encoder
from knowledge.encoder_form import (
    Choice,
    Form,
    Trial,
    available_forms,
    chosen,
    load_choice,
    save_choice,
)
from knowledge.progress import Progress, silent
from knowledge.rankers import VectorsOf
from knowledge.settings import KnowledgeSettings

_STEP: Final = "choosing the form of the encoder"
_QUESTIONS: Final = 96
_WARM_UP: Final = 8


@dataclass(frozen=True, slots=True)
class Sample:
    """Questions of the bank whose entries are known, and the lines to find these by.

    ``lines`` are the centred vectors of all lines of the bank, a question's own among them in the
    row that ``rows`` names; ``entry_of`` is the number of each line's entry.
    """

    texts: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    lines: Vectors
    entry_of: npt.NDArray[np.int64]
    centres: Centres

    @classmethod
    def of(cls, corpus: Corpus, vectors_of: VectorsOf, size: int = _QUESTIONS) -> Self:
        """``size`` of the corpus's phrasings, spread evenly, or all where there are fewer."""
        asked = [row for row, line in enumerate(corpus.lines) if not line.official]
        rows = asked[:: max(len(asked) // size, 1)][:size]
        texts = [line.text for line in corpus.lines]
        centres = Centres.of(corpus.sentences, vectors_of(corpus.sentences))
        return cls(
            tuple(texts[row] for row in rows),
            np.array(rows, np.int64),
            centres.centred(texts, vectors_of(texts)),
            np.array([line.entry for line in corpus.lines], np.int64),
            centres,
        )

    def found(self, vectors: Vectors) -> int:
        """How many questions, of these vectors, have the nearest other line in their entry."""
        scores = self.centres.centred(self.texts, vectors) @ self.lines.T
        scores[np.arange(len(self.rows)), self.rows] = -np.inf
        nearest = self.entry_of[scores.argmax(axis=1)]
        return int((nearest == self.entry_of[self.rows]).sum())


def settle_form(
    settings: KnowledgeSettings,
    corpus: Corpus,
    vectors_of: VectorsOf,
    progress: Progress = silent,
    *,
    force: bool = False,
) -> None:
    """Choose the form of the settings' encoder and write it down, unless that is done already.

    It is chosen again with ``force``, and where this processor computes other forms than were
    tried. Where it computes but one there is nothing to choose, and what a shared folder holds of
    another processor's choice is left alone.

    Raises:
        EncoderError: the encoder cannot be loaded.
    """
    forms = available_forms()
    name = encoder_name(settings)
    known = load_choice(settings.index_dir, name)
    tried = {trial.form for trial in known.trials} if known else set[Form]()
    if len(forms) == 1 or (tried == set(forms) and not force):
        return
    encoders = {form: open_encoder(settings, progress, form) for form in forms}
    progress(_STEP, 0.0)
    trials = try_forms(
        encoders,
        Sample.of(corpus, vectors_of),
        time.perf_counter,
        lambda done: progress(_STEP, done),
    )
    save_choice(settings.index_dir, Choice(name, chosen(trials), trials))


def try_forms(
    encoders: Mapping[Form, Encoder],
    sample: Sample,
    clock: Callable[[], float],
    told: Callable[[float], None] = lambda _done: None,
) -> tuple[Trial, ...]:
    """Encode each question in every form, in turns, so that a busy moment meets all forms alike.

    Fp32 has to be among ``encoders``; it is what the others are compared with. ``clock`` gives
    seconds; ``told`` is called with the share that is done.
    """
    for encoder in encoders.values():
        for text in sample.texts[:_WARM_UP]:
            encoder.encode_queries([text])
    seconds: dict[Form, list[float]] = {form: [] for form in encoders}
    vectors: dict[Form, list[Vectors]] = {form: [] for form in encoders}
    for done, text in enumerate(sample.texts):
        for form, encoder in encoders.items():
            began = clock()
            vectors[form].append(encoder.encode_queries([text]))
            seconds[form].append(clock() - began)
        told((done + 1) / len(sample.texts))
    exact = np.concatenate(vectors[Form.FP32])
    return tuple(
        _trial(form, seconds[form], np.concatenate(vectors[form]), exact, sample)
        for form in encoders
    )


def _trial(
    form: Form, seconds: list[float], vectors: Vectors, exact: Vectors, sample: Sample
) -> Trial:
    low, median, high = quantiles(seconds, n=4)
    cosine = float((vectors * exact).sum(axis=1).min())
    return Trial(form, median, low, high, cosine, sample.found(vectors), len(sample.texts))
