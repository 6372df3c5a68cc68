from pathlib import Path

import pytest

from bot import status as status_module
from bot.cli import main
from bot.settings import Settings
from bot.status import figures_font, status
from knowledge import encoder as encoder_module
from knowledge.encoder import encoder_name
from knowledge.encoder_form import Choice, Form, Trial, save_choice
from runners.errors import MissingFontError

FP32 = Trial(Form.FP32, 0.0302, 0.029, 0.0325, 1.0, 52, 96)
BF16 = Trial(Form.BF16, 0.0151, 0.014, 0.016, 0.99996, 53, 96)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(data_dir=tmp_path, encoder="some-encoder")
    settings.index_dir.mkdir()
    return settings


def computing(monkeypatch: pytest.MonkeyPatch, *forms: Form) -> None:
    for module in (encoder_module, status_module):
        monkeypatch.setattr(module, "available_forms", lambda: forms)


def said_of_form(settings: Settings) -> str:
    return dict(status(settings))["form"]


def test_the_chosen_form_is_told_with_what_was_measured(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    computing(monkeypatch, Form.FP32, Form.BF16)
    save_choice(settings.index_dir, Choice(encoder_name(settings), Form.BF16, (FP32, BF16)))
    assert dict(status(settings)) == {
        "encoder": "some-encoder",
        "form": "bf16, 0.50 of fp32's time at equal recall",
        "tried fp32": "30.2 ms a question (quartiles 29.0 to 32.5), 52 of 96 found, "
        "lowest cosine with fp32 1.00000",
        "tried bf16": "15.1 ms a question (quartiles 14.0 to 16.0), 53 of 96 found, "
        "lowest cosine with fp32 0.99996",
        "index": "there is no index yet; `python -m knowledge train` mends it",
        "figures": figures_font(),
    }


def test_a_form_that_another_processor_chose_is_told_as_not_used(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    computing(monkeypatch, Form.FP32)
    save_choice(settings.index_dir, Choice(encoder_name(settings), Form.BF16, (FP32, BF16)))
    assert said_of_form(settings) == (
        "fp32; bf16 was chosen, but this processor does not compute it"
    )


def test_fp32_is_told_with_the_reason(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    computing(monkeypatch, Form.FP32)
    assert said_of_form(settings) == "fp32, the only one that this processor computes"
    computing(monkeypatch, Form.FP32, Form.BF16)
    assert said_of_form(settings) == "fp32, until `xueban prepare` has tried the others"
    save_choice(settings.index_dir, Choice(encoder_name(settings), Form.FP32, (FP32, BF16)))
    assert said_of_form(settings) == "fp32; no other is clearly faster at equal recall"


def test_what_is_prepared_is_printed(
    prepared_data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XUEBAN_DATA_DIR", str(prepared_data_dir))
    monkeypatch.setenv("COLUMNS", "200")
    main(["status"])
    shown = capsys.readouterr().out
    assert "intfloat/multilingual-e5-small" in shown
    assert f"up to date, in {prepared_data_dir.resolve() / 'index'}" in shown


def test_the_font_of_the_figures_is_told_or_why_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert figures_font().startswith("written in Noto Sans")

    def fail(error: Exception) -> None:
        def chinese_font() -> str:
            raise error

        monkeypatch.setattr(status_module, "chinese_font", chinese_font)

    fail(MissingFontError())
    assert "install Noto Sans CJK" in figures_font()
    fail(ModuleNotFoundError(name="matplotlib"))
    assert figures_font() == "none are drawn here: matplotlib is not installed"
