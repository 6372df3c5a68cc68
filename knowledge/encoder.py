"""The encoder: text in, vectors of meaning out."""

import hashlib
import logging
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from knowledge.encoder_form import Form, available_forms, load_choice, usable
from knowledge.errors import EncoderError
from knowledge.offline_encoder import CONVERSION, MODEL_NAME, convert
from knowledge.progress import Progress, silent
from knowledge.settings import BUILT_IN_ENCODER, KnowledgeSettings

Vectors = npt.NDArray[np.float32]
"""One row for each text, each of length 1."""

QUERY_PROMPT: Final = "query: "
"""What e5 models expect before a text that is compared with others of its kind."""

_BATCH: Final = 32
_DTYPES: Final = {Form.FP32: "float32", Form.BF16: "bfloat16"}


class Encoder(Protocol):
    """Turns texts into vectors whose inner product says how close their meanings are."""

    @property
    def name(self) -> str:
        """What makes these vectors: those of two encoders of one name can be compared.

        They are the same up to the rounding of the form that each is computed in.
        """
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """The vectors of ``texts``, float32 of shape (number of texts, dimension), length 1."""
        ...


def encoder_name(settings: KnowledgeSettings) -> str:
    """The `Encoder.name` that the settings' encoder will have, known without loading it."""
    if settings.encoder == BUILT_IN_ENCODER:
        return f"{MODEL_NAME} 4-bit, conversion {CONVERSION}"
    folder = Path(settings.encoder).expanduser()
    if folder.is_dir():
        return f"{settings.encoder} {_folder_fingerprint(folder)}"
    return settings.encoder


def encoder_form(settings: KnowledgeSettings) -> Form:
    """The form that the settings' encoder is computed in, as it was chosen at set-up.

    It is fp32 where none was chosen yet, or where this processor does not compute what was.
    """
    choice = load_choice(settings.index_dir, encoder_name(settings))
    return usable(choice, available_forms())


def open_encoder(
    settings: KnowledgeSettings, progress: Progress = silent, form: Form | None = None
) -> Encoder:
    """Load the settings' encoder; takes seconds, the built-in one is unpacked when it is not yet.

    ``form`` is the one that `encoder_form` gives, unless another is named.

    Raises:
        EncoderUnavailableError: the built-in encoder's packages are missing.
        EncoderError: the model could not be loaded.
    """
    name = encoder_name(settings)
    if settings.encoder == BUILT_IN_ENCODER:
        source = str(convert(settings.encoder_dir, progress))
    else:
        source = settings.encoder
    progress("loading the encoder", 0.0)
    encoder = SentenceTransformerEncoder(source, name, form or encoder_form(settings))
    progress("loading the encoder", 1.0)
    return encoder


class SentenceTransformerEncoder:
    """A sentence-transformers model, from a local folder or by its name on a model hub.

    Safe to call from several threads; calls wait for each other, since one already uses all cores.
    """

    def __init__(self, source: str, name: str, form: Form = Form.FP32) -> None:
        self._name = name
        local = Path(source).expanduser().is_dir()
        _share_cores()
        with _quiet_libraries():
            from sentence_transformers import SentenceTransformer

            try:
                self._model: Any = SentenceTransformer(
                    source, local_files_only=local, model_kwargs={"dtype": _DTYPES[form]}
                )
            except Exception as error:
                raise EncoderError(f"the encoder {source} could not be loaded: {error}") from error
        dimension: int | None = self._model.get_embedding_dimension()
        if dimension is None:
            raise EncoderError(f"the encoder {source} does not say how long its vectors are")
        self._dimension = dimension
        self._prompt: str = self._model.prompts.get("query") or (
            QUERY_PROMPT if "e5" in source.lower() else ""
        )
        self._lock = Lock()

    @property
    def name(self) -> str:
        """What makes these vectors."""
        return self._name

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """The vectors of ``texts``; an empty list gives an array of no rows."""
        if not texts:
            return np.zeros((0, self._dimension), np.float32)
        with self._lock:
            given: Any = self._model.encode(
                list(texts),
                prompt=self._prompt,
                batch_size=_BATCH,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        vectors = np.asarray(given, np.float32)
        # A model that normalises does so in its own form: rounded to bf16, lengths are not yet 1.
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.maximum(lengths, np.finfo(np.float32).tiny)


def _folder_fingerprint(folder: Path) -> str:
    """Changes when a file of the model does: names, sizes and times, not gigabytes of weights."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            state = path.stat()
            digest.update(
                f"{path.relative_to(folder)} {state.st_size} {state.st_mtime_ns}\n".encode()
            )
    return digest.hexdigest()[:16]


def _share_cores() -> None:
    """Have torch's threads sleep while they wait for each other; torch reads it when it is loaded.

    They would spin, and keep each other from the core they need while anything else computes: one
    question beside one run takes a second instead of 40 ms. On idle cores it costs some 10 ms.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@contextmanager
def _quiet_libraries() -> Generator[None]:
    """Keep loading from drawing bars and logging, and leave the libraries as they were."""
    from transformers.utils import logging as transformers_logging

    noisy = [logging.getLogger(name) for name in ("sentence_transformers", "transformers")]
    levels = [logger.level for logger in noisy]
    bar = transformers_logging.is_progress_bar_enabled()
    for logger in noisy:
        logger.setLevel(logging.ERROR)
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        for logger, level in zip(noisy, levels, strict=True):
            logger.setLevel(level)
        if bar:
            transformers_logging.enable_progress_bar()
