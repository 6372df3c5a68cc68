"""What a learner does."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.playground.drafts import Place, pings, with_reply_ping
from bot.playground.errors import LearnerError, unknown
from bot.playground.learners.fields import chosen, submitted
from bot.playground.learners.options import Filled, Leaf, fill, fill_partly, leaf_of
from bot.playground.mentions import AllowedMentions
from bot.playground.render import Renderer
from bot.playground.threads import open_thread
from bot.playground.values import (
    Channel,
    Command,
    Draft,
    Interaction,
    InteractionState,
    Message,
    Reference,
    User,
)
from bot.playground.wire import (
    ButtonStyle,
    ComponentKind,
    InteractionKind,
    Json,
    OptionKind,
    Permission,
    Snowflake,
)
from bot.playground.world import World

_CONTENT_LIMIT = 2000


class Acts:
    """The acts of learners in a world; what Discord forbids raises `ApiError`."""

    def __init__(self, world: World, renderer: Renderer) -> None:
        self._world = world
        self._directory = world.directory
        self._renderer = renderer

    def add_user(self, username: str, locale: str, *, staff: bool) -> User:
        """A new person in every guild; staff get the role of that name."""
        name = username.strip()
        if not name:
            raise LearnerError(400, "invalid_name", "名字不能为空 · The name is empty")
        if any(user.username == name for user in self._directory.users.values()):
            raise LearnerError(409, "name_taken", f"已有 {name} · {name} is taken")
        user = self._directory.add_user(name, locale)
        for guild in self._directory.guilds.values():
            roles = [
                role
                for role in self._directory.roles[guild.id].values()
                if staff and role.permissions & Permission.MANAGE_GUILD
            ]
            self._directory.join(guild, user, *roles)
        return user

    def say(
        self, user: User, channel: Channel, content: str, reply_to: int | None = None
    ) -> Message:
        """Write a message, in answer to another where one is named."""
        self._directory.require_sending(user.id, channel)
        text = content.strip()
        if not text:
            raise LearnerError(400, "empty", "消息是空的 · The message is empty")
        if len(text) > _CONTENT_LIMIT:
            raise LearnerError(
                400,
                "too_long",
                f"消息最多 {_CONTENT_LIMIT} 个字符 · A message has {_CONTENT_LIMIT} characters",
            )
        place = Place(self._directory, channel, user.id)
        draft = Draft(content=text, mentions=pings(place, text, AllowedMentions()))
        if reply_to is not None:
            answered = self.visible_message(user, channel, reply_to)
            reference = Reference(channel.guild_id, channel.id, answered.id)
            draft = Draft(content=text, mentions=draft.mentions, reference=reference)
            draft = with_reply_ping(draft, answered.author_id)
        return self._world.conversation.send(channel, user.id, draft)

    def open_thread(
        self, user: User, channel: Channel, name: str, message_id: int | None
    ) -> Channel:
        """Open a thread, below a message where one is named."""
        message = None
        if message_id is not None:
            message = self._world.conversation.get(channel.id, message_id)
        return open_thread(self._world, channel, user.id, name, message=message)

    def react(
        self, user: User, channel: Channel, message_id: int, emoji: str, *, remove: bool
    ) -> Message:
        """React, or take the reaction back."""
        self._directory.require(user.id, channel, Permission.READ_MESSAGE_HISTORY)
        message = self.visible_message(user, channel, message_id)
        if not emoji.strip() or emoji.isascii():
            raise LearnerError(400, "unknown_emoji", "不是表情 · That is no emoji")
        if remove:
            self._world.conversation.unreact(message, user.id, emoji)
        else:
            if all(reaction.emoji != emoji for reaction in message.reactions):
                self._directory.require(user.id, channel, Permission.ADD_REACTIONS)
            self._world.conversation.react(message, user.id, emoji)
        return self.visible_message(user, channel, message_id)

    def use_command(
        self, user: User, channel: Channel, name: str, values: Mapping[str, Any]
    ) -> Interaction:
        """Use a slash command; subcommands are named after it, as in `study start`."""
        command, leaf = self._command(user, channel, name)
        data = self._command_data(command, leaf, fill(leaf, values), channel)
        return self._world.interactions.open(
            InteractionKind.COMMAND, user, channel, data, command_name=name
        )

    def complete(
        self, user: User, channel: Channel, name: str, values: Mapping[str, Any], focused: str
    ) -> Interaction:
        """Ask for completions of one option while the others may be filled in."""
        command, leaf = self._command(user, channel, name)
        data = self._command_data(command, leaf, fill_partly(leaf, values, focused), channel)
        return self._world.interactions.open(InteractionKind.AUTOCOMPLETE, user, channel, data)

    def press(self, user: User, channel: Channel, message_id: int, custom_id: str) -> Interaction:
        """Press a button."""
        message = self.visible_message(user, channel, message_id)
        button = self._component(message, custom_id)
        if button["type"] != ComponentKind.BUTTON or button["style"] == ButtonStyle.LINK:
            raise LearnerError(400, "no_button", "这不是按钮 · That is no button")
        data = {"component_type": button["type"], "custom_id": custom_id, "id": button["id"]}
        return self._world.interactions.open(
            InteractionKind.COMPONENT, user, channel, data, message=message
        )

    def choose(
        self, user: User, channel: Channel, message_id: int, custom_id: str, values: object
    ) -> Interaction:
        """Choose in a select."""
        message = self.visible_message(user, channel, message_id)
        select = self._component(message, custom_id)
        if select["type"] == ComponentKind.BUTTON:
            raise LearnerError(400, "no_select", "这不是选单 · That is no select")
        texts = chosen(select, values)
        data: Json = {
            "component_type": select["type"],
            "custom_id": custom_id,
            "id": select["id"],
            "values": texts,
        }
        kind = {
            ComponentKind.USER_SELECT: OptionKind.USER,
            ComponentKind.ROLE_SELECT: OptionKind.ROLE,
            ComponentKind.MENTIONABLE_SELECT: OptionKind.MENTIONABLE,
            ComponentKind.CHANNEL_SELECT: OptionKind.CHANNEL,
        }.get(select["type"])
        if kind is not None:
            data["resolved"] = self._resolved(_ids(texts, kind), channel)
        return self._world.interactions.open(
            InteractionKind.COMPONENT, user, channel, data, message=message
        )

    def submit(self, user: User, interaction_id: int, answers: Mapping[str, Any]) -> Interaction:
        """Send a modal that an interaction opened."""
        opened = self._world.interactions.find(interaction_id)
        if (
            opened is None
            or opened.user_id != user.id
            or opened.state is not InteractionState.MODAL
            or opened.modal is None
        ):
            raise LearnerError(404, "no_modal", "没有打开的表单 · No modal is open")
        channel = self._directory.channel(opened.channel_id)
        message = (
            self._world.conversation.find(channel.id, opened.message_id)
            if opened.message_id
            else None
        )
        data: Json = {
            "custom_id": opened.modal["custom_id"],
            "components": submitted(opened.modal, answers),
        }
        return self._world.interactions.open(
            InteractionKind.MODAL_SUBMIT,
            user,
            channel,
            data,
            message=message,
            triggered_by=opened.origin,
        )

    def visible_message(self, user: User, channel: Channel, message_id: int) -> Message:
        """A message that the user sees, or `ApiError` 10008."""
        self._directory.require(user.id, channel)
        message = self._world.conversation.find(channel.id, message_id)
        if message is None or message.visible_to not in (None, user.id):
            raise unknown("Message")
        return message

    def _command(self, user: User, channel: Channel, name: str) -> tuple[Command, Leaf]:
        self._directory.require(user.id, channel)
        first, *rest = name.split() or [""]
        for command in self._world.commands.visible_to(user, channel.guild_id):
            if command.name == first:
                return command, leaf_of(command.options, rest)
        raise LearnerError(404, "unknown_command", f"没有命令 /{first} · No command /{first}")

    def _command_data(self, command: Command, leaf: Leaf, filled: Filled, channel: Channel) -> Json:
        data: Json = {
            "id": str(command.id),
            "name": command.name,
            "type": int(command.kind),
            "options": leaf.wrapped(filled.options),
        }
        if command.guild_id is not None:
            data["guild_id"] = str(command.guild_id)
        if filled.entities:
            data["resolved"] = self._resolved(filled.entities, channel)
        return data

    def _resolved(self, entities: Mapping[int, OptionKind], channel: Channel) -> Json:
        resolved: Json = {}
        for entity_id, kind in entities.items():
            for group, rendered in self._entity(Snowflake(entity_id), kind, channel):
                resolved.setdefault(group, {})[str(entity_id)] = rendered
        return resolved

    def _entity(
        self, entity_id: Snowflake, kind: OptionKind, channel: Channel
    ) -> Iterator[tuple[str, Json]]:
        directory, guild_id = self._directory, channel.guild_id
        roles = directory.roles[guild_id] if guild_id else {}
        if kind in (OptionKind.ROLE, OptionKind.MENTIONABLE) and entity_id in roles:
            yield "roles", self._renderer.role(roles[entity_id])
        elif kind is OptionKind.CHANNEL:
            named = directory.channel(entity_id)
            bits = directory.permissions(directory.bot.id, named)
            yield "channels", self._renderer.channel(named) | {"permissions": str(bits)}
        else:
            yield "users", self._renderer.user(directory.user(entity_id))
            if guild_id and entity_id in directory.members[guild_id]:
                member = directory.member(guild_id, entity_id)
                bits = directory.permissions(entity_id, channel)
                rendered = self._renderer.member(member, with_user=False)
                yield "members", rendered | {"permissions": str(bits)}

    def _component(self, message: Message, custom_id: str) -> Json:
        for component in _flat(message.components):
            if component.get("custom_id") == custom_id:
                if component.get("disabled"):
                    raise LearnerError(409, "disabled", "已停用 · It is disabled")
                return component
        raise LearnerError(404, "no_component", "消息里没有它 · The message has no such component")


def _ids(texts: Iterable[str], kind: OptionKind) -> dict[int, OptionKind]:
    if not all(text.isdigit() for text in texts):
        raise LearnerError(400, "invalid_field", "应为编号 · The values are ids")
    return {int(text): kind for text in texts}


def _flat(components: Iterable[Json]) -> Iterator[Json]:
    for component in components:
        yield component
        yield from _flat(component.get("components", ()))
        if "accessory" in component:
            yield component["accessory"]
