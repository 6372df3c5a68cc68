"""Checks what a bot sent and what the playground told it against Discord's own OpenAPI schema.

Import it as `tests.schema_check` and call `check_playground(playground)` at the end of a test.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from bot.playground.api import RequestRecord
from bot.playground.gateway import SentPayload
from bot.playground.server import Playground

JsonValue: TypeAlias = Any

SCHEMA = Path(__file__).parent / "playground" / "discord-openapi.json"
_DOCUMENT = "urn:discord"
_SNOWFLAKES = frozenset({"message_id", "channel_id", "guild_id", "recipient_id"})
_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@_FORMATS.checks("uri")
def _is_address(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


def check_playground(playground: Playground) -> None:
    """Raise AssertionError, naming each fault, unless all requests, answers, payloads fit."""
    faults = [
        *(fault for record in playground.requests for fault in request_faults(record)),
        *(fault for record in playground.requests for fault in answer_faults(record)),
        *(fault for payload in playground.gateway.payloads for fault in payload_faults(payload)),
    ]
    assert not faults, "\n".join(faults)


def request_faults(record: RequestRecord) -> Iterator[str]:
    """What is wrong with the body and the query of a request that the playground took.

    What it refused is wrong on purpose, and is checked by its answer.
    """
    if record.status >= 400:
        return
    place = f"{record.method} {record.path}"
    operation = _operation(record)
    if operation is None:
        yield f"{place}: no such route"
        return
    known = {
        one["name"]: one["schema"]
        for one in operation.get("parameters", ())
        if one["in"] == "query"
    }
    for name, text in record.query.items():
        if name not in known:
            yield f"{place}: unknown query {name}"
        else:
            yield from _faults(f"{place} ?{name}", known[name], _read_query(known[name], text))
    body = operation.get("requestBody")
    if body is None:
        if record.body not in (None, {}):
            yield f"{place}: takes no body"
        return
    yield from _faults(
        place, body["content"]["application/json"]["schema"], as_text_ids(record.body)
    )


def answer_faults(record: RequestRecord) -> Iterator[str]:
    """What is wrong with the playground's answer."""
    place = f"{record.method} {record.path} → {record.status}"
    if record.status >= 500:
        return
    if record.status == 429 and "retry_after" in record.answer:
        yield from _faults(place, _named("RatelimitedResponse"), record.answer)
        return
    if record.status >= 400:
        yield from _faults(place, _named("ErrorResponse"), _with_numeric_codes(record.answer))
        return
    operation = _operation(record)
    if operation is None:
        return
    expected = operation["responses"].get(str(record.status))
    if expected is None:
        yield f"{place}: Discord does not answer so"
    elif "content" not in expected:
        if record.answer is not None:
            yield f"{place}: has no body"
    else:
        yield from _faults(place, expected["content"]["application/json"]["schema"], record.answer)


def payload_faults(payload: SentPayload) -> Iterator[str]:
    """What is wrong with a gateway payload, part by part where the schema has only its parts."""
    for place, name, part in _parts(payload.name, payload.content):
        yield from _faults(place, _named(name), part)


def as_text_ids(value: JsonValue, key: str = "") -> JsonValue:
    """A body with the ids that discord.py sends as numbers turned into text."""
    if isinstance(value, dict):
        return {
            name: _text(one)
            if name in _SNOWFLAKES or (name == "id" and key == "attachments")
            else as_text_ids(one, name)
            for name, one in value.items()
        }
    if isinstance(value, list):
        if key in ("users", "roles"):
            return [_text(one) for one in value]
        return [as_text_ids(one, key) for one in value]
    return value


def _text(value: JsonValue) -> JsonValue:
    return str(value) if isinstance(value, int) else value


def _with_numeric_codes(answer: JsonValue) -> JsonValue:
    """The schema has numbers where Discord's documentation and servers have names."""
    if isinstance(answer, dict):
        return {
            name: [{**one, "code": 0} for one in value]
            if name == "_errors"
            else _with_numeric_codes(value)
            for name, value in answer.items()
        }
    return answer


def _parts(name: str, content: JsonValue) -> Iterator[tuple[str, str, JsonValue]]:
    match name:
        case "READY":
            yield name, "UserPIIResponse", content["user"]
        case "GUILD_CREATE":
            yield name, "GuildResponse", content
            yield from _each(f"{name} channels", "GuildChannelResponse", content["channels"])
            yield from _each(f"{name} threads", "ThreadResponse", content["threads"])
            yield from _each(f"{name} members", "GuildMemberResponse", content["members"])
        case "MESSAGE_CREATE" | "MESSAGE_UPDATE":
            yield name, "MessageResponse", content
        case "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "CHANNEL_DELETE":
            private = "guild_id" not in content
            yield name, "PrivateChannelResponse" if private else "GuildChannelResponse", content
        case "THREAD_CREATE" | "THREAD_UPDATE" | "THREAD_DELETE":
            yield name, "ThreadResponse", content
        case "GUILD_MEMBER_ADD":
            yield name, "GuildMemberResponse", content
        case "GUILD_MEMBERS_CHUNK":
            yield from _each(name, "GuildMemberResponse", content["members"])
        case "TYPING_START" if "member" in content:
            yield name, "GuildMemberResponse", content["member"]
        case "MESSAGE_REACTION_ADD" | "MESSAGE_REACTION_REMOVE":
            yield name, "MessageReactionEmojiResponse", content["emoji"]
            if "member" in content:
                yield name, "GuildMemberResponse", content["member"]
        case "INTERACTION_CREATE":
            yield from _interaction_parts(name, content)
        case _:
            pass


def _interaction_parts(name: str, content: JsonValue) -> Iterator[tuple[str, str, JsonValue]]:
    if "member" in content:
        yield name, "PrivateGuildMemberResponse", content["member"]
    else:
        yield name, "UserResponse", content["user"]
    if "message" in content:
        yield name, "MessageResponse", content["message"]
    schema = "GuildChannelResponse"
    if "guild_id" not in content:
        schema = "PrivateChannelResponse"
    elif "thread_metadata" in content["channel"]:
        schema = "ThreadResponse"
    yield name, schema, content["channel"]
    resolved = content["data"].get("resolved")
    if resolved is not None:
        yield name, "ResolvedObjectsResponse", resolved


def _each(
    place: str, name: str, values: Iterable[JsonValue]
) -> Iterator[tuple[str, str, JsonValue]]:
    return ((place, name, value) for value in values)


def _faults(place: str, schema: JsonValue, value: JsonValue) -> Iterator[str]:
    validator = Draft202012Validator(
        _absolute(schema), registry=_registry(), format_checker=_FORMATS
    )
    for error in validator.iter_errors(value):
        deepest = best_match([error]) or error
        where = "/".join(map(str, deepest.absolute_path))
        yield f"{place} at {where or 'top'}: {deepest.message[:300]}"


@cache
def _document() -> JsonValue:
    return json.loads(SCHEMA.read_text())


@cache
def _registry() -> Registry:
    resource = DRAFT202012.create_resource(_document())
    return Registry().with_resource(_DOCUMENT, resource)


def _named(name: str) -> JsonValue:
    return {"$ref": f"#/components/schemas/{name}"}


def _absolute(schema: JsonValue) -> JsonValue:
    if isinstance(schema, dict):
        return {
            key: _DOCUMENT + value if key == "$ref" else _absolute(value)
            for key, value in schema.items()
        }
    return [_absolute(one) for one in schema] if isinstance(schema, list) else schema


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Paths as patterns, those with fewer parameters first, so that @me is found before {id}."""
    paths = sorted(_document()["paths"], key=lambda path: path.count("{"))
    return tuple(
        (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in paths
    )


def _operation(record: RequestRecord) -> JsonValue:
    for pattern, path in _patterns():
        if pattern.fullmatch(record.path):
            operation = _document()["paths"][path].get(record.method.lower())
            if operation is not None:
                return operation
    return None


def _read_query(schema: Mapping[str, JsonValue], text: str) -> JsonValue:
    if schema.get("type") == "integer":
        return int(text)
    if schema.get("type") == "boolean":
        return {"1": True, "0": False, "true": True, "false": False}.get(text.lower(), text)
    return text
