import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from runners.client import Endpoint, Patience, RunnerClient
from runners.errors import (
    InvalidParametersError,
    RunnerError,
    RunnerUnreachableError,
    UnauthorizedError,
    UnknownArtifactError,
    UnknownExampleError,
    UnknownJobError,
)
from runners.jobs.server import build_app
from runners.protocol.comparison import Sides
from runners.protocol.events import Cancelled, Event, Log, Queued
from runners.protocol.jobs import JobView, Submission
from runners.protocol.words import Framework, JobId, JobState

if TYPE_CHECKING:
    from tests.runners.conftest import Bench, Program

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
JOB = JobId("0" * 32)
SOON = Patience(call_s=0.5, stream_s=0.5)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def near(bench: "Bench") -> AsyncIterator[RunnerClient]:
    """A client of a real runner."""
    async with (
        TestServer(build_app(bench.runner, "secret")) as server,
        RunnerClient(Endpoint(str(server.make_url("")), "secret")) as client,
    ):
        yield client


@asynccontextmanager
async def standing_in(
    events: Handler | None = None, job: Handler | None = None, patience: Patience | None = None
) -> AsyncIterator[RunnerClient]:
    """A client of a server that answers as a test says."""

    async def view(_: web.Request) -> web.Response:
        return web.Response(text=first_view().model_dump_json())

    app = web.Application()
    app.router.add_get("/jobs/{job}", job or view)
    if events is not None:
        app.router.add_get("/jobs/{job}/events", events)
    async with (
        TestServer(app) as server,
        RunnerClient(Endpoint(str(server.make_url(""))), patience) as client,
    ):
        yield client


def first_view() -> JobView:
    return JobView(
        id=JOB,
        example="steady",
        framework=Framework.PYTORCH,
        parameters={},
        seed=0,
        submitted_at=AT,
    )


def line(event: Event) -> bytes:
    return event.model_dump_json().encode() + b"\n"


def logs(first: int, last: int) -> list[Event]:
    return [Log(sequence=number, at=AT, text=str(number)) for number in range(first, last + 1)]


async def test_a_job_is_watched_to_its_end(near: RunnerClient) -> None:
    first = await near.submit(Submission(example="steady", parameters={"steps": 5}))
    views = [view async for view in near.watch(first.id)]
    assert [view.sequence for view in views] == sorted({view.sequence for view in views})
    assert views[-1].state is JobState.SUCCEEDED
    assert len(views[-1].history) == 5
    assert await near.job(first.id) == views[-1]
    assert (await near.recent())[0] == views[-1]
    assert (await near.artifact(first.id, "curves.png")).startswith(b"\x89PNG")


async def test_a_job_that_has_ended_is_watched_in_one_view(near: RunnerClient) -> None:
    first = await near.submit(Submission(example="steady"))
    last = [view async for view in near.watch(first.id)][-1]
    assert [view async for view in near.watch(first.id)] == [last]


async def test_a_slow_reader_sees_fewer_views_and_always_the_last(near: RunnerClient) -> None:
    first = await near.submit(
        Submission(example="steady", parameters={"steps": 60, "pause_ms": 10})
    )
    views: list[JobView] = []
    async for view in near.watch(first.id):
        views.append(view)
        await asyncio.sleep(0.3)
    assert views[-1].state is JobState.SUCCEEDED
    assert len(views) < views[-1].sequence / 4


async def test_a_cancelled_job_is_watched_to_its_end(near: RunnerClient) -> None:
    first = await near.submit(Submission(example="unruly", parameters={"how": "deaf"}))
    states: list[JobState] = []
    async for view in near.watch(first.id):
        states.append(view.state)
        if view.progress is not None and not view.state.final:
            await near.cancel(first.id)
    assert states[-1] is JobState.CANCELLED


async def test_the_catalogue_and_the_health_are_told(near: RunnerClient) -> None:
    assert [info.id for info in await near.catalogue()] == ["curious", "hasty", "steady", "unruly"]
    assert (await near.health()).running == 0


async def test_the_runner_s_errors_come_back_as_their_classes(near: RunnerClient) -> None:
    with pytest.raises(UnknownExampleError, match="`nothing`"):
        await near.submit(Submission(example="nothing"))
    with pytest.raises(InvalidParametersError, match="a whole number from 1 to 100000"):
        await near.submit(Submission(example="steady", parameters={"steps": -1}))
    with pytest.raises(UnknownJobError):
        await near.job(JOB)
    with pytest.raises(UnknownJobError):
        await anext(near.watch(JOB))
    with pytest.raises(UnknownJobError):
        await anext(near.follow(JOB))
    job = await near.submit(Submission(example="steady"))
    with pytest.raises(UnknownArtifactError):
        await near.artifact(job.id, "../../runner/jobs.db")


async def test_a_wrong_token_is_told_at_once(bench: "Bench") -> None:
    async with (
        TestServer(build_app(bench.runner, "secret")) as server,
        RunnerClient(Endpoint(str(server.make_url("")), "guess")) as client,
    ):
        with pytest.raises(UnauthorizedError):
            await client.catalogue()
        assert (await client.health()).waiting == 0


async def test_a_stream_that_breaks_is_taken_up_where_it_was() -> None:
    asked: list[int] = []

    async def events(request: web.Request) -> web.StreamResponse:
        after = int(request.query["after"])
        asked.append(after)
        response = web.StreamResponse()
        await response.prepare(request)
        batch = b"".join(map(line, logs(after + 1, after + 2)))
        if after >= 4:
            batch = line(Cancelled(sequence=5, at=AT))
        # the last line is cut off in the middle, or the connection is
        await response.write(b"\n" + batch + (b'{"type": "lo' if after == 0 else b""))
        if after == 2 and request.transport is not None:
            request.transport.abort()
        return response

    async with standing_in(events) as client:
        followed = [event async for event in client.follow(JOB)]
    assert [event.sequence for event in followed] == [1, 2, 3, 4, 5]
    assert asked == [0, 2, 4]


async def test_events_that_come_twice_are_told_once() -> None:
    async def events(_: web.Request) -> web.StreamResponse:
        return web.Response(
            body=b"".join(map(line, [*logs(1, 3), *logs(2, 3), Cancelled(sequence=4, at=AT)]))
        )

    async with standing_in(events) as client:
        followed = [event async for event in client.follow(JOB)]
    assert [event.sequence for event in followed] == [1, 2, 3, 4]


async def test_a_watch_ends_with_an_error_when_the_runner_is_gone_for_long() -> None:
    async def events(request: web.Request) -> web.StreamResponse:
        if request.query["after"] == "0":
            return web.Response(body=line(Queued(sequence=1, at=AT, position=1)))
        return web.Response(status=503)

    async with standing_in(events, patience=SOON) as client:
        watching = client.watch(JOB)
        view = await anext(watching)
        while view.position is None:
            view = await anext(watching)
        with pytest.raises(RunnerUnreachableError):
            await anext(watching)


@pytest.fixture
def nowhere() -> Endpoint:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return Endpoint(f"http://127.0.0.1:{taken.getsockname()[1]}")


async def test_a_runner_that_does_not_answer_is_said_so_after_a_while(nowhere: Endpoint) -> None:
    async with RunnerClient(nowhere, SOON) as client:
        for call in (client.catalogue(), client.job(JOB), client.cancel(JOB)):
            with pytest.raises(RunnerUnreachableError):
                await call
        with pytest.raises(RunnerUnreachableError):
            await anext(client.watch(JOB))
        with pytest.raises(RunnerUnreachableError):
            await anext(client.follow(JOB))


async def test_an_endpoint_that_is_not_known_yet_is_waited_for(bench: "Bench") -> None:
    known = asyncio.Event()
    async with TestServer(build_app(bench.runner, None)) as server:

        async def endpoint() -> Endpoint:
            await known.wait()
            return Endpoint(str(server.make_url("")))

        async with RunnerClient(endpoint) as client:
            asking = asyncio.create_task(client.health())
            await asyncio.sleep(0.1)
            assert not asking.done()
            known.set()
            assert (await asking).running == 0
        async with RunnerClient(endpoint, SOON) as client:
            known.clear()
            with pytest.raises(RunnerUnreachableError):
                await client.health()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(502, RunnerUnreachableError), (503, RunnerUnreachableError), (418, RunnerError)],
)
async def test_an_answer_that_no_runner_gave_is_an_error_all_the_same(
    status: int, kind: type[RunnerError]
) -> None:
    async def job(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text="<html>proxy</html>")

    async with standing_in(job=job, patience=SOON) as client:
        with pytest.raises(RunnerError) as raised:
            await client.job(JOB)
    assert type(raised.value) is kind


async def test_closing_the_client_ends_what_is_watched(bench: "Bench") -> None:
    async with TestServer(build_app(bench.runner, None)) as server:
        async with RunnerClient(Endpoint(str(server.make_url("")))) as client:
            job = bench.submit("unruly", how="deaf")
            await bench.started(job)

            async def watch() -> None:
                async for _ in client.watch(job):
                    pass

            watching = asyncio.create_task(watch())
            await asyncio.sleep(0.2)
        with pytest.raises(RunnerUnreachableError):
            await watching
        bench.runner.dispatcher.cancel(job)
        await bench.end(job)


async def test_a_watch_outlives_kill_9_of_the_runner(program: "Program") -> None:
    address = program.start()
    port = address.rpartition(":")[2]
    async with RunnerClient(Endpoint(address), Patience(stream_s=30)) as client:
        first = await client.submit(
            Submission(example="steady", parameters={"steps": 1_000, "pause_ms": 20})
        )
        views: list[JobView] = []
        async for view in client.watch(first.id):
            if view.progress is not None and not views:
                await asyncio.to_thread(program.kill)
                assert await asyncio.to_thread(program.start, "--port", port) == address
            if view.progress is not None:
                views.append(view)
    assert views[-1].state is JobState.FAILED
    assert views[-1].failure is not None
    assert views[-1].failure.reason == "lost"


FOLLOW = """
import asyncio, sys
from runners.client import Endpoint, RunnerClient
async def follow():
    async with RunnerClient(Endpoint(sys.argv[1])) as client:
        async for event in client.follow(sys.argv[2]):
            print(event.sequence, flush=True)
asyncio.run(follow())
"""


async def test_kill_9_of_the_client_disturbs_neither_job_nor_runner(bench: "Bench") -> None:
    job = bench.submit("steady", steps=100, pause_ms=20)
    async with TestServer(build_app(bench.runner, None)) as server:
        address = str(server.make_url(""))
        follower = await asyncio.create_subprocess_exec(
            sys.executable, "-c", FOLLOW, address, job, stdout=asyncio.subprocess.PIPE
        )
        assert follower.stdout is not None
        assert await follower.stdout.readline() == b"1\n"
        assert await follower.stdout.readline() == b"2\n"
        follower.kill()
        await follower.communicate()
        assert not bench.view(job).state.final
        async with RunnerClient(Endpoint(address)) as client:
            events = [event async for event in client.follow(job, after=2)]
    assert [event.sequence for event in events] == list(range(3, len(events) + 3))
    assert events[-1].type == "succeeded"


async def test_two_sides_are_compared_by_the_runner(near: RunnerClient) -> None:
    async def ended(**parameters: int) -> JobId:
        submitted = await near.submit(Submission(example="steady", parameters={**parameters}))
        async for view in near.watch(submitted.id):
            if view.state.final:
                assert view.state is JobState.SUCCEEDED
        return submitted.id

    sides = Sides(
        a=tuple([await ended(seed=seed) for seed in range(3)]),
        b=tuple([await ended(seed=seed, steps=5) for seed in range(3)]),
    )
    told = await near.compare(sides)
    assert (told.a.settings, told.b.settings) == ({"steps": 3}, {"steps": 5})
    assert (await near.comparison_chart(sides)).startswith(b"\x89PNG")
    with pytest.raises(UnknownJobError):
        await near.compare(Sides(a=(JobId("0" * 32),), b=sides.b))
