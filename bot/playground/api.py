"""The bot's side over HTTP: faults, tokens, limits and bodies around the routes."""

import asyncio
import json
import re
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import BodyPartReader, web
from multidict import CIMultiDictProxy

from bot.playground.calls import Answer, Call, Route
from bot.playground.drafts import Upload
from bot.playground.errors import ApiError
from bot.playground.faults import Dropped, Fault, Faults, RateLimited, ServerError, Slow
from bot.playground.rates import Rates
from bot.playground.render import Renderer
from bot.playground.routes import ROUTES
from bot.playground.world import World

API_ROOT = "/api/v10"
_KEPT = 2000
_FILE_FIELD = re.compile(r"files\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A request of the bot and its answer.

    `template` is the route, such as `/channels/{channel_id}/messages`, None where there is none;
    `body` the JSON of the request (`payload_json` of a multipart one), `files` the names of the
    files sent along, `answer` the JSON of the answer.
    """

    number: int
    at: datetime
    method: str
    path: str
    template: str | None
    query: dict[str, str]
    body: Any
    files: tuple[str, ...]
    status: int
    answer: Any


class Api:
    """Serves discord's HTTP API for one bot."""

    def __init__(  # noqa: PLR0913 -- its collaborators, each by name
        self,
        world: World,
        renderer: Renderer,
        faults: Faults,
        rates: Rates,
        *,
        bot_token: str,
        gateway_url: str,
    ) -> None:
        self._world = world
        self._renderer = renderer
        self._faults = faults
        self._rates = rates
        self._bot_token = bot_token
        self._gateway_url = gateway_url
        self._count = 0
        self.requests: deque[RequestRecord] = deque(maxlen=_KEPT)

    def add_to(self, application: web.Application) -> None:
        """Serve every route below the API's root."""
        for route in ROUTES:
            application.router.add_route(
                route.method, API_ROOT + route.template, _bound(self, route)
            )
        application.router.add_route("*", API_ROOT + "/{tail:.*}", _bound(self, None))

    async def serve(self, request: web.Request, route: Route | None) -> web.StreamResponse:
        """Answer one request; ``route`` is None where the path leads nowhere."""
        path = request.path.removeprefix(API_ROOT)
        try:
            payload, uploads = await _read(request)
        except ApiError as error:
            refusal = Answer(error.as_answer(), error.status)
            return self._answered(request, route, (None, ()), refusal, {})
        fault = self._faults.take(request.method, path)
        if isinstance(fault, Slow):
            await asyncio.sleep(fault.seconds)
        if isinstance(fault, Dropped) and not fault.after:
            return self._cut(request)
        answer, headers = self._struck(fault) or self._answer(request, route, payload, uploads)
        response = self._answered(request, route, (payload, uploads), answer, headers)
        return self._cut(request) if isinstance(fault, Dropped) else response

    def _answer(
        self,
        request: web.Request,
        route: Route | None,
        payload: Any,  # noqa: ANN401 -- any JSON value
        uploads: tuple[Upload, ...],
    ) -> tuple[Answer, dict[str, str]]:
        if route is None:
            return Answer({"message": "404: Not Found", "code": 0}, 404), {}
        if not route.by_token and not self._authorized(request.headers):
            return Answer({"message": "401: Unauthorized", "code": 0}, 401), {}
        headers: dict[str, str] = {}
        parts = dict(request.match_info)
        if route.limited:
            verdict = self._rates.take(request.method, route.template, parts)
            headers = verdict.headers()
            if not verdict.allowed:
                limited = RateLimited(verdict.reset_after, everywhere=verdict.everywhere)
                return _too_many(limited, headers)
        call = Call(
            self._world,
            self._renderer,
            self._gateway_url,
            parts,
            dict(request.query),
            payload,
            uploads,
        )
        try:
            return route.handler(call), headers
        except ApiError as error:
            return Answer(error.as_answer(), error.status), headers

    def _authorized(self, headers: CIMultiDictProxy[str]) -> bool:
        return headers.get("Authorization") == f"Bot {self._bot_token}"

    def _struck(self, fault: Fault | None) -> tuple[Answer, dict[str, str]] | None:
        match fault:
            case RateLimited():
                return _too_many(fault, {})
            case ServerError(status):
                return Answer({"message": f"{status}: fault on demand", "code": 0}, status), {}
            case _:
                return None

    def _answered(
        self,
        request: web.Request,
        route: Route | None,
        sent: tuple[Any, tuple[Upload, ...]],
        answer: Answer,
        headers: dict[str, str],
    ) -> web.Response:
        payload, uploads = sent
        self._count += 1
        self.requests.append(
            RequestRecord(
                number=self._count,
                at=self._world.clock.now(),
                method=request.method,
                path=request.path.removeprefix(API_ROOT),
                template=route.template if route else None,
                query=dict(request.query),
                body=payload,
                files=tuple(upload.filename for upload in uploads),
                status=answer.status,
                answer=answer.body,
            )
        )
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        body = json.dumps(answer.body, ensure_ascii=False).encode()
        return web.Response(
            body=body, status=answer.status, headers=headers, content_type="application/json"
        )

    @staticmethod
    def _cut(request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)


def _bound(api: Api, route: Route | None):  # noqa: ANN202 -- aiohttp's handler type
    async def handle(request: web.Request) -> web.StreamResponse:
        return await api.serve(request, route)

    return handle


def _too_many(fault: RateLimited, headers: dict[str, str]) -> tuple[Answer, dict[str, str]]:
    body = {
        "message": "You are being rate limited.",
        "retry_after": fault.retry_after,
        "global": fault.everywhere,
    }
    told = dict(headers)
    if fault.via:
        told["Via"] = "1.1 playground"
        told["Retry-After"] = str(int(fault.retry_after) + 1)
        told["X-RateLimit-Scope"] = "global" if fault.everywhere else "user"
    return Answer(body | {"code": 0}, 429), told


async def _read(request: web.Request) -> tuple[Any, tuple[Upload, ...]]:
    """The JSON of the request and its files, or 400/50109."""
    if request.content_type == "multipart/form-data":
        return await _read_multipart(request)
    raw = await request.read()
    return (_parsed(raw) if raw else None), ()


async def _read_multipart(request: web.Request) -> tuple[Any, tuple[Upload, ...]]:
    payload: Any = {}
    uploads: list[Upload] = []
    reader = await request.multipart()
    async for part in reader:
        if not isinstance(part, BodyPartReader):
            raise ApiError(400, 50035, "Invalid Form Body")
        content = await part.read()
        file = _FILE_FIELD.fullmatch(part.name or "")
        if part.name == "payload_json":
            payload = _parsed(content)
        elif file:
            uploads.append(Upload(int(file[1]), part.filename or f"file{file[1]}", bytes(content)))
        else:
            raise ApiError(400, 50035, "Invalid Form Body")
    return payload, tuple(uploads)


def _parsed(raw: bytes | bytearray) -> Any:  # noqa: ANN401 -- any JSON value
    try:
        return json.loads(raw)
    except ValueError:
        raise ApiError(400, 50109, "The request body contains invalid JSON.") from None
