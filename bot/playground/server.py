"""The playground, served: gateway, API and files on one address."""

import asyncio
import secrets
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from bot.playground.api import API_ROOT, Api, RequestRecord
from bot.playground.cdn import add_files
from bot.playground.clock import MovableClock
from bot.playground.faults import Faults
from bot.playground.gateway import Gateway
from bot.playground.happenings import Happening, InteractionCreated
from bot.playground.interactions import ACKNOWLEDGE_WITHIN
from bot.playground.learners.api import LearnerApi
from bot.playground.rates import Rates
from bot.playground.render import Renderer
from bot.playground.values import Interaction
from bot.playground.world import World

_BODY_LIMIT = 64 * 1024 * 1024
_HEARTBEAT_INTERVAL = 41.25
_SHUTDOWN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Playground:
    """A Discord that is being served. `url` has no slash at its end."""

    url: str
    bot_token: str
    clock: MovableClock
    world: World
    faults: Faults
    gateway: Gateway
    api: Api

    @property
    def api_url(self) -> str:
        """The root of the HTTP API, version and all."""
        return self.url + API_ROOT

    @property
    def gateway_url(self) -> str:
        """Where the gateway's WebSocket is."""
        return _gateway_url(self.url)

    @property
    def cdn_url(self) -> str:
        """The root of the addresses of files."""
        return self.url + "/cdn"

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The bot's latest requests, oldest first."""
        return tuple(self.api.requests)


@asynccontextmanager
async def open_playground(
    host: str = "127.0.0.1",
    port: int = 0,
    clock: MovableClock | None = None,
    *,
    seed_world: bool = True,
    heartbeat_interval: float = _HEARTBEAT_INTERVAL,
) -> AsyncGenerator[Playground]:
    """Serve a playground until the block ends; port 0 takes a free one.

    ``heartbeat_interval`` in seconds is what the gateway asks of the bot. OSError where the
    address is taken.
    """
    clock = clock or MovableClock()
    world = World(clock, seed=seed_world)
    faults = Faults()
    listener = socket.create_server((host, port), family=_family(host))
    address = f"[{host}]" if ":" in host else host
    url = f"http://{address}:{listener.getsockname()[1]}"
    renderer = Renderer(world, url + "/cdn")
    bot_token = secrets.token_urlsafe(32)
    gateway = Gateway(
        world,
        renderer,
        faults,
        bot_token=bot_token,
        url=_gateway_url(url),
        heartbeat_interval=heartbeat_interval,
    )
    api = Api(world, renderer, faults, Rates(), bot_token=bot_token, gateway_url=_gateway_url(url))
    playground = Playground(url, bot_token, clock, world, faults, gateway, api)
    learners = LearnerApi(world, renderer, gateway, api, faults, host=host)
    application = web.Application(client_max_size=_BODY_LIMIT)
    application.router.add_get("/gateway", gateway.serve)
    api.add_to(application)
    add_files(application, world)
    learners.add_to(application)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        async with _deadlines(world):
            yield playground
    finally:
        learners.stream.end()
        await gateway.close_connections()
        await runner.cleanup()


@asynccontextmanager
async def _deadlines(world: World) -> AsyncGenerator[None]:
    """Fail each interaction that nobody acknowledged in time."""
    waiting: set[asyncio.Task[None]] = set()

    async def watch(interaction: Interaction) -> None:
        await world.clock.sleep_until(interaction.created_at + ACKNOWLEDGE_WITHIN)
        world.interactions.expire(interaction.id)

    def note(happening: Happening) -> None:
        if isinstance(happening, InteractionCreated):
            task = asyncio.create_task(watch(happening.interaction))
            waiting.add(task)
            task.add_done_callback(waiting.discard)

    world.bulletin.listen(note)
    try:
        yield
    finally:
        for task in tuple(waiting):
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def _gateway_url(url: str) -> str:
    return url.replace("http", "ws", 1) + "/gateway"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
