"""A learner for tests and scripts: a thin client of the playground's learner side."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Self

import aiohttp

from bot.playground.errors import LearnerError
from bot.playground.wire import Json

_FIRST_CHANNEL = "general"


class Learner:
    """One person in the playground at ``url``, by user name or id.

    Use it as `async with Learner(url, "小明") as learner`. Channels are named by id or by name.
    Every call raises `LearnerError` where the playground refuses.
    """

    def __init__(self, url: str, user: str) -> None:
        self._url = url
        self._user = user
        self._after = 0
        self._session: aiohttp.ClientSession | None = None
        self.id = ""
        self.bot_id = ""

    async def __aenter__(self) -> Self:
        """Connect, and look up who this is."""
        self._session = aiohttp.ClientSession(self._url)
        try:
            await self._introduce()
        except BaseException:
            await self._session.close()
            raise
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Disconnect."""
        await self._open.close()

    async def state(self) -> Json:
        """Bot, users, guilds and channels."""
        return await self._call("GET", "/state")

    async def channel(self, name: str) -> str:
        """The id of a channel or thread by its name; ids are given back as they are."""
        if name.isdigit():
            return name
        state = await self.state()
        for guild in state["guilds"]:
            for channel in guild["channels"]:
                if channel["name"] == name:
                    return channel["id"]
        raise LearnerError(404, "unknown_channel", f"没有频道 {name} · No channel {name}")

    async def wait_for_bot(self, timeout: float = 20) -> None:  # noqa: ASYNC109 -- the deadline is the call's meaning
        """Return once the bot is online; TimeoutError where it does not come."""
        state = await self.state()
        if state["bot"]["online"]:
            return
        async with asyncio.timeout(timeout), aclosing(self.events(state["event"])) as events:
            async for event in events:
                if event["type"] == "bot_online":
                    return

    async def say(
        self, content: str, channel: str = _FIRST_CHANNEL, reply_to: str | None = None
    ) -> Json:
        """Write a message."""
        body = {"content": content} | ({"reply_to": reply_to} if reply_to else {})
        return await self._act(f"/channels/{await self.channel(channel)}/messages", body)

    async def mention(self, content: str, channel: str = _FIRST_CHANNEL) -> Json:
        """Write a message to the bot by name."""
        return await self.say(f"<@{self.bot_id}> {content}", channel)

    async def open_dm(self) -> str:
        """The id of the conversation with the bot."""
        return (await self._act("/dm", {}))["id"]

    async def dm(self, content: str) -> Json:
        """Write to the bot alone."""
        return await self.say(content, await self.open_dm())

    async def open_thread(
        self, name: str, channel: str = _FIRST_CHANNEL, message: str | None = None
    ) -> Json:
        """Open a thread."""
        body = {"name": name} | ({"message": message} if message else {})
        return await self._act(f"/channels/{await self.channel(channel)}/threads", body)

    async def react(self, message: Json, emoji: str, *, remove: bool = False) -> Json:
        """React to a message, or take the reaction back."""
        path = f"/channels/{message['channel_id']}/messages/{message['id']}/reactions"
        return await self._act(path, {"emoji": emoji, "remove": remove})

    async def commands(self, guild: str | None = None) -> list[Json]:
        """The commands offered in a guild (the first one by default)."""
        place: str = guild or (await self.state())["guilds"][0]["id"]
        query = {"as": self._user, "guild": place}
        return (await self._call("GET", "/commands", query=query))["commands"]

    async def slash(self, command: str, channel: str = _FIRST_CHANNEL, **options: Any) -> Json:  # noqa: ANN401 -- any option's value
        """Use a command; its interaction, once acknowledged or failed."""
        place = await self.channel(channel)
        body = {"channel": place, "command": command, "options": options}
        return (await self._act("/commands", body))["interaction"]

    async def autocomplete(
        self,
        command: str,
        focused: str,
        channel: str = _FIRST_CHANNEL,
        **options: Any,  # noqa: ANN401 -- any option's value
    ) -> list[Json]:
        """The completions of an option."""
        body = {
            "channel": await self.channel(channel),
            "command": command,
            "options": options,
            "focused": focused,
        }
        return (await self._act("/autocomplete", body))["choices"]

    async def press(self, message: Json, custom_id: str) -> Json:
        """Press a button; its interaction."""
        return await self._use("/press", message, custom_id)

    async def choose(self, message: Json, custom_id: str, *values: str) -> Json:
        """Choose in a select; its interaction."""
        return await self._use("/choose", message, custom_id, values=list(values))

    async def submit(self, interaction: Json, **fields: Any) -> Json:  # noqa: ANN401 -- any field's value
        """Send the modal that an interaction opened; the new interaction."""
        body = {"interaction": interaction["id"], "fields": fields}
        return (await self._act("/modal", body))["interaction"]

    async def interaction(self, interaction_id: str) -> Json:
        """An interaction as it stands."""
        return (await self._call("GET", f"/interactions/{interaction_id}"))["interaction"]

    async def messages(self, channel: str = _FIRST_CHANNEL, after: str | None = None) -> list[Json]:
        """What is to be seen in a channel, oldest first."""
        query = {"as": self._user} | ({"after": after} if after else {})
        place = await self.channel(channel)
        return (await self._call("GET", f"/channels/{place}/messages", query=query))["messages"]

    async def wait_for_message(
        self,
        predicate: Callable[[Json], bool],
        timeout: float = 10,  # noqa: ASYNC109 -- the deadline is the call's meaning
    ) -> Json:
        """The first message, new or edited since this learner came, that ``predicate`` takes.

        What was looked at before is looked at again, so no message is missed between two calls.
        TimeoutError where none comes.
        """
        async with asyncio.timeout(timeout), aclosing(self.events()) as events:
            async for event in events:
                is_message = event["type"] in ("message_create", "message_update")
                if is_message and predicate(event["message"]):
                    return event["message"]
        raise TimeoutError

    async def wait_for_answer(self, question: Json, timeout: float = 10) -> Json:  # noqa: ASYNC109 -- the deadline is the call's meaning
        """The bot's first message that replies to ``question``."""
        return await self.wait_for_message(
            lambda message: (
                message["author"]["id"] == self.bot_id
                and message.get("message_reference", {}).get("message_id") == question["id"]
            ),
            timeout,
        )

    async def events(self, after: int | None = None) -> AsyncGenerator[Json]:
        """What happens, since this learner came or after a number; each with its `number`."""
        query = {"as": self._user, "after": str(self._after if after is None else after)}
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._open.get("/learner/events", params=query, timeout=timeout) as response:
            await _check(response)
            number = 0
            async for line in response.content:
                text = line.decode().rstrip("\n")
                if text.startswith("id: "):
                    number = int(text.removeprefix("id: "))
                elif text.startswith("data: "):
                    yield json.loads(text.removeprefix("data: ")) | {"number": number}

    async def advance(self, seconds: float) -> None:
        """Move the playground's clock on."""
        await self._call("POST", "/clock", {"advance": seconds})

    async def _introduce(self) -> None:
        state = await self.state()
        self._after = state["event"]
        self.bot_id = state["bot"]["id"]
        for user in state["users"]:
            if self._user in (user["id"], user["username"]):
                self.id = user["id"]
                return
        raise LearnerError(404, "unknown_user", f"没有用户 {self._user} · No user {self._user}")

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("use the learner inside `async with`")
        return self._session

    async def _use(self, path: str, message: Json, custom_id: str, **more: object) -> Json:
        body = {
            "channel": message["channel_id"],
            "message": message["id"],
            "custom_id": custom_id,
            **more,
        }
        return (await self._act(path, body))["interaction"]

    async def _act(self, path: str, body: Json) -> Json:
        return await self._call("POST", path, {"as": self._user, **body})

    async def _call(
        self, method: str, path: str, body: Json | None = None, query: dict[str, str] | None = None
    ) -> Json:
        request = self._open.request(method, "/learner" + path, json=body, params=query)
        async with request as response:
            await _check(response)
            return await response.json()


async def _check(response: aiohttp.ClientResponse) -> None:
    if not response.ok:
        error = (await response.json())["error"]
        raise LearnerError(response.status, error["code"], error["message"])
