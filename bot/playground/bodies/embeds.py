"""Embeds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from bot.playground.bodies.forms import Body, broken
from bot.playground.wire import Json

_IN_ALL = 6000
"""Characters over all embeds of a message."""

Url = Annotated[str, Field(max_length=2048, pattern=r"^(https?|attachment)://.+")]


class EmbedFooter(Body):
    """The small line below."""

    text: str = Field(min_length=1, max_length=2048)
    icon_url: Url | None = None


class EmbedAuthor(Body):
    """The small line above."""

    name: str = Field(min_length=1, max_length=256)
    url: Url | None = None
    icon_url: Url | None = None


class EmbedPicture(Body):
    """An image, by address or by the name of an attached file."""

    url: Url


class EmbedField(Body):
    """A name and a value."""

    name: str = Field(min_length=1, max_length=256)
    value: str = Field(min_length=1, max_length=1024)
    inline: bool | None = None


class Embed(Body):
    """A rich embed."""

    type: str | None = None
    title: str | None = Field(None, max_length=256)
    description: str | None = Field(None, max_length=4096)
    url: Url | None = None
    timestamp: str | None = None
    color: int | None = Field(None, ge=0, le=0xFFFFFF)
    footer: EmbedFooter | None = None
    image: EmbedPicture | None = None
    thumbnail: EmbedPicture | None = None
    author: EmbedAuthor | None = None
    fields: list[EmbedField] | None = Field(None, max_length=25)
    flags: int | None = None

    @property
    def length(self) -> int:
        """The characters that count against the limit over all embeds."""
        texts = [self.title, self.description]
        texts += [self.footer.text if self.footer else None]
        texts += [self.author.name if self.author else None]
        for field in self.fields or ():
            texts += [field.name, field.value]
        return sum(len(text) for text in texts if text)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to see."""
        return not self.length and not self.image and not self.thumbnail

    def answer(self) -> Json:
        """The embed as it comes back."""
        rendered = self.model_dump(exclude_none=True) | {"type": "rich"}
        for field in rendered.get("fields", ()):
            field.setdefault("inline", False)
        return rendered


def check_embeds(embeds: Sequence[Embed]) -> None:
    """Raise where an embed is empty or all together are too long, or a time is none."""
    if sum(embed.length for embed in embeds) > _IN_ALL:
        raise broken("MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {_IN_ALL}")
    for embed in embeds:
        if embed.empty:
            raise broken("BASE_TYPE_REQUIRED", "An embed needs something to show")
        if embed.timestamp is not None:
            try:
                datetime.fromisoformat(embed.timestamp)
            except ValueError:
                raise broken("DATE_TIME_TYPE_PARSE", "Could not parse the timestamp") from None
