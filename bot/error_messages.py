"""What a learner is told when something goes wrong: the one place that translates errors."""

from discord import Forbidden, app_commands

from bot.errors import EntryGoneError
from knowledge.errors import KnowledgeError
from knowledge.language import Bilingual, Language
from runners.errors import (
    OwnQueueFullError,
    QueueFullError,
    RunnerError,
    RunnerUnreachableError,
    UnavailableExampleError,
    UnknownExampleError,
    UnknownJobError,
)

_MESSAGES: tuple[tuple[type[Exception], Bilingual], ...] = (
    (
        UnknownExampleError,
        Bilingual(
            "没有这个例子。输入 `/run` 时从列表里选一个。",
            "There is no such example; pick one from the list that `/run` offers.",
        ),
    ),
    (
        UnavailableExampleError,
        Bilingual(
            "运行器上没装这个例子要用的框架，暂时跑不了。",
            "The runner lacks the framework of this example, so it cannot run here.",
        ),
    ),
    (
        UnknownJobError,
        Bilingual("这次运行的记录已经不在了。", "The record of this run is gone."),
    ),
    (
        OwnQueueFullError,
        Bilingual(
            "你已经有很多任务在排队了，等它们跑完，或取消几个再试。",
            "You have many runs waiting already; let them finish, or cancel some first.",
        ),
    ),
    (
        QueueFullError,
        Bilingual(
            "排队的任务太多了，等几分钟再试。",
            "Too many runs are waiting; try again in a few minutes.",
        ),
    ),
    (
        RunnerUnreachableError,
        Bilingual(
            "运行器没有回应，正在等它恢复；过一会儿再试。",
            "The runner does not answer right now; try again in a moment.",
        ),
    ),
    (
        KnowledgeError,
        Bilingual(
            "题库现在用不了，管理员可以在日志里看到原因。",
            "The question bank is not available right now; the log tells the staff why.",
        ),
    ),
    (
        EntryGoneError,
        Bilingual("题库里已经没有这一条了。", "The bank no longer holds this entry."),
    ),
    (
        app_commands.MissingPermissions,
        Bilingual("这个命令只有管理员能用。", "Only the staff may use this command."),
    ),
    (
        app_commands.NoPrivateMessage,
        Bilingual(
            "这个命令要在服务器的频道里用。", "This command works in a server's channel only."
        ),
    ),
    (
        Forbidden,
        Bilingual(
            "我在这个频道里缺少权限，请管理员检查一下。",
            "I lack a permission in this channel; ask the staff to check.",
        ),
    ),
)


def learner_message(error: Exception, language: Language) -> str | None:
    """What to tell a learner of a known ``error``; None for one that nobody expected."""
    for kind, message in _MESSAGES:
        if isinstance(error, kind):
            return message.text(language)
    return str(error) if isinstance(error, RunnerError) else None


def unexpected_message(reference: str, language: Language) -> str:
    """What to tell a learner of an unexpected error, logged under ``reference``."""
    return Bilingual(
        f"出错了，不是你的问题。告诉管理员这个编号：`{reference}`",
        f"Something went wrong, not by your doing. Tell the staff this reference: `{reference}`",
    ).text(language)
