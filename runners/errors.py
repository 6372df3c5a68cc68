"""What can go wrong between the runner program and its clients.

RunnerError
├── BadRequestError
├── UnknownExampleError
├── UnavailableExampleError
├── UnknownJobError
├── InvalidParametersError
├── UnknownArtifactError
├── UnauthorizedError
├── QueueFullError
│   └── OwnQueueFullError
├── MissingDatasetError
├── MissingFontError
├── RunnerUnreachableError
├── RunnerSettingsError
└── CatalogueError
"""

from typing import ClassVar


class RunnerError(Exception):
    """The runner could not do this."""

    code: ClassVar[str] = "runner_error"
    status: ClassVar[int] = 500

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").splitlines()[0])


class BadRequestError(RunnerError):
    """The request cannot be read."""

    code = "bad_request"
    status = 400


class UnknownExampleError(RunnerError):
    """There is no example of that name."""

    code = "unknown_example"
    status = 404


class UnavailableExampleError(RunnerError):
    """The example's framework is not installed on the runner."""

    code = "unavailable_example"
    status = 409


class UnknownJobError(RunnerError):
    """There is no job of that id."""

    code = "unknown_job"
    status = 404


class InvalidParametersError(RunnerError):
    """A setting is unknown, of the wrong kind or out of its range."""

    code = "invalid_parameters"
    status = 422


class UnknownArtifactError(RunnerError):
    """The job has no artifact of that name."""

    code = "unknown_artifact"
    status = 404


class UnauthorizedError(RunnerError):
    """The bearer token is missing or wrong."""

    code = "unauthorized"
    status = 401


class QueueFullError(RunnerError):
    """Too many jobs are waiting."""

    code = "queue_full"
    status = 429


class OwnQueueFullError(QueueFullError):
    """You have too many jobs waiting."""

    code = "own_queue_full"


class MissingDatasetError(RunnerError):
    """A data set or weights file is not in the runner's folder of data sets."""

    code = "missing_dataset"
    status = 409

    def __init__(self, name: str) -> None:
        """Name the file that was looked for."""
        super().__init__(
            f"运行器的数据集目录里没有 {name}，请换一个选项，或请管理员放入该文件。"
            f" The runner's folder of data sets has no {name}: choose another option,"
            " or ask staff to put it there."
        )


class MissingFontError(RunnerError):
    """No font with Chinese characters was found: install Noto Sans CJK or mplfonts."""

    code = "missing_font"


class RunnerUnreachableError(RunnerError):
    """The runner does not answer."""

    code = "runner_unreachable"
    status = 503


class RunnerSettingsError(RunnerError):
    """A setting of the runner is wrong."""

    code = "runner_settings"


class CatalogueError(RunnerError):
    """A file among the examples is not an example as it should be."""

    code = "catalogue"
