from collections.abc import Callable
from pathlib import Path

import pytest

from runners.catalogue import load_catalogue
from runners.examples.pytorch_transfer_learning import load_imagenet, vgg16_base
from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-transfer-learning"
BASE_WEIGHTS = 14_048  # three 3 × 3 convolutions to 16, 32 and 32 channels, with biases
HEAD_WEIGHTS = 512 * 5 + 5
VGG16_WEIGHTS = 14_714_688  # Keras's documentation, without the top
VGG16_FILE = "vgg16-397923af.pth"
PRETRAINING, EPOCHS, TRIES = 3, 8, 2


def write_weights(folder: Path) -> dict[str, float]:
    """Write weights of VGG16, if untrained ones, as torchvision's come; gives each one's sum."""
    import torch

    torch.manual_seed(1)
    features = {f"features.{name}": each for name, each in vgg16_base().state_dict().items()}
    top = {"classifier.0.weight": torch.zeros(3, 3), "classifier.0.bias": torch.zeros(3)}
    torch.save({**features, **top}, folder / VGG16_FILE)
    return {name: each.sum().item() for name, each in features.items()}


def read_weights(folder: Path) -> dict[str, float]:
    base = vgg16_base()
    load_imagenet(base, folder)
    return {f"features.{name}": each.sum().item() for name, each in base.state_dict().items()}


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, pretraining_epochs=PRETRAINING, epochs=EPOCHS, tries=TRIES)


def test_a_trained_base_beats_a_start_from_scratch(ran: Ran) -> None:
    scratch = ran.metrics["scratch_accuracy"]
    assert ran.metrics["frozen_accuracy"] > scratch + 0.15
    assert ran.metrics["fine_tuned_accuracy"] > scratch + 0.15
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
    assert pretraining == [(done, PRETRAINING) for done in range(1, PRETRAINING + 1)]
    assert training == [(done, 3 * TRIES) for done in range(1, 3 * TRIES + 1)]
    for start in ("frozen", "fine_tuned", "scratch"):
        assert len(ran.history[f"{start}_accuracy"]) == EPOCHS
        assert ran.history[f"{start}_accuracy"][-1] == ran.metrics[f"{start}_accuracy"]


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["accuracy"].alt
    for told in (alt.zh, alt.en):
        for start in ("frozen", "fine_tuned", "scratch"):
            assert f"{ran.metrics[f'{start}_accuracy']:.1%}" in told


def test_it_takes_and_tells_what_its_twin_in_tensorflow_does() -> None:
    catalogue = load_catalogue()
    one, other = catalogue[NAME].info, catalogue["tensorflow-transfer-learning"].info
    names = {each.name for each in one.parameters}
    assert names == {each.name for each in other.parameters} | {"tries"}
    assert one.metrics == other.metrics


def test_weights_that_are_not_there_are_named(laboratory: Laboratory) -> None:
    missing = laboratory.run(NAME, base="vgg16").missing
    assert missing is not None
    assert missing.count(VGG16_FILE) == 2


def test_weights_of_vgg16_are_read_where_they_lie(laboratory: Laboratory, tmp_path: Path) -> None:
    written = laboratory.alone(write_weights, tmp_path)
    assert len(written) == 2 * 13
    assert laboratory.alone(read_weights, tmp_path) == written
    ran = laboratory.run(NAME, datasets=tmp_path, base="vgg16", epochs=1, labels_each=1, tries=1)
    assert ran.missing is None
    assert ran.metrics["frozen_trainable"] == HEAD_WEIGHTS
    assert ran.metrics["fine_tuned_trainable"] == VGG16_WEIGHTS + HEAD_WEIGHTS
    assert ran.steps == [(1, 3), (2, 3), (3, 3)]
