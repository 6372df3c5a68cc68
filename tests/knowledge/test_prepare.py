import dataclasses
from pathlib import Path

import pytest

from knowledge.background import Background, Kind, OutOfScope
from knowledge.bank import Bank, load_bank
from knowledge.errors import IndexMismatchError
from knowledge.language import Language
from knowledge.prepare import Sources, load_prepared, prepare
from knowledge.settings import KnowledgeSettings
from knowledge.testing import FakeEncoder


def test_the_second_time_nothing_is_encoded_and_nothing_written(
    settings: KnowledgeSettings, sources: Sources, encoder: FakeEncoder
) -> None:
    prepare(settings, sources=sources)
    written = {path.name: path.stat().st_mtime_ns for path in settings.index_dir.iterdir()}
    encoder.encoded.clear()
    prepare(settings, sources=sources)
    assert encoder.encoded == []
    again = {path.name: path.stat().st_mtime_ns for path in settings.index_dir.iterdir()}
    assert {name: again[name] for name in written if name != ".lock"} == {
        name: time for name, time in written.items() if name != ".lock"
    }


def test_a_new_phrasing_is_all_that_is_encoded(
    settings: KnowledgeSettings, sources: Sources, encoder: FakeEncoder
) -> None:
    first = prepare(settings, sources=sources)
    encoder.encoded.clear()
    entry = sources.bank.entries[0]
    more = dataclasses.replace(entry, phrasings_zh=(*entry.phrasings_zh, "大网络教小网络"))
    bank = Bank((more, *sources.bank.entries[1:]))
    second = prepare(settings, sources=Sources(bank, sources.background, encoder))
    assert encoder.encoded == ["大网络教小网络"]
    assert second.trained.weights != first.trained.weights


def test_a_changed_file_of_phrasings_is_prepared_anew(
    settings: KnowledgeSettings, bank_dir: Path, background: Background, encoder: FakeEncoder
) -> None:
    path = bank_dir.parent / "phrasings" / "beam-search.tsv"
    path.parent.mkdir()
    path.write_text("zh\tsymptom\t翻译总是漏半句\n", "utf-8")
    first = prepare(settings, sources=Sources(load_bank(bank_dir), background, encoder))
    encoder.encoded.clear()
    path.write_text("zh\tsymptom\t翻译总是漏半句\nen\tchat\tWhy keep five\n", "utf-8")
    changed = Sources(load_bank(bank_dir), background, encoder)
    with pytest.raises(IndexMismatchError, match="the bank changed"):
        load_prepared(settings, sources=changed)
    second = prepare(settings, sources=changed)
    assert encoder.encoded == ["why keep five"]
    assert second.trained.weights != first.trained.weights
    assert load_prepared(settings, sources=changed).index.holds(["why keep five"])


def test_a_new_line_out_of_scope_is_all_that_is_encoded(
    settings: KnowledgeSettings, sources: Sources, encoder: FakeEncoder
) -> None:
    prepare(settings, sources=sources)
    encoder.encoded.clear()
    line = OutOfScope(Language.ZH, Kind.LIFE, "猫为什么怕黄瓜")
    background = Background(sources.background.sentences, (*sources.background.out_of_scope, line))
    prepare(settings, sources=Sources(sources.bank, background, encoder))
    assert encoder.encoded == ["猫为什么怕黄瓜"]


def test_force_makes_everything_anew(
    settings: KnowledgeSettings, sources: Sources, encoder: FakeEncoder
) -> None:
    prepare(settings, sources=sources)
    everything = sorted(encoder.encoded)
    encoder.encoded.clear()
    prepare(settings, sources=sources, force=True)
    assert sorted(encoder.encoded) == everything


def test_the_same_sources_train_to_the_same_numbers(
    settings: KnowledgeSettings, sources: Sources
) -> None:
    first = prepare(settings, sources=sources).trained
    second = prepare(settings, sources=sources, force=True).trained
    assert first.weights == second.weights
    assert (first.gate.weights == second.gate.weights).all()
    assert first.gate.bias == second.gate.bias


def test_what_was_prepared_is_loaded(settings: KnowledgeSettings, sources: Sources) -> None:
    prepared = prepare(settings, sources=sources)
    loaded = load_prepared(settings, sources=sources)
    assert loaded.index.hashes == prepared.index.hashes
    assert loaded.trained.weights == prepared.trained.weights
    assert loaded.trained.figures == prepared.trained.figures
    assert loaded.trained.gate.confidence(loaded.trained.gate.means) == pytest.approx(
        prepared.trained.gate.confidence(prepared.trained.gate.means)
    )


def test_another_encoder_is_refused_or_encodes_everything(
    settings: KnowledgeSettings, sources: Sources
) -> None:
    prepare(settings, sources=sources)
    other = FakeEncoder("other", 32)
    changed = Sources(sources.bank, sources.background, other)
    with pytest.raises(IndexMismatchError, match="made by the encoder fake, but other is set"):
        prepare(settings, sources=changed, mend=False)
    assert other.encoded == []
    prepared = prepare(settings, sources=changed)
    assert len(other.encoded) == len(prepared.index)
    assert prepared.index.dimension == 32


def test_damage_is_refused_or_mended(settings: KnowledgeSettings, sources: Sources) -> None:
    prepare(settings, sources=sources)
    (path,) = settings.index_dir.glob("vectors-*.faiss")
    path.write_bytes(b"torn")
    with pytest.raises(IndexMismatchError, match="damaged"):
        prepare(settings, sources=sources, mend=False)
    prepare(settings, sources=sources)
    assert load_prepared(settings, sources=sources).index.holds(["束搜索入门"])


@pytest.mark.parametrize("content", [b"", b"torn", b"PK\x03\x04"])
def test_damaged_training_is_refused_and_trained_again(
    settings: KnowledgeSettings, sources: Sources, encoder: FakeEncoder, content: bytes
) -> None:
    prepare(settings, sources=sources)
    (path,) = settings.index_dir.glob("trained-*.npz")
    path.write_bytes(content)
    with pytest.raises(IndexMismatchError, match="damaged"):
        load_prepared(settings, sources=sources)
    encoder.encoded.clear()
    prepare(settings, sources=sources)
    assert encoder.encoded == []
    load_prepared(settings, sources=sources)


def test_every_step_begins_with_nothing_and_ends_with_all(
    settings: KnowledgeSettings, sources: Sources
) -> None:
    told: dict[str, list[float]] = {}
    prepare(settings, lambda step, done: told.setdefault(step, []).append(done), sources=sources)
    assert list(told) == ["encoding the question bank", "training retrieval"]
    for shares in told.values():
        assert (shares[0], shares[-1]) == (0, 1)
        assert shares == sorted(shares)
