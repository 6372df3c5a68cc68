"""The settings of everything that starts here: the bot's own, the bank's and the runner's."""

from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from bot.errors import SettingsError
from knowledge.settings import KnowledgeSettings
from runners.settings import RunnerSettings


class Settings(KnowledgeSettings, RunnerSettings):
    """All settings, from ``XUEBAN_…`` variables or a ``.env`` file."""

    model_config = SettingsConfigDict(
        env_prefix="XUEBAN_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    discord_token: SecretStr | None = Field(
        default=None, description="the bot's token, from Discord's developer portal"
    )
    discord_api: str = Field(
        default="https://discord.com/api/v10", description="base address of Discord's HTTP API"
    )
    discord_gateway: str = Field(
        default="wss://gateway.discord.gg/", description="address of Discord's gateway"
    )
    discord_cdn: str = Field(
        default="https://cdn.discordapp.com", description="base address of Discord's files"
    )
    shards: int | None = Field(
        default=None, ge=1, description="how many shards; Discord says unless set"
    )
    message_content: bool = Field(
        default=True,
        description="whether the bot may read messages that do not mention it; needs the "
        "privileged intent, and study channels need it",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="SQLAlchemy address of the store; a SQLite file in the data folder by default",
    )
    tick_seconds: float = Field(
        default=10, gt=0, le=300, description="how often the daily questions are looked after"
    )
    progress_seconds: float = Field(
        default=2, ge=0, le=60, description="shortest time between two edits of a run's message"
    )
    playground_port: int = Field(
        default=8642, ge=0, le=65_535, description="port of the playground; 0 takes a free one"
    )
    log_level: str = Field(
        default="INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="DEBUG, INFO, WARNING or ERROR",
    )

    @property
    def store_url(self) -> str:
        """The SQLAlchemy address of the store."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.data_dir / 'xueban.db'}"


def load_settings(**values: Any) -> Settings:  # noqa: ANN401 - any setting's value
    """The settings of this process; ``values`` go before the environment.

    Raises:
        SettingsError: a value is wrong; the message names the variable and what is wrong.
    """
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError(_plain(error)) from None


def describe(settings: Settings) -> list[tuple[str, str, str]]:
    """Variable, value and description of every setting; secrets are hidden."""
    return [
        (f"XUEBAN_{name.upper()}", _shown(getattr(settings, name)), field.description or "")
        for name, field in sorted(type(settings).model_fields.items())
    ]


def markdown_table() -> str:
    """Every setting with its default and description, as the README shows them."""
    rows = [
        f"| `XUEBAN_{name.upper()}` | {_default(field.default)} | {field.description} |"
        for name, field in sorted(Settings.model_fields.items())
    ]
    return "\n".join(("| setting | default | what it is |", "|---|---|---|", *rows))


def _default(value: object) -> str:
    return "" if value is None else f"`{value}`"


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case SecretStr():
            return "********" if value.get_secret_value() else ""
        case _:
            return str(value)


def _plain(error: ValidationError) -> str:
    faults = [
        f"XUEBAN_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg'].lower()}"
        for fault in error.errors(include_input=False)
    ]
    return "; ".join(faults)
