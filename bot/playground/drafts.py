"""From what the bot sent to what a message will hold, by Discord's rules over the whole."""

import mimetypes
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from bot.playground.bodies.components import answered, check_components
from bot.playground.bodies.messages import AttachmentBody, MessageParts
from bot.playground.directory import Directory
from bot.playground.errors import ApiError, FormError
from bot.playground.images import size_of
from bot.playground.mentions import AllowedMentions, mentions_in
from bot.playground.render import FILE_LIMIT
from bot.playground.values import Attachment, Channel, Draft, Mentions, Message
from bot.playground.wire import MessageFlag, Permission, Snowflake

_REQUEST_LIMIT = 25 * 1024 * 1024
_FILES = 10
_ATTACHED = "attachment://"
_SETTABLE = (
    MessageFlag.SUPPRESS_EMBEDS | MessageFlag.SUPPRESS_NOTIFICATIONS | MessageFlag.COMPONENTS_V2
)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file sent along with a request; ``index`` is the n of its field `files[n]`."""

    index: int
    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where and by whom a message is written; ``ephemeral`` where one user alone will see it."""

    directory: Directory
    channel: Channel
    author_id: Snowflake
    ephemeral: bool = False


def new_draft(place: Place, body: MessageParts, uploads: Sequence[Upload]) -> Draft:
    """A new message; 400/50006 where it has nothing in it."""
    flags = MessageFlag(body.flags or 0) & _SETTABLE
    draft = Draft(
        content=body.content or "",
        embeds=tuple(embed.answer() for embed in body.embeds or ()),
        components=answered(body.components or ()),
        attachments=_attachments(place, body.attachments, uploads, ()),
        mentions=_mentions(place, body, body.content or ""),
        flags=flags | MessageFlag.EPHEMERAL if place.ephemeral else flags,
    )
    _check(draft, body)
    return draft


def edited_draft(
    place: Place, message: Message, body: MessageParts, uploads: Sequence[Upload]
) -> Draft:
    """The message with what the body names replaced, and nothing else."""
    content = (body.content or "") if body.sets("content") else message.content
    flags = message.flags
    if body.sets("flags"):
        chosen = MessageFlag(body.flags or 0) & _SETTABLE
        v2 = MessageFlag.COMPONENTS_V2
        if message.flags & v2 and not chosen & v2:
            raise FormError.at(
                "flags", "MESSAGE_FLAGS_CANNOT_REMOVE", "IS_COMPONENTS_V2 cannot be taken back"
            )
        flags = message.flags & ~_SETTABLE | chosen
    if body.sets("attachments") or uploads:
        kept = body.attachments if body.sets("attachments") else _keeping(message)
        attachments = _attachments(place, kept, uploads, message.attachments)
    else:
        attachments = message.attachments
    draft = Draft(
        content=content,
        embeds=tuple(embed.answer() for embed in body.embeds or ())
        if body.sets("embeds")
        else message.embeds,
        components=answered(body.components or ())
        if body.sets("components")
        else message.components,
        attachments=attachments,
        mentions=_mentions(place, body, content)
        if body.sets("content") or body.sets("allowed_mentions")
        else message.mentions,
        flags=flags,
        reference=message.reference,
        nonce=message.nonce,
    )
    _check(draft, body)
    return draft


def with_reply_ping(draft: Draft, author_id: Snowflake) -> Draft:
    """The draft that also pings whom it answers."""
    users = tuple(dict.fromkeys((*draft.mentions.users, author_id)))
    return replace(draft, mentions=replace(draft.mentions, users=users))


def allowed_mentions(body: MessageParts) -> AllowedMentions:
    """What the body lets ping; everything where it says nothing."""
    return body.allowed_mentions.read() if body.allowed_mentions else AllowedMentions()


def pings(place: Place, content: str, allowed: AllowedMentions) -> Mentions:
    """Whom the content pings there, after the author's permissions."""
    directory = place.directory
    bits = directory.permissions(place.author_id, place.channel)
    everyone = bool(bits & Permission.MENTION_EVERYONE) and place.channel.guild_id is not None
    found = mentions_in(content, replace(allowed, everyone=allowed.everyone and everyone))
    roles = directory.roles.get(place.channel.guild_id, {}) if place.channel.guild_id else {}
    return replace(
        found,
        users=tuple(user for user in found.users if user in directory.users),
        roles=tuple(
            role for role in found.roles if role in roles and (everyone or roles[role].mentionable)
        ),
    )


def _mentions(place: Place, body: MessageParts, content: str) -> Mentions:
    return pings(place, content, allowed_mentions(body))


def _check(draft: Draft, body: MessageParts) -> None:
    v2 = bool(draft.flags & MessageFlag.COMPONENTS_V2)
    if v2:
        for field, value in (("content", draft.content), ("embeds", draft.embeds)):
            if value:
                raise FormError.at(
                    field,
                    "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                    f"The '{field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
                )
    if body.components:
        check_components(body.components, second_version=v2)
    shown = draft.components if v2 else (draft.content or draft.embeds or draft.attachments)
    if not shown:
        raise ApiError(400, 50006, "Cannot send an empty message")
    names = {attachment.filename for attachment in draft.attachments}
    for part in ("embeds", "components"):
        for url in _addresses(getattr(draft, part)):
            if url.startswith(_ATTACHED) and url.removeprefix(_ATTACHED) not in names:
                raise FormError.at(
                    part,
                    "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
                    "The referenced attachment was not found",
                )


def _addresses(part: object) -> Iterator[str]:
    if isinstance(part, Mapping):
        for key, value in cast("Mapping[str, Any]", part).items():
            if key == "url" and isinstance(value, str):
                yield value
            else:
                yield from _addresses(value)
    elif isinstance(part, (list, tuple)):
        for one in cast("Sequence[Any]", part):
            yield from _addresses(one)


def _keeping(message: Message) -> list[AttachmentBody]:
    return [AttachmentBody.model_construct(id=attachment.id) for attachment in message.attachments]


def _attachments(
    place: Place,
    named: Sequence[AttachmentBody] | None,
    uploads: Sequence[Upload],
    present: Iterable[Attachment],
) -> tuple[Attachment, ...]:
    """The kept files in the order named, then the new ones; unnamed uploads come last."""
    _check_sizes(uploads)
    by_id = {attachment.id: attachment for attachment in present}
    by_index = {upload.index: upload for upload in uploads}
    chosen: list[Attachment] = []
    for position, body in enumerate(named or ()):
        kept = by_id.get(Snowflake(body.id))
        upload = by_index.pop(body.id, None)
        if kept is not None:
            described = body.description if "description" in body.model_fields_set else None
            chosen.append(replace(kept, description=described) if described else kept)
        elif upload is not None:
            chosen.append(_stored(place, upload, body))
        else:
            raise FormError.at(
                f"attachments.{position}.id",
                "ATTACHMENT_NOT_FOUND",
                f"Attachment data for {body.id} not found",
            )
    chosen += [_stored(place, upload, None) for upload in by_index.values()]
    if len(chosen) > _FILES:
        raise FormError.at(
            "attachments", "BASE_TYPE_MAX_LENGTH", f"Must be {_FILES} or fewer in length."
        )
    return tuple(chosen)


def _check_sizes(uploads: Sequence[Upload]) -> None:
    sizes = [len(upload.content) for upload in uploads]
    if sum(sizes) > _REQUEST_LIMIT or any(size > FILE_LIMIT for size in sizes):
        raise ApiError(413, 40005, "Request entity too large")


def _stored(place: Place, upload: Upload, body: AttachmentBody | None) -> Attachment:
    filename = (body and body.filename) or upload.filename
    size = size_of(upload.content)
    return Attachment(
        id=place.directory.mint.mint(),
        channel_id=place.channel.id,
        filename=filename,
        content_type=mimetypes.guess_type(filename)[0] or "application/octet-stream",
        content=upload.content,
        description=body.description if body else None,
        width=size[0] if size else None,
        height=size[1] if size else None,
        ephemeral=place.ephemeral,
    )
