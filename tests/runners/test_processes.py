import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from runners.processes import in_two_processes

LONG_S = 60


def who(rank: int, meeting: str) -> tuple[int, str, int]:
    return rank, meeting, os.getpid()


def fail_in_the_second(rank: int, _meeting: str) -> None:
    if rank == 1:
        raise ValueError("the second")


def lose_the_second(rank: int, _meeting: str) -> None:
    if rank == 1:
        raise ValueError("the second")
    raise ConnectionError


def end_the_second(rank: int, _meeting: str) -> None:
    if rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)


def fail_in_the_first(rank: int, _meeting: str) -> None:
    if rank == 0:
        raise ValueError("the first")
    time.sleep(LONG_S)


def hold_open(rank: int, folder: Path) -> None:
    (folder / str(rank)).touch()
    time.sleep(LONG_S)


def hold_both_open(folder: Path) -> None:
    in_two_processes(lambda rank, _meeting: hold_open(rank, folder))


def test_both_do_the_work_and_know_where_to_meet() -> None:
    first, second = in_two_processes(who)
    assert (first[0], second[0]) == (0, 1)
    assert first[1] == second[1]
    assert first[1].startswith("file:///")
    assert first[2] == os.getpid() != second[2]
    assert not Path(first[1].removeprefix("file://")).parent.exists()


def test_what_cannot_be_pickled_can_be_the_work() -> None:
    assert in_two_processes(lambda rank, _meeting: 10 + rank) == (10, 11)


@pytest.mark.parametrize("work", [fail_in_the_second, lose_the_second])
def test_what_the_second_raises_is_raised(
    work: Callable[[int, str], None], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="the second"):
        in_two_processes(work)
    assert work.__name__ in capfd.readouterr().err  # with its own traceback


def test_a_second_that_is_killed_is_missed() -> None:
    with pytest.raises(RuntimeError, match="without a word"):
        in_two_processes(end_the_second)


def test_no_process_is_left_when_the_first_fails() -> None:
    before = psutil.Process().children()
    with pytest.raises(ValueError, match="the first"):
        in_two_processes(fail_in_the_first)
    assert psutil.Process().children() == before


def test_the_second_ends_when_the_first_is_killed(tmp_path: Path) -> None:
    forking = multiprocessing.get_context("fork")
    ended, held = forking.Pipe(duplex=False)  # both processes have the other end
    first = forking.Process(target=hold_both_open, args=(tmp_path,))
    first.start()
    held.close()
    assert first.pid is not None
    deadline = time.monotonic() + LONG_S
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not ended.poll()
    os.kill(first.pid, signal.SIGKILL)
    first.join()
    assert ended.poll(10)
    with pytest.raises(EOFError):
        ended.recv()
