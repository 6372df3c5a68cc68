from collections.abc import Callable

import pytest

from tests.runners.examples.laboratory import Laboratory, Ran

NAME = "pytorch-distillation"
TEACHER_EPOCHS, EPOCHS = 6, 10


@pytest.fixture(scope="module")
def ran(laboratory: Laboratory) -> Ran:
    return laboratory.run(NAME, teacher_epochs=TEACHER_EPOCHS, epochs=EPOCHS)


def test_soft_labels_on_the_same_pictures_beat_the_labels_alone(ran: Ran) -> None:
    assert ran.metrics["alone_accuracy"] > 0.6
    assert ran.metrics["taught_accuracy"] > ran.metrics["alone_accuracy"] + 0.02


def test_unlabelled_pictures_bring_the_student_near_its_teacher(ran: Ran) -> None:
    assert ran.metrics["teacher_accuracy"] > 0.93
    assert ran.metrics["more_accuracy"] > ran.metrics["taught_accuracy"]
    assert ran.metrics["more_accuracy"] > ran.metrics["teacher_accuracy"] - 0.1


def test_the_student_is_a_hundred_times_smaller(ran: Ran) -> None:
    assert ran.metrics["student_parameters"] == 64 * 16 + 16 + 16 * 10 + 10
    assert ran.metrics["teacher_parameters"] > 100 * ran.metrics["student_parameters"]


def test_without_soft_labels_in_the_loss_the_teacher_teaches_nothing(
    laboratory: Laboratory,
) -> None:
    ran = laboratory.run(NAME, alpha=0, teacher_epochs=1, epochs=2)
    assert ran.history["taught_accuracy"] == ran.history["alone_accuracy"]
    assert ran.history["more_accuracy"] == ran.history["alone_accuracy"]


def test_what_it_reports_is_what_it_announces(
    ran: Ran, check_reports: Callable[[str, Ran], None]
) -> None:
    check_reports(NAME, ran)
    teacher = [step for step, note in zip(ran.steps, ran.notes, strict=True) if note]
    students = [step for step, note in zip(ran.steps, ran.notes, strict=True) if not note]
    assert teacher == [(done, TEACHER_EPOCHS) for done in range(1, TEACHER_EPOCHS + 1)]
    assert students == [(done, 3 * EPOCHS) for done in range(1, 3 * EPOCHS + 1)]
    for name in ("alone", "taught", "more"):
        assert ran.metrics[f"{name}_accuracy"] == ran.history[f"{name}_accuracy"][-1]


def test_the_picture_is_told_in_both_languages_with_the_measured_numbers(ran: Ran) -> None:
    alt = ran.figures["accuracy"].alt
    for told in (alt.zh, alt.en):
        for name in ("teacher", "alone", "taught", "more"):
            assert f"{ran.metrics[f'{name}_accuracy']:.1%}" in told
