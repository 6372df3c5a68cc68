import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import main


def test_a_wrong_setting_is_one_line_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XUEBAN_RUNNER_SLOTS", "many")
    with pytest.raises(SystemExit) as ended:
        main(["settings"])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("xueban: XUEBAN_RUNNER_SLOTS: ")
    assert told.count("\n") == 1


def test_a_bot_without_a_token_says_where_to_put_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XUEBAN_DISCORD_TOKEN", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["bot"])
    assert ended.value.code == 2
    assert "XUEBAN_DISCORD_TOKEN is not set" in capsys.readouterr().err


def test_settings_are_printed_with_secrets_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XUEBAN_DISCORD_TOKEN", "hush")
    main(["settings"])
    shown = capsys.readouterr().out
    assert "XUEBAN_DATA_DIR" in shown
    assert "hush" not in shown


def test_a_bot_whose_index_is_missing_names_the_command_that_makes_it(tmp_path: Path) -> None:
    variables = {"XUEBAN_DATA_DIR": str(tmp_path), "XUEBAN_DISCORD_TOKEN": "none"}
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "bot"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("xueban: ")
    assert "python -m knowledge train" in last


def test_sigterm_ends_the_playground_in_good_order(prepared_data_dir: Path, tmp_path: Path) -> None:
    for name in ("encoder", "index"):
        (tmp_path / name).symlink_to(prepared_data_dir / name)
    variables = {"XUEBAN_DATA_DIR": str(tmp_path), "XUEBAN_PLAYGROUND_PORT": "0"}
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "bot", "playground"],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as program:
        assert program.stdout is not None
        address = next(line for line in program.stdout if "http://127.0.0.1:" in line)
        assert "The playground is open" in address
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 0
