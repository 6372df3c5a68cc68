import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from runners.examples.tensorflow_transfer_learning import vgg16_base
from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "tensorflow-transfer-learning"
BASE_WEIGHTS = 14_048  # three 3 × 3 convolutions to 16, 32 and 32 channels, with biases
HEAD_WEIGHTS = 512 * 5 + 5
VGG16_WEIGHTS = 14_714_688  # Keras's documentation, without the top
VGG16_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"


def write_weights(folder: Path) -> None:
    """Write weights of VGG16, if untrained ones, in the format that ImageNet's come in."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(folder / VGG16_FILE, "w") as file, warnings.catch_warnings():
        # what writing the old format warns of is none of the example's business
        warnings.simplefilter("ignore", DeprecationWarning)
        legacy_h5_format.save_weights_to_hdf5_group(file, vgg16_base(None))


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME)


def test_a_trained_base_beats_a_start_from_scratch(ran: Ran) -> None:
    scratch = ran.metrics["scratch_accuracy"]
    assert ran.metrics["frozen_accuracy"] > scratch
    assert ran.metrics["fine_tuned_accuracy"] > scratch + 0.1
    assert ran.metrics["fine_tuned_accuracy"] > 0.6


def test_a_frozen_base_leaves_only_the_head_to_learn(ran: Ran) -> None:
    assert ran.metrics["frozen_trainable"] == HEAD_WEIGHTS
    assert ran.metrics["fine_tuned_trainable"] == BASE_WEIGHTS + HEAD_WEIGHTS
    assert ran.metrics["scratch_trainable"] == BASE_WEIGHTS + HEAD_WEIGHTS


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    pretraining = [step for step, note in zip(ran.steps, ran.notes, strict=True) if note]
    training = [step for step, note in zip(ran.steps, ran.notes, strict=True) if not note]
    assert pretraining == [(done, 8) for done in range(1, 9)]
    assert training == [(done, 60) for done in range(1, 61)]
    for start in ("frozen", "fine_tuned", "scratch"):
        assert ran.history[f"{start}_accuracy"][-1] == ran.metrics[f"{start}_accuracy"]


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["accuracy"].alt
    for told in (alt.zh, alt.en):
        for start in ("frozen", "fine_tuned", "scratch"):
            assert f"{ran.metrics[f'{start}_accuracy']:.1%}" in told


def test_weights_that_are_not_there_are_named(laboratory: Laboratory) -> None:
    missing = laboratory.run(NAME, base="vgg16").missing
    assert missing is not None
    assert missing.count(VGG16_FILE) == 2


def test_weights_of_vgg16_are_read_where_they_lie(laboratory: Laboratory, tmp_path: Path) -> None:
    laboratory.alone(write_weights, tmp_path)
    ran = laboratory.run(NAME, datasets=tmp_path, base="vgg16", epochs=1, labels_each=1)
    assert ran.missing is None
    assert ran.metrics["frozen_trainable"] == HEAD_WEIGHTS
    assert ran.metrics["fine_tuned_trainable"] == VGG16_WEIGHTS + HEAD_WEIGHTS
    assert ran.steps == [(1, 3), (2, 3), (3, 3)]
