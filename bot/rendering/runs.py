"""A run in Markdown: the card that a learner watches, and what is said around it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.rendering.splitting import MESSAGE_LIMIT
from bot.rendering.tables import aligned, clipped
from knowledge.language import Bilingual, Language
from runners.protocol.catalogue import ExampleInfo, ParameterInfo, ParameterValue
from runners.protocol.claims import findings
from runners.protocol.events import Figure, Measured, Progress
from runners.protocol.jobs import HistoryRow, JobView
from runners.protocol.numbers import shown_number
from runners.protocol.settings_text import Fault
from runners.protocol.words import Birth, FailureReason, JobState, Wall

ALT_LIMIT = 1_024
"""Characters that Discord takes as the description of an attachment."""

_TITLE_LIMIT = 120
_SETTINGS_LIMIT = 300
_MESSAGE_SHOWN = 400
_QUERY_SHOWN = 100
_LABEL_CELLS = 24
_RESULTS_SHOWN = 10
_CURVES_SHOWN = 8
_COLUMNS = 3
_BAR_CELLS = 10
_MINUTE_S = 60
_HOUR_S = 3_600
_ROUNDED_UP_S = 0.05
_WORTH_TELLING_S = 3


@dataclass(frozen=True, slots=True)
class RunHeading:
    """What a card says of its run from the first to the last view.

    ``settings`` is what the learner set, as `written_settings` writes it. ``info`` is None where
    the runner does not list the example (any more).
    """

    example: str
    settings: str
    owner_id: int
    language: Language
    info: ExampleInfo | None = None


@dataclass(frozen=True, slots=True)
class _Section:
    """A part of a card; where the card is too long, the least ``weight`` goes first."""

    text: str
    weight: int


_MUST = 9


def card_text(heading: RunHeading, view: JobView, notes: Sequence[str] = ()) -> str:
    """The card for ``view``, at most 2,000 characters; ``notes`` are lines about its delivery."""
    language = heading.language
    table = metrics_table(view, heading.info, language)
    sections = [
        _Section(_head(heading), _MUST),
        _Section(_defaults(heading, view), 1),
        _Section(_state(heading, view), _MUST),
        _Section(_claims(heading, view), 8),
        _Section(f"```\n{table}\n```" if table else "", 6),
        _Section(_captions(view, language), 3),
        _Section("\n".join(notes), 7),
        _Section(_look_at(heading, view), 2),
        _Section(_provenance(view, language), 5),
    ]
    return _fitted(sections)


def gone_text(heading: RunHeading) -> str:
    """The card of a job that the runner no longer knows."""
    return _fitted([_Section(_head(heading), _MUST), _Section(_GONE.text(heading.language), _MUST)])


def trouble_text(heading: RunHeading, trouble: str) -> str:
    """The card while its job cannot be followed; ``trouble`` says why."""
    said = _Section(f"⚠️ {_cut(trouble, _MESSAGE_SHOWN)}", _MUST)
    return _fitted([_Section(_head(heading), _MUST), said])


def moved_text(heading: RunHeading, link: str) -> str:
    """What stays in a message that another one took over from."""
    said = _Section(f"➡️ {_MOVED.text(heading.language)} {link}", _MUST)
    return _fitted([_Section(_head(heading), _MUST), said])


def metrics_table(view: JobView, info: ExampleInfo | None, language: Language) -> str:
    """Results, then the history at its first, middle and last step; empty without metrics."""
    labels = _labels(view, info, language)
    blocks: list[str] = []
    results = [
        (label, shown_number(view.metrics[name]))
        for name, label in labels.items()
        if name in view.metrics
    ]
    if results:
        blocks.append(aligned(_at_most(results, _RESULTS_SHOWN)))
    rows = _spread(view.history, _COLUMNS)
    names = [name for name in labels if any(name in row.values for row in rows)]
    if names:
        head = (_STEP.text(language), *(str(row.step) for row in rows))
        lines = [(labels[name], *(_number_at(row, name) for row in rows)) for name in names]
        blocks.append(aligned([head, *_at_most(lines, _CURVES_SHOWN)]))
    return "\n\n".join(blocks)


def progress_bar(progress: Progress) -> str:
    """``▰▰▰▰▰▰▱▱▱▱ 3/5 · 60 %``; full only when everything is done."""
    total = max(progress.total, 1)
    done = min(max(progress.done, 0), total)
    filled = _BAR_CELLS * done // total
    bar = "▰" * filled + "▱" * (_BAR_CELLS - filled)
    return f"{bar} {done}/{total} · {100 * done // total} %"


def shown_duration(seconds: float, language: Language) -> str:
    """A stretch of time in words: ``12.3 s``, ``5 min``, ``3 min 5 s``, ``1 h 2 min``."""
    zh = language is Language.ZH
    if seconds < _MINUTE_S - _ROUNDED_UP_S:
        return f"{seconds:.1f} 秒" if zh else f"{seconds:.1f} s"
    whole = round(seconds)
    big, big_unit, small_unit = (
        (_MINUTE_S, ("分", "min"), ("秒", "s"))
        if whole < _HOUR_S
        else (_HOUR_S, ("小时", "h"), ("分", "min"))
    )
    count, rest = divmod(whole, big)
    rest = rest // (big // _MINUTE_S)
    tail = f" {rest} {small_unit[not zh]}" if rest else ""
    alone = "钟" if zh and not rest and big == _MINUTE_S else ""
    return f"{count} {big_unit[not zh]}{alone}{tail}"


def written_settings(values: Mapping[str, ParameterValue]) -> str:
    """``name=value …`` as `runners.protocol.settings_text.parse_settings` reads it back."""
    return " ".join(f"{name}={written_value(value)}" for name, value in values.items())


def written_value(value: ParameterValue) -> str:
    """A parameter's value as a learner types it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def alt_text(figure: Figure, language: Language) -> str:
    """A figure's description for those who cannot see it, at most 1,024 characters."""
    alt = figure.alt.text(language.value) or figure.title.text(language.value) or figure.name
    return _cut(alt, ALT_LIMIT)


def code_span(text: str, limit: int = _QUERY_SHOWN) -> str:
    """A learner's text on one line as code: nothing in it formats, links or pings."""
    return f"`{_cut(' '.join(text.split()).replace('`', chr(39)), limit)}`"


def escaped(text: str) -> str:
    """``text`` on one line, with everything that Markdown or Discord would read made plain."""
    line = _MARKED.sub(r"\\\g<0>", " ".join(text.split()))
    return line.replace("@", "@\u200b")


_MARKED = re.compile(r"[\\`*_~|<>\[\]#]")


def faulty_settings_text(fault: Fault, language: Language) -> str:
    """Why nothing was queued: a setting is wrong, and what is allowed."""
    return f"⚠️ {_NOT_STARTED.text(language)}{fault.text(language.value)}"


def unavailable_text(info: ExampleInfo, language: Language) -> str:
    """Why an example cannot run here."""
    said = Bilingual(
        f"🚫 {code_span(info.id)} 现在跑不了。", f"🚫 {code_span(info.id)} cannot run here now."
    ).text(language)
    return f"{said} {escaped(_cut(info.reason, _MESSAGE_SHOWN))}".rstrip()


def offer_text(wanted: str, *, with_settings: bool, language: Language) -> str:
    """The question back for free text: one of these examples?"""
    said = Bilingual(
        f"没有叫 {code_span(wanted)} 的例子，和它有关的有这些，按一下就跑：",
        f"No example is called {code_span(wanted)}; these belong to it, press to run one:",
    ).text(language)
    return f"{said}\n{_OFFER_DEFAULTS.text(language)}" if with_settings else said


def unknown_example_text(wanted: str, nearest: Iterable[str], language: Language) -> str:
    """There is no such example; ``nearest`` are the ids that look like it."""
    ids = "、".join(f"`{each}`" for each in nearest)
    if not ids:
        return Bilingual(
            f"没有和 {code_span(wanted)} 有关的例子。",
            f"There is no example for {code_span(wanted)}.",
        ).text(language)
    return Bilingual(
        f"没有和 {code_span(wanted)} 有关的例子。名字最接近的：{ids}",
        f"There is no example for {code_span(wanted)}. "
        f"The nearest by name: {ids.replace('、', ', ')}",
    ).text(language)


def may_not_send_text(language: Language) -> str:
    """Why nothing was queued: the result could not be posted."""
    return _MAY_NOT_SEND.text(language)


def not_yours_text(language: Language) -> str:
    """A stranger may not cancel a run."""
    return _NOT_YOURS.text(language)


def no_pictures_text(names: Sequence[str], language: Language) -> str:
    """A note: these pictures are missing, and what may be the cause."""
    shown = ", ".join(names)
    return Bilingual(
        f"🖼️ 图没能发出来：{shown}（取不到、太大，或我没有附件权限）",
        f"🖼️ Missing picture: {shown} (out of reach, too large, or I may not attach files)",
    ).text(language)


def _head(heading: RunHeading) -> str:
    language = heading.language
    title = heading.info.title.text(language.value) if heading.info else heading.example
    settings = _cut(heading.settings, _SETTINGS_LIMIT)
    shown = f"`{settings}`" if settings else _DEFAULTS.text(language)
    return (
        f"### {escaped(_cut(title, _TITLE_LIMIT))}\n"
        f"-# {code_span(heading.example)} · <@{heading.owner_id}>\n"
        f"⚙️ {shown}"
    )


def _defaults(heading: RunHeading, view: JobView) -> str:
    """The parameters that the learner left alone."""
    given = {pair.partition("=")[0] for pair in heading.settings.split()}
    rest = {
        name: value
        for name, value in view.parameters.items()
        if name not in given and name != "seed"
    }
    if not rest:
        return ""
    return f"-# {_OTHERS.text(heading.language)}{code_span(written_settings(rest), 200)}"


def _state(heading: RunHeading, view: JobView) -> str:
    language = heading.language
    match view.state:
        case JobState.QUEUED:
            return _queued(view, language)
        case JobState.RUNNING:
            return _running(view, language)
        case JobState.SUCCEEDED:
            done = _recorded(view, language) or f"✅ {_SUCCEEDED.text(language)}"
            return f"{done}{_took(view.measured, language)}"
        case JobState.FAILED:
            return _failed(heading, view)
        case JobState.CANCELLED:
            before = _CANCELLED if view.started_at else _CANCELLED_UNSTARTED
            return f"🛑 {before.text(language)}{_took(view.measured, language)}"
        case JobState.TIMED_OUT:
            return _timed_out(heading, view)


def _queued(view: JobView, language: Language) -> str:
    if view.position is None:
        return f"⏳ {_QUEUED.text(language)}"
    place = Bilingual(
        f"⏳ 排队中，第 {view.position} 位" + ("，下一个就是" if view.position == 1 else ""),
        f"⏳ Queued, number {view.position} in line"
        + (", next to run" if view.position == 1 else ""),
    ).text(language)
    expected = view.expected_at
    if expected is None or (expected - view.submitted_at).total_seconds() < _WORTH_TELLING_S:
        return place
    return f"{place} · {_EXPECTED.text(language).format(f'<t:{int(expected.timestamp())}:R>')}"


def _recorded(view: JobView, language: Language) -> str:
    """That the result is an earlier one, and from when; empty for one that ran."""
    if view.recorded is None:
        return ""
    then = f"<t:{int(view.recorded.measured_at.timestamp())}:R>"
    return f"📼 {_FROM_RECORD.text(language).format(then)}"


def _running(view: JobView, language: Language) -> str:
    started = view.started_at
    since = f" · {_SINCE.text(language)} <t:{int(started.timestamp())}:R>" if started else ""
    limit = (
        f" · {_LIMIT.text(language)} {shown_duration(view.limit_s, language)}"
        if view.limit_s
        else ""
    )
    lines = [f"🏃 {_RUNNING.text(language)}{since}{limit}"]
    if view.progress is None:
        lines.append(_STARTING.text(language))
    else:
        note = view.progress.note.text(language.value) if view.progress.note else ""
        shown = f" · {escaped(_cut(note, 80))}" if note else ""
        lines.append(f"{progress_bar(view.progress)}{shown}")
    return "\n".join(lines)


def _failed(heading: RunHeading, view: JobView) -> str:
    language = heading.language
    failure = view.failure
    reason = failure.reason if failure else FailureReason.ERROR
    lines = [f"❌ {_FAILED[reason].text(language)}{_took(view.measured, language)}"]
    if failure and failure.message and reason is FailureReason.ERROR:
        lines.append(f"> {escaped(_cut(failure.message, _MESSAGE_SHOWN))}")
    match reason:
        case FailureReason.MEMORY:
            heavy = heading.info.lower if heading.info else ()
            lines.append(_advice(heading, view, heavy, _ADVICE_MEMORY))
        case FailureReason.LIMIT:
            lines.append(_advice(heading, view, _LONG, _ADVICE_TIME))
        case FailureReason.KILLED | FailureReason.LOST | FailureReason.DEVICE:
            lines.append(_TRY_AGAIN.text(language))
        case FailureReason.ERROR:
            pass
    return "\n".join(line for line in lines if line)


def _timed_out(heading: RunHeading, view: JobView) -> str:
    language = heading.language
    limit = shown_duration(view.limit_s, language) if view.limit_s else ""
    said = Bilingual(
        f"⏰ 超过了时限{f'（{limit}）' if limit else ''}，被停下了",
        f"⏰ Stopped: it ran longer than its limit{f' of {limit}' if limit else ''}",
    ).text(language)
    advice = _advice(heading, view, _LONG, _ADVICE_TIME)
    return "\n".join(line for line in (said, advice) if line)


_LONG = ("epochs", "steps", "rounds", "iterations", "samples")


def _advice(heading: RunHeading, view: JobView, words: Sequence[str], general: Bilingual) -> str:
    """Which parameter to lower, the most telling one first; general advice where none is plain."""
    parameters = heading.info.parameters if heading.info else ()
    for word in words:
        for parameter in parameters:
            now = view.parameters.get(parameter.name, parameter.default)
            lower = _lower(parameter, now) if word in parameter.name else None
            if lower is not None:
                name = parameter.name
                return Bilingual(
                    f"💡 把 `{name}` 调小再试：现在是 {now}，比如 `{name}={lower}`",
                    f"💡 Try again with a smaller `{name}`: it was {now}, say `{name}={lower}`",
                ).text(heading.language)
    return f"💡 {general.text(heading.language)}"


def _lower(parameter: ParameterInfo, now: ParameterValue) -> int | None:
    if parameter.kind != "integer" or not isinstance(now, int):
        return None
    lower = max(now // 2, int(parameter.minimum or 1))
    return lower if lower < now else None


def _took(measured: Measured | None, language: Language) -> str:
    if measured is None:
        return ""
    return f" · {_TOOK.text(language)} {shown_duration(measured.elapsed_s, language)}"


def _captions(view: JobView, language: Language) -> str:
    titles = [escaped(_cut(figure.title.text(language.value), 80)) for figure in view.figures]
    return f"📈 {' · '.join(titles[:_COLUMNS])}" if titles else ""


def _look_at(heading: RunHeading, view: JobView) -> str:
    info = heading.info
    if info is None or view.state is not JobState.SUCCEEDED:
        return ""
    lines = [f"👀 {_cut(info.look_at.text(heading.language.value), 400)}"]
    if info.compares:
        lines.append(f"⚖️ {_cut(info.compares.text(heading.language.value), 200)}")
    return "\n".join(lines)


def _claims(heading: RunHeading, view: JobView) -> str:
    """Whether the run showed what its example claims, with the numbers that say so."""
    info = heading.info
    if info is None or view.state is not JobState.SUCCEEDED:
        return ""
    language = heading.language
    found = findings(info, view.metrics)
    if not found:
        return ""
    if all(each.holds for each in found):
        head = _SHOWN
    else:
        head = _NOT_SHOWN_AS_SET if heading.settings else _NOT_SHOWN
    lines = (f"> {each.mark} {escaped(each.text(language.value))}" for each in found)
    return "\n".join([f"🎯 {head.text(language)}", *lines])


def _provenance(view: JobView, language: Language) -> str:
    """Where the numbers come from: device, versions, seed, time, peak memory, birth and walls."""
    if not view.state.final or view.device is None:
        return ""
    versions = ", ".join(f"{name} {version}" for name, version in view.versions.items())
    parts = [
        escaped(_cut(view.device, 80)),
        escaped(_cut(versions, 200)),
        f"{_SEED.text(language)} {view.seed}",
    ]
    if view.measured:
        parts.append(shown_duration(view.measured.elapsed_s, language))
        memory = f"{view.measured.peak_memory_mb:,.0f} MiB"
        parts.append(f"{_PEAK.text(language)} {memory}")
    if view.birth is not None:
        walls = _JOIN.text(language).join(_WALLS[wall].text(language) for wall in view.walls)
        parts += [_BIRTHS[view.birth].text(language), walls or _NO_WALLS.text(language)]
    return f"-# {' · '.join(part for part in parts if part)}"


def _labels(view: JobView, info: ExampleInfo | None, language: Language) -> dict[str, str]:
    """Every metric's name for people, those of the catalogue first."""
    known = {metric.name: metric for metric in (info.metrics if info else ())}
    names = dict.fromkeys(
        (*known, *view.metrics, *(name for row in view.history for name in row.values))
    )
    labels: dict[str, str] = {}
    for name in names:
        metric = known.get(name)
        title = metric.title.text(language.value) if metric else name
        unit = f" ({metric.unit})" if metric and metric.unit else ""
        room = _LABEL_CELLS - len(unit)
        labels[name] = clipped(title, max(room, _LABEL_CELLS // 2)).replace("`", "'") + unit
    return labels


def _number_at(row: HistoryRow, name: str) -> str:
    return shown_number(row.values[name]) if name in row.values else "–"


def _at_most(rows: Sequence[Sequence[str]], count: int) -> list[Sequence[str]]:
    more = len(rows) - count
    return [*rows[:count], *([(f"… +{more}",)] if more > 0 else [])]


def _spread(rows: Sequence[HistoryRow], count: int) -> list[HistoryRow]:
    """At most ``count`` rows at even distances, the first and the last among them."""
    if len(rows) <= count:
        return list(rows)
    last = len(rows) - 1
    return [rows[round(index * last / (count - 1))] for index in range(count)]


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _fitted(sections: Iterable[_Section]) -> str:
    kept = [section for section in sections if section.text]
    while len(joined := "\n".join(section.text for section in kept)) > MESSAGE_LIMIT:
        kept.remove(min(kept, key=lambda section: section.weight))
    return joined


_DEFAULTS = Bilingual("默认设置", "default settings")
_OTHERS = Bilingual("其余默认：", "defaults for the rest: ")
_QUEUED = Bilingual("排队中", "Queued")
_RUNNING = Bilingual("运行中", "Running")
_STARTING = Bilingual("正在准备……", "Getting ready…")
_SINCE = Bilingual("开始于", "started")
_LIMIT = Bilingual("时限", "limit")
_SUCCEEDED = Bilingual("完成", "Done")
_CANCELLED = Bilingual("已取消", "Cancelled")
_CANCELLED_UNSTARTED = Bilingual("已取消，还没开始跑", "Cancelled before it started")
_SHOWN = Bilingual("该看到的，这次看到了：", "It showed what it should:")
_NOT_SHOWN = Bilingual("该看到的，这次没有全看到：", "Not all that it should show this time:")
_NOT_SHOWN_AS_SET = Bilingual(
    "在这样的设置下，该看到的没有全看到：", "With these settings, not all that it should show:"
)
_TOOK = Bilingual("用时", "took")
_STEP = Bilingual("步", "step")
_SEED = Bilingual("种子", "seed")
_PEAK = Bilingual("内存峰值", "peak memory")
_FAILED = {
    FailureReason.ERROR: Bilingual("例子报错了", "The example raised an error"),
    FailureReason.MEMORY: Bilingual(
        "内存用得超过了上限，被停下了", "Stopped: it used more memory than it may"
    ),
    FailureReason.KILLED: Bilingual(
        "训练进程突然没了，没留下原因：可能是崩溃，也可能被系统结束",
        "Its process ended without a word: it crashed, or the system ended it",
    ),
    FailureReason.LOST: Bilingual(
        "跑到一半时，它的节点或运行器停了，这次没有结果",
        "The runner went down in the middle, or its node did, so there is no result",
    ),
    FailureReason.LIMIT: Bilingual(
        "处理器时间用得超过了上限，被停下了", "Stopped: it used more processor time than it may"
    ),
    FailureReason.DEVICE: Bilingual("显卡出错或不见了", "The graphics card failed or went away"),
}
_EXPECTED = Bilingual("大约 {} 开始", "likely to start {}")
_FROM_RECORD = Bilingual(
    "来自记录：{} 用同样的设置跑过，这次没有重跑",
    "From the record: measured {} with the same settings, not run again",
)
_BIRTHS = {
    Birth.FORKED: Bilingual("热启动", "warm start"),
    Birth.KEPT_READY: Bilingual("热启动（备用进程）", "warm start (kept ready)"),
    Birth.FRESH: Bilingual("冷启动", "cold start"),
}
_WALLS = {
    Wall.NETWORK: Bilingual("断网", "no network"),
    Wall.FILES: Bilingual("文件只读", "read-only files"),
}
_NO_WALLS = Bilingual("没有隔离墙", "no walls")
_JOIN = Bilingual("、", ", ")
_TRY_AGAIN = Bilingual("💡 可以再来一次。", "💡 You may try again.")
_ADVICE_MEMORY = Bilingual("换小一点的设置再试。", "Try again with smaller settings.")
_ADVICE_TIME = Bilingual("换少一点的训练量再试。", "Try again with less to train.")
_GONE = Bilingual(
    "❓ 运行器不记得这次运行了，结果找不回来。可以再来一次。",
    "❓ The runner does not remember this run, so its result is lost. You may try again.",
)
_MOVED = Bilingual("这次运行搬到了新消息：", "This run goes on in a new message:")
_NOT_STARTED = Bilingual("没有开始运行：", "Nothing was started: ")
_OFFER_DEFAULTS = Bilingual(
    "-# 按钮用默认设置；要带上你的设置，请在 `/run` 里选例子。",
    "-# The buttons run with defaults; to keep your settings, pick the example in `/run`.",
)
_MAY_NOT_SEND = Bilingual(
    "我不能在这个频道里发消息，结果没处放，所以没有开始运行。"
    "换一个频道，或请管理员给我“发送消息”的权限。",
    "I may not write in this channel, so there would be no place for the result: nothing was "
    "started. Use another channel, or ask the staff to let me send messages here.",
)
_NOT_YOURS = Bilingual(
    "只有开始这次运行的人和管理员能取消它。",
    "Only whoever started this run and the staff may cancel it.",
)
