from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.fault import Fault
from knowledge.meaning_check import Common, check_meanings
from knowledge.prepare import Prepared, Sources, prepare
from knowledge.settings import KnowledgeSettings
from knowledge.testing import FakeEncoder

ASKED = "讲讲束搜索的原理"
TWIN = f"{ASKED}吧"


@pytest.fixture
def prepared(settings: KnowledgeSettings, sources: Sources) -> Prepared:
    """What was prepared for the common bank, in `bank_dir`."""
    return prepare(settings, sources=sources)


@pytest.fixture
def other_dir(tmp_path: Path, entry_text: Callable[..., str]) -> Path:
    """A bank of one entry, whose phrasings beside it ask what the common bank asks."""
    folder = tmp_path / "other" / "questions"
    (folder / "rules").mkdir(parents=True)
    text = entry_text(id="house-rules", topic="rules", zh="群规", en="our rules")
    (folder / "rules" / "house-rules.md").write_text(text, "utf-8")
    write(folder, "house-rules", TWIN)
    return folder


def write(bank_dir: Path, entry: str, text: str) -> Path:
    path = bank_dir.parent / "phrasings" / f"{entry}.tsv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"zh\tchat\t{text}\n", "utf-8")
    return path


def no_encoder() -> FakeEncoder:
    pytest.fail("all texts are encoded already")


def line_of(path: Path, text: str) -> int:
    return path.read_text("utf-8").split("\n").index(text) + 1


def test_the_common_bank_is_compared_as_it_was_prepared(bank_dir: Path, prepared: Prepared) -> None:
    assert check_meanings(bank_dir, Common(prepared, no_encoder, bank_dir)) == ()


def test_a_private_bank_is_compared_with_the_common_one(
    bank_dir: Path, other_dir: Path, prepared: Prepared, encoder: FakeEncoder
) -> None:
    encoder.encoded.clear()
    steps: list[tuple[str, float]] = []
    faults = check_meanings(
        other_dir,
        Common(prepared, lambda: encoder, bank_dir),
        lambda step, done: steps.append((step, done)),
        private=True,
    )
    entry = bank_dir / "language" / "beam-search.md"
    phrasings = other_dir.parent / "phrasings" / "house-rules.tsv"
    asked = f"{ASKED!r} at {entry}:{line_of(entry, f'    - {ASKED}')}"
    assert faults == (Fault(phrasings, 1, f"{TWIN!r} asks what {asked} asks"),)
    assert TWIN in encoder.encoded
    assert ASKED not in encoder.encoded
    assert steps[0] == ("encoding the folder's wordings", 0.0)
    assert steps[-1] == ("comparing meanings", 1.0)


def test_another_bank_is_compared_with_itself_alone(
    bank_dir: Path, other_dir: Path, prepared: Prepared, encoder: FakeEncoder
) -> None:
    common = Common(prepared, lambda: encoder, bank_dir)
    assert check_meanings(other_dir, common) == ()


def test_nothing_of_another_bank_is_kept(
    bank_dir: Path,
    other_dir: Path,
    prepared: Prepared,
    encoder: FakeEncoder,
    settings: KnowledgeSettings,
) -> None:
    before = {path: path.read_bytes() for path in settings.index_dir.iterdir()}
    check_meanings(other_dir, Common(prepared, lambda: encoder, bank_dir), private=True)
    assert {path: path.read_bytes() for path in settings.index_dir.iterdir()} == before
    assert not prepared.index.holds([TWIN])
