import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from runners.jobs.server import BODY_LIMIT, build_app
from runners.jobs.supervision import Supervision
from runners.protocol.events import EVENT, Event
from runners.protocol.words import JobId

if TYPE_CHECKING:
    from tests.runners.conftest import Bench

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def http(bench: "Bench") -> AsyncIterator[Client]:
    async with TestClient(TestServer(build_app(bench.runner, None))) as client:
        yield client


async def submit(http: Client, **submission: object) -> tuple[int, dict[str, Any]]:
    async with http.post("/jobs", json=submission) as answer:
        return answer.status, await answer.json()


async def error(answer: aiohttp.ClientResponse) -> tuple[int, str, str]:
    told = (await answer.json())["error"]
    return answer.status, told["code"], told["message"]


async def events(http: Client, job: str, after: int = 0) -> list[Event]:
    async with http.get(f"/jobs/{job}/events", params={"after": after}) as answer:
        assert answer.content_type == "application/x-ndjson"
        return [EVENT.validate_json(line) async for line in answer.content if line.strip()]


async def test_a_job_is_submitted_followed_and_looked_at(http: Client) -> None:
    status, view = await submit(http, example="steady", parameters={"steps": 2})
    assert (status, view["example"], view["parameters"]["steps"]) == (201, "steady", 2)
    followed = await events(http, view["id"])
    assert [event.sequence for event in followed] == list(range(1, len(followed) + 1))
    assert followed[-1].type == "succeeded"
    async with http.get(f"/jobs/{view['id']}") as answer:
        assert (await answer.json())["state"] == "succeeded"
    async with http.get("/jobs") as answer:
        assert [job["id"] for job in await answer.json()] == [view["id"]]
    async with http.get(f"/jobs/{view['id']}/artifacts/curves.png") as answer:
        assert answer.content_type == "image/png"
        assert (await answer.read()).startswith(b"\x89PNG")


async def test_a_stream_is_taken_up_after_any_event(http: Client) -> None:
    _, view = await submit(http, example="steady")
    whole = await events(http, view["id"])
    for after in (1, 3, len(whole) - 1):
        assert await events(http, view["id"], after) == whole[after:]
    assert await events(http, view["id"], len(whole)) == []
    assert await events(http, view["id"], 10**6) == []


async def test_the_same_key_is_the_same_job(http: Client) -> None:
    first = await submit(http, example="steady", key="once")
    second = await submit(http, example="steady", key="once")
    assert (first[0], second[0]) == (201, 200)
    assert first[1]["id"] == second[1]["id"]


@pytest.mark.parametrize(
    ("submission", "expected"),
    [
        ({"example": "nothing"}, (404, "unknown_example", "there is no example `nothing`")),
        (
            {"example": "steady", "parameters": {"steps": 0}},
            (
                422,
                "invalid_parameters",
                "`steps=0` is not allowed: a whole number from 1 to 100000",
            ),
        ),
        (
            {"example": "steady", "parameters": {"x": 1}},
            (
                422,
                "invalid_parameters",
                "there is no parameter `x`; there are seed, steps, pause_ms",
            ),
        ),
        ({"parameters": {}}, (400, "bad_request", "example: Field required")),
        (
            {"example": "steady", "more": 1},
            (400, "bad_request", "more: Extra inputs are not permitted"),
        ),
    ],
)
async def test_a_submission_that_cannot_be_is_refused_and_nothing_is_queued(
    http: Client, submission: dict[str, object], expected: tuple[int, str, str]
) -> None:
    async with http.post("/jobs", json=submission) as answer:
        assert await error(answer) == expected
    async with http.get("/jobs") as answer:
        assert await answer.json() == []


async def test_bodies_that_are_no_submission_are_refused(http: Client) -> None:
    json_type = {"Content-Type": "application/json"}
    async with http.post("/jobs", data=b"{", headers=json_type) as answer:
        assert (await error(answer))[:2] == (400, "bad_request")
    async with http.post("/jobs", data={"example": "steady"}) as answer:
        assert (await error(answer))[:2] == (400, "bad_request")
    async with http.post("/jobs", data=b" " * (BODY_LIMIT + 1), headers=json_type) as answer:
        assert (await error(answer))[:2] == (413, "bad_request")


@pytest.mark.parametrize(
    "path", ["/jobs/0", f"/jobs/{'0' * 32}", f"/jobs/{'0' * 32}/events", f"/jobs/{'a' * 500}"]
)
async def test_an_unknown_job_is_told_as_such(http: Client, path: str) -> None:
    async with http.get(path) as answer:
        assert await error(answer) == (404, "unknown_job", "There is no job of that id.")


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "9" * 40, "１"])
async def test_a_place_to_go_on_from_is_a_number(http: Client, after: str) -> None:
    _, view = await submit(http, example="steady")
    async with http.get(f"/jobs/{view['id']}/events", params={"after": after}) as answer:
        assert (await error(answer))[:2] == (400, "bad_request")


@pytest.mark.parametrize(
    "name", ["other.png", "..%2F..%2Frunner%2Fjobs.db", "%2Fetc%2Fpasswd", "curves.png%00"]
)
async def test_an_artifact_that_the_job_did_not_leave_is_not_there(http: Client, name: str) -> None:
    _, view = await submit(http, example="steady")
    await events(http, view["id"])
    path = f"{http.make_url('/')}jobs/{view['id']}/artifacts/{name}"
    async with http.session.get(URL(path, encoded=True)) as answer:
        assert answer.status == 404


async def test_a_waiting_job_is_told_its_place_and_is_cancelled_at_once(http: Client) -> None:
    _, running = await submit(http, example="unruly", parameters={"how": "deaf"})
    _, first = await submit(http, example="steady")
    _, second = await submit(http, example="steady")
    assert (first["position"], second["position"]) == (1, 2)
    async with http.post(f"/jobs/{first['id']}/cancel") as answer:
        assert (await answer.json())["state"] == "cancelled"
    async with http.get(f"/jobs/{second['id']}") as answer:
        assert (await answer.json())["position"] == 1
    async with http.post(f"/jobs/{running['id']}/cancel") as answer:
        assert answer.status == 200
    assert (await events(http, running["id"]))[-1].type == "cancelled"
    told = await events(http, second["id"])
    assert [event.position for event in told if event.type == "queued"] == [2, 1]
    assert told[-1].type == "succeeded"
    async with http.post(f"/jobs/{second['id']}/cancel") as answer:
        assert (await answer.json())["state"] == "succeeded"


async def test_a_full_queue_takes_no_more(http: Client, bench: "Bench") -> None:
    _, running = await submit(http, example="unruly", parameters={"how": "deaf"})
    for _ in range(50):
        assert (await submit(http, example="steady"))[0] == 201
    async with http.post("/jobs", json={"example": "steady"}) as answer:
        assert (await error(answer))[:2] == (429, "queue_full")
    for view in bench.runner.journal.recent(60):
        if view.position is not None and view.id != running["id"]:
            bench.runner.dispatcher.cancel(view.id)
    bench.runner.dispatcher.cancel(JobId(running["id"]))
    await bench.end(JobId(running["id"]))


async def test_a_follower_that_leaves_disturbs_nobody(http: Client) -> None:
    _, view = await submit(http, example="steady", parameters={"steps": 40, "pause_ms": 10})
    for _ in range(3):
        async with http.get(f"/jobs/{view['id']}/events") as answer:
            await answer.content.readline()
    whole = await asyncio.gather(*(events(http, view["id"]) for _ in range(3)))
    assert whole[0] == whole[1] == whole[2]
    assert whole[0][-1].type == "succeeded"


async def test_health_and_examples_are_told(http: Client) -> None:
    async with http.get("/health") as answer:
        health = await answer.json()
    assert (health["running"], health["waiting"]) == (0, 0)
    assert health["frameworks"] == {"tensorflow": "missing", "pytorch": "on demand"}
    async with http.get("/examples") as answer:
        examples = await answer.json()
    assert [example["id"] for example in examples] == ["curious", "hasty", "steady", "unruly"]
    assert all(example["available"] for example in examples)


async def test_the_token_is_asked_for_everywhere_but_at_the_health_check(bench: "Bench") -> None:
    async with TestClient(TestServer(build_app(bench.runner, "secret"))) as http:
        for path in ("/examples", "/jobs", "/nowhere", f"/jobs/{'0' * 32}"):
            for given in (None, "Bearer wrong", "secret", "Basic secret", "Bearer é"):
                headers = {} if given is None else {"Authorization": given}
                async with http.get(path, headers=headers) as answer:
                    assert (await error(answer))[:2] == (401, "unauthorized")
        async with http.get("/health") as answer:
            assert answer.status == 200
        async with http.get("/examples", headers={"Authorization": "Bearer secret"}) as answer:
            assert answer.status == 200


async def test_what_is_not_there_and_what_is_not_done_are_errors_of_the_same_form(
    http: Client,
) -> None:
    async with http.get("/nowhere") as answer:
        assert (await error(answer))[:2] == (404, "bad_request")
    async with http.delete("/jobs") as answer:
        assert (await error(answer))[:2] == (405, "bad_request")
        assert json.loads(await answer.text())["error"]["message"] == "Method Not Allowed"


async def test_a_supervised_runner_takes_jobs_as_long_as_somebody_supervises(
    bench: "Bench",
) -> None:
    async with TestClient(TestServer(build_app(bench.runner, None, Supervision()))) as http:
        refused = (503, "runner_unreachable")
        async with http.post("/jobs", json={"example": "steady"}) as answer:
            assert (await error(answer))[:2] == refused
        async with http.ws_connect("/supervision"), http.ws_connect("/supervision") as other:
            await other.close()
            status, view = await submit(http, example="steady")
            assert status == 201
        async with asyncio.timeout(20):
            while (await submit(http, example="steady", key="one"))[0] != 503:
                pass  # its connections are closed, which the runner hears a little later
        assert (await events(http, view["id"]))[-1].type == "succeeded"


async def test_a_supervised_runner_is_over_when_its_last_job_is(bench: "Bench") -> None:
    supervision = Supervision()
    idle = False
    over = asyncio.create_task(supervision.until_over(lambda: idle))
    async with TestClient(TestServer(build_app(bench.runner, None, supervision))) as http:
        async with http.ws_connect("/supervision"):
            idle = True
        async with asyncio.timeout(20):
            await over
        async with http.get("/supervision") as answer:
            assert await error(answer) == (503, "runner_unreachable", "the runner is ending")


async def test_nobody_supervises_a_runner_that_lives_by_itself(http: Client) -> None:
    async with http.get("/supervision") as answer:
        assert (await error(answer))[:2] == (404, "bad_request")
