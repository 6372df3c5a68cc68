"""What an exception of an example says about why it ended, whatever framework raised it."""

from typing import Final

from runners.protocol.words import FailureReason

_OUT_OF_MEMORY: Final = frozenset({"MemoryError", "OutOfMemoryError", "ResourceExhaustedError"})
_NO_MEMORY: Final = ("out of memory", "can't allocate memory", "not enough memory", "oom when")
_DEVICE: Final = ("cuda error", "cuda driver", "cudnn", "no cuda", "nvml", "device is lost")


def reason_of(error: BaseException) -> FailureReason:
    """Memory that ran out, on the processor's side or a card's, a card that failed, or an error.

    Frameworks are known by the names of their exceptions: none is imported here.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    text = str(error).lower()
    if names & _OUT_OF_MEMORY:
        return FailureReason.MEMORY
    if isinstance(error, RuntimeError) or "InternalError" in names:
        if any(words in text for words in _NO_MEMORY):
            return FailureReason.MEMORY
        if any(words in text for words in _DEVICE):
            return FailureReason.DEVICE
    return FailureReason.ERROR
