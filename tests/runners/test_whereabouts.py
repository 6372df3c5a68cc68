import json
import os
import stat
from pathlib import Path

import psutil
import pytest

from runners.whereabouts import announce, find_program, withdraw


def test_a_program_that_lives_is_found_until_it_withdraws(tmp_path: Path) -> None:
    announce(tmp_path, "http://127.0.0.1:1", "secret")
    found = find_program(tmp_path)
    assert found is not None
    assert (found.address, found.token, found.pid) == ("http://127.0.0.1:1", "secret", os.getpid())
    assert "secret" not in repr(found)
    withdraw(tmp_path)
    withdraw(tmp_path)
    assert find_program(tmp_path) is None


def test_only_its_user_may_read_it_and_nothing_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "whereabouts.json.new").write_text("cut o")
    announce(tmp_path, "http://127.0.0.1:1", "first")
    announce(tmp_path, "http://127.0.0.1:2", "second")
    [written] = tmp_path.glob("whereabouts*")
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert json.loads(written.read_text())["token"] == "second"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"address": "http://x"}'])
def test_a_damaged_file_is_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "whereabouts.json").write_bytes(content)
    assert find_program(tmp_path) is None


@pytest.mark.parametrize("change", [{"born": 1.0}, {"pid": 2**22 + 1}, {"pid": 0}, {"pid": -1}])
def test_a_process_that_is_another_one_or_none_is_nobody(
    tmp_path: Path, change: dict[str, float]
) -> None:
    announce(tmp_path, "http://127.0.0.1:1", "secret")
    file = tmp_path / "whereabouts.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    assert find_program(tmp_path) is None


def test_a_process_that_ended_and_was_not_waited_for_is_nobody(tmp_path: Path) -> None:
    announce(tmp_path, "http://127.0.0.1:1", None)
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    file = tmp_path / "whereabouts.json"
    ended = {"pid": pid, "born": psutil.Process(pid).create_time()}
    file.write_text(json.dumps({**json.loads(file.read_text()), **ended}))
    assert find_program(tmp_path) is None
    os.waitpid(pid, 0)
