"""The check by Discord's schema finds what is wrong."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.playground.api import RequestRecord
from bot.playground.clock import MovableClock
from bot.playground.gateway import SentPayload
from bot.playground.render import Renderer
from bot.playground.values import Draft
from bot.playground.world import World
from tests.schema_check import answer_faults, as_text_ids, payload_faults, request_faults


def record(
    body: object, *, status: int = 200, answer: object = None, **query: str
) -> RequestRecord:
    return RequestRecord(
        number=1,
        at=datetime.now(UTC),
        method="POST",
        path="/channels/1/messages",
        template="/channels/{channel_id}/messages",
        query=query,
        body=body,
        files=(),
        status=status,
        answer=answer,
    )


def message() -> dict[str, Any]:
    world = World(MovableClock())
    channel = next(iter(world.directory.channels.values()))
    sent = world.conversation.send(channel, world.directory.bot.id, Draft("题"))
    return Renderer(world, "http://127.0.0.1/cdn").message(sent, world.directory.bot.id)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"content": "x" * 4001}, "content"),
        ({"embeds": [{"title": "x" * 257}]}, "embeds/0/title"),
        ({"components": [{"type": 1, "components": []}]}, "components/0"),
        ({"allowed_mentions": {"parse": ["all"]}}, "allowed_mentions"),
        ({"nonce": "x" * 26}, "nonce"),
    ],
)
def test_a_body_over_a_limit_is_named_with_its_place(body: object, place: str) -> None:
    (fault,) = request_faults(record(body))
    assert f" at {place}" in fault


def test_a_body_that_fits_has_no_fault() -> None:
    body = {"content": "x", "message_reference": {"message_id": 5}, "attachments": [{"id": 0}]}
    assert list(request_faults(record(body))) == []
    assert as_text_ids(body)["attachments"] == [{"id": "0"}]


def test_an_unknown_query_is_a_fault() -> None:
    assert list(request_faults(record({}, wait="1"))) == [
        "POST /channels/1/messages: unknown query wait"
    ]


def test_an_answer_without_a_field_is_a_fault() -> None:
    answer = message()
    assert list(answer_faults(record({}, answer=answer))) == []
    lacking = {name: value for name, value in answer.items() if name != "author"}
    (fault,) = answer_faults(record({}, answer=lacking))
    assert "'author' is a required property" in fault
    (fault,) = answer_faults(record({}, answer=answer | {"timestamp": "yesterday"}))
    assert "timestamp" in fault


def test_an_error_without_a_code_is_a_fault() -> None:
    assert list(answer_faults(record({}, status=404, answer={"code": 1, "message": "x"}))) == []
    (fault,) = answer_faults(record({}, status=404, answer={"message": "x"}))
    assert "'code' is a required property" in fault


def test_a_payload_with_a_wrong_part_is_a_fault() -> None:
    good = message()
    assert list(payload_faults(SentPayload("MESSAGE_CREATE", good, 0))) == []
    wrong = good | {"author": {**good["author"], "id": 5}}
    (fault,) = payload_faults(SentPayload("MESSAGE_UPDATE", wrong, 0))
    assert "author/id" in fault
