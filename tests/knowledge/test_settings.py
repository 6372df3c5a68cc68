from pathlib import Path

import pytest

from knowledge.errors import KnowledgeSettingsError
from knowledge.settings import BUILT_IN_ENCODER, KnowledgeSettings, read_settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XUEBAN_DATA_DIR", raising=False)
    monkeypatch.delenv("XUEBAN_ENCODER", raising=False)


def test_without_settings_all_lies_beside_the_program(tmp_path: Path) -> None:
    settings = read_settings()
    assert settings.data_dir == tmp_path / ".data"
    assert settings.encoder == BUILT_IN_ENCODER
    assert settings.index_dir.is_relative_to(settings.data_dir)
    assert settings.encoder_dir.is_relative_to(settings.data_dir)


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("XUEBAN_DATA_DIR=file\nXUEBAN_ENCODER=some/model\n", "utf-8")
    monkeypatch.setenv("XUEBAN_DATA_DIR", "environment")
    settings = read_settings()
    assert settings.data_dir == tmp_path / "environment"
    assert settings.encoder == "some/model"


def test_an_empty_value_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XUEBAN_ENCODER", "")
    assert read_settings().encoder == BUILT_IN_ENCODER


def test_a_wrong_value_names_its_variable() -> None:
    Path(".env").write_bytes(b"XUEBAN_DATA_DIR='a\x00b'\n")
    with pytest.raises(KnowledgeSettingsError, match="XUEBAN_DATA_DIR"):
        read_settings()


def test_every_setting_is_described() -> None:
    assert all(field.description for field in KnowledgeSettings.model_fields.values())
