"""What was trained, on disk: arrays in one file, and a manifest that says what they belong to.

The manifest also records how the training went, for whoever wants to know: its seed, the hashes
of the data and the figures.
"""

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self
from zipfile import BadZipFile

import numpy as np
from pydantic import BaseModel, ValidationError

from knowledge.centre import Centres
from knowledge.confidence import FEATURES, Gate
from knowledge.corpus import Corpus
from knowledge.errors import IndexMismatchError, IndexMissingError
from knowledge.files import write_atomically
from knowledge.fusion import Weights
from knowledge.moves import MoveTeller
from knowledge.training import RECIPE, SEED, Figures, Trained

_MANIFEST: Final = "trained.json"


def fingerprint(corpus: Corpus, model: str) -> str:
    """Names a training by all that goes into it: texts, encoder and recipe."""
    digest = hashlib.sha256(f"{RECIPE}\n{model}\n".encode())
    parts = [
        list(corpus.documents),
        [(line.text, line.entry, line.official) for line in (*corpus.lines, *corpus.outside)],
        list(corpus.sentences),
        [(follow_up.text, follow_up.move.value) for follow_up in corpus.follow_ups],
    ]
    digest.update(json.dumps(parts).encode())
    return digest.hexdigest()


def save_trained(folder: Path, trained: Trained, corpus: Corpus, model: str) -> None:
    """Write what was trained on ``corpus`` with the encoder ``model`` to ``folder``.

    A reader finds the old one or the new one, never half.
    """
    arrays = io.BytesIO()
    np.savez_compressed(
        arrays,
        centres=trained.centres.vectors,
        gate_means=trained.gate.means,
        gate_scales=trained.gate.scales,
        gate_weights=trained.gate.weights,
        gate_bias=np.array(trained.gate.bias),
        move_weights=trained.moves.weights,
        move_biases=trained.moves.biases,
    )
    raw = arrays.getvalue()
    checksum = hashlib.sha256(raw).hexdigest()
    name = f"trained-{checksum[:16]}.npz"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / name, raw)
    manifest = _Manifest(
        fingerprint=fingerprint(corpus, model),
        encoder=model,
        recipe=RECIPE,
        seed=SEED,
        data=_Data.of(corpus),
        weights=trained.weights,
        figures=trained.figures,
        features=list(FEATURES),
        file=name,
        sha256=checksum,
    )
    write_atomically(folder / _MANIFEST, manifest.model_dump_json(indent=1).encode())
    for older in folder.glob("trained-*.npz"):
        if older.name != name:
            older.unlink(missing_ok=True)


def load_trained(folder: Path, belongs_to: str) -> Trained:
    """What was trained for the fingerprint ``belongs_to``.

    Raises:
        IndexMissingError: nothing was trained yet.
        IndexMismatchError: it is damaged, or it was trained for another bank, background or
            encoder.
    """
    try:
        manifest = _Manifest.model_validate_json((folder / _MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise IndexMissingError from error
    except (OSError, ValidationError) as error:
        raise IndexMismatchError("the manifest of what was trained is damaged") from error
    if (manifest.fingerprint, tuple(manifest.features)) != (belongs_to, FEATURES):
        raise IndexMismatchError("the bank changed since the index was made")
    try:
        raw = (folder / manifest.file).read_bytes()
        if hashlib.sha256(raw).hexdigest() != manifest.sha256:
            raise IndexMismatchError("what was trained is damaged")
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            return Trained(
                Centres(arrays["centres"]),
                manifest.weights,
                Gate(
                    arrays["gate_means"],
                    arrays["gate_scales"],
                    arrays["gate_weights"],
                    float(arrays["gate_bias"]),
                ),
                MoveTeller(arrays["move_weights"], arrays["move_biases"]),
                manifest.figures,
            )
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise IndexMismatchError("what was trained cannot be read") from error


class _Data(BaseModel):
    """Counts and hashes of what was trained on."""

    entries: int
    lines: int
    lines_sha256: str
    outside: int
    outside_sha256: str
    follow_ups: int
    follow_ups_sha256: str

    @classmethod
    def of(cls, corpus: Corpus) -> Self:
        return cls(
            entries=len(corpus.documents),
            lines=len(corpus.lines),
            lines_sha256=_digest([(line.text, line.entry) for line in corpus.lines]),
            outside=len(corpus.outside),
            outside_sha256=_digest([(line.text, line.entry) for line in corpus.outside]),
            follow_ups=len(corpus.follow_ups),
            follow_ups_sha256=_digest([(each.text, each.move.value) for each in corpus.follow_ups]),
        )


def _digest(labelled: Sequence[tuple[str, int | str]]) -> str:
    return hashlib.sha256(json.dumps(labelled).encode()).hexdigest()


class _Manifest(BaseModel):
    fingerprint: str
    encoder: str
    recipe: int
    seed: int
    data: _Data
    weights: Weights
    figures: Figures
    features: list[str]
    file: str
    sha256: str
