"""Values as Discord writes them in JSON."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.playground.values import (
    Attachment,
    Channel,
    Command,
    Guild,
    Interaction,
    InteractionState,
    Member,
    Message,
    Origin,
    Role,
    User,
)
from bot.playground.wire import (
    CallbackKind,
    CommandKind,
    InteractionContext,
    InteractionKind,
    Json,
    MessageFlag,
    MessageKind,
    Snowflake,
)
from bot.playground.world import World

FILE_LIMIT = 10 * 1024 * 1024
"""Bytes that one attachment may have."""

_ATTACHED = "attachment://"
_DONE_BY = {
    CallbackKind.DEFERRED_MESSAGE: CallbackKind.MESSAGE,
    CallbackKind.DEFERRED_UPDATE: CallbackKind.UPDATE,
}
"""A deferral is answered as what it will become."""
_EMBED_PICTURES = ("image", "thumbnail")


def instant(moment: datetime) -> str:
    """A moment as ISO 8601."""
    return moment.isoformat()


def cdn_address(cdn_url: str, attachment: Attachment) -> str:
    """Where the attachment's bytes are."""
    place = f"{attachment.channel_id}/{attachment.id}"
    return f"{cdn_url}/attachments/{place}/{quote(attachment.filename)}"


class Renderer:
    """Renders the values of a world; ``cdn_url`` is where its attachments are served."""

    def __init__(self, world: World, cdn_url: str) -> None:
        self._world = world
        self._directory = world.directory
        self._cdn_url = cdn_url

    def user(self, user: User) -> Json:
        """A user as others see it."""
        rendered: Json = {
            "id": str(user.id),
            "username": user.username,
            "global_name": None if user.bot else user.username,
            "discriminator": "0000" if user.bot else "0",
            "avatar": None,
            "banner": None,
            "accent_color": None,
            "avatar_decoration_data": None,
            "collectibles": None,
            "primary_guild": None,
            "public_flags": 0,
            "flags": 0,
        }
        return rendered | {"bot": True} if user.bot else rendered

    def own_user(self) -> Json:
        """The bot's user as itself sees it."""
        return self.user(self._directory.bot) | {
            "mfa_enabled": False,
            "locale": self._directory.bot.locale,
            "verified": True,
            "email": None,
        }

    def application(self) -> Json:
        """The bot's application, with its owner."""
        application = self._directory.application
        return {
            "id": str(application.id),
            "name": application.name,
            "icon": None,
            "description": "",
            "type": None,
            "bot": self.user(self._directory.bot),
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "flags": self._application_flags(),
            "flags_new": str(self._application_flags()),
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "owner": self.user(self._directory.user(application.owner_id)),
            "approximate_guild_count": len(self._directory.guilds),
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "team": None,
            "eligible_oauth2_scopes": [],
        }

    def member(self, member: Member, *, with_user: bool = True) -> Json:
        """A member; in messages it comes without its user."""
        rendered: Json = {
            "avatar": None,
            "banner": None,
            "communication_disabled_until": None,
            "flags": 0,
            "joined_at": instant(member.joined_at),
            "nick": member.nick,
            "pending": False,
            "premium_since": None,
            "roles": [str(role) for role in member.roles],
            "mute": False,
            "deaf": False,
        }
        if with_user:
            rendered["user"] = self.user(self._directory.user(member.user_id))
        return rendered

    def role(self, role: Role) -> Json:
        """A role."""
        return {
            "id": str(role.id),
            "name": role.name,
            "permissions": str(int(role.permissions)),
            "position": role.position,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": False,
            "mentionable": role.mentionable,
            "icon": None,
            "unicode_emoji": None,
            "flags": 0,
        }

    def guild(self, guild: Guild) -> Json:
        """A guild as HTTP gives it."""
        return {
            "id": str(guild.id),
            "name": guild.name,
            "icon": None,
            "description": None,
            "home_header": None,
            "splash": None,
            "discovery_splash": None,
            "features": [],
            "banner": None,
            "owner_id": str(guild.owner_id),
            "application_id": None,
            "region": "us-west",
            "afk_channel_id": None,
            "afk_timeout": 300,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "widget_enabled": False,
            "widget_channel_id": None,
            "verification_level": 0,
            "roles": [self.role(role) for role in self._directory.roles[guild.id].values()],
            "default_message_notifications": 0,
            "mfa_level": 0,
            "explicit_content_filter": 0,
            "max_presences": None,
            "max_members": 500_000,
            "max_stage_video_channel_users": 50,
            "max_video_channel_users": 25,
            "vanity_url_code": None,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "preferred_locale": guild.locale,
            "rules_channel_id": None,
            "safety_alerts_channel_id": None,
            "public_updates_channel_id": None,
            "premium_progress_bar_enabled": False,
            "nsfw": False,
            "nsfw_level": 0,
            "emojis": [],
            "stickers": [],
            "incidents_data": None,
        }

    def guild_create(self, guild: Guild, *, all_members: bool) -> Json:
        """A guild as the gateway gives it; of the members, the bot alone unless asked."""
        bot_id = self._directory.bot.id
        members = self._directory.members[guild.id].values()
        return self.guild(guild) | {
            "joined_at": instant(self._directory.member(guild.id, bot_id).joined_at),
            "large": False,
            "unavailable": False,
            "member_count": len(members),
            "voice_states": [],
            "members": [
                self.member(member) for member in members if all_members or member.user_id == bot_id
            ],
            "channels": [
                self.channel(channel)
                for channel in self._directory.channels_of(guild.id)
                if self._directory.may_see(bot_id, channel)
            ],
            "threads": [
                self.channel(thread)
                for thread in self._directory.threads_of(guild.id)
                if self._directory.may_see(bot_id, thread)
            ],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def channel(self, channel: Channel, viewer: Snowflake | None = None) -> Json:
        """A channel, thread or direct conversation; its recipients are all but the viewer."""
        viewer = viewer or self._directory.bot.id
        last = channel.last_message_id
        rendered: Json = {
            "id": str(channel.id),
            "type": int(channel.kind),
            "last_message_id": str(last) if last else None,
            "flags": 0,
        }
        if channel.guild_id is None:
            rendered["recipients"] = [
                self.user(self._directory.user(user))
                for user in channel.recipients
                if user != viewer
            ]
            return rendered
        rendered |= {
            "guild_id": str(channel.guild_id),
            "name": channel.name,
            "parent_id": str(channel.parent_id) if channel.parent_id else None,
            "rate_limit_per_user": channel.rate_limit_per_user,
        }
        return rendered | (self._thread(channel) if channel.thread else self._text(channel))

    def thread_member(self, channel: Channel, user_id: Snowflake) -> Json:
        """The membership of a user in a thread."""
        joined_at = channel.thread.created_at if channel.thread else self._world.clock.now()
        return {
            "id": str(channel.id),
            "user_id": str(user_id),
            "join_timestamp": instant(joined_at),
            "flags": 0,
        }

    def attachment(self, attachment: Attachment) -> Json:
        """A file of a message."""
        url = cdn_address(self._cdn_url, attachment)
        rendered: Json = {
            "id": str(attachment.id),
            "filename": attachment.filename,
            "size": len(attachment.content),
            "url": url,
            "proxy_url": url,
            "content_type": attachment.content_type,
        }
        if attachment.description is not None:
            rendered["description"] = attachment.description
        if attachment.width is not None:
            rendered |= {"width": attachment.width, "height": attachment.height}
        return rendered | {"ephemeral": True} if attachment.ephemeral else rendered

    def message(self, message: Message, viewer: Snowflake, *, with_referenced: bool = True) -> Json:
        """A message as HTTP gives it to ``viewer``."""
        pictured = {name for embed in message.embeds for name in _attached_names(embed)}
        rendered: Json = {
            "id": str(message.id),
            "channel_id": str(message.channel_id),
            "type": int(message.kind),
            "content": message.content,
            "author": self.user(self._directory.user(message.author_id)),
            "timestamp": instant(message.created_at),
            "edited_timestamp": instant(message.edited_at) if message.edited_at else None,
            "mentions": self._mentioned(message),
            "mention_roles": [str(role) for role in message.mentions.roles],
            "mention_everyone": message.mentions.everyone,
            "attachments": [
                self.attachment(one) for one in message.attachments if one.filename not in pictured
            ],
            "embeds": [self._embed(embed, message) for embed in message.embeds],
            "components": [self._with_media(part, message) for part in message.components],
            "flags": int(message.flags),
            "pinned": False,
            "tts": False,
        }
        if message.reactions:
            rendered["reactions"] = self._reactions(message, viewer)
        if message.nonce is not None:
            rendered["nonce"] = message.nonce
        if message.reference is not None:
            rendered |= self._reference(message, viewer, with_referenced=with_referenced)
        if message.thread_id is not None and message.thread_id in self._directory.channels:
            rendered["thread"] = self.channel(self._directory.channel(message.thread_id))
        if message.origin is not None:
            rendered |= self._origin(message, message.origin)
        return rendered

    def command(self, command: Command, *, with_localizations: bool = True) -> Json:
        """A registered command."""
        rendered: Json = {
            "id": str(command.id),
            "application_id": str(self._directory.application.id),
            "version": str(command.version),
            "type": int(command.kind),
            "name": command.name,
            "description": command.description,
            "default_member_permissions": None
            if command.default_member_permissions is None
            else str(command.default_member_permissions),
            "dm_permission": command.contexts is None
            or InteractionContext.BOT_DM in command.contexts,
            "contexts": None if command.contexts is None else list(command.contexts),
            "integration_types": list(command.integration_types),
            "nsfw": command.nsfw,
        }
        if with_localizations:
            rendered["name_localizations"] = command.name_localizations
            rendered["description_localizations"] = command.description_localizations
        if command.guild_id is not None:
            rendered["guild_id"] = str(command.guild_id)
        if command.kind is CommandKind.CHAT_INPUT:
            rendered["options"] = list(command.options)
        return rendered

    def interaction(self, interaction: Interaction) -> Json:
        """What the gateway tells the bot of a learner's act."""
        directory = self._directory
        user = directory.user(interaction.user_id)
        channel = directory.channel(interaction.channel_id)
        guild_id = interaction.guild_id
        permissions = directory.permissions(user.id, channel)
        rendered: Json = {
            "id": str(interaction.id),
            "application_id": str(directory.application.id),
            "type": int(interaction.kind),
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": str(channel.id),
            "channel": self.channel(channel) | {"permissions": str(permissions)},
            "app_permissions": str(directory.permissions(directory.bot.id, channel)),
            "locale": user.locale,
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(guild_id or 0)},
            "context": int(
                InteractionContext.BOT_DM if guild_id is None else InteractionContext.GUILD
            ),
            "attachment_size_limit": FILE_LIMIT,
        }
        if guild_id is None:
            rendered["user"] = self.user(user)
        else:
            guild = directory.guild(guild_id)
            member = self.member(directory.member(guild_id, user.id))
            rendered |= {
                "guild_id": str(guild_id),
                "guild": {"id": str(guild_id), "locale": guild.locale, "features": []},
                "guild_locale": guild.locale,
                "member": member | {"permissions": str(permissions)},
            }
        if interaction.message_id is not None:
            message = self._world.conversation.find(channel.id, interaction.message_id)
            if message is not None:
                rendered["message"] = self.message(message, directory.bot.id)
        return rendered

    def callback(
        self, interaction: Interaction, kind: CallbackKind, message: Message | None
    ) -> Json:
        """The answer to a callback that asked for one."""
        about: Json = {
            "id": str(interaction.id),
            "type": int(interaction.kind),
            "channel_id": str(interaction.channel_id),
        }
        if interaction.guild_id is not None:
            about["guild_id"] = str(interaction.guild_id)
        if message is None:
            return {"interaction": about}
        about |= {
            "response_message_id": str(message.id),
            "response_message_loading": bool(message.flags & MessageFlag.LOADING),
            "response_message_ephemeral": message.ephemeral,
        }
        rendered = self.message(message, self._directory.bot.id)
        did = _DONE_BY.get(kind, kind)
        return {"interaction": about, "resource": {"type": int(did), "message": rendered}}

    def learner_interaction(self, interaction: Interaction) -> Json:
        """An interaction as its learner sees it."""
        rendered: Json = {
            "id": str(interaction.id),
            "state": interaction.state.value,
            "type": int(interaction.kind),
            "channel_id": str(interaction.channel_id),
        }
        if interaction.response_id is not None:
            rendered["response_message_id"] = str(interaction.response_id)
        if interaction.modal is not None:
            rendered["modal"] = interaction.modal
        if interaction.state is InteractionState.FAILED:
            rendered["error"] = {
                "code": "no_answer",
                "message": "The application did not respond · 该应用未响应",
            }
        return rendered

    def _application_flags(self) -> int:
        allowed = self._directory.application.allowed_intents
        limited = {1 << 8: 1 << 13, 1 << 1: 1 << 15, 1 << 15: 1 << 19}
        return sum(flag for intent, flag in limited.items() if allowed & intent)

    def _text(self, channel: Channel) -> Json:
        return {
            "position": channel.position,
            "topic": channel.topic,
            "nsfw": False,
            "permission_overwrites": [
                {
                    "id": str(overwrite.target_id),
                    "type": int(overwrite.for_member),
                    "allow": str(int(overwrite.allow)),
                    "deny": str(int(overwrite.deny)),
                }
                for overwrite in channel.overwrites
            ],
        }

    def _thread(self, channel: Channel) -> Json:
        thread = channel.thread
        if thread is None:
            return {}
        rendered: Json = {
            "owner_id": str(thread.owner_id),
            "thread_metadata": {
                "archived": thread.archived,
                "archive_timestamp": instant(thread.created_at),
                "auto_archive_duration": thread.auto_archive,
                "locked": thread.locked,
                "create_timestamp": instant(thread.created_at),
            },
            "message_count": thread.message_count,
            "member_count": len(thread.members),
            "total_message_sent": thread.message_count,
        }
        if self._directory.bot.id in thread.members:
            rendered["member"] = self.thread_member(channel, self._directory.bot.id)
        return rendered

    def _mentioned(self, message: Message) -> list[Json]:
        return [self.user(self._directory.user(user_id)) for user_id in message.mentions.users]

    def _reactions(self, message: Message, viewer: Snowflake) -> list[Json]:
        return [
            {
                "emoji": emoji_json(reaction.emoji),
                "count": len(reaction.users),
                "count_details": {"burst": 0, "normal": len(reaction.users)},
                "burst_colors": [],
                "me_burst": False,
                "me": viewer in reaction.users,
            }
            for reaction in message.reactions
        ]

    def _reference(self, message: Message, viewer: Snowflake, *, with_referenced: bool) -> Json:
        reference = message.reference
        if reference is None:
            return {}
        place: Json = {"type": 0, "channel_id": str(reference.channel_id)}
        if reference.message_id is not None:
            place["message_id"] = str(reference.message_id)
        if reference.guild_id is not None:
            place["guild_id"] = str(reference.guild_id)
        rendered: Json = {"message_reference": place}
        if with_referenced and message.kind in (MessageKind.REPLY, MessageKind.THREAD_STARTER):
            found = self._world.conversation.find(reference.channel_id, reference.message_id or 0)
            if found is not None and found.visible_to not in (None, message.visible_to, viewer):
                found = None
            rendered["referenced_message"] = found and self.message(
                found, viewer, with_referenced=False
            )
        return rendered

    def _origin(self, message: Message, origin: Origin) -> Json:
        application_id = str(self._directory.application.id)
        rendered: Json = {
            "application_id": application_id,
            "webhook_id": application_id,
            "interaction_metadata": self._metadata(message, origin),
        }
        if origin.command_name is not None:
            rendered["interaction"] = {
                "id": str(origin.interaction_id),
                "type": int(origin.kind),
                "name": origin.command_name,
                "user": self.user(self._directory.user(origin.user_id)),
            }
        return rendered

    def _metadata(self, message: Message, origin: Origin) -> Json:
        guild_id = self._directory.channel(message.channel_id).guild_id
        rendered: Json = {
            "id": str(origin.interaction_id),
            "type": int(origin.kind),
            "user": self.user(self._directory.user(origin.user_id)),
            "authorizing_integration_owners": {"0": str(guild_id or 0)},
        }
        if origin.original_response_id is not None:
            rendered["original_response_message_id"] = str(origin.original_response_id)
        if origin.kind is InteractionKind.COMPONENT:
            rendered["interacted_message_id"] = str(origin.interacted_message_id)
        if origin.triggered_by is not None:
            rendered["triggering_interaction_metadata"] = self._metadata(
                message, origin.triggered_by
            )
        return rendered

    def _embed(self, embed: Json, message: Message) -> Json:
        rendered = dict(embed)
        for key in _EMBED_PICTURES:
            if key in embed:
                rendered[key] = self._picture(embed[key], message)
        return rendered

    def _picture(self, picture: Json, message: Message) -> Json:
        attachment = _attached(picture.get("url", ""), message.attachments)
        if attachment is None:
            return picture
        url = cdn_address(self._cdn_url, attachment)
        rendered: Json = {"url": url, "proxy_url": url, "content_type": attachment.content_type}
        if attachment.width is not None:
            rendered |= {"width": attachment.width, "height": attachment.height}
        if attachment.description is not None:
            rendered["description"] = attachment.description
        return rendered

    def _with_media(self, part: Any, message: Message) -> Any:  # noqa: ANN401 -- any JSON value
        if isinstance(part, list):
            return [self._with_media(one, message) for one in part]  # pyright: ignore[reportUnknownVariableType] -- any JSON value
        if not isinstance(part, dict):
            return part
        component: Json = {key: self._with_media(value, message) for key, value in part.items()}  # pyright: ignore[reportUnknownVariableType] -- any JSON value
        attachment = _attached(component.get("url"), message.attachments)
        if attachment is None:
            return component
        url = cdn_address(self._cdn_url, attachment)
        return component | {
            "url": url,
            "proxy_url": url,
            "width": attachment.width,
            "height": attachment.height,
            "content_type": attachment.content_type,
            "attachment_id": str(attachment.id),
        }


def emoji_json(emoji: str) -> Json:
    """A reaction's emoji; the playground's guilds have none of their own."""
    return {"id": None, "name": emoji}


def _attached_names(embed: Json) -> Iterable[str]:
    for key in _EMBED_PICTURES:
        url = embed.get(key, {}).get("url", "")
        if url.startswith(_ATTACHED):
            yield url.removeprefix(_ATTACHED)


def _attached(url: object, attachments: Iterable[Attachment]) -> Attachment | None:
    if not isinstance(url, str) or not url.startswith(_ATTACHED):
        return None
    name = url.removeprefix(_ATTACHED)
    return next((one for one in attachments if one.filename == name), None)
