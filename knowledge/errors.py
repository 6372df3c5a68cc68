"""What can go wrong in the question bank and its retrieval.

KnowledgeError
├── KnowledgeSettingsError
├── BankError
├── BackgroundError
├── EncoderError
│   └── EncoderUnavailableError
├── IndexMismatchError
│   └── IndexMissingError
└── EvaluationFileError
"""

from collections.abc import Sequence

from knowledge.fault import Fault


class KnowledgeError(Exception):
    """The question bank could not do this."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").splitlines()[0])


class KnowledgeSettingsError(KnowledgeError):
    """A setting of the question bank is wrong."""


class BankError(KnowledgeError):
    """The question bank has faults; `python -m knowledge check` lists them.

    ``faults`` holds all of them, in the order of files and lines.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = str(faults[0]) if faults else "no entries"
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(
            f"the question bank has faults, `python -m knowledge check` lists them: {first}{more}"
        )
        self.faults = tuple(faults)


class BackgroundError(KnowledgeError):
    """The background lines that retrieval is trained on are missing or damaged."""


class EncoderError(KnowledgeError):
    """The encoder could not be loaded or did not give usable vectors."""


class EncoderUnavailableError(EncoderError):
    """The packages that carry the built-in encoder are not installed."""


class IndexMismatchError(KnowledgeError):
    """The saved index does not fit; rebuild it with `python -m knowledge train`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; `python -m knowledge train` mends it")


class IndexMissingError(IndexMismatchError):
    """There is no index yet; make it with `python -m knowledge train`."""

    def __init__(self) -> None:
        super().__init__("there is no index yet")


class EvaluationFileError(KnowledgeError):
    """A line of the evaluation file cannot be read."""
