import pytest

from runners.jobs.faults import reason_of
from runners.protocol.words import FailureReason


class OutOfMemoryError(RuntimeError):
    """As torch names its own."""


class ResourceExhaustedError(Exception):
    """As TensorFlow names its own."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), "memory"),
        (OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"), "memory"),
        (ResourceExhaustedError("OOM when allocating tensor"), "memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "memory"),
        (RuntimeError("CUDA error: unspecified launch failure"), "device"),
        (RuntimeError("No CUDA GPUs are available"), "device"),
        (RuntimeError("shape mismatch"), "error"),
        (ValueError("cuda error in my own words"), "error"),
        (KeyboardInterrupt(), "error"),
    ],
)
def test_a_framework_is_known_by_the_names_and_words_of_its_errors(
    error: BaseException, expected: str
) -> None:
    assert reason_of(error) is FailureReason(expected)
