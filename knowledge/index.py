"""The index: a vector for each text, kept on disk, searched by inner product."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ValidationError

from knowledge.encoder import Encoder, Vectors
from knowledge.errors import EncoderError, IndexMismatchError, IndexMissingError
from knowledge.files import write_atomically

SCHEMA: Final = 1
"""Raised whenever what is on disk changes its meaning."""

_MANIFEST: Final = "manifest.json"

TextHash = str
"""Names a text by its content: SHA-256, hexadecimal."""


def text_hash(text: str) -> TextHash:
    """The name under which the index keeps the vector of ``text``."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: for each query, best first, the rows and their inner products.

    Both arrays have the shape (queries, top_k).
    """

    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]


class FaissIndex:
    """Vectors of one encoder, each under the content hash of its text.

    An index never changes: `updated` gives another one. Reading it from several threads is safe.
    """

    def __init__(self, model: str, hashes: Sequence[TextHash], vectors: Vectors) -> None:
        import faiss

        self.model = model
        self.hashes = tuple(hashes)
        self._rows = {name: row for row, name in enumerate(self.hashes)}
        self._index: Any = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(np.ascontiguousarray(vectors, np.float32))

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def __len__(self) -> int:
        """How many vectors there are."""
        return len(self.hashes)

    def holds(self, texts: Sequence[str]) -> bool:
        """Whether the vector of every text is here."""
        return all(text_hash(text) in self._rows for text in texts)

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """The vectors of ``texts``, in their order; each must be in the index (`KeyError`)."""
        everything: Vectors = self._index.reconstruct_n(0, len(self))
        return everything[[self._rows[text_hash(text)] for text in texts]]

    def search(self, queries: Vectors, top_k: int) -> Found:
        """The ``top_k`` nearest rows of each query, or all of them where there are fewer."""
        scores, rows = self._index.search(
            np.ascontiguousarray(queries, np.float32), min(top_k, len(self))
        )
        return Found(rows, scores)

    def updated(
        self,
        texts: Sequence[str],
        encoder: Encoder,
        told: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> Self:
        """An index of exactly ``texts``, where only those that are not in this one are encoded.

        ``told`` is called with how many of how many texts are encoded.
        """
        wanted = {text_hash(text): text for text in texts}
        new = {name: text for name, text in wanted.items() if name not in self._rows}
        kept = [name for name in wanted if name in self._rows]
        parts: list[Vectors] = [self._index.reconstruct_n(0, len(self))] if len(self) else []
        if parts:
            parts = [parts[0][[self._rows[name] for name in kept]]]
        names = list(new)
        for start in range(0, len(names), _PORTION):
            portion = names[start : start + _PORTION]
            parts.append(_checked(encoder.encode_queries([new[name] for name in portion])))
            told(start + len(portion), len(names))
        vectors = np.concatenate(parts) if parts else np.zeros((0, self.dimension), np.float32)
        return type(self)(self.model, [*kept, *names], vectors)

    def save(self, folder: Path) -> None:
        """Write the index to ``folder``; a reader finds the old one or the new one, never half."""
        import faiss

        raw: bytes = faiss.serialize_index(self._index).tobytes()
        checksum = hashlib.sha256(raw).hexdigest()
        name = f"vectors-{checksum[:16]}.faiss"
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / name, raw)
        manifest = _Manifest(
            version=SCHEMA,
            model=self.model,
            dimension=self.dimension,
            file=name,
            sha256=checksum,
            rows=list(self.hashes),
        )
        write_atomically(folder / _MANIFEST, manifest.model_dump_json(indent=1).encode())
        for older in folder.glob("vectors-*.faiss"):
            if older.name != name:
                older.unlink(missing_ok=True)

    @classmethod
    def empty(cls, model: str, dimension: int) -> Self:
        """An index without vectors, for `updated` to start from."""
        return cls(model, (), np.zeros((0, dimension), np.float32))

    @classmethod
    def load(cls, folder: Path, model: str, dimension: int | None = None) -> Self:
        """The index in ``folder``.

        Raises:
            IndexMissingError: there is none.
            IndexMismatchError: it is damaged, or it was made by another model or
                with another dimension.
        """
        import faiss

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
        stored: Any = faiss.deserialize_index(np.frombuffer(raw, np.uint8))
        if (stored.ntotal, stored.d) != (len(manifest.rows), manifest.dimension):
            raise IndexMismatchError("the index's vectors and its manifest disagree")
        return cls(model, manifest.rows, stored.reconstruct_n(0, stored.ntotal))


_PORTION: Final = 64


class _Manifest(BaseModel):
    version: int
    model: str
    dimension: int
    file: str
    sha256: str
    rows: list[TextHash]


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


def _checked(vectors: Vectors) -> Vectors:
    if not np.isfinite(vectors).all():
        raise EncoderError("the encoder gave vectors that are no numbers")
    return vectors
