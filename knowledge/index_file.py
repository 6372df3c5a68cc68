"""The index on disk: one file of vectors, and a manifest that says whose they are."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from knowledge.errors import IndexMismatchError, IndexMissingError
from knowledge.files import write_atomically

SCHEMA: Final = 1
"""Raised whenever what is on disk changes its meaning."""

_MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class Stored:
    """What is written: a FAISS index as bytes, and the name of each vector in the rows' order."""

    model: str
    dimension: int
    names: tuple[str, ...]
    raw: bytes


def write_index(folder: Path, stored: Stored) -> None:
    """Write to ``folder``; a reader finds the old index or the new one, never half."""
    checksum = hashlib.sha256(stored.raw).hexdigest()
    name = f"vectors-{checksum[:16]}.faiss"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / name, stored.raw)
    manifest = _Manifest(
        version=SCHEMA,
        model=stored.model,
        dimension=stored.dimension,
        file=name,
        sha256=checksum,
        rows=list(stored.names),
    )
    write_atomically(folder / _MANIFEST, manifest.model_dump_json(indent=1).encode())
    for older in folder.glob("vectors-*.faiss"):
        if older.name != name:
            older.unlink(missing_ok=True)


def read_index(folder: Path, model: str, dimension: int | None = None) -> Stored:
    """What was written to ``folder``.

    Raises:
        IndexMissingError: nothing was.
        IndexMismatchError: it is damaged, or it was made by another model or
            with another dimension.
    """
    manifest = _read_manifest(folder)
    if manifest.model != model:
        raise IndexMismatchError(
            f"the index was made by the encoder {manifest.model}, but {model} is set"
        )
    if dimension is not None and manifest.dimension != dimension:
        raise IndexMismatchError(
            f"the index holds vectors of {manifest.dimension} numbers, but the encoder "
            f"gives {dimension}"
        )
    try:
        raw = (folder / manifest.file).read_bytes()
    except OSError as error:
        raise IndexMismatchError(f"the index's vectors cannot be read ({error})") from error
    if hashlib.sha256(raw).hexdigest() != manifest.sha256:
        raise IndexMismatchError("the index's vectors are damaged")
    return Stored(model, manifest.dimension, tuple(manifest.rows), raw)


class _Manifest(BaseModel):
    version: int
    model: str
    dimension: int
    file: str
    sha256: str
    rows: list[str]


def _read_manifest(folder: Path) -> _Manifest:
    try:
        manifest = _Manifest.model_validate_json((folder / _MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise IndexMissingError from error
    except (OSError, ValidationError) as error:
        raise IndexMismatchError("the index's manifest is damaged") from error
    if manifest.version != SCHEMA:
        raise IndexMismatchError("the index was written by another version of the tutor")
    return manifest
