"""What tests of several packages share."""

from pathlib import Path
from shutil import copytree

import pytest
from filelock import FileLock

from knowledge.prepare import prepare
from knowledge.settings import KnowledgeSettings

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
