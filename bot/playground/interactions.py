"""Interactions: opened by a learner, acknowledged by the bot in time or failed."""

import secrets
from dataclasses import replace
from datetime import timedelta

from bot.playground.conversation import Conversation
from bot.playground.directory import Directory
from bot.playground.errors import ApiError, FormError, unknown
from bot.playground.happenings import InteractionChanged, InteractionCreated
from bot.playground.values import (
    Channel,
    Draft,
    Interaction,
    InteractionState,
    Message,
    Origin,
    Reference,
    User,
)
from bot.playground.wire import (
    CallbackKind,
    InteractionKind,
    Json,
    MessageFlag,
    MessageKind,
    Snowflake,
)

ACKNOWLEDGE_WITHIN = timedelta(seconds=3)
"""How long the bot may take for its callback."""

TOKEN_LIFE = timedelta(minutes=15)
"""How long follow-ups and edits are possible."""


class Interactions:
    """All interactions by id and by token."""

    def __init__(self, directory: Directory, conversation: Conversation) -> None:
        self._directory = directory
        self._conversation = conversation
        self._interactions: dict[Snowflake, Interaction] = {}
        self._ids: dict[str, Snowflake] = {}

    def find(self, interaction_id: int) -> Interaction | None:
        """The interaction as it stands; None where there is none."""
        return self._interactions.get(Snowflake(interaction_id))

    def open(  # noqa: PLR0913 -- what an interaction is made of, each by name
        self,
        kind: InteractionKind,
        user: User,
        channel: Channel,
        data: Json,
        *,
        message: Message | None = None,
        triggered_by: Origin | None = None,
        command_name: str | None = None,
    ) -> Interaction:
        """A learner's act, told to the bot."""
        interaction_id = self._directory.mint.mint()
        interaction = Interaction(
            id=interaction_id,
            token=secrets.token_urlsafe(48),
            kind=kind,
            user_id=user.id,
            guild_id=channel.guild_id,
            channel_id=channel.id,
            data=data,
            created_at=self._directory.clock.now(),
            origin=Origin(
                interaction_id,
                kind,
                user.id,
                command_name=command_name,
                interacted_message_id=message.id if message else None,
                triggered_by=triggered_by,
            ),
            message_id=message.id if message else None,
        )
        self._interactions[interaction.id] = interaction
        self._ids[interaction.token] = interaction.id
        self._directory.bulletin.post(InteractionCreated(interaction))
        return interaction

    def expire(self, interaction_id: Snowflake) -> None:
        """Fail the interaction where its time has passed without an acknowledgement."""
        interaction = self._interactions[interaction_id]
        if interaction.state is InteractionState.PENDING and self._is_late(interaction):
            self._change(replace(interaction, state=InteractionState.FAILED))

    def to_acknowledge(self, interaction_id: int, token: str) -> Interaction:
        """The interaction that a callback is for: 404/10062 when late, 400/40060 when done."""
        interaction = self.find(interaction_id)
        if interaction is None or interaction.token != token:
            raise unknown("Interaction")
        self.expire(interaction.id)
        state = self._interactions[interaction.id].state
        if state is InteractionState.FAILED:
            raise unknown("Interaction")
        if state is not InteractionState.PENDING:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        return interaction

    def by_token(self, application_id: int, token: str) -> Interaction:
        """The interaction that a follow-up is for.

        404/10062 where nobody acknowledged it in time, 404/10015 where nobody has yet or the
        token is unknown, 401/50027 where the token is too old.
        """
        interaction_id = self._ids.get(token)
        if interaction_id is None or application_id != self._directory.application.id:
            raise unknown("Webhook")
        self.expire(interaction_id)
        interaction = self._interactions[interaction_id]
        if interaction.state is InteractionState.FAILED:
            raise unknown("Interaction")
        if interaction.state is InteractionState.PENDING:
            raise unknown("Webhook")
        if self._directory.clock.now() - interaction.created_at > TOKEN_LIFE:
            raise ApiError(401, 50027, "Invalid Webhook Token")
        return interaction

    def answer(self, interaction: Interaction, draft: Draft) -> Message:
        """Acknowledge with a message; it is ephemeral where the draft's flags say so."""
        message = self._send(interaction, draft, reference_id=interaction.message_id)
        self._change(
            replace(
                interaction,
                state=InteractionState.ACKNOWLEDGED,
                response_id=message.id,
                origin=replace(interaction.origin, original_response_id=message.id),
            )
        )
        return message

    def defer(self, interaction: Interaction, flags: MessageFlag) -> Message:
        """Acknowledge with a message that says that the bot is thinking."""
        draft = Draft(flags=flags | MessageFlag.LOADING)
        message = self._send(interaction, draft, reference_id=interaction.message_id)
        self._change(
            replace(
                interaction,
                state=InteractionState.DEFERRED,
                response_id=message.id,
                fills_response=True,
                origin=replace(interaction.origin, original_response_id=message.id),
            )
        )
        return message

    def defer_update(self, interaction: Interaction) -> Message:
        """Acknowledge without a word; the component's message stays as it is."""
        message = self.source(interaction)
        self._change(
            replace(interaction, state=InteractionState.ACKNOWLEDGED, response_id=message.id)
        )
        return message

    def update(self, interaction: Interaction, draft: Draft) -> Message:
        """Acknowledge by editing the component's message."""
        message = self._conversation.edit(self.source(interaction), draft)
        self._change(
            replace(interaction, state=InteractionState.ACKNOWLEDGED, response_id=message.id)
        )
        return message

    def choose(self, interaction: Interaction, choices: tuple[Json, ...]) -> None:
        """Acknowledge with the choices of an autocompletion."""
        self._change(replace(interaction, state=InteractionState.ACKNOWLEDGED, choices=choices))

    def show_modal(self, interaction: Interaction, modal: Json) -> None:
        """Acknowledge by opening a modal."""
        self._change(replace(interaction, state=InteractionState.MODAL, modal=modal))

    def source(self, interaction: Interaction) -> Message:
        """The message whose component was used; 404/10008 where it is gone."""
        return self._found(interaction.channel_id, interaction.message_id)

    def response(self, interaction: Interaction) -> Message:
        """The message that `@original` names; 404/10008 where there is none."""
        return self._found(interaction.channel_id, interaction.response_id)

    def message(self, interaction: Interaction, message_id: int) -> Message:
        """A message that this interaction made or was about, or 404/10008."""
        found = self._conversation.find(interaction.channel_id, message_id)
        if found is None or (
            found.id != interaction.response_id
            and (found.origin is None or found.origin.interaction_id != interaction.id)
        ):
            raise unknown("Message")
        return found

    def follow_up(self, interaction: Interaction, draft: Draft) -> Message:
        """A further message; the first one after a deferred answer becomes that answer."""
        if interaction.fills_response:
            message = self._conversation.find(interaction.channel_id, interaction.response_id or 0)
            if message is not None:
                return self.fill(interaction, message, draft)
        return self._send(interaction, draft, reference_id=interaction.response_id)

    def fill(self, interaction: Interaction, message: Message, draft: Draft) -> Message:
        """Edit a message of the interaction; a deferred answer is deferred no longer."""
        kept = message.flags & (MessageFlag.EPHEMERAL | MessageFlag.HAS_THREAD)
        flags = draft.flags & ~MessageFlag.EPHEMERAL | kept
        edited = self._conversation.edit(message, replace(draft, flags=flags))
        if interaction.fills_response and message.id == interaction.response_id:
            self._change(
                replace(interaction, fills_response=False, state=InteractionState.ACKNOWLEDGED)
            )
        return edited

    def delete(self, interaction: Interaction, message: Message) -> None:
        """Take a message of the interaction away."""
        self._conversation.delete(message)
        if interaction.fills_response and message.id == interaction.response_id:
            self._change(replace(interaction, fills_response=False))

    def check_kind(self, interaction: Interaction, callback: CallbackKind) -> None:
        """50035 where this kind of interaction cannot be answered so."""
        from_component = interaction.message_id is not None
        allowed = {
            CallbackKind.MESSAGE: interaction.kind is not InteractionKind.AUTOCOMPLETE,
            CallbackKind.DEFERRED_MESSAGE: interaction.kind is not InteractionKind.AUTOCOMPLETE,
            CallbackKind.DEFERRED_UPDATE: from_component,
            CallbackKind.UPDATE: from_component,
            CallbackKind.CHOICES: interaction.kind is InteractionKind.AUTOCOMPLETE,
            CallbackKind.MODAL: interaction.kind
            in (InteractionKind.COMMAND, InteractionKind.COMPONENT),
        }
        if not allowed.get(callback, False):
            raise FormError.at(
                "type",
                "INTERACTION_CALLBACK_TYPE_INVALID",
                f"Callback type {callback.value} does not answer this interaction.",
            )

    def _found(self, channel_id: Snowflake, message_id: Snowflake | None) -> Message:
        message = self._conversation.find(channel_id, message_id or 0)
        if message is None:
            raise unknown("Message")
        return message

    def _send(
        self, interaction: Interaction, draft: Draft, *, reference_id: Snowflake | None
    ) -> Message:
        channel = self._directory.channel(interaction.channel_id)
        kind = MessageKind.DEFAULT
        if reference_id is not None:
            kind = MessageKind.REPLY
            draft = replace(draft, reference=Reference(channel.guild_id, channel.id, reference_id))
        elif interaction.kind is InteractionKind.COMMAND:
            kind = MessageKind.CHAT_INPUT_COMMAND
        return self._conversation.send(
            channel,
            self._directory.bot.id,
            draft,
            kind=kind,
            origin=interaction.origin,
            visible_to=interaction.user_id if draft.flags & MessageFlag.EPHEMERAL else None,
        )

    def _is_late(self, interaction: Interaction) -> bool:
        return self._directory.clock.now() - interaction.created_at >= ACKNOWLEDGE_WITHIN

    def _change(self, interaction: Interaction) -> None:
        self._interactions[interaction.id] = interaction
        self._directory.bulletin.post(InteractionChanged(interaction))
