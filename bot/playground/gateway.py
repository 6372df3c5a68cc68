"""The gateway: sessions over a WebSocket, with heartbeats, sequence numbers and resumption."""

import asyncio
import contextlib
import json
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import WSMsgType, web

from bot.playground.dispatch import Dispatch, Dispatcher
from bot.playground.faults import Faults
from bot.playground.happenings import BotOffline, BotOnline, Happening
from bot.playground.render import Renderer
from bot.playground.values import Member
from bot.playground.wire import (
    KNOWN_INTENTS,
    PRIVILEGED_INTENTS,
    CloseCode,
    Intent,
    Json,
    Opcode,
    Snowflake,
)
from bot.playground.world import World

_BACKLOG = 1000
_PAYLOAD_LIMIT = 4096
_SENDS_A_MINUTE = 120
_SHARD_SHIFT = 22


class Connection:
    """One socket; what is put is sent in order by a task of its own."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket = socket
        self._request = request
        self._outgoing: asyncio.Queue[Json] = asyncio.Queue()

    def put(self, payload: Json) -> None:
        """Send the payload after those that wait."""
        self._outgoing.put_nowait(payload)

    async def write(self) -> None:
        """Send for ever."""
        while True:
            payload = await self._outgoing.get()
            await self.socket.send_str(json.dumps(payload, ensure_ascii=False))

    def abort(self) -> None:
        """Cut the line without a word."""
        transport = self._request.transport
        if transport is not None:
            transport.abort()


@dataclass(slots=True)
class Session:
    """What outlives a socket: intents, shard, the last sequence number and what was told."""

    id: str
    shard: tuple[int, int]
    intents: int
    sequence: int = 0
    backlog: deque[Json] = field(default_factory=lambda: deque(maxlen=_BACKLOG))
    connection: Connection | None = None

    def dispatch(self, event: Dispatch) -> None:
        """Tell the session, now or when it resumes."""
        self.sequence += 1
        payload: Json = {
            "op": int(Opcode.DISPATCH),
            "t": event[0],
            "s": self.sequence,
            "d": event[1],
        }
        self.backlog.append(payload)
        if self.connection is not None:
            self.connection.put(payload)

    def covers(self, guild_id: Snowflake | None) -> bool:
        """Whether what happens there is this shard's affair."""
        shard_id, shard_count = self.shard
        return ((guild_id or 0) >> _SHARD_SHIFT) % shard_count == shard_id


class _Closing(Exception):  # noqa: N818 -- a verdict on the connection, caught where it is served
    """The connection ends with this code."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True, slots=True)
class SentPayload:
    """A dispatch as it was told, for whoever checks payloads afterwards."""

    name: str
    content: Json
    intents: int


class Gateway:
    """Serves sessions; ``heartbeat_interval`` in seconds is what HELLO asks for."""

    def __init__(  # noqa: PLR0913 -- its collaborators, each by name
        self,
        world: World,
        renderer: Renderer,
        faults: Faults,
        *,
        bot_token: str,
        url: str,
        heartbeat_interval: float,
    ) -> None:
        self._world = world
        self._renderer = renderer
        self._dispatcher = Dispatcher(world, renderer)
        self._faults = faults
        self._bot_token = bot_token
        self._url = url
        self._heartbeat_interval = heartbeat_interval
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        self._online = False
        self.payloads: deque[SentPayload] = deque(maxlen=_BACKLOG)
        world.bulletin.listen(self._tell)

    @property
    def online(self) -> bool:
        """Whether the bot has a session with a connection."""
        return self._online

    def drop_connections(self) -> None:
        """Cut every line without a word; sessions can be resumed."""
        for connection in tuple(self._connections):
            connection.abort()

    def ask_to_reconnect(self) -> None:
        """Send op 7 to every session."""
        for session in self._connected():
            self._put(session, {"op": int(Opcode.RECONNECT), "d": None})

    def invalidate(self, *, resumable: bool) -> None:
        """Send op 9 to every session; those that cannot be resumed are forgotten."""
        for session in self._connected():
            self._put(session, {"op": int(Opcode.INVALID_SESSION), "d": resumable})
            if not resumable:
                self._forget(session)

    async def close_connections(self) -> None:
        """End every connection properly, as a gateway that shuts down does."""
        for connection in tuple(self._connections):
            with contextlib.suppress(ConnectionError):
                await connection.socket.close(code=1001)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one socket until its end."""
        socket = web.WebSocketResponse(max_msg_size=0, autoping=True)
        await socket.prepare(request)
        connection = Connection(socket, request)
        self._connections.add(connection)
        writer = asyncio.create_task(connection.write())
        session: Session | None = None
        try:
            session = await self._converse(connection)
        except _Closing as closing:
            await socket.close(code=closing.code)
        except ConnectionError:
            pass  # the line broke; the session waits for its resumption
        finally:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await writer
            self._connections.discard(connection)
            self._part(connection, session)
        return socket

    async def _converse(self, connection: Connection) -> Session | None:
        interval = self._heartbeat_interval
        connection.put({"op": int(Opcode.HELLO), "d": {"heartbeat_interval": int(interval * 1000)}})
        loop = asyncio.get_running_loop()
        last_beat = loop.time()
        sends: deque[float] = deque()
        session: Session | None = None
        while True:
            patience = last_beat + interval * 1.5 - loop.time()
            try:
                message = await connection.socket.receive(timeout=max(patience, 0.001))
            except TimeoutError:
                raise _Closing(CloseCode.SESSION_TIMED_OUT) from None
            if message.type is not WSMsgType.TEXT:
                return session
            _count_send(sends, loop.time())
            payload = _decoded(message.data)
            if payload["op"] == Opcode.HEARTBEAT:
                last_beat = loop.time()
                if not self._faults.heartbeats_muted:
                    connection.put({"op": int(Opcode.HEARTBEAT_ACK), "d": None})
            else:
                session = self._handle(connection, session, payload)

    def _handle(
        self, connection: Connection, session: Session | None, payload: Json
    ) -> Session | None:
        opcode, content = payload["op"], _object(payload.get("d"))
        if opcode in (Opcode.IDENTIFY, Opcode.RESUME):
            if session is not None:
                raise _Closing(CloseCode.ALREADY_AUTHENTICATED)
            if content.get("token") != self._bot_token:
                raise _Closing(CloseCode.AUTHENTICATION_FAILED)
            if opcode == Opcode.IDENTIFY:
                return self._identify(connection, content)
            return self._resume(connection, content)
        if session is None:
            raise _Closing(CloseCode.NOT_AUTHENTICATED)
        if opcode == Opcode.REQUEST_GUILD_MEMBERS:
            self._send_members(session, content)
        elif opcode not in (Opcode.PRESENCE_UPDATE, Opcode.VOICE_STATE_UPDATE):
            raise _Closing(CloseCode.UNKNOWN_OPCODE)
        return session

    def _identify(self, connection: Connection, content: Json) -> Session:
        intents = content.get("intents")
        if not isinstance(intents, int) or intents & ~KNOWN_INTENTS:
            raise _Closing(CloseCode.INVALID_INTENTS)
        allowed = self._world.directory.application.allowed_intents
        if intents & PRIVILEGED_INTENTS & ~allowed or self._faults.take_refused_intents():
            raise _Closing(CloseCode.DISALLOWED_INTENTS)
        shard_id, shard_count = content.get("shard", (0, 1))
        if not 0 <= shard_id < shard_count:
            raise _Closing(CloseCode.INVALID_SHARD)
        session = Session(secrets.token_hex(16), (shard_id, shard_count), intents)
        session.connection = connection
        self._sessions = {
            other.id: other for other in self._sessions.values() if other.shard != session.shard
        } | {session.id: session}
        guilds = [
            guild
            for guild in self._world.directory.guilds.values()
            if session.covers(guild.id)
            and self._world.directory.bot.id in self._world.directory.members[guild.id]
        ]
        application = self._renderer.application()
        self._dispatch(
            session,
            (
                "READY",
                {
                    "v": 10,
                    "user": self._renderer.own_user(),
                    "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                    "session_id": session.id,
                    "session_type": "normal",
                    "resume_gateway_url": self._url,
                    "shard": [shard_id, shard_count],
                    "application": {"id": application["id"], "flags": application["flags"]},
                    "private_channels": [],
                    "relationships": [],
                },
            ),
        )
        if intents & Intent.GUILDS:
            all_members = bool(intents & Intent.GUILD_MEMBERS)
            for guild in guilds:
                rendered = self._renderer.guild_create(guild, all_members=all_members)
                self._dispatch(session, ("GUILD_CREATE", rendered))
        self._note_presence()
        return session

    def _resume(self, connection: Connection, content: Json) -> Session | None:
        session = self._sessions.get(str(content.get("session_id")))
        told = content.get("seq")
        refused = self._faults.take_refused_resume()
        if session is None or not isinstance(told, int) or refused:
            connection.put({"op": int(Opcode.INVALID_SESSION), "d": False})
            return None
        if told > session.sequence:
            raise _Closing(CloseCode.INVALID_SEQUENCE)
        missed = [payload for payload in session.backlog if payload["s"] > told]
        if len(missed) < session.sequence - told:
            connection.put({"op": int(Opcode.INVALID_SESSION), "d": False})
            return None
        if session.connection is not None:
            session.connection.abort()
        session.connection = connection
        for payload in missed:
            connection.put(payload)
        self._dispatch(session, ("RESUMED", {}))
        self._note_presence()
        return session

    def _send_members(self, session: Session, request: Json) -> None:
        directory = self._world.directory
        guild_id = Snowflake(int(request.get("guild_id", 0)))
        members = list(directory.members.get(guild_id, {}).values())
        asked: Any = request.get("user_ids", [])
        wanted = [int(user) for user in (asked if isinstance(asked, list) else [asked])]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] -- any JSON value
        query = str(request.get("query", "")).lower()

        def is_asked_for(member: Member) -> bool:
            if wanted:
                return member.user_id in wanted
            return directory.user(member.user_id).username.lower().startswith(query)

        chosen = [member for member in members if is_asked_for(member)]
        limit = int(request.get("limit", 0))
        chosen = chosen[:limit] if limit else chosen
        found = {member.user_id for member in chosen}
        chunk: Json = {
            "guild_id": str(guild_id),
            "members": [self._renderer.member(member) for member in chosen],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [str(user) for user in wanted if user not in found],
        }
        if request.get("presences"):
            chunk["presences"] = []
        if request.get("nonce") is not None:
            chunk["nonce"] = request["nonce"]
        self._dispatch(session, ("GUILD_MEMBERS_CHUNK", chunk))

    def _tell(self, happening: Happening) -> None:
        if isinstance(happening, (BotOnline, BotOffline)):
            return
        guild_id = self._dispatcher.guild_of(happening)
        for session in tuple(self._sessions.values()):
            if not session.covers(guild_id):
                continue
            event = self._dispatcher.dispatch(happening, session.intents)
            if event is not None:
                self._dispatch(session, event)

    def _dispatch(self, session: Session, event: Dispatch) -> None:
        self.payloads.append(SentPayload(event[0], event[1], session.intents))
        session.dispatch(event)

    def _connected(self) -> list[Session]:
        return [session for session in self._sessions.values() if session.connection is not None]

    def _put(self, session: Session, payload: Json) -> None:
        if session.connection is not None:
            session.connection.put(payload)

    def _part(self, connection: Connection, session: Session | None) -> None:
        if session is None or session.connection is not connection:
            return
        session.connection = None
        if connection.socket.close_code in (1000, 1001):
            self._forget(session)
        self._note_presence()

    def _forget(self, session: Session) -> None:
        self._sessions.pop(session.id, None)

    def _note_presence(self) -> None:
        online = bool(self._connected())
        if online is not self._online:
            self._online = online
            self._world.bulletin.post(BotOnline() if online else BotOffline())


def _object(value: object) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}


def _decoded(text: str) -> Json:
    if len(text.encode()) > _PAYLOAD_LIMIT:
        raise _Closing(CloseCode.DECODE_ERROR)
    try:
        payload = json.loads(text)
    except ValueError:
        raise _Closing(CloseCode.DECODE_ERROR) from None
    if not isinstance(payload, dict) or not isinstance(payload.get("op"), int):  # pyright: ignore[reportUnknownMemberType] -- any JSON value
        raise _Closing(CloseCode.DECODE_ERROR)
    return payload  # pyright: ignore[reportUnknownVariableType] -- any JSON value


def _count_send(sends: deque[float], now: float) -> None:
    sends.append(now)
    while sends[0] < now - 60:
        sends.popleft()
    if len(sends) > _SENDS_A_MINUTE:
        raise _Closing(CloseCode.RATE_LIMITED)
