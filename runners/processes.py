"""Two processes that compute together, for examples of distributed training."""

import multiprocessing
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

T = TypeVar("T")

_LAST_WORD_S: Final = 1


def in_two_processes(work: Callable[[int, str], T]) -> tuple[T, T]:
    """What ``work(0, meeting)`` returns here, and ``work(1, meeting)`` in a second process.

    ``meeting`` is the address of a file where they find each other; they talk over the loopback
    device, so it works without a network and nobody else can join. The second is forked and has
    all that is loaded here, which a graphics card's driver does not survive: ask for cards in
    ``work``. It ends with this call and with this process, whatever becomes of them.

    What the second raises is raised here.

    Raises:
        RuntimeError: the second process ended without a word.
    """
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    os.environ["GLOO_SOCKET_IFNAME"] = os.environ["NCCL_SOCKET_IFNAME"] = loopback
    forking = multiprocessing.get_context("fork")
    receiver, sender = forking.Pipe(duplex=False)
    with TemporaryDirectory() as folder, receiver:
        meeting = f"file://{folder}/meeting"
        second = forking.Process(target=_be_second, args=(work, meeting, sender), daemon=True)
        with warnings.catch_warnings():
            # a thread that only listens to the runner holds no lock that the second would need
            warnings.filterwarnings("ignore", ".* multi-threaded, .*", DeprecationWarning)
            second.start()
        sender.close()
        try:
            return _do_first(work, meeting, receiver)
        finally:
            second.kill()
            second.join()


@dataclass(frozen=True, slots=True)
class _Raised:
    error: Exception


def _do_first(work: Callable[[int, str], T], meeting: str, receiver: Connection) -> tuple[T, T]:
    try:
        mine = work(0, meeting)
    except Exception:
        # when one fails, the other loses its connection: what came first is to be raised
        if receiver.poll(_LAST_WORD_S):
            _hear(receiver)
        raise
    return mine, _hear(receiver)


def _hear(receiver: Connection) -> Any:  # noqa: ANN401 - what the work returns
    try:
        theirs = receiver.recv()
    except EOFError as error:
        raise RuntimeError("the second process ended without a word") from error
    if isinstance(theirs, _Raised):
        raise theirs.error
    return theirs


def _be_second(work: Callable[[int, str], T], meeting: str, sender: Connection) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        mine = work(1, meeting)
    except Exception as error:  # noqa: BLE001 - whatever it is, the first process raises it
        traceback.print_exc()
        sender.send(_Raised(error))
        return
    sender.send(mine)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
