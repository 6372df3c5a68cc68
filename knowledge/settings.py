"""The settings of the question bank: environment variables ``XUEBAN_…`` or a ``.env`` file."""

from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from knowledge.errors import KnowledgeSettingsError

BUILT_IN_ENCODER = "built-in"
"""The name that stands for the encoder which needs no download."""


class KnowledgeSettings(BaseSettings):
    """What can be set about the question bank."""

    model_config = SettingsConfigDict(
        env_prefix="XUEBAN_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    data_dir: Path = Field(
        default=Path(".data"),
        description="Folder that everything written lies under: encoder, index, databases, "
        "artifacts.",
        validate_default=True,
    )
    encoder: str = Field(
        default=BUILT_IN_ENCODER,
        min_length=1,
        description=f"Sentence encoder: `{BUILT_IN_ENCODER}` (no download), or the name or folder "
        "of any sentence-transformers model.",
    )

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        return folder.expanduser().resolve()

    @property
    def encoder_dir(self) -> Path:
        """Where the built-in encoder is unpacked to."""
        return self.data_dir / "encoder"

    @property
    def index_dir(self) -> Path:
        """Where the index and what is trained with it are kept."""
        return self.data_dir / "index"

    @property
    def guilds_dir(self) -> Path:
        """Where guilds keep banks of their own."""
        return self.data_dir / "guilds"


def read_settings() -> KnowledgeSettings:
    """The settings as the environment has them.

    Raises:
        KnowledgeSettingsError: a value is wrong; the message is one line and names the variable.
    """
    try:
        return KnowledgeSettings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "XUEBAN_" + "_".join(str(part) for part in first["loc"]).upper()
        raise KnowledgeSettingsError(f"{name}: {first['msg']}") from error
