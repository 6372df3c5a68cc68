import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runners.catalogue import Catalogue
from runners.settings import RunnerSettings

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(settings: RunnerSettings, trials: Catalogue) -> dict[str, str]:
    del trials
    return {
        **os.environ,
        "XUEBAN_DATA_DIR": str(settings.data_dir),
        "XUEBAN_RUNNER_PRELOAD": "false",
        "LC_ALL": "C.UTF-8",
    }


@pytest.fixture
def command(environment: dict[str, str]) -> Command:
    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "runners", *arguments, "--examples", "trials"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**environment, **variables},
        )

    return run


def report(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    [line] = done.stdout.splitlines()
    return json.loads(line)


def test_list_tells_what_can_run_and_what_can_be_set(command: Command) -> None:
    done = command("list")
    assert done.returncode == 0
    assert "steady" in done.stdout
    assert "a whole number from 1 to 100000" in done.stdout
    listed = json.loads(command("list", "--json").stdout)
    assert [example["id"] for example in listed] == ["curious", "hasty", "steady", "unruly"]
    assert listed[2]["parameters"][1]["maximum"] == 100_000


def test_run_ends_with_one_object(command: Command, settings: RunnerSettings) -> None:
    done = command("run", "steady", "--set", "steps=2", "seed=4", "--json")
    assert done.returncode == 0
    told = report(done)
    assert list(told)[:12] == [
        "example",
        "framework",
        "state",
        "device",
        "metrics",
        "history",
        "artifacts",
        "elapsed_s",
        "peak_memory_mb",
        "parameters",
        "seed",
        "versions",
    ]
    assert (told["example"], told["framework"], told["state"]) == ("steady", "pytorch", "succeeded")
    assert told["metrics"] == {"final": 4.0}
    assert told["history"] == [{"step": 1, "loss": 1.0}, {"step": 2, "loss": 0.5}]
    assert (told["seed"], told["parameters"]["steps"]) == (4, 2)
    [artifact] = told["artifacts"]
    assert Path(artifact).read_bytes().startswith(b"\x89PNG")
    assert Path(artifact).is_relative_to(settings.data_dir / "artifacts")
    assert told["elapsed_s"] > 0
    assert told["peak_memory_mb"] > 5
    assert set(told["versions"]) == {"python", "torch", "numpy"}
    assert told["claims"] == [{"text": "final 4 ≤ 9", "holds": True}]


def test_run_tells_people_what_came_out(command: Command) -> None:
    done = command("run", "steady", "--set", "steps=2")
    assert done.returncode == 0
    assert "steady succeeded" in done.stdout
    assert "final = 0" in done.stdout
    assert "✔ final 0 ≤ 9" in done.stdout
    assert "✘ final 10 > 9" in command("run", "steady", "--set", "seed=10").stdout
    assert "curves.png" in done.stdout
    assert "2/2" in done.stderr


def test_a_run_that_fails_says_why_and_is_no_success(command: Command) -> None:
    done = command("run", "unruly", "--json")
    assert done.returncode == 1
    told = report(done)
    assert told["state"] == "failed"
    assert told["failure"] == {
        "reason": "error",
        "message": "ValueError: seven is not a batch size",
    }
    assert "Traceback" in command("run", "unruly").stderr


def test_numbers_that_are_not_finite_are_null(command: Command) -> None:
    told = report(command("run", "unruly", "--set", "how=diverge", "--json"))
    assert told["metrics"] == {"final": None}
    assert told["history"] == [{"step": 1, "loss": None}]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("run", "nothing"), "there is no example `nothing`"),
        (("run", "steady", "--set", "steps=0"), "is not allowed: a whole number from 1 to 100000."),
        (("run", "steady", "--set", "stride=1"), "there is no parameter `stride`"),
        (("run", "steady", "--set", "steps"), "write `name=value`"),
    ],
)
def test_a_wrong_command_is_answered_in_one_line(
    command: Command, arguments: tuple[str, ...], complaint: str
) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert complaint in line
    assert done.stdout == ""


def test_a_wrong_setting_is_answered_in_one_line(command: Command) -> None:
    done = command("list", XUEBAN_RUNNER_SLOTS="none")
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "XUEBAN_RUNNER_SLOTS is wrong" in line


def test_it_speaks_chinese_where_the_terminal_does(command: Command) -> None:
    done = command("run", "steady", "--set", "steps=0", LC_ALL="", LANG="zh_CN.UTF-8", LANGUAGE="")
    assert "1 到 100000 的整数" in done.stderr


def test_ctrl_c_cancels(environment: dict[str, str], leftovers: Callable[[], list[str]]) -> None:
    command = [sys.executable, "-m", "runners", "run", "unruly", "--set", "how=stubborn"]
    process = subprocess.Popen(  # noqa: S603 - our own program
        [*command, "--json", "--examples", "trials"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment, "TTY_COMPATIBLE": "1"},
        bufsize=0,
    )
    assert process.stderr is not None
    shown = ""
    while "1/2" not in shown:
        shown += os.read(process.stderr.fileno(), 1_000).decode(errors="replace")
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=20)
    assert json.loads(told)["state"] == "cancelled"
    assert process.returncode == 1
    assert leftovers() == []


def test_compare_sets_one_example_with_two_settings_side_by_side(command: Command) -> None:
    done = command("compare", "steady:steps=2", "steady:steps=9", "--set", "pause_ms=1", "--json")
    assert done.returncode == 0
    told = report(done)
    assert (told["a"]["settings"], told["b"]["settings"]) == ({"steps": 2}, {"steps": 9})
    assert (told["a"]["seeds"], told["rows"][0]["a"]) == ([0, 1, 2], [0, 1, 2])
    assert (told["rows"][0]["metric"], told["rows"][0]["verdict"]) == ("final", "same")
    assert Path(told["chart"]).read_bytes().startswith(b"\x89PNG")


def test_compare_says_what_is_wrong_before_anything_runs(command: Command) -> None:
    for words, complaint in (
        (("steady", "no-such"), "there is no example"),
        (("steady:steps=0", "steady"), "steps=0"),
        (("steady", "steady", "--set", "seed=1"), "--seeds"),
        (("steady", "steady", "--seeds", "0"), "--seeds must be"),
    ):
        done = command("compare", *words)
        assert done.returncode == 2
        assert complaint in done.stderr
        assert "Traceback" not in done.stderr


def test_compare_ends_with_the_run_that_failed(command: Command) -> None:
    done = command("compare", "unruly", "steady")
    assert done.returncode == 1
    assert "seven is not a batch size" in done.stdout


def test_a_run_in_a_terminal_leaves_the_pictures_of_others_alone(
    command: Command, settings: RunnerSettings
) -> None:
    theirs = settings.data_dir / "artifacts" / ("e" * 32) / "curves.png"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"a picture of long ago")
    os.utime(theirs.parent, (0, 0))
    assert command("run", "steady").returncode == 0
    assert theirs.exists()
