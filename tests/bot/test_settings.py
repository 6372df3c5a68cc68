from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.settings import Settings, describe, load_settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_setting_is_described() -> None:
    assert all(description for _, _, description in describe(load_settings()))


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XUEBAN_DISCORD_TOKEN", "hush-token")
    monkeypatch.setenv("XUEBAN_RUNNER_TOKEN", "hush-runner")
    monkeypatch.setenv("XUEBAN_DATABASE_URL", "postgresql+asyncpg://tutor:hush@db/xueban")
    settings = load_settings()
    shown = {name: value for name, value, _ in describe(settings)}
    assert shown["XUEBAN_DISCORD_TOKEN"] == "********"
    assert "hush" not in str(shown)
    assert "hush" not in repr(settings)


def test_a_wrong_value_is_one_line_that_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XUEBAN_TICK_SECONDS", "soon")
    with pytest.raises(SettingsError) as fault:
        load_settings()
    assert str(fault.value).startswith("XUEBAN_TICK_SECONDS: input should be a valid number")
    assert "\n" not in str(fault.value)


def test_settings_are_read_from_a_dotenv_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("XUEBAN_MESSAGE_CONTENT=false\nXUEBAN_DATA_DIR=here\n")
    settings = load_settings()
    assert settings.message_content is False
    assert settings.data_dir == tmp_path / "here"


def test_everything_written_lies_under_the_data_folder(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "d")
    assert settings.store_url == f"sqlite+aiosqlite:///{tmp_path}/d/xueban.db"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XUEBAN_DISCORD_TOKEN", "")
    assert load_settings().discord_token is None
