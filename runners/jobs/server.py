"""The runner program over HTTP: submit, follow, cancel, look at jobs."""

import asyncio
import hmac
import json
import logging
import signal
import socket
import sys
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, redirect_stdout, suppress
from typing import Any, Final, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import TypeAdapter, ValidationError

from runners.catalogue import Catalogue
from runners.comparison import chart, compare
from runners.errors import (
    BadRequestError,
    RunnerError,
    RunnerSettingsError,
    UnauthorizedError,
    UnknownArtifactError,
    UnknownJobError,
)
from runners.jobs.journal import Quiet
from runners.jobs.lock import only_runner
from runners.jobs.supervision import Supervision
from runners.jobs.workshop import Runner, open_runner
from runners.protocol.catalogue import ExampleInfo
from runners.protocol.comparison import Comparison, Sides
from runners.protocol.jobs import JobView, Submission
from runners.protocol.words import JobId, Value
from runners.settings import RunnerSettings, check_listening
from runners.whereabouts import announce, withdraw

V = TypeVar("V", bound=Value)

_logger = logging.getLogger(__name__)

BODY_LIMIT: Final = 64 * 1024
"""The largest request, bytes."""

RECENT_LIMIT: Final = 50
"""How many jobs are listed at most."""

_QUIET_S: Final = 10.0
_FAREWELL_S: Final = 1.0
_EXAMPLES: Final = TypeAdapter(tuple[ExampleInfo, ...])
_VIEWS: Final = TypeAdapter(tuple[JobView, ...])


async def serve(settings: RunnerSettings, catalogue: Catalogue, *, supervised: bool) -> int:
    """Serve until SIGTERM or SIGINT; the exit status.

    One that is ``supervised`` writes down where it is, serves on ``GET /supervision`` those who
    supervise it, and also ends when none of them is left and no job runs or waits. Until then
    it takes no new ones.

    Once it listens, one line on standard output says where: ``{"listening": "http://…"}``.
    Raises RunnerSettingsError when it may not or cannot listen there, or when another runner
    program works in the same data folder.
    """
    check_listening(settings.runner_host, settings.token)
    end = asyncio.Event()
    _end_on_signals(end)
    supervision = Supervision() if supervised else None
    folder = settings.data_dir / "runner"
    output = sys.stdout
    # that is for one line: what libraries print goes where the log goes
    with only_runner(folder), redirect_stdout(sys.stderr):
        try:
            async with (
                open_runner(settings, catalogue, folder / "jobs.db", folder / "scratch") as runner,
                _listening(settings, runner, supervision) as address,
            ):
                if settings.runner_preload:
                    for framework in catalogue.frameworks:
                        runner.engine.warm_up(framework)
                if supervision is not None:
                    announce(folder, address, settings.token)
                # whoever started it may be gone already, and come back for the jobs it took up
                with suppress(BrokenPipeError):
                    output.write(json.dumps({"listening": address}) + "\n")
                    output.flush()
                chores = (
                    # only who alone works in the data folder may throw away what lies there
                    asyncio.create_task(runner.archive.prune_again_and_again()),
                    asyncio.create_task(runner.dispatcher.look_again_and_again()),
                )
                try:
                    await _until(end, supervision, runner)
                finally:
                    for chore in chores:
                        chore.cancel()
                    await asyncio.gather(*chores, return_exceptions=True)
                _logger.info("ending")
                await runner.dispatcher.close()
        finally:
            withdraw(folder)
    return 0


def build_app(
    runner: Runner, token: str | None, supervision: Supervision | None = None
) -> web.Application:
    """The application that serves ``runner``, for those who know ``token`` if there is one."""
    handlers = _Handlers(runner, supervision)
    app = web.Application(
        client_max_size=BODY_LIMIT, middlewares=[_errors_as_json, _authorization(token)]
    )
    app.router.add_get("/health", handlers.health)
    app.router.add_get("/examples", handlers.examples)
    app.router.add_post("/jobs", handlers.submit)
    app.router.add_get("/jobs", handlers.recent)
    app.router.add_get("/jobs/{job}", handlers.job)
    app.router.add_get("/jobs/{job}/events", handlers.events)
    app.router.add_post("/jobs/{job}/cancel", handlers.cancel)
    app.router.add_get("/jobs/{job}/artifacts/{name}", handlers.artifact)
    app.router.add_post("/comparisons", handlers.compare)
    app.router.add_post("/comparisons/chart", handlers.comparison_chart)
    if supervision is not None:
        app.router.add_get("/supervision", _supervising(supervision))
    return app


class _Handlers:
    def __init__(self, runner: Runner, supervision: Supervision | None) -> None:
        self._runner = runner
        self._supervision = supervision

    async def health(self, _request: web.Request) -> web.StreamResponse:
        return _json(self._runner.health().model_dump_json())

    async def examples(self, _request: web.Request) -> web.StreamResponse:
        return _json(_EXAMPLES.dump_json(tuple(self._runner.catalogue)).decode())

    async def submit(self, request: web.Request) -> web.StreamResponse:
        submission = await _body(request, Submission)
        if self._supervision is not None:
            self._supervision.check_supervised()
        view, new = self._runner.dispatcher.submit(submission)
        return _json(view.model_dump_json(), status=201 if new else 200)

    async def recent(self, _request: web.Request) -> web.StreamResponse:
        return _json(_VIEWS.dump_json(self._runner.journal.recent(RECENT_LIMIT)).decode())

    async def job(self, request: web.Request) -> web.StreamResponse:
        return _json(self._runner.journal.view(_job_id(request)).model_dump_json())

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        return _json(self._runner.dispatcher.cancel(_job_id(request)).model_dump_json())

    async def artifact(self, request: web.Request) -> web.StreamResponse:
        job_id = _job_id(request)
        view = self._runner.journal.view(job_id)
        name = request.match_info["name"]
        if all(figure.name != name for figure in view.figures):
            raise UnknownArtifactError
        path = self._runner.artifacts.path(job_id, name)
        return web.FileResponse(path, headers={"Content-Type": "image/png"})

    async def compare(self, request: web.Request) -> web.StreamResponse:
        return _json((await self._comparison(request)).model_dump_json())

    async def comparison_chart(self, request: web.Request) -> web.StreamResponse:
        comparison = await self._comparison(request)
        picture = await asyncio.to_thread(chart, comparison)
        return web.Response(body=picture, content_type="image/png")

    async def _comparison(self, request: web.Request) -> Comparison:
        sides = await _body(request, Sides)
        a, b = ([self._runner.journal.view(job) for job in side] for side in (sides.a, sides.b))
        examples = {info.id: info for info in self._runner.catalogue}
        return await asyncio.to_thread(compare, a, b, examples)

    async def events(self, request: web.Request) -> web.StreamResponse:
        job_id = _job_id(request)
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) <= len(str(2**63))):
            raise BadRequestError("after must be a sequence number")
        self._runner.journal.view(job_id)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        try:
            async for batch in self._runner.journal.follow(job_id, int(after), _QUIET_S):
                await response.write(
                    b"\n"
                    if isinstance(batch, Quiet)
                    else b"".join(event.model_dump_json().encode() + b"\n" for event in batch)
                )
            await response.write_eof()
        except ConnectionResetError:
            _logger.debug("a follower of job %s left", job_id)
        return response


async def _body(request: web.Request, kind: type[V]) -> V:
    if request.content_type != "application/json":
        # a form that a web page sends from a browser comes without being asked about
        raise BadRequestError("it must be sent as application/json")
    try:
        return kind.model_validate_json(await request.read())
    except ValidationError as error:
        raise BadRequestError(_first_fault(error)) from None


def _supervising(supervision: Supervision) -> Handler:
    async def supervise(request: web.Request) -> web.StreamResponse:
        # either end of a WebSocket hears at once that the other one is gone, even when killed
        life_line = web.WebSocketResponse()
        with supervision.supervised():
            await life_line.prepare(request)
            async for _ in life_line:
                pass  # being there is all that a supervisor says
        return life_line

    return supervise


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RunnerError as error:
        return _error(error.status, error.code, str(error))
    except web.HTTPException as error:
        return _error(error.status, BadRequestError.code, error.reason)
    except Exception:
        reference = uuid.uuid4().hex[:8]
        _logger.exception("%s %s failed (%s)", request.method, request.path, reference)
        return _error(500, RunnerError.code, f"the runner made a mistake (reference {reference})")


def _authorization(token: str | None) -> Middleware:
    expected = None if token is None else f"Bearer {token}".encode()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        # whoever looks whether it lives (a container's health check) needs no secret
        if expected is None or request.path == "/health" or hmac.compare_digest(given, expected):
            return await handler(request)
        raise UnauthorizedError

    return check


@asynccontextmanager
async def _listening(
    settings: RunnerSettings, runner: Runner, supervision: Supervision | None
) -> AsyncGenerator[str]:
    bound = _bind(settings.runner_host, settings.runner_port)
    app_runner = web.AppRunner(
        build_app(runner, settings.token, supervision),
        access_log=None,
        shutdown_timeout=_FAREWELL_S,
    )
    await app_runner.setup()
    try:
        await web.SockSite(app_runner, bound).start()
        host, port = bound.getsockname()[:2]
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        await app_runner.cleanup()


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=128)
    except OSError as error:
        raise RunnerSettingsError(f"cannot listen on {host}:{port}: {error.strerror}") from error


def _end_on_signals(end: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)


async def _until(end: asyncio.Event, supervision: Supervision | None, runner: Runner) -> None:
    def idle() -> bool:
        return not (runner.dispatcher.running or runner.dispatcher.waiting)

    awaited: set[asyncio.Task[Any]] = {asyncio.create_task(end.wait())}
    if supervision is not None:
        awaited.add(asyncio.create_task(supervision.until_over(idle)))
    done, others = await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
    for other in others:
        other.cancel()
    for first in done:
        first.result()


def _job_id(request: web.Request) -> JobId:
    job_id = request.match_info["job"]
    if len(job_id) > len(uuid.uuid4().hex):
        raise UnknownJobError
    return JobId(job_id)


def _json(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="application/json")


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"]) or "what was sent"
    return f"{where[:200]}: {fault['msg']}"
