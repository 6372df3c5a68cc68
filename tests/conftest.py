"""What tests of several packages share."""

from pathlib import Path

import pytest

from knowledge.prepare import prepare
from knowledge.settings import KnowledgeSettings

_CACHE = Path(__file__).parent.parent / ".data" / "test"


@pytest.fixture(scope="session")
def prepared_data_dir() -> Path:
    """A data folder with the built-in encoder and the index of the bank that ships.

    It is kept between test runs; preparing it again costs next to nothing while the bank, the
    background and the recipes stay what they are.
    """
    prepare(KnowledgeSettings(data_dir=_CACHE))
    return _CACHE
