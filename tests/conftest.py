"""What tests of several packages share."""

import os
import signal
from pathlib import Path
from shutil import copytree

import pytest
from filelock import FileLock

from knowledge.prepare import prepare
from knowledge.settings import KnowledgeSettings


def pytest_configure() -> None:
    """Where several processes test, share the cores, and hear Ctrl-C as one alone does.

    Threads that wait for one another are slower than fewer of them, and than such that sleep while
    they wait. A worker is told to ignore SIGINT, and so would every program that a test starts.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        threads = str(max(1, (os.cpu_count() or 1) // workers))
        os.environ.setdefault("OMP_NUM_THREADS", threads)
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", threads)
        signal.signal(signal.SIGINT, signal.default_int_handler)


_DATA = Path(__file__).parent.parent / ".data"
_CACHE = _DATA / "test"


@pytest.fixture(scope="session")
def prepared_data_dir() -> Path:
    """A data folder with the built-in encoder and the index of the bank that ships.

    It starts from what `make prepare` made, which takes minutes, and is kept between test runs;
    preparing it again costs next to nothing while bank, background and recipes stay what they are.
    """
    _CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(_CACHE / "prepared.lock"):  # tests run in two processes
        for name in ("encoder", "index"):
            if (_DATA / name).is_dir():
                copytree(_DATA / name, _CACHE / name, dirs_exist_ok=True)
        prepare(KnowledgeSettings(data_dir=_CACHE))
    return _CACHE
