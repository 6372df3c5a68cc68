import sys
from pathlib import Path

import pytest

from runners.errors import RunnerSettingsError
from runners.protocol.words import Framework
from runners.settings import RunnerSettings, check_listening, read_settings


def test_every_setting_is_described() -> None:
    assert [
        name for name, field in RunnerSettings.model_fields.items() if not field.description
    ] == []


def test_settings_come_from_the_environment_and_the_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("XUEBAN_RUNNER_SLOTS=3\nXUEBAN_RUNNER_PORT=1\nOTHER=1\n")
    monkeypatch.setenv("XUEBAN_RUNNER_PORT", "8765")
    monkeypatch.setenv("XUEBAN_RUNNER_TOKEN", "")
    settings = read_settings()
    assert (settings.runner_slots, settings.runner_port, settings.token) == (3, 8765, None)
    assert settings.data_dir == tmp_path / ".data"
    assert settings.datasets == tmp_path / ".data" / "datasets"


def test_the_token_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XUEBAN_RUNNER_TOKEN", "hush")
    settings = read_settings()
    assert settings.token == "hush"
    assert "hush" not in f"{settings!r} {settings}"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("RUNNER_PORT", "many", "XUEBAN_RUNNER_PORT is wrong"),
        ("RUNNER_PORT", "70000", "less than or equal to 65535"),
        ("RUNNER_SLOTS", "0", "greater than or equal to 1"),
        ("RUNNER_ADDRESS", "localhost:80", "write it as http://host:port"),
        ("RUNNER_TOKEN", "with spaces", "printable ASCII"),
        ("RUNNER_TOKEN", "口令", "printable ASCII"),
        ("RUNNER_PRELOAD", "perhaps", "XUEBAN_RUNNER_PRELOAD is wrong"),
    ],
)
def test_a_wrong_value_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(f"XUEBAN_{name}", value)
    with pytest.raises(RunnerSettingsError, match=message) as raised:
        read_settings()
    assert "\n" not in str(raised.value)
    assert f"XUEBAN_{name}" in str(raised.value)
    if name == "RUNNER_TOKEN":
        assert value not in str(raised.value)


def test_frameworks_may_live_in_other_interpreters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XUEBAN_TENSORFLOW_PYTHON", sys.executable)
    assert read_settings().pythons == {Framework.TENSORFLOW: Path(sys.executable)}


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "runner.example"])  # noqa: S104 - refused
def test_nobody_listens_to_the_world_without_a_token(host: str) -> None:
    with pytest.raises(RunnerSettingsError, match="XUEBAN_RUNNER_TOKEN"):
        check_listening(host, None)
    check_listening(host, "secret")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    check_listening(host, None)
