"""What was trained, on disk: arrays in one file, and a manifest that says what they belong to."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from knowledge.confidence import FEATURES, Gate
from knowledge.corpus import Corpus
from knowledge.errors import IndexMismatchError, IndexMissingError
from knowledge.files import write_atomically
from knowledge.head import Head
from knowledge.training import RECIPE, Trained

_MANIFEST: Final = "trained.json"


def fingerprint(corpus: Corpus, model: str) -> str:
    """Names a training by all that goes into it: texts, encoder and recipe."""
    digest = hashlib.sha256(f"{RECIPE}\n{model}\n".encode())
    parts = [
        list(corpus.documents),
        [(line.text, line.entry, line.official) for line in (*corpus.lines, *corpus.outside)],
        list(corpus.sentences),
    ]
    digest.update(json.dumps(parts).encode())
    return digest.hexdigest()


def save_trained(folder: Path, trained: Trained, belongs_to: str) -> None:
    """Write ``trained`` to ``folder``; a reader finds the old one or the new one, never half."""
    arrays = io.BytesIO()
    np.savez_compressed(
        arrays,
        centre=trained.head.centre,
        weights=trained.head.weights.astype(np.float32),
        biases=trained.head.biases,
        gate_means=trained.gate.means,
        gate_scales=trained.gate.scales,
        gate_weights=trained.gate.weights,
        gate_bias=np.array(trained.gate.bias),
    )
    raw = arrays.getvalue()
    checksum = hashlib.sha256(raw).hexdigest()
    name = f"trained-{checksum[:16]}.npz"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / name, raw)
    manifest = {
        "fingerprint": belongs_to,
        "features": list(FEATURES),
        "arrays": {"file": name, "sha256": checksum},
    }
    write_atomically(folder / _MANIFEST, json.dumps(manifest, indent=1).encode())
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
        manifest: dict[str, Any] = json.loads((folder / _MANIFEST).read_text("utf-8"))
        known = manifest["fingerprint"], tuple(manifest["features"])
        name, checksum = manifest["arrays"]["file"], manifest["arrays"]["sha256"]
    except FileNotFoundError as error:
        raise IndexMissingError from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexMismatchError("the manifest of what was trained is damaged") from error
    if known != (belongs_to, FEATURES):
        raise IndexMismatchError("the bank changed since the index was made")
    try:
        raw = (folder / name).read_bytes()
        if hashlib.sha256(raw).hexdigest() != checksum:
            raise IndexMismatchError("what was trained is damaged")
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            return Trained(
                Head(arrays["centre"], arrays["weights"].astype(np.float64), arrays["biases"]),
                Gate(
                    arrays["gate_means"],
                    arrays["gate_scales"],
                    arrays["gate_weights"],
                    float(arrays["gate_bias"]),
                ),
            )
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise IndexMismatchError("what was trained cannot be read") from error
