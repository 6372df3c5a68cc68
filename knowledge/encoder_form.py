"""The forms that an encoder can be computed in, and the one that was chosen at set-up.

All forms are those of sentence-transformers itself. Its ONNX and OpenVINO backends are not among
them, since neither installs with the transformers and safetensors that the tutor needs: of
optimum-onnx the newest (0.1.0) wants transformers below 4.58 where sentence-transformers 6 wants 5,
of optimum-intel the newest (2.2.0) wants transformers below 5.6 and those before it safetensors
below 0.8.

The index holds fp32 vectors whatever form was chosen, and an encoder's name does not hold the
form: the form is how a question is computed, not what it is compared with. So an index and what is
trained on it are the same on every processor, can go along to another machine, and outlive a change
of the form, which would otherwise cost minutes of encoding; and a question's rounding, which has to
be small for a form to be chosen, is not added to that of the index.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from knowledge.files import write_atomically


class Form(StrEnum):
    """The numbers that an encoder's weights are, and are computed with."""

    FP32 = "fp32"
    BF16 = "bf16"


LOWEST_COSINE: Final = 0.999
"""How close to its fp32 vector a form's vector of any question has to be."""

LOST: Final = 1
"""How many questions fewer a form may find: rounding breaks a tie now and then, either way."""

MARGIN: Final = 0.1
"""The share of fp32's time that a form has to save; less can be noise, and fp32 is exact."""

_RECORD: Final = "encoder-form.json"
_PROCESSOR: Final = Path("/proc/cpuinfo")
_BF16_FLAGS: Final = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


@dataclass(frozen=True, slots=True)
class Trial:
    """What a form did on a sample of questions, each encoded alone.

    ``seconds`` is the median for one question, between its quartiles ``low`` and ``high``;
    ``cosine`` the lowest with fp32's vector, and ``found`` how many of the ``asked`` questions have
    the nearest other line in their own entry.
    """

    form: Form
    seconds: float
    low: float
    high: float
    cosine: float
    found: int
    asked: int


@dataclass(frozen=True, slots=True)
class Choice:
    """The form that was chosen for the encoder of this name, and the trials it was chosen by."""

    encoder: str
    form: Form
    trials: tuple[Trial, ...]

    @property
    def ratio(self) -> float:
        """The chosen form's median time for one question as a share of fp32's."""
        seconds = {trial.form: trial.seconds for trial in self.trials}
        return seconds[self.form] / seconds[Form.FP32]


def available_forms(processor: Path = _PROCESSOR) -> tuple[Form, ...]:
    """The forms that this processor computes with instructions of its own, fp32 first.

    ``processor`` is Linux's description of it; without one it is fp32 alone, since bf16 that is
    emulated takes longer.
    """
    try:
        lines = processor.read_text("utf-8", "replace").splitlines()
    except OSError:
        return (Form.FP32,)
    for line in lines:
        name, _, value = line.partition(":")
        # x86 and Arm each have their own word for it.
        if name.strip() in {"flags", "Features"} and _BF16_FLAGS & set(value.split()):
            return (Form.FP32, Form.BF16)
    return (Form.FP32,)


def chosen(trials: Sequence[Trial]) -> Form:
    """The fastest form at equal recall; in doubt fp32, which has to be among ``trials``."""
    (exact,) = (trial for trial in trials if trial.form is Form.FP32)
    faster = [
        trial
        for trial in trials
        if trial.cosine >= LOWEST_COSINE
        and trial.found >= exact.found - LOST
        and trial.seconds < (1 - MARGIN) * exact.seconds
    ]
    return min(faster, key=lambda trial: trial.seconds, default=exact).form


def usable(choice: Choice | None, available: Collection[Form]) -> Form:
    """The chosen form, or fp32 where none was chosen or this processor does not compute it."""
    return choice.form if choice and choice.form in available else Form.FP32


def save_choice(folder: Path, choice: Choice) -> None:
    """Write ``choice`` to ``folder``, which must exist."""
    write_atomically(folder / _RECORD, _CHOICE.dump_json(choice, indent=1))


def load_choice(folder: Path, encoder: str) -> Choice | None:
    """The choice in ``folder`` for the encoder of this name; None if there is none to be read."""
    try:
        choice = _CHOICE.validate_json((folder / _RECORD).read_bytes())
    except (OSError, ValidationError):
        return None
    return choice if choice.encoder == encoder else None


_CHOICE: Final = TypeAdapter(Choice)
