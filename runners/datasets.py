# scikit-learn and scipy ship no types.
# pyright: reportMissingTypeStubs=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""Real pictures of handwritten digits, without a download.

scikit-learn carries 1,797 of them, 8 × 8 pixels with 17 grey levels: the test half of the UCI
set "Optical Recognition of Handwritten Digits" (Alpaydın and Kaynak, 1998). Where Keras's
``mnist.npz`` lies in the folder of data sets, MNIST can be had instead.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from runners.errors import MissingDatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

Source = Literal["digits", "mnist"]
"""Which pictures: scikit-learn's digits, or MNIST from the folder of data sets."""

_TEST_SHARE = 0.2
_VALIDATION_SHARE = 0.15


class Pictures(NamedTuple):
    """Pictures and what they show.

    ``images`` is float32 of shape (n, side, side), 0 for paper and 1 for ink; ``labels`` is
    int64 of shape (n,).
    """

    images: "NDArray[np.float32]"
    labels: "NDArray[np.int64]"

    def only(self, classes: "Sequence[int]") -> "Pictures":
        """The pictures of ``classes``, whose labels become 0, 1, … in the order given."""
        import numpy as np

        kept = np.isin(self.labels, classes)
        number = {label: index for index, label in enumerate(classes)}
        labels = np.array([number[int(label)] for label in self.labels[kept]], dtype=np.int64)
        return Pictures(self.images[kept], labels)

    def few(self, each: int) -> "Pictures":
        """The first ``each`` pictures of every class, or all of a class that has fewer."""
        import numpy as np

        classes = np.unique(self.labels)
        chosen = np.sort(
            np.concatenate([np.flatnonzero(self.labels == label)[:each] for label in classes])
        )
        return Pictures(self.images[chosen], self.labels[chosen])


class Split(NamedTuple):
    """Three parts that share no picture: to learn from, to choose by, to judge by."""

    train: Pictures
    validation: Pictures
    test: Pictures


def load_split(source: Source, folder: Path, *, side: int, seed: int) -> Split:
    """The pictures of ``source`` at ``side`` × ``side`` pixels, shuffled and split by ``seed``.

    Each class has the same share in every part. Of scikit-learn's digits 20 % are for the test
    and 15 % for validation; MNIST keeps its own test set. No picture occurs twice.

    Raises:
        MissingDatasetError: ``source`` is ``"mnist"`` and ``folder`` has no ``mnist.npz``.
    """
    match source:
        case "digits":
            rest, test = _halves(_distinct(_digits()), _TEST_SHARE, seed)
            share = _VALIDATION_SHARE / (1 - _TEST_SHARE)
        case "mnist":
            rest, test = _mnist(folder)
            share = _VALIDATION_SHARE
    train, validation = _halves(rest, share, seed)
    return Split(_scaled(train, side), _scaled(validation, side), _scaled(test, side))


def _digits() -> Pictures:
    import numpy as np
    from sklearn import datasets

    bunch: Any = datasets.load_digits()
    return Pictures((bunch.images / 16).astype(np.float32), bunch.target.astype(np.int64))


def _mnist(folder: Path) -> tuple[Pictures, Pictures]:
    import numpy as np

    path = folder / "mnist.npz"
    if not path.is_file():
        raise MissingDatasetError(path.name)
    with np.load(path) as arrays:
        test = _distinct(_bytes(arrays["x_test"], arrays["y_test"]))
        train = _distinct(_bytes(arrays["x_train"], arrays["y_train"]), but=test)
    return train, test


def _bytes(images: "NDArray[np.uint8]", labels: "NDArray[np.uint8]") -> Pictures:
    import numpy as np

    return Pictures((images / 255).astype(np.float32), labels.astype(np.int64))


def _distinct(pictures: Pictures, *, but: Pictures | None = None) -> Pictures:
    """The first of each equal pictures, without those that ``but`` has."""
    import numpy as np

    seen = set[bytes]() if but is None else {image.tobytes() for image in but.images}
    kept: list[int] = []
    for index, image in enumerate(pictures.images):
        pixels = image.tobytes()
        if pixels not in seen:
            seen.add(pixels)
            kept.append(index)
    chosen = np.array(kept, dtype=np.intp)
    return Pictures(pictures.images[chosen], pictures.labels[chosen])


def _halves(pictures: Pictures, share: float, seed: int) -> tuple[Pictures, Pictures]:
    """Two shuffled parts; the second has ``share`` of the pictures of every class."""
    import numpy as np
    from sklearn import model_selection

    split: Any = model_selection.train_test_split
    first, second = split(
        np.arange(len(pictures.labels)),
        test_size=share,
        random_state=seed,
        stratify=pictures.labels,
    )
    return (
        Pictures(pictures.images[first], pictures.labels[first]),
        Pictures(pictures.images[second], pictures.labels[second]),
    )


def _scaled(pictures: Pictures, side: int) -> Pictures:
    """The pictures at ``side`` × ``side`` pixels, by cubic splines, kept within [0, 1]."""
    import numpy as np
    from scipy import ndimage

    if pictures.images.shape[1] == side:
        return pictures
    factor = side / pictures.images.shape[1]
    zoom: Any = ndimage.zoom
    images = zoom(pictures.images, (1, factor, factor), order=3, mode="nearest", grid_mode=True)
    return Pictures(np.clip(images, 0, 1).astype(np.float32), pictures.labels)
