"""The playground's Discord as a state machine, without a socket: what is, and what may happen."""

from bot.playground.bulletin import Bulletin
from bot.playground.clock import MovableClock
from bot.playground.commands import Commands
from bot.playground.conversation import Conversation
from bot.playground.directory import Directory
from bot.playground.interactions import Interactions
from bot.playground.wire import EVERYONE_DEFAULT, Permission

BOT_PERMISSIONS = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.ADD_REACTIONS
    | Permission.USE_APPLICATION_COMMANDS
)
"""What the bot is invited with."""


class World:
    """One Discord: its directory, conversation, commands and interactions.

    With ``seed`` it holds the guild 学习小组 with two channels, two learners, a teacher who owns
    it, and the bot; without, the bot and its owner alone.
    """

    def __init__(self, clock: MovableClock, *, seed: bool = True) -> None:
        self.clock = clock
        self.bulletin = Bulletin()
        self.directory = Directory(clock, self.bulletin, bot_name="学伴", owner_name="老师")
        self.conversation = Conversation(self.directory)
        self.commands = Commands(self.directory)
        self.interactions = Interactions(self.directory, self.conversation)
        if seed:
            self._seed()

    def _seed(self) -> None:
        directory = self.directory
        teacher = directory.user(directory.application.owner_id)
        guild = directory.add_guild("学习小组", teacher, EVERYONE_DEFAULT)
        staff = directory.add_role(
            guild, "staff", Permission.MANAGE_GUILD | Permission.MANAGE_MESSAGES
        )
        bots = directory.add_role(guild, "学伴", BOT_PERMISSIONS)
        directory.join(guild, teacher, staff)
        directory.join(guild, directory.bot, bots)
        for name, locale in (("小明", "zh-CN"), ("Alice", "en-US")):
            directory.join(guild, directory.add_user(name, locale))
        for name in ("general", "study"):
            directory.add_channel(guild, name)
