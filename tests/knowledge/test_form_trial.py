"""The trial with a clock that stands still unless somebody encodes, and with the real encoder."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from knowledge import encoder as encoder_module
from knowledge import form_trial
from knowledge.centre import Centres
from knowledge.corpus import Corpus, build_corpus
from knowledge.encoder import Vectors, encoder_form, encoder_name, open_encoder
from knowledge.encoder_form import (
    LOWEST_COSINE,
    Choice,
    Form,
    Trial,
    chosen,
    load_choice,
    save_choice,
)
from knowledge.form_trial import Sample, settle_form, try_forms
from knowledge.prepare import Sources
from knowledge.settings import KnowledgeSettings
from knowledge.testing import FakeEncoder


class Clock:
    """Tells the time that encoding has taken so far."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Timed(FakeEncoder):
    """Takes ``seconds`` for a text, and ``turns`` vectors towards another direction."""

    def __init__(self, clock: Clock, seconds: float, turns: float = 0.0) -> None:
        super().__init__()
        self._clock = clock
        self._seconds = seconds
        self._turns = turns

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self._clock.now += self._seconds * len(texts)
        vectors = super().encode_queries(texts)
        moved = vectors + self._turns * np.eye(1, self.dimension, dtype=np.float32)
        return moved / np.linalg.norm(moved, axis=1, keepdims=True)


@pytest.fixture
def corpus(sources: Sources) -> Corpus:
    return build_corpus(sources.bank, sources.background)


@pytest.fixture
def sample(corpus: Corpus, encoder: FakeEncoder) -> Sample:
    return Sample.of(corpus, encoder.encode_queries, size=10)


def test_the_sample_is_spread_over_the_entries_and_holds_no_official_line(
    corpus: Corpus, sample: Sample
) -> None:
    assert len(sample.texts) == 10
    official = {line.text for line in corpus.lines if line.official}
    assert official.isdisjoint(sample.texts)
    assert set(sample.entry_of[sample.rows].tolist()) == {0, 1, 2, 3}
    assert [corpus.lines[row].text for row in sample.rows] == list(sample.texts)


def test_each_form_is_timed_and_compared_with_fp32(sample: Sample) -> None:
    clock = Clock()
    exact, rounded = try_forms(
        {Form.FP32: Timed(clock, 3.0), Form.BF16: Timed(clock, 1.0, turns=0.1)}, sample, clock
    )
    assert (exact.form, exact.low, exact.seconds, exact.high) == (Form.FP32, 3, 3, 3)
    assert (rounded.form, rounded.seconds, rounded.asked) == (Form.BF16, 1, 10)
    assert exact.cosine == pytest.approx(1, abs=1e-6)
    assert 0.98 < rounded.cosine < 0.9999


PAIRS = np.array([[1, 0], [0.8, 0.6], [-1, 0], [-0.8, -0.6]], np.float32)
"""Two and two lie close together."""


def sample_of(entries: list[int]) -> Sample:
    """Lines at `PAIRS`, all of them asked."""
    centres = Centres(np.zeros((2, 2), np.float32))
    return Sample(("a", "b", "c", "d"), np.arange(4), PAIRS, np.array(entries, np.int64), centres)


def test_an_entry_is_found_by_another_of_its_lines() -> None:
    assert sample_of([0, 0, 1, 1]).found(PAIRS) == 4
    assert sample_of([0, 0, 1, 1]).found(PAIRS[[0, 1, 0, 3]]) == 3
    assert sample_of([0, 1, 0, 1]).found(PAIRS) == 0


def test_progress_ends_with_all(sample: Sample) -> None:
    told: list[float] = []
    clock = Clock()
    try_forms({Form.FP32: Timed(clock, 1.0)}, sample, clock, told.append)
    assert (told[0], told[-1]) == (pytest.approx(0.1), 1)
    assert told == sorted(told)


@pytest.fixture
def real_settings(prepared_data_dir: Path, tmp_path: Path) -> KnowledgeSettings:
    """The real encoder, and an index folder where no form was chosen yet."""
    (tmp_path / "encoder").symlink_to(prepared_data_dir / "encoder")
    (tmp_path / "index").mkdir()
    return KnowledgeSettings(data_dir=tmp_path)


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the forms that the processor computes; bf16 is emulated where it does not."""

    def compute(*forms: Form) -> None:
        for module in (encoder_module, form_trial):
            monkeypatch.setattr(module, "available_forms", lambda: forms)

    return compute


def record_of(settings: KnowledgeSettings) -> Choice:
    choice = load_choice(settings.index_dir, encoder_name(settings))
    assert choice is not None
    return choice


def test_the_real_encoders_forms_are_tried_once(
    real_settings: KnowledgeSettings, corpus: Corpus, processor: Callable[..., None]
) -> None:
    processor(Form.FP32, Form.BF16)
    vectors_of = open_encoder(real_settings, form=Form.FP32).encode_queries
    settle_form(real_settings, corpus, vectors_of)
    choice = record_of(real_settings)
    exact, rounded = choice.trials
    assert (exact.form, rounded.form) == (Form.FP32, Form.BF16)
    assert exact.cosine == pytest.approx(1, abs=1e-5)
    assert LOWEST_COSINE <= rounded.cosine < exact.cosine
    assert choice.form is chosen(choice.trials) is encoder_form(real_settings)

    def never(_texts: Sequence[str]) -> Vectors:
        raise AssertionError

    settle_form(real_settings, corpus, never)
    assert record_of(real_settings) == choice
    with pytest.raises(AssertionError):
        settle_form(real_settings, corpus, never, force=True)


def test_a_processor_of_one_form_tries_nothing_and_leaves_anothers_choice_alone(
    real_settings: KnowledgeSettings, corpus: Corpus, processor: Callable[..., None]
) -> None:
    processor(Form.FP32)
    vectors_of = FakeEncoder().encode_queries
    settle_form(real_settings, corpus, vectors_of, force=True)
    assert list(real_settings.index_dir.iterdir()) == []
    theirs = Choice(encoder_name(real_settings), Form.BF16, ())
    save_choice(real_settings.index_dir, theirs)
    settle_form(real_settings, corpus, vectors_of, force=True)
    assert record_of(real_settings) == theirs


def test_a_form_that_was_not_tried_yet_is_tried(
    real_settings: KnowledgeSettings, corpus: Corpus, processor: Callable[..., None]
) -> None:
    processor(Form.FP32, Form.BF16)
    name = encoder_name(real_settings)
    alone = Trial(Form.FP32, 1, 1, 1, 1, 1, 1)
    save_choice(real_settings.index_dir, Choice(name, Form.FP32, (alone,)))
    settle_form(real_settings, corpus, open_encoder(real_settings, form=Form.FP32).encode_queries)
    assert [trial.form for trial in record_of(real_settings).trials] == [Form.FP32, Form.BF16]


def test_the_chosen_form_is_opened_and_on_another_processor_fp32(
    real_settings: KnowledgeSettings, processor: Callable[..., None]
) -> None:
    exact, rounded = (open_encoder(real_settings, form=form) for form in Form)
    assert exact.name == rounded.name == encoder_name(real_settings)
    texts = ["训练集准确率很高但是测试集很差怎么回事", "how do I make training cheaper"]
    save_choice(real_settings.index_dir, Choice(exact.name, Form.BF16, ()))
    processor(Form.FP32, Form.BF16)
    opened = open_encoder(real_settings).encode_queries(texts)
    assert opened == pytest.approx(rounded.encode_queries(texts), abs=1e-6)
    assert np.abs(opened - exact.encode_queries(texts)).max() > 1e-4
    processor(Form.FP32)
    fallen_back = open_encoder(real_settings).encode_queries(texts)
    assert fallen_back == pytest.approx(exact.encode_queries(texts), abs=1e-6)
