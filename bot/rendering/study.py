"""What a study channel says of itself, and the question of the day."""

from collections.abc import Sequence
from datetime import datetime

from bot.store.records import StudyChannel
from knowledge.entry import Entry
from knowledge.language import Bilingual, Language


def started_text(
    channel: StudyChannel,
    first: datetime | None,
    language: Language,
    *,
    message_content: bool,
    missing: Sequence[Bilingual],
) -> str:
    """That ``channel`` is a study channel now, what happens there, and what is in the way.

    ``first`` is when its next question comes; ``missing`` are the permissions that the bot
    lacks there, by the names that Discord shows.
    """
    lines = [
        _STARTED.text(language).format(channel=f"<#{channel.channel_id}>"),
        _DAILY.text(language).format(
            hour=channel.hour,
            zone=channel.timezone,
            questions=_QUESTIONS[channel.language].text(language),
        ),
    ]
    if first is not None:
        # Discord shows such a moment in each reader's own zone.
        seconds = int(first.timestamp())
        lines.append(_FIRST.text(language).format(first=f"<t:{seconds}:f> (<t:{seconds}:R>)"))
    lines.append((_LISTENS if message_content else _DEAF).text(language))
    if missing:
        names = _AND[language].join(name.text(language) for name in missing)
        lines.append(_MISSING.text(language).format(names=names))
    lines.append(_END.text(language))
    return "\n".join(lines)


def stopped_text(channel_id: int, language: Language, *, was_one: bool) -> str:
    """That the channel is no study channel any more, or never was one."""
    return (_STOPPED if was_one else _WAS_NONE).text(language).format(channel=f"<#{channel_id}>")


def unknown_zone_text(typed: str, language: Language) -> str:
    """That there is no such zone, and how one is written."""
    shown = typed.replace("`", "'").strip()
    return _UNKNOWN_ZONE.text(language).format(typed=shown[:_TYPED_SHOWN])


def wrong_place_text(language: Language) -> str:
    """That only a text channel can be a study channel."""
    return _WRONG_PLACE.text(language)


def daily_text(entry: Entry, language: Language, *, message_content: bool) -> str:
    """The question of the day, and how to ask about it."""
    how = (_ASK_HERE if message_content else _ASK).text(language)
    return f"### {_TODAY.text(language)}\n**{entry.question.text(language)}**\n\n{how}"


def show_answer_label(language: Language) -> str:
    """What the button under the question of the day says."""
    return _SHOW_ANSWER.text(language)


_TYPED_SHOWN = 60

_STARTED = Bilingual("✅ {channel} 现在是学习频道。", "✅ {channel} is a study channel now.")
_DAILY = Bilingual(
    "- 每天 {hour}:00（{zone}）{questions}出一道题，答案藏在按钮后面。",
    "- Every day at {hour}:00 ({zone}) a question comes, {questions}, its answer behind a button.",
)
_QUESTIONS = {
    Language.ZH: Bilingual("用中文", "in Chinese"),
    Language.EN: Bilingual("用英文", "in English"),
}
_FIRST = Bilingual("- 下一道：{first}", "- The next one: {first}")
_LISTENS = Bilingual(
    "- 在这里直接提问就行，不用 @我：有把握我就回答，没把握就不插嘴。@我 或用 `/ask`，一定会回。",
    "- Just ask here, without a mention: I answer when I am sure and stay silent otherwise. "
    "Mention me or use `/ask`, and you always get a reply.",
)
_DEAF = Bilingual(
    "- ⚠️ 我读不到没有 @我 的消息，所以这里只有每日一题；提问请 @我 或用 `/ask`。想让我直接回答，"
    "请机器人的管理者在 Discord 开发者后台打开 Message Content Intent，并把 "
    "`XUEBAN_MESSAGE_CONTENT` 设为 `true`。",
    "- ⚠️ I cannot read messages that do not mention me, so only the daily question comes here; "
    "mention me or use `/ask` to ask. To let me answer directly, whoever runs the bot turns on "
    "the Message Content Intent in Discord's developer portal and sets "
    "`XUEBAN_MESSAGE_CONTENT` to `true`.",
)
_MISSING = Bilingual(
    "- ⚠️ 我在这个频道里缺少权限：{names}。加上之后马上生效，不用再设一次。",
    "- ⚠️ In this channel I lack the permission to: {names}. Once granted, all this works at "
    "once; nothing has to be set again.",
)
_AND = {Language.ZH: "、", Language.EN: ", "}
_END = Bilingual("- 不想要了就用 `/study stop`。", "- `/study stop` ends it.")
_STOPPED = Bilingual(
    "{channel} 不再是学习频道：不再出每日一题，没人 @我 的消息我也不再回答。",
    "{channel} is no study channel any more: no daily question, and no answers to messages that "
    "do not mention me.",
)
_WAS_NONE = Bilingual("{channel} 本来就不是学习频道。", "{channel} was no study channel.")
_UNKNOWN_ZONE = Bilingual(
    "没有“{typed}”这个时区，什么都没有改。从列表里选一个，或者写 IANA 时区名，例如 "
    "`Asia/Shanghai`、`America/New_York`。",
    "There is no time zone “{typed}”; nothing was changed. Pick one from the list, or write an "
    "IANA name such as `Asia/Shanghai` or `America/New_York`.",
)
_WRONG_PLACE = Bilingual(
    "学习频道只能是服务器里的文字频道（不能是子区、语音频道或论坛）：请到那个频道里用这个命令。",
    "Only a server's text channel can be a study channel (no thread, voice channel or forum): "
    "use this command in that channel.",
)
_TODAY = Bilingual("📅 今日一题", "📅 Question of the day")
_ASK_HERE = Bilingual(
    "先自己想想，再看答案。哪里不明白，直接在这里问。",
    "Think first, then look. Whatever stays unclear, just ask here.",
)
_ASK = Bilingual(
    "先自己想想，再看答案。哪里不明白，@我 提问或用 `/ask`。",
    "Think first, then look. Whatever stays unclear, mention me or use `/ask`.",
)
_SHOW_ANSWER = Bilingual("看答案", "Show the answer")
