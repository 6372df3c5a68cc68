"""The settings of the runner program and of those who talk to it."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from runners.errors import RunnerSettingsError
from runners.protocol.words import Framework

BANK: Final = Path(__file__).parent.parent / "knowledge" / "questions"
"""The folder of the question bank that is installed beside this package, if it is."""

_PREFIX = "XUEBAN_"
_BUILT_IN_ENCODER = "built-in"


def _folder(path: Path) -> Path:
    return path.expanduser().resolve()


def _program(path: Path) -> Path:
    # never resolved: a virtual environment's interpreter is a link, and the link is the point
    return path.expanduser().absolute()


def _http_address(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write it as http://host:port")
    return address.rstrip("/")


def _cluster_address(address: str) -> str:
    if "://" in address:
        raise ValueError("write it as host:port; a runner is on a node of the cluster")
    return address


def _secret(token: SecretStr) -> SecretStr:
    text = token.get_secret_value()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("use printable ASCII characters without spaces")
    return token


class RunnerSettings(BaseSettings):
    """What can be set by environment variables ``XUEBAN_…`` or in a ``.env`` file."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    data_dir: Annotated[Path, AfterValidator(_folder)] = Field(
        default=Path(".data"),
        validate_default=True,
        description="the folder that everything written lies under",
    )
    datasets_dir: Annotated[Path, AfterValidator(_folder)] | None = Field(
        default=None,
        description="the folder where standard data sets and weights may lie; "
        "`datasets` in the data folder unless set",
    )
    encoder: str = Field(
        default=_BUILT_IN_ENCODER,
        min_length=1,
        description="the sentence encoder that the tutor uses; some examples compute with it",
    )
    runner_address: Annotated[str, AfterValidator(_http_address)] | None = Field(
        default=None,
        description="where a runner program listens, such as http://127.0.0.1:8765; "
        "unless set, the bot starts one by itself",
    )
    runner_token: Annotated[SecretStr, AfterValidator(_secret)] | None = Field(
        default=None,
        description="the bearer token between the runner program and its clients",
    )
    runner_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="the address that the runner program listens on; beyond loopback it "
        "needs a token",
    )
    runner_port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        description="the port that the runner program listens on; 0 takes a free one",
    )
    runner_engine: Literal["local", "ray"] = Field(
        default="local",
        description="what runs the jobs: the runner's own computer (local), or a Ray cluster "
        "(ray; needs the extra `ray`)",
    )
    runner_slots: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="how many jobs may run on the processor at the same time, besides one on "
        "each graphics card; unless set, one, or on a Ray cluster as many as have room",
    )
    runner_running_each: int = Field(
        default=1, ge=1, le=64, description="how many jobs a learner may have running"
    )
    runner_waiting_each: int = Field(
        default=10, ge=1, le=10_000, description="how many jobs a learner may have waiting"
    )
    runner_fresh_hours: float = Field(
        default=168,
        ge=0,
        description="how long a result may be given again to a learner who does not need a new "
        "run, hours",
    )
    runner_keep_days: float = Field(
        default=90, gt=0, description="how long jobs and their pictures are kept, days"
    )
    runner_keep_mb: int = Field(
        default=2_048,
        ge=1,
        description="how much room they may take, MiB; the oldest go first",
    )
    runner_queue_limit: int = Field(
        default=50, ge=1, le=10_000, description="how many jobs may wait"
    )
    runner_memory_mb: int = Field(
        default=6_144,
        ge=64,
        description="the resident memory that a job may use with all its processes, MiB",
    )
    runner_preload: bool = Field(
        default=True,
        description="load the frameworks ahead, so that a job starts within milliseconds; "
        "otherwise each job loads its own",
    )
    runner_fork: bool = Field(
        default=True,
        description="fork jobs of a process that has the framework loaded; otherwise a process "
        "that loaded it by itself is kept ready for the next job",
    )
    runner_walls: Literal["auto", "required", "off"] = Field(
        default="auto",
        description="keep jobs from the network and from all files but their own, by bubblewrap: "
        "where it works (auto), always (required) or never (off)",
    )
    runner_ask_grace_s: float = Field(
        default=1.0,
        ge=0,
        le=60,
        description="how long a job that was asked to end may take before it gets SIGTERM, seconds",
    )
    runner_terminate_grace_s: float = Field(
        default=0.7,
        ge=0,
        le=60,
        description="how long it may take after SIGTERM before it gets SIGKILL, seconds",
    )
    ray_address: Annotated[str, AfterValidator(_cluster_address)] | None = Field(
        default=None,
        min_length=1,
        description="address of the Ray cluster, such as 10.0.0.5:6379; unless set, one that "
        "runs on this computer is found, or else started",
    )
    ray_cpus: int = Field(
        default=1,
        ge=1,
        le=1_024,
        description="how many processor cores a job takes on a Ray cluster; one with graphics "
        "cards takes those instead",
    )
    ray_keep_s: float = Field(
        default=300,
        ge=0,
        description="how long a warm place on a Ray cluster is held for the next job, with its "
        "cores or cards, seconds",
    )
    tensorflow_python: Annotated[Path, AfterValidator(_program)] | None = Field(
        default=None,
        description="the interpreter that TensorFlow is installed for, where it is another one",
    )
    pytorch_python: Annotated[Path, AfterValidator(_program)] | None = Field(
        default=None,
        description="the interpreter that PyTorch is installed for, where it is another one",
    )

    @property
    def datasets(self) -> Path:
        """The folder where standard data sets and weights may lie; it may not exist."""
        return self.datasets_dir or self.data_dir / "datasets"

    @property
    def encoder_folder(self) -> Path:
        """The folder of the tutor's sentence encoder; it may not exist."""
        named = self.encoder != _BUILT_IN_ENCODER
        return _folder(Path(self.encoder)) if named else self.data_dir / "encoder"

    @property
    def pythons(self) -> dict[Framework, Path]:
        """The interpreters of the frameworks that live in another one than this."""
        named = {
            Framework.TENSORFLOW: self.tensorflow_python,
            Framework.PYTORCH: self.pytorch_python,
        }
        return {framework: path for framework, path in named.items() if path is not None}

    @property
    def token(self) -> str | None:
        """The bearer token in plain text."""
        return None if self.runner_token is None else self.runner_token.get_secret_value()


def read_settings(**given: object) -> RunnerSettings:
    """The settings of this environment; what is ``given`` goes before it.

    Raises RunnerSettingsError with one line that names the variable and what is wrong.
    """
    try:
        return RunnerSettings(**given)  # pyright: ignore[reportArgumentType] - pydantic checks them
    except ValidationError as error:
        raise RunnerSettingsError(_first_fault(error)) from None
    except (SettingsError, UnicodeDecodeError, OSError) as error:
        raise RunnerSettingsError(f"the settings cannot be read: {error}") from error


def check_listening(host: str, token: str | None) -> None:
    """Refuse to be reached from other machines without a token (RunnerSettingsError)."""
    if token is None and not is_loopback(host):
        raise RunnerSettingsError(
            f"{_PREFIX}RUNNER_HOST={host} is reachable from other machines: "
            f"set {_PREFIX}RUNNER_TOKEN as well"
        )


def is_loopback(host: str) -> bool:
    """Whether ``host`` is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    name = "_".join(str(part) for part in fault["loc"][:1]).upper() or "settings"
    return f"{_PREFIX}{name} is wrong: {fault['msg'].removeprefix('Value error, ')}"
