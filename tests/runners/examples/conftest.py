from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runners.catalogue import load_catalogue
from runners.protocol.claims import findings
from tests.runners.examples.laboratory import Laboratory, Ran

PNG = b"\x89PNG\r\n\x1a\n"
_WIDTH_PX = 1_000


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    return Laboratory(tmp_path_factory.mktemp("laboratory"))


@pytest.fixture
def check_reports() -> Callable[[str, Ran], None]:
    """Whatever the example: it reports what it announces, reaches its end, and says both ways."""

    def check(example: str, ran: Ran) -> None:
        info = load_catalogue()[example].info
        announced = {metric.name for metric in info.metrics}
        assert {*ran.metrics, *ran.history} == announced
        assert len(findings(info, ran.metrics)) == len(info.claims)
        assert all(np.isfinite(value) for value in ran.metrics.values())
        done, total = ran.steps[-1]
        assert done == total
        assert ran.figures
        for drawn in ran.figures.values():
            picture = drawn.path.read_bytes()
            assert picture.startswith(PNG)
            assert int.from_bytes(picture[16:20], "big") == _WIDTH_PX
            assert all((drawn.title.zh, drawn.title.en, drawn.alt.zh, drawn.alt.en))

    return check


@pytest.fixture
def small_mnist(tmp_path: Path) -> Path:
    """A folder with a ``mnist.npz`` as Keras lays it out, of scikit-learn's digits."""
    from sklearn.datasets import load_digits

    digits: Any = load_digits()
    images = np.kron(digits.images * 15, np.ones((3, 3))).astype(np.uint8)
    images = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    labels = digits.target.astype(np.uint8)
    folder = tmp_path / "datasets"
    folder.mkdir()
    np.savez(
        folder / "mnist.npz",
        x_train=images[:400],
        y_train=labels[:400],
        x_test=images[400:500],
        y_test=labels[400:500],
    )
    return folder
