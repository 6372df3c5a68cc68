"""Jobs on a Ray cluster: Ray chooses the node, an attendant there runs them.

The one module that imports ray. What Ray starts on a node holds cores or cards and passes lines
on between this program and the attendant (`runners.jobs.attendant`), which is a process of its
own: no example is ever imported by a process of Ray, and what a job leaves is ended with the
attendant whatever becomes of Ray there.
"""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from runners.errors import RunnerSettingsError
from runners.jobs.artifacts import Artifacts
from runners.jobs.attempt import Limits
from runners.jobs.cards import Card
from runners.jobs.engine import Capacity, Condition
from runners.jobs.journal import Journal
from runners.jobs.messages import Assignment
from runners.jobs.nurseries import able_frameworks
from runners.jobs.orders import OVER, TOLD_LIMIT, Equipment, Order, Told
from runners.jobs.remote_attempt import LostError, RemoteAttempt, UnfitError
from runners.protocol.words import Framework
from runners.settings import RunnerSettings

_logger = logging.getLogger(__name__)

_START: Final = "from runners.jobs.attendant import main; main()"
_ENDING_S: Final = 8.0
_ANSWER_S: Final = 3.0
_CARD_KIND: Final = "accelerator_type:"

_ray: Any = ray
"""Its types are half known: what it gives back is Any here."""


class _Place:
    """What Ray starts on a node: it starts an attendant there and passes on what is said."""

    def __init__(self, equipment: str, cards: int) -> None:
        self._equipment = equipment
        self._cards = cards
        self._attendant: asyncio.subprocess.Process | None = None

    async def node(self) -> str:
        """The node that this is on."""
        return _ray.get_runtime_context().get_node_id()

    async def attend(self, order: str) -> AsyncIterator[bytes]:
        """Give an order; the lines about it, until the job is over or the attendant gone."""
        if self._attendant is None:
            self._attendant = await self._start()
            await self.say(self._equipment)
        await self.say(order)
        output = self._attendant.stdout
        while output is not None and (line := await output.readline()):
            yield line
            if line == OVER:
                return

    async def say(self, word: str) -> None:
        """Pass a word on; an attendant that is gone does not hear it."""
        if self._attendant is not None and self._attendant.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self._attendant.stdin.write(word.encode() + b"\n")
                await self._attendant.stdin.drain()

    async def close(self) -> None:
        """Have the attendant end and leave nothing behind."""
        if self._attendant is not None and self._attendant.stdin is not None:
            self._attendant.stdin.close()
            await self._attendant.wait()

    async def _start(self) -> asyncio.subprocess.Process:
        environment = dict(os.environ)
        if not self._cards:
            environment["CUDA_VISIBLE_DEVICES"] = "-1"  # Ray hides cards only if it gave some
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _START),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment,
            limit=TOLD_LIMIT,
            start_new_session=True,
        )


class RayPost:
    """A place on a node of the cluster, as it is seen from here."""

    def __init__(self, handle: Any, cards: int) -> None:  # noqa: ANN401 - as ray types it
        self._handle = handle
        self.cards = cards
        self.node = ""
        self.loaded: set[Framework] = set()

    async def placed(self) -> None:
        """Wait until the cluster has room for it. Raises LostError or UnfitError."""
        try:
            self.node = await self._handle.node.remote()
        except RayError as error:
            raise self._told_by(error) from error

    async def attend(self, order: str) -> AsyncIterator[Told]:
        """What is told about a job, until it is over. Raises LostError or UnfitError."""
        try:
            lines = self._handle.attend.options(num_returns="streaming").remote(order)
            async for next_line in lines:
                line: bytes = await next_line
                if line == OVER:
                    return
                told = Told.model_validate_json(line)
                if told.fault:
                    raise UnfitError(told.fault)
                yield told
        except RayError as error:
            raise self._told_by(error) from error
        raise LostError("its attendant ended without a word")

    async def say(self, word: str) -> None:
        """Say ``word`` to the attendant, if it is there."""
        with contextlib.suppress(RayError):
            await self._handle.say.remote(word)

    async def close(self) -> None:
        """Let go of it in good order, or else by force."""
        if self.node:
            with contextlib.suppress(RayError, TimeoutError):
                await asyncio.wait_for(self._handle.close.remote(), _ENDING_S)
        self.kill()

    def kill(self) -> None:
        """Let go of it by force."""
        with contextlib.suppress(RayError, ValueError):
            _ray.kill(self._handle)

    async def lives(self) -> bool:
        """Whether its node still answers, asked of the node itself."""
        known: list[dict[str, Any]] = await asyncio.to_thread(_ray.nodes)
        return await _answers(next((each for each in known if each["NodeID"] == self.node), None))

    @staticmethod
    def _told_by(error: RayError) -> LostError | UnfitError:
        unfit = isinstance(error, RayTaskError) or (
            isinstance(error, RayActorError) and error.actor_init_failed
        )
        return UnfitError(str(error)) if unfit else LostError(str(error))


class RayEngine:
    """Runs jobs on the nodes of a cluster, each in a place that holds what it needs.

    A place is kept for ``keep_s`` after a job, because what its attendant has loaded is worth
    some seconds to the next one.
    """

    def __init__(
        self,
        settings: RunnerSettings,
        frameworks: Iterable[Framework],
        able: frozenset[Framework],
        journal: Journal,
        artifacts: Artifacts,
    ) -> None:
        self.able = able
        self.threads = settings.ray_cpus
        self._settings = settings
        self._journal = journal
        self._artifacts = artifacts
        self._equipment = Equipment(
            settings=settings.model_dump(mode="json", exclude={"runner_token"}),
            frameworks=tuple(frameworks),
            threads=self.threads,
        ).model_dump_json()
        self._idle: dict[RayPost, asyncio.TimerHandle] = {}
        self._awaited: list[tuple[int, asyncio.Future[RayPost]]] = []
        self._partings: set[asyncio.Task[None]] = set()
        self._place: Any = _ray.remote(_Place)

    async def capacity(self) -> Capacity:
        """What the cluster's nodes can run now, if nobody else uses them."""
        nodes: list[dict[str, Any]] = await asyncio.to_thread(_ray.nodes)
        return room_of(nodes, self._settings.ray_cpus, self._settings.runner_slots)

    def attempt(
        self,
        framework: Framework,
        assignment: Assignment,
        limits: Limits,
        cards: tuple[Card, ...],
    ) -> RemoteAttempt[RayPost]:
        """The running of a job that takes as many cards, or cores without any."""
        order = Order(framework=framework, assignment=assignment, limits=limits)
        return RemoteAttempt(order, len(cards), self, self._journal, self._artifacts)

    def warm_up(self, framework: Framework) -> None:
        """Nothing: which node a job will run on is not known ahead."""

    def condition(self, framework: Framework) -> Condition:
        """How soon a job of ``framework`` would start: at once where one ran not long ago."""
        return "ready" if any(framework in post.loaded for post in self._idle) else "on demand"

    async def take(self, cards: int, framework: Framework) -> RayPost:
        """A place with ``cards``: one that is kept, one that comes back, or a new one.

        Waits until there is one. Raises LostError or UnfitError.
        """
        post = self._kept(cards, framework) or await self._whichever_comes_first(cards)
        post.loaded.add(framework)
        return post

    def give_back(self, post: RayPost) -> None:
        """Hand a place to who waits for such a one, or keep it for a while."""
        for cards, handed in self._awaited:
            if cards == post.cards and not handed.done():
                handed.set_result(post)
                return
        self._idle[post] = asyncio.get_running_loop().call_later(
            self._settings.ray_keep_s, self._drop, [post]
        )
        if post.cards and self._awaited:
            self._drop([post])  # its cards may be what one for another number of them waits for

    def lose(self, post: RayPost) -> None:
        """Let go of a place that is of no use, and of those that are kept on its node."""
        self._drop([each for each in self._idle if each.node == post.node])
        self._part(post.close())

    async def close(self) -> None:
        """Let go of all places."""
        self._drop(list(self._idle))
        while self._partings:
            await asyncio.wait(self._partings)

    def _kept(self, cards: int, framework: Framework) -> RayPost | None:
        """A place that is kept: the last one that has ``framework`` loaded, or else the last."""
        fit = [post for post in self._idle if post.cards == cards]
        if not fit:
            return None
        post = max(reversed(fit), key=lambda post: framework in post.loaded)
        self._idle.pop(post).cancel()
        return post

    async def _whichever_comes_first(self, cards: int) -> RayPost:
        """A new place once the cluster has room for it, or one that comes back before."""
        if cards:  # the cards may be held by places for another number of them
            self._drop([post for post in self._idle if post.cards])
        new = self._new(cards)
        handed: asyncio.Future[RayPost] = asyncio.get_running_loop().create_future()
        awaited = (cards, handed)
        self._awaited.append(awaited)
        placing = asyncio.create_task(new.placed())
        taken: RayPost | None = None
        try:
            await asyncio.wait({placing, handed}, return_when=asyncio.FIRST_COMPLETED)
            if not handed.done():
                placing.result()
            taken = handed.result() if handed.done() else new
            return taken
        finally:
            self._awaited.remove(awaited)
            placing.cancel()
            if taken is not new:
                self._part(new.close())
            if handed.done() and taken is None:
                self.give_back(handed.result())

    def _new(self, cards: int) -> RayPost:
        handle = self._place.options(
            num_cpus=0 if cards else self._settings.ray_cpus, num_gpus=cards, max_restarts=0
        ).remote(self._equipment, cards)
        return RayPost(handle, cards)

    def _drop(self, posts: Sequence[RayPost]) -> None:
        for post in posts:
            self._idle.pop(post).cancel()
            self._part(post.close())

    def _part(self, parting: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(parting, name="let go of a place")
        self._partings.add(task)
        task.add_done_callback(self._partings.discard)


@asynccontextmanager
async def open_ray_engine(
    settings: RunnerSettings,
    frameworks: Iterable[Framework],
    journal: Journal,
    artifacts: Artifacts,
) -> AsyncGenerator[RayEngine]:
    """The cluster, found or started, until the block ends.

    Raises RunnerSettingsError when it cannot be reached.
    """
    try:
        await _knock(settings.ray_address)
        # in a thread of its own, where ray leaves the handling of signals as it is
        await asyncio.to_thread(_join, settings.ray_address)
    except Exception as error:
        reason = str(error).strip().splitlines()
        raise RunnerSettingsError(
            f"the Ray cluster cannot be reached: {reason[0] if reason else type(error).__name__}"
        ) from error
    try:
        able = await able_frameworks(settings, frameworks)
        engine = RayEngine(settings, frameworks, able, journal, artifacts)
        try:
            yield engine
        finally:
            await engine.close()
    finally:
        await asyncio.to_thread(_ray.shutdown)


def room_of(nodes: Sequence[Mapping[str, Any]], cpus: int, slots: int | None) -> Capacity:
    """What ``nodes``, as ray describes them, can run at the same time by ``cpus`` cores each.

    ``slots``, where it is set, is how many jobs may run on processors.
    """
    alive = [node for node in nodes if node["Alive"]]
    cards = [
        tuple(
            Card(f"{node['NodeID']}/{number}", _card_name(node["Resources"]))
            for number in range(int(node["Resources"].get("GPU", 0)))
        )
        for node in alive
    ]
    room = sum(int(node["Resources"].get("CPU", 0) // cpus) for node in alive)
    return Capacity(
        # with no room at all jobs wait for Ray, which asks for more nodes where it can
        slots=slots or max(1, room),
        cards=tuple(card for each in cards for card in each),
        together=max(map(len, cards), default=0),
    )


def _card_name(resources: Mapping[str, float]) -> str:
    kinds = (name.removeprefix(_CARD_KIND) for name in resources if name.startswith(_CARD_KIND))
    return next(kinds, "GPU")


async def _answers(node: Mapping[str, Any] | None) -> bool:
    """Whether somebody listens where ``node`` does; the cluster takes its time to know."""
    if node is None or not node["Alive"]:
        return False
    try:
        await _connect(node["NodeManagerAddress"], node["NodeManagerPort"])
    except OSError:
        return False
    return True


async def _knock(address: str | None) -> None:
    """Raise OSError when nobody listens at ``address``: ray would try for minutes."""
    host, colon, port = (address or "").rpartition(":")
    if colon and port.isdecimal():
        await _connect(host.strip("[]"), int(port))


async def _connect(host: str, port: int) -> None:
    try:
        async with asyncio.timeout(_ANSWER_S):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError as error:
        raise OSError(f"{host}:{port} does not answer") from error
    writer.close()


def _join(address: str | None) -> None:
    _ray.init(
        address=address,
        log_to_driver=False,
        include_dashboard=False,
        logging_level=logging.ERROR,
    )
