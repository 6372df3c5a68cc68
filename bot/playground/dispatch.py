"""From happenings to gateway dispatches: what a session with its intents is told."""

from bot.playground import happenings
from bot.playground.happenings import Happening
from bot.playground.render import Renderer, emoji_json
from bot.playground.values import Message
from bot.playground.wire import Intent, Json, Snowflake
from bot.playground.world import World

Dispatch = tuple[str, Json]
"""The name of an event and its content."""


_MESSAGES = (Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES)
_REACTIONS = (Intent.GUILD_MESSAGE_REACTIONS, Intent.DIRECT_MESSAGE_REACTIONS)


class Dispatcher:
    """Says what of a happening a session hears."""

    def __init__(self, world: World, renderer: Renderer) -> None:
        self._world = world
        self._directory = world.directory
        self._renderer = renderer

    def guild_of(self, happening: Happening) -> Snowflake | None:
        """The guild where it happened; None for direct conversations. It decides on the shard."""
        match happening:
            case (
                happenings.MessageCreated(message)
                | happenings.MessageUpdated(message)
                | happenings.MessageDeleted(message)
                | happenings.ReactionAdded(message)
                | happenings.ReactionRemoved(message)
            ):
                return self._directory.channel(message.channel_id).guild_id
            case (
                happenings.ThreadCreated(channel)
                | happenings.ChannelCreated(channel)
                | happenings.ChannelUpdated(channel)
                | happenings.ChannelDeleted(channel)
                | happenings.TypingStarted(channel)
            ):
                return channel.guild_id
            case happenings.InteractionCreated(interaction):
                return interaction.guild_id
            case happenings.MemberJoined(member):
                return member.guild_id
            case _:
                return None

    def dispatch(self, happening: Happening, intents: int) -> Dispatch | None:
        """The event that a session with ``intents`` gets, or None where it hears nothing."""
        match happening:
            case happenings.MessageCreated(message):
                return self._message("MESSAGE_CREATE", message, intents)
            case happenings.MessageUpdated(message):
                return self._message("MESSAGE_UPDATE", message, intents)
            case happenings.MessageDeleted(message):
                if not self._hears(message, intents, _MESSAGES):
                    return None
                return "MESSAGE_DELETE", self._place(message) | {"id": str(message.id)}
            case happenings.ReactionAdded(message, user_id, emoji):
                return self._reaction("MESSAGE_REACTION_ADD", message, user_id, emoji, intents)
            case happenings.ReactionRemoved(message, user_id, emoji):
                return self._reaction("MESSAGE_REACTION_REMOVE", message, user_id, emoji, intents)
            case happenings.TypingStarted():
                return self._typing(happening, intents)
            case happenings.InteractionCreated(interaction):
                return "INTERACTION_CREATE", self._renderer.interaction(interaction)
            case happenings.MemberJoined(member):
                if not intents & Intent.GUILD_MEMBERS:
                    return None
                rendered = self._renderer.member(member) | {"guild_id": str(member.guild_id)}
                return "GUILD_MEMBER_ADD", rendered
            case _:
                return self._channel(happening, intents)

    def _hears(self, message: Message, intents: int, either: tuple[Intent, Intent]) -> bool:
        channel = self._directory.channel(message.channel_id)
        wanted = either[channel.guild_id is None]
        seen = self._directory.may_see(self._directory.bot.id, channel)
        return bool(intents & wanted) and seen and not message.ephemeral

    def _message(self, name: str, message: Message, intents: int) -> Dispatch | None:
        if not self._hears(message, intents, _MESSAGES):
            return None
        rendered = self._renderer.message(message, self._directory.bot.id)
        guild_id = self._directory.channel(message.channel_id).guild_id
        if guild_id is not None:
            rendered["guild_id"] = str(guild_id)
            members = self._directory.members[guild_id]
            author = members.get(message.author_id)
            if author is not None:
                rendered["member"] = self._renderer.member(author, with_user=False)
            for mentioned in rendered["mentions"]:
                member = members.get(Snowflake(int(mentioned["id"])))
                if member is not None:
                    mentioned["member"] = self._renderer.member(member, with_user=False)
        return name, self._within_intents(rendered, message, intents)

    def _within_intents(self, rendered: Json, message: Message, intents: int) -> Json:
        """Without the message content intent, what others wrote comes without its content."""
        if intents & Intent.MESSAGE_CONTENT:
            return rendered
        if not self._is_for_bot(message):
            rendered |= {"content": "", "embeds": [], "attachments": [], "components": []}
        referenced = rendered.get("referenced_message")
        if referenced:
            found = self._world.conversation.find(
                int(referenced["channel_id"]), int(referenced["id"])
            )
            if found is not None and not self._is_for_bot(found):
                referenced |= {"content": "", "embeds": [], "attachments": [], "components": []}
        return rendered

    def _is_for_bot(self, message: Message) -> bool:
        bot_id = self._directory.bot.id
        direct = self._directory.channel(message.channel_id).guild_id is None
        return direct or message.author_id == bot_id or bot_id in message.mentions.users

    def _place(self, message: Message) -> Json:
        guild_id = self._directory.channel(message.channel_id).guild_id
        place: Json = {"channel_id": str(message.channel_id)}
        return place if guild_id is None else place | {"guild_id": str(guild_id)}

    def _reaction(
        self, name: str, message: Message, user_id: Snowflake, emoji: str, intents: int
    ) -> Dispatch | None:
        if not self._hears(message, intents, _REACTIONS):
            return None
        place = self._place(message)
        rendered = place | {
            "user_id": str(user_id),
            "message_id": str(message.id),
            "emoji": emoji_json(emoji),
            "burst": False,
            "type": 0,
        }
        if name == "MESSAGE_REACTION_ADD":
            rendered |= {"message_author_id": str(message.author_id), "burst_colors": []}
            if "guild_id" in place:
                member = self._directory.member(int(place["guild_id"]), user_id)
                rendered["member"] = self._renderer.member(member)
        return name, rendered

    def _channel(self, happening: Happening, intents: int) -> Dispatch | None:
        match happening:
            case happenings.ThreadCreated(channel):
                name = "THREAD_CREATE"
            case happenings.ChannelCreated(channel):
                name = "CHANNEL_CREATE"
            case happenings.ChannelUpdated(channel):
                name = "THREAD_UPDATE" if channel.thread else "CHANNEL_UPDATE"
            case happenings.ChannelDeleted(channel):
                name = "THREAD_DELETE" if channel.thread else "CHANNEL_DELETE"
            case _:
                return None
        if channel.guild_id is not None and not intents & Intent.GUILDS:
            return None
        is_there = channel.id in self._directory.channels
        if is_there and not self._directory.may_see(self._directory.bot.id, channel):
            return None
        rendered = self._renderer.channel(channel)
        if name == "THREAD_CREATE":
            rendered["newly_created"] = True
        return name, rendered

    def _typing(self, typing: happenings.TypingStarted, intents: int) -> Dispatch | None:
        channel = typing.channel
        direct = channel.guild_id is None
        wanted = Intent.DIRECT_MESSAGE_TYPING if direct else Intent.GUILD_MESSAGE_TYPING
        if not intents & wanted or not self._directory.may_see(self._directory.bot.id, channel):
            return None
        rendered: Json = {
            "channel_id": str(channel.id),
            "user_id": str(typing.user_id),
            "timestamp": int(typing.at.timestamp()),
        }
        if channel.guild_id is not None:
            member = self._directory.member(channel.guild_id, typing.user_id)
            rendered |= {
                "guild_id": str(channel.guild_id),
                "member": self._renderer.member(member),
            }
        return "TYPING_START", rendered
