"""Who dies with whom: no process of a job outlives it, and no job its runner."""

import ctypes
import os
import signal
import sys
from contextlib import suppress

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent(number: signal.Signals) -> None:
    """Have the kernel send ``number`` to this process when its parent ends (Linux only)."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    _prctl(_PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:
        os.kill(os.getpid(), number)  # the parent was gone before the kernel knew


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends (Linux only)."""
    if sys.platform.startswith("linux"):
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send ``number`` to the process group that ``pid`` leads, and to ``pid`` by itself.

    A process that was only just forked may not lead its group yet, and one that is gone
    already is no error.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def end_tree(pid: int, born: float) -> None:
    """Kill the process ``pid`` that was ``born`` then, its group, session and descendants.

    Nothing happens to a process that took the number over later.
    """
    doomed: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        leader = psutil.Process(pid)
        if leader.create_time() != born:
            return
        doomed = [*leader.children(recursive=True), leader]
    # a session's number is not given to another process while the session has members
    doomed += [each for each in psutil.process_iter() if _in_session(each.pid, pid)]
    for each in doomed:
        with suppress(psutil.Error):
            each.kill()


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _in_session(pid: int, session: int) -> bool:
    try:
        return os.getsid(pid) == session
    except (ProcessLookupError, PermissionError):
        return False
