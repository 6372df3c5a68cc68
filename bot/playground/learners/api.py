"""The learners' side over HTTP: JSON, and a stream of events."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from aiohttp import web

from bot.playground.api import Api
from bot.playground.errors import ApiError, LearnerError
from bot.playground.faults import Dropped, Fault, Faults, RateLimited, ServerError, Slow
from bot.playground.gateway import Gateway
from bot.playground.happenings import ClockMoved, Happening, InteractionChanged
from bot.playground.learners.acts import Acts
from bot.playground.learners.stream import LearnerStream, Numbered
from bot.playground.render import Renderer, instant
from bot.playground.values import Channel, Interaction, InteractionState, User
from bot.playground.wire import ALL_PERMISSIONS, Json, Permission, Snowflake
from bot.playground.world import World

_PAGE = Path(__file__).parent.parent / "page" / "index.html"
_KEEP_ALIVE_SECONDS = 15

Handler = Callable[["Asked"], Awaitable[Json] | Json]


class Asked:
    """A request of a learner: query and JSON body, each value read with its kind."""

    def __init__(self, request: web.Request, body: Json) -> None:
        self.request = request
        self._values: Json = {**request.query, **request.match_info, **body}

    def text(self, name: str, default: str | None = None) -> str:
        """A text that must be there unless there is a default."""
        value = self._values.get(name, default)
        if not isinstance(value, str):
            raise _invalid(name, "文本", "text")
        return value

    def flag(self, name: str) -> bool:
        """Yes or no; no where it is absent."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise _invalid(name, "true 或 false", "true or false")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A number, or text that is one."""
        value = self._values.get(name, default)
        try:
            return float(value)  # pyright: ignore[reportArgumentType] -- None is refused below
        except (TypeError, ValueError):
            raise _invalid(name, "数字", "a number") from None

    def id(self, name: str) -> int:
        """An id."""
        value = self.optional_id(name)
        if value is None:
            raise _invalid(name, "编号", "an id")
        return value

    def optional_id(self, name: str) -> int | None:
        """An id, or None where it is absent."""
        value = self._values.get(name)
        if value is None:
            return None
        if not str(value).isdigit():
            raise _invalid(name, "编号", "an id")
        return int(value)

    def mapping(self, name: str) -> Json:
        """An object; empty where it is absent."""
        value = self._values.get(name, {})
        if not isinstance(value, dict):
            raise _invalid(name, "对象", "an object")
        return cast("Json", value)

    def value(self, name: str) -> Any:  # noqa: ANN401 -- any JSON value
        """Whatever is there."""
        return self._values.get(name)


class LearnerApi:
    """Serves the learners; whoever can reach the address may act as anybody."""

    def __init__(  # noqa: PLR0913 -- its collaborators, each by name
        self,
        world: World,
        renderer: Renderer,
        gateway: Gateway,
        api: Api,
        faults: Faults,
        *,
        host: str,
    ) -> None:
        self._world = world
        self._directory = world.directory
        self._renderer = renderer
        self._gateway = gateway
        self._api = api
        self._faults = faults
        self._host = host
        self._acts = Acts(world, renderer)
        self._settled: dict[Snowflake, asyncio.Event] = {}
        self.stream = LearnerStream(world, renderer)
        world.bulletin.listen(self._note_settled)

    def add_to(self, application: web.Application) -> None:
        """Serve the page and every route below /learner."""
        application.router.add_get("/", self._serve_page)
        application.router.add_get("/learner/events", self._serve_events)
        routes: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/state", self._state),
            ("POST", "/users", self._add_user),
            ("GET", "/channels/{id}/messages", self._list_messages),
            ("POST", "/channels/{id}/messages", self._say),
            ("POST", "/channels/{id}/threads", self._open_thread),
            ("POST", "/channels/{id}/messages/{message}/reactions", self._react),
            ("POST", "/dm", self._open_direct),
            ("GET", "/commands", self._list_commands),
            ("POST", "/commands", self._use_command),
            ("POST", "/autocomplete", self._complete),
            ("POST", "/press", self._press),
            ("POST", "/choose", self._choose),
            ("POST", "/modal", self._submit),
            ("GET", "/interactions/{id}", self._get_interaction),
            ("GET", "/clock", self._get_clock),
            ("POST", "/clock", self._move_clock),
            ("GET", "/requests", self._list_requests),
            ("POST", "/faults", self._add_fault),
            ("DELETE", "/faults", self._clear_faults),
        )
        for method, path, handler in routes:
            application.router.add_route(method, "/learner" + path, self._bound(handler))

    def _bound(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            try:
                self._refuse_strangers(request)
                answer = handler(Asked(request, await _body(request)))
                body = answer if isinstance(answer, dict) else await answer
            except LearnerError as error:
                return _refused(error)
            except ApiError as error:
                return _refused(_translated(error))
            return _json(body)

        return serve

    def _refuse_strangers(self, request: web.Request) -> None:
        """Other web pages can neither drive the playground nor read it by another name for it."""
        name = urlsplit(f"//{request.host}").hostname or ""
        if name not in (self._host, "localhost") and not _is_address(name):
            raise LearnerError(403, "foreign_host", "不认识的主机名 · Unknown host name")
        origin = request.headers.get("Origin")
        if request.method != "GET" and origin not in (None, f"http://{request.host}"):
            raise LearnerError(403, "foreign_origin", "来自别的网页 · It came from another page")

    async def _serve_page(self, request: web.Request) -> web.StreamResponse:
        del request
        if not _PAGE.exists():
            raise web.HTTPNotFound
        return web.FileResponse(_PAGE, headers={"Cache-Control": "no-cache"})

    async def _serve_events(self, request: web.Request) -> web.StreamResponse:
        try:
            self._refuse_strangers(request)
            asked = Asked(request, {})
            user = self._user(asked)
            told = request.headers.get("Last-Event-ID") or request.query.get("after")
            after = self.stream.last if told is None else int(told)
        except LearnerError as error:
            return _refused(error)
        except ValueError:
            return _refused(_invalid("after", "数字", "a number"))
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        with self.stream.follow(after) as queue, contextlib.suppress(ConnectionError):
            await response.write(b": hello\n\n")
            await self._write_events(response, user, queue)
        return response

    async def _write_events(
        self, response: web.StreamResponse, user: User, queue: "asyncio.Queue[Numbered | None]"
    ) -> None:
        while True:
            try:
                numbered = await asyncio.wait_for(queue.get(), _KEEP_ALIVE_SECONDS)
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            if numbered is None:
                return
            event = self.stream.seen_by(user, numbered[1])
            if event is not None:
                text = json.dumps(event, ensure_ascii=False)
                await response.write(f"id: {numbered[0]}\ndata: {text}\n\n".encode())

    def _state(self, _asked: Asked) -> Json:
        bot = self._directory.bot
        users = [user for user in self._directory.users.values() if not user.bot]
        return {
            "bot": {
                "id": str(bot.id),
                "username": bot.username,
                "online": self._gateway.online,
            },
            "users": [self._person(user) for user in users],
            "guilds": [
                {
                    "id": str(guild.id),
                    "name": guild.name,
                    "channels": [
                        self._channel(channel)
                        for channel in (
                            *self._directory.channels_of(guild.id),
                            *self._directory.threads_of(guild.id),
                        )
                    ],
                }
                for guild in self._directory.guilds.values()
            ],
            "now": instant(self._world.clock.now()),
            "event": self.stream.last,
        }

    def _add_user(self, asked: Asked) -> Json:
        locale = asked.text("locale", "zh-CN")
        user = self._acts.add_user(asked.text("username"), locale, staff=asked.flag("staff"))
        return self._person(user)

    def _list_messages(self, asked: Asked) -> Json:
        user, channel = self._user(asked), self._named_channel(asked, "id")
        self._directory.require(user.id, channel)
        after = asked.optional_id("after") or 0
        messages = self._world.conversation.seen_by(user.id, channel.id)
        return {
            "messages": [
                self._renderer.message(message, user.id)
                for message in messages
                if message.id > after
            ]
        }

    def _say(self, asked: Asked) -> Json:
        user, channel = self._user(asked), self._named_channel(asked, "id")
        reply_to = asked.optional_id("reply_to")
        message = self._acts.say(user, channel, asked.text("content"), reply_to)
        return self._renderer.message(message, user.id)

    def _open_thread(self, asked: Asked) -> Json:
        user, channel = self._user(asked), self._named_channel(asked, "id")
        message_id = asked.optional_id("message")
        return self._channel(self._acts.open_thread(user, channel, asked.text("name"), message_id))

    def _react(self, asked: Asked) -> Json:
        user, channel = self._user(asked), self._named_channel(asked, "id")
        message = self._acts.react(
            user, channel, asked.id("message"), asked.text("emoji"), remove=asked.flag("remove")
        )
        return self._renderer.message(message, user.id)

    def _open_direct(self, asked: Asked) -> Json:
        user = self._user(asked)
        channel = self._directory.direct_channel(user)
        return self._renderer.channel(channel, user.id) | {"name": self._directory.bot.username}

    def _list_commands(self, asked: Asked) -> Json:
        guild_id = asked.optional_id("guild")
        if guild_id is not None:
            guild_id = self._directory.guild(guild_id).id
        commands = self._world.commands.visible_to(self._user(asked), guild_id)
        return {"commands": [self._renderer.command(command) for command in commands]}

    async def _use_command(self, asked: Asked) -> Json:
        user, channel = self._user(asked), self._named_channel(asked, "channel")
        command = asked.text("command").removeprefix("/")
        options = asked.mapping("options")
        return await self._answered(self._acts.use_command(user, channel, command, options))

    async def _complete(self, asked: Asked) -> Json:
        user, channel = self._user(asked), self._named_channel(asked, "channel")
        interaction = await self._settle(
            self._acts.complete(
                user,
                channel,
                asked.text("command").removeprefix("/"),
                asked.mapping("options"),
                asked.text("focused"),
            )
        )
        if interaction.state is InteractionState.FAILED:
            raise LearnerError(504, "no_answer", "补全没有回应 · No completions came")
        return {"choices": list(interaction.choices)}

    async def _press(self, asked: Asked) -> Json:
        user, channel = self._user(asked), self._named_channel(asked, "channel")
        return await self._answered(
            self._acts.press(user, channel, asked.id("message"), asked.text("custom_id"))
        )

    async def _choose(self, asked: Asked) -> Json:
        user, channel = self._user(asked), self._named_channel(asked, "channel")
        message_id, custom_id = asked.id("message"), asked.text("custom_id")
        return await self._answered(
            self._acts.choose(user, channel, message_id, custom_id, asked.value("values"))
        )

    async def _submit(self, asked: Asked) -> Json:
        user = self._user(asked)
        return await self._answered(
            self._acts.submit(user, asked.id("interaction"), asked.mapping("fields"))
        )

    def _get_interaction(self, asked: Asked) -> Json:
        interaction = self._world.interactions.find(asked.id("id"))
        if interaction is None:
            raise LearnerError(404, "unknown_interaction", "没有这次交互 · No such interaction")
        return {"interaction": self._renderer.learner_interaction(interaction)}

    def _get_clock(self, _asked: Asked) -> Json:
        return {"now": instant(self._world.clock.now())}

    def _move_clock(self, asked: Asked) -> Json:
        seconds = asked.number("advance")
        try:
            self._world.clock.advance(seconds)
        except (OverflowError, ValueError):
            raise _invalid("advance", "不小的秒数", "seconds to move on by") from None
        self._world.bulletin.post(ClockMoved(self._world.clock.now()))
        return self._get_clock(asked)

    def _list_requests(self, asked: Asked) -> Json:
        after = asked.number("after", 0)
        return {
            "requests": [
                {
                    "number": record.number,
                    "at": instant(record.at),
                    "method": record.method,
                    "path": record.path,
                    "route": record.template,
                    "query": record.query,
                    "body": record.body,
                    "files": list(record.files),
                    "status": record.status,
                    "answer": record.answer,
                }
                for record in self._api.requests
                if record.number > after
            ]
        }

    def _add_fault(self, asked: Asked) -> Json:
        kind, route = asked.text("kind"), asked.text("route", "*")
        times = int(asked.number("times", 1))
        gateway: dict[str, Callable[[], None]] = {
            "drop_gateway": self._gateway.drop_connections,
            "reconnect": self._gateway.ask_to_reconnect,
            "invalid_session": lambda: self._gateway.invalidate(resumable=asked.flag("resumable")),
            "refuse_resume": lambda: self._faults.refuse_resumes(times),
            "refuse_intents": lambda: self._faults.refuse_intents(times),
            "mute_heartbeats": self._faults.mute_heartbeats,
        }
        if kind in gateway:
            gateway[kind]()
        else:
            self._faults.add(_fault(kind, asked), route, times)
        return {"kind": kind, "route": route, "times": times}

    def _clear_faults(self, _asked: Asked) -> Json:
        self._faults.clear()
        return {}

    def _user(self, asked: Asked) -> User:
        name = asked.text("as")
        for user in self._directory.users.values():
            if name in (str(user.id), user.username) and not user.bot:
                return user
        raise LearnerError(404, "unknown_user", f"没有用户 {name} · No user {name}")

    def _named_channel(self, asked: Asked, name: str) -> Channel:
        return self._directory.channel(asked.id(name))

    def _person(self, user: User) -> Json:
        guilds = [
            guild_id for guild_id, members in self._directory.members.items() if user.id in members
        ]
        bits = [self._directory.guild_permissions(user.id, guild_id) for guild_id in guilds]
        staff = any(one == ALL_PERMISSIONS or one & Permission.MANAGE_GUILD for one in bits)
        return {
            "id": str(user.id),
            "username": user.username,
            "locale": user.locale,
            "staff": staff,
        }

    def _channel(self, channel: Channel) -> Json:
        rendered: Json = {"id": str(channel.id), "name": channel.name, "type": int(channel.kind)}
        if channel.parent_id is not None:
            rendered["parent_id"] = str(channel.parent_id)
        return rendered

    async def _answered(self, interaction: Interaction) -> Json:
        settled = await self._settle(interaction)
        return {"interaction": self._renderer.learner_interaction(settled)}

    async def _settle(self, interaction: Interaction) -> Interaction:
        """The interaction once it is acknowledged or has failed."""
        event = self._settled.setdefault(interaction.id, asyncio.Event())
        try:
            while True:
                current = self._world.interactions.find(interaction.id) or interaction
                if current.state is not InteractionState.PENDING:
                    return current
                await event.wait()
        finally:
            self._settled.pop(interaction.id, None)

    def _note_settled(self, happening: Happening) -> None:
        if isinstance(happening, InteractionChanged):
            event = self._settled.get(happening.interaction.id)
            if event is not None:
                event.set()


def _fault(kind: str, asked: Asked) -> Fault:
    match kind:
        case "rate_limited" | "banned":
            via = kind == "rate_limited"
            everywhere = asked.flag("everywhere")
            return RateLimited(asked.number("retry_after", 0.2), via=via, everywhere=everywhere)
        case "server_error":
            return ServerError(int(asked.number("status", 500)))
        case "slow":
            return Slow(asked.number("seconds"))
        case "dropped":
            return Dropped(after=asked.flag("after"))
        case _:
            raise LearnerError(400, "unknown_fault", f"没有故障 {kind} · No fault {kind}")


async def _body(request: web.Request) -> Json:
    if request.method == "GET" or not request.can_read_body:
        return {}
    if request.content_type != "application/json":
        raise LearnerError(415, "not_json", "请求体应为 JSON · The body must be JSON")
    try:
        body = await request.json()
    except ValueError:
        raise LearnerError(400, "not_json", "请求体应为 JSON · The body must be JSON") from None
    if not isinstance(body, dict):
        raise LearnerError(400, "not_json", "请求体应为对象 · The body must be an object")
    return cast("Json", body)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _invalid(name: str, zh: str, en: str) -> LearnerError:
    return LearnerError(400, "invalid", f"{name} 应为{zh} · {name} takes {en}")


def _translated(error: ApiError) -> LearnerError:
    known = {
        10003: ("unknown_channel", "没有这个频道 · No such channel"),
        10004: ("unknown_guild", "没有这个群组 · No such guild"),
        10008: ("unknown_message", "没有这条消息 · No such message"),
        10013: ("unknown_user", "没有这个用户 · No such user"),
        50001: ("no_access", "看不到这个频道 · The channel cannot be seen"),
        50013: ("no_permission", "没有权限 · Not allowed"),
        50024: ("no_threads", "这里不能开子区 · No threads can be opened here"),
        160004: ("thread_exists", "这条消息已有子区 · The message has a thread already"),
    }
    code, message = known.get(error.code, (f"discord_{error.code}", error.message))
    return LearnerError(error.status, code, message)


def _refused(error: LearnerError) -> web.Response:
    return _json({"error": {"code": error.code, "message": error.message}}, error.status)


def _json(body: Json, status: int = 200) -> web.Response:
    text = json.dumps(body, ensure_ascii=False)
    return web.Response(
        text=text,
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
