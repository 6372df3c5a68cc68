from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.runs import (
    RunHeading,
    alt_text,
    card_text,
    code_span,
    escaped,
    faulty_settings_text,
    gone_text,
    metrics_table,
    moved_text,
    no_pictures_text,
    offer_text,
    progress_bar,
    shown_duration,
    trouble_text,
    unavailable_text,
    unknown_example_text,
    written_settings,
)
from bot.rendering.splitting import MESSAGE_LIMIT
from knowledge.language import Language
from runners.example import at_least
from runners.protocol.catalogue import Claim, ExampleInfo, MetricInfo, ParameterInfo
from runners.protocol.events import (
    Cancelled,
    Event,
    Failed,
    Figure,
    Measured,
    Metric,
    Progress,
    Queued,
    Recorded,
    Started,
    Succeeded,
    TimedOut,
)
from runners.protocol.jobs import JobView, fold
from runners.protocol.settings_text import Fault, parse_settings
from runners.protocol.words import Birth, FailureReason, Framework, JobId, Text, Wall

START = datetime(2026, 3, 2, 1, tzinfo=UTC)

INFO = ExampleInfo(
    id="tensorflow-simple-network",
    framework=Framework.TENSORFLOW,
    title=Text(zh="两层网络", en="A two-layer network"),
    look_at=Text(zh="看两条曲线", en="Look at both curves"),
    compares=Text(zh="训练集对验证集", en="training against validation"),
    parameters=(
        ParameterInfo(
            name="seed",
            kind="integer",
            default=0,
            description=Text(zh="随机种子", en="random seed"),
            minimum=0,
        ),
        ParameterInfo(
            name="epochs",
            kind="integer",
            default=5,
            description=Text(zh="训练轮数", en="passes over the data"),
            minimum=1,
            maximum=20,
        ),
        ParameterInfo(
            name="batch_size",
            kind="integer",
            default=32,
            description=Text(zh="批大小", en="batch size"),
            minimum=8,
            maximum=512,
        ),
        ParameterInfo(
            name="learning_rate",
            kind="number",
            default=0.001,
            description=Text(zh="学习率", en="learning rate"),
            minimum=1e-6,
            maximum=1,
        ),
        ParameterInfo(
            name="augment",
            kind="flag",
            default=False,
            description=Text(zh="数据增强", en="augmentation"),
        ),
    ),
    metrics=(
        MetricInfo(name="loss", title=Text(zh="训练损失", en="training loss")),
        MetricInfo(name="test_accuracy", title=Text(zh="测试准确率", en="test accuracy")),
        MetricInfo(name="step_ms", title=Text(zh="每步耗时", en="time a step"), unit="ms"),
    ),
    claims=(at_least("test_accuracy", 0.9),),
    limit_s=300,
    code="def run(): ...",
    lower=("batch_size",),
)
ZH = RunHeading(INFO.id, "epochs=2", 42, Language.ZH, INFO)
EN = replace(ZH, language=Language.EN)
MEASURED = Measured(elapsed_s=12.34, peak_memory_mb=1612.4)


def view(*events: Event) -> JobView:
    job = JobView(
        id=JobId("a" * 32),
        example=INFO.id,
        framework=INFO.framework,
        parameters={"seed": 7, "epochs": 2, "batch_size": 32},
        seed=7,
        submitted_at=START,
    )
    for number, event in enumerate(events, start=1):
        job = fold(job, event.model_copy(update={"sequence": number}))
    return job


def started() -> Started:
    return Started(
        sequence=1,
        at=START + timedelta(seconds=5),
        device="cpu (2 cores)",
        versions={"python": "3.11.9", "tensorflow": "2.21.0"},
        limit_s=300,
    )


def metric(step: int | None, **values: float) -> Metric:
    return Metric(sequence=1, at=START, step=step, values=values)


def progress(done: int, total: int) -> Progress:
    return Progress(sequence=1, at=START, done=done, total=total)


def figure(name: str = "curves.png", alt: str = "损失在下降") -> Figure:
    return Figure(
        sequence=1,
        at=START,
        name=name,
        title=Text(zh="训练曲线", en="Training curves"),
        alt=Text(zh=alt, en="the loss falls"),
    )


def failed(reason: FailureReason, message: str = "boom") -> Failed:
    return Failed(sequence=1, at=START, reason=reason, message=message, measured=MEASURED)


def test_queued_card_shows_the_place_in_the_queue() -> None:
    assert card_text(ZH, view(Queued(sequence=1, at=START, position=3))).splitlines() == [
        "### 两层网络",
        "-# `tensorflow-simple-network` · <@42>",
        "⚙️ `epochs=2`",
        "-# 其余默认：`batch_size=32`",
        "⏳ 排队中，第 3 位",
    ]
    assert "Queued, number 1 in line, next to run" in card_text(
        EN, view(Queued(sequence=1, at=START, position=1))
    )


def test_queued_card_says_when_it_is_likely_to_start() -> None:
    card = card_text(ZH, view(Queued(sequence=1, at=START, position=3, wait_s=65)))
    assert "第 3 位 · 大约 <t:1772413265:R> 开始" in card
    soon = view(Queued(sequence=1, at=START, position=2, wait_s=1))
    assert card_text(EN, soon).endswith("Queued, number 2 in line")


def test_a_result_from_the_record_says_so_and_from_when() -> None:
    recorded = Recorded(
        sequence=1,
        at=START,
        job=JobId("b" * 32),
        measured_at=START - timedelta(hours=2),
        device="cpu (2 cores)",
        versions={"python": "3.11.9"},
    )
    job = view(
        recorded, metric(None, accuracy=0.5), Succeeded(sequence=1, at=START, measured=MEASURED)
    )
    card = card_text(ZH, job)
    assert "📼 来自记录：<t:1772406000:R> 用同样的设置跑过，这次没有重跑 · 用时 12.3 秒" in card
    assert "cpu (2 cores) · python 3.11.9" in card
    assert "✅" not in card
    assert "From the record: measured <t:1772406000:R>" in card_text(EN, job)


def test_provenance_tells_where_the_process_came_from_and_its_walls() -> None:
    behind = started().model_copy(update={"walls": (Wall.NETWORK, Wall.FILES)})
    end = Succeeded(sequence=1, at=START, measured=MEASURED)
    assert card_text(ZH, view(behind, end)).endswith(" · 热启动 · 断网、文件只读")
    kept = started().model_copy(update={"birth": Birth.KEPT_READY})
    assert card_text(EN, view(kept, end)).endswith(" · warm start (kept ready) · no walls")


def test_running_card_shows_bar_time_limit_and_metrics_so_far() -> None:
    job = view(started(), metric(1, loss=0.5), metric(2, loss=0.25), progress(2, 5))
    card = card_text(ZH, job)
    assert "🏃 运行中 · 开始于 <t:1772413205:R> · 时限 5 分钟\n▰▰▰▰▱▱▱▱▱▱ 2/5 · 40 %\n" in card
    assert "```\n步          1     2\n训练损失  0.5  0.25\n```" in card
    assert "cpu" not in card


def test_running_card_without_progress_says_that_it_gets_ready() -> None:
    assert "正在准备" in card_text(ZH, view(started()))
    assert "Getting ready" in card_text(EN, view(started()))


def test_finished_card_shows_table_caption_what_to_look_at_and_provenance() -> None:
    job = view(
        started(),
        metric(1, loss=0.5),
        metric(2, loss=0.25),
        metric(None, test_accuracy=0.96111, step_ms=12.345),
        figure(),
        Succeeded(sequence=1, at=START, measured=MEASURED),
    )
    assert card_text(ZH, job).splitlines()[4:] == [
        "✅ 完成 · 用时 12.3 秒",
        "🎯 该看到的，这次看到了：",
        "> ✔ 测试准确率 0.9611 ≥ 0.9",
        "```",
        "测试准确率     0.9611",
        "每步耗时 (ms)   12.35",
        "",
        "步          1     2",
        "训练损失  0.5  0.25",
        "```",
        "📈 训练曲线",
        "👀 看两条曲线",
        "⚖️ 训练集对验证集",
        (
            "-# cpu (2 cores) · python 3.11.9, tensorflow 2.21.0 · 种子 7 · 12.3 秒"
            " · 内存峰值 1,612 MiB · 热启动 · 没有隔离墙"
        ),
    ]
    english = card_text(EN, job)
    assert "✅ Done · took 12.3 s" in english
    assert "test accuracy     0.9611" in english
    assert "👀 Look at both curves" in english
    assert "seed 7 · 12.3 s · peak memory 1,612 MiB" in english


@pytest.mark.parametrize(
    ("settings", "zh", "en"),
    [
        ("", "该看到的，这次没有全看到：", "Not all that it should show this time:"),
        (
            "epochs=1",
            "在这样的设置下，该看到的没有全看到：",
            "With these settings, not all that it should show:",
        ),
    ],
)
def test_what_it_should_have_shown_and_did_not_is_told(settings: str, zh: str, en: str) -> None:
    done = Succeeded(sequence=1, at=START, measured=MEASURED)
    job = view(started(), metric(None, test_accuracy=0.4), done)
    chinese = card_text(replace(ZH, settings=settings), job)
    assert f"🎯 {zh}\n> ✘ 测试准确率 0.4 \\< 0.9\n" in chinese
    english = card_text(replace(EN, settings=settings), job)
    assert f"🎯 {en}\n> ✘ test accuracy 0.4 \\< 0.9\n" in english


def test_nothing_is_said_of_claims_without_results_or_without_an_end() -> None:
    done = Succeeded(sequence=1, at=START, measured=MEASURED)
    assert "🎯" not in card_text(ZH, view(started(), metric(None, step_ms=1), done))
    assert "🎯" not in card_text(ZH, view(started(), metric(None, test_accuracy=1)))
    ended = failed(FailureReason.MEMORY)
    assert "🎯" not in card_text(ZH, view(started(), metric(None, test_accuracy=1), ended))


def test_history_is_shown_at_its_first_middle_and_last_step() -> None:
    job = view(*(metric(step, loss=step) for step in range(1, 10)))
    assert metrics_table(job, INFO, Language.EN).splitlines() == [
        "step           1  5  9",
        "training loss  1  5  9",
    ]


def test_metrics_that_the_catalogue_does_not_name_keep_their_own_name() -> None:
    job = view(metric(1, perplexity=3.5))
    assert metrics_table(job, None, Language.ZH) == "步            1\nperplexity  3.5"


def test_a_metric_missing_at_a_step_leaves_a_dash() -> None:
    job = view(metric(1, loss=0.5), metric(2, extra=1))
    assert metrics_table(job, INFO, Language.ZH).splitlines()[1:] == [
        "训练损失  0.5  –",
        "extra       –  1",
    ]


def test_many_metrics_are_cut_and_counted() -> None:
    job = view(metric(None, **{f"m{number}": number for number in range(15)}))
    lines = metrics_table(job, None, Language.EN).splitlines()
    assert lines[-1] == "… +5"
    assert len(lines) == 11


@pytest.mark.parametrize(
    ("reason", "zh", "en"),
    [
        (FailureReason.ERROR, "例子报错了", "raised an error"),
        (FailureReason.MEMORY, "内存用得超过了上限", "more memory than it may"),
        (FailureReason.KILLED, "训练进程突然没了", "ended without a word"),
        (FailureReason.LOST, "运行器停了，这次没有结果", "runner went down"),
        (FailureReason.LIMIT, "处理器时间用得超过了上限", "more processor time"),
        (FailureReason.DEVICE, "显卡出错或不见了", "graphics card failed"),
    ],
)
def test_each_failure_is_told_in_plain_words(reason: FailureReason, zh: str, en: str) -> None:
    job = view(started(), failed(reason))
    assert zh in card_text(ZH, job)
    assert en in card_text(EN, job)


def test_an_error_quotes_its_message_harmlessly() -> None:
    job = view(started(), failed(FailureReason.ERROR, "ValueError: *x* <@1> @everyone\nnext"))
    assert "> ValueError: \\*x\\* \\<@\u200b1\\> @\u200beveryone next" in card_text(EN, job)


def test_too_much_memory_names_the_parameter_to_lower() -> None:
    job = view(started(), failed(FailureReason.MEMORY))
    assert "把 `batch_size` 调小再试：现在是 32，比如 `batch_size=16`" in card_text(ZH, job)
    assert "smaller `batch_size`: it was 32, say `batch_size=16`" in card_text(EN, job)


def test_too_much_memory_at_the_smallest_value_names_no_parameter() -> None:
    job = view(started(), failed(FailureReason.MEMORY))
    least = job.model_copy(update={"parameters": {"batch_size": 8}})
    assert "换小一点的设置再试" in card_text(ZH, least)
    assert "smaller settings" in card_text(replace(EN, info=None), job)


def test_a_timeout_names_its_limit_and_the_parameter_to_lower() -> None:
    job = view(started(), TimedOut(sequence=1, at=START, limit_s=300, measured=MEASURED))
    assert "⏰ 超过了时限（5 分钟），被停下了" in card_text(ZH, job)
    assert "longer than its limit of 5 min" in card_text(EN, job)
    assert "`epochs=1`" in card_text(EN, job)


def test_cancelled_tells_whether_it_had_started() -> None:
    end = Cancelled(sequence=1, at=START)
    assert "🛑 已取消，还没开始跑" in card_text(ZH, view(end))
    ran = Cancelled(sequence=1, at=START, measured=MEASURED)
    assert "🛑 Cancelled · took 12.3 s" in card_text(EN, view(started(), ran))


def test_a_failed_run_claims_no_insight() -> None:
    card = card_text(ZH, view(started(), failed(FailureReason.ERROR)))
    assert "👀" not in card
    assert "⚖️" not in card


def test_a_card_without_settings_says_so() -> None:
    job = view(Queued(sequence=1, at=START, position=1))
    assert "⚙️ 默认设置" in card_text(replace(ZH, settings=""), job)
    assert "⚙️ default settings" in card_text(replace(EN, settings=""), job)


def test_an_example_that_left_the_catalogue_is_shown_by_its_id() -> None:
    card = card_text(replace(ZH, info=None), view(Queued(sequence=1, at=START, position=1)))
    assert card.startswith("### tensorflow-simple-network\n")


def test_other_texts_of_a_card_exist_in_both_languages() -> None:
    assert "运行器不记得这次运行了" in gone_text(ZH)
    assert "does not remember this run" in gone_text(EN)
    assert trouble_text(EN, "no answer").endswith("⚠️ no answer")
    assert "搬到了新消息： https://discord.com/x" in moved_text(ZH, "https://discord.com/x")
    assert "a new message: https://discord.com/x" in moved_text(EN, "https://discord.com/x")
    assert "图没能发出来：a.png" in no_pictures_text(["a.png"], Language.ZH)
    assert "Missing picture: a.png, b.png" in no_pictures_text(["a.png", "b.png"], Language.EN)


def test_texts_around_a_run_quote_learners_safely() -> None:
    fault = Fault("`x` 不行。", "`x` is not allowed.")
    assert faulty_settings_text(fault, Language.ZH) == "⚠️ 没有开始运行：`x` 不行。"
    assert "`'@everyone'`" in offer_text("`@everyone`", with_settings=False, language=Language.ZH)
    assert "默认设置" in offer_text("x", with_settings=True, language=Language.ZH)
    assert unknown_example_text("a`b", ["c", "d"], Language.EN) == (
        "There is no example for `a'b`. The nearest by name: `c`, `d`"
    )
    assert unknown_example_text("甲", [], Language.ZH) == "没有和 `甲` 有关的例子。"
    broken = INFO.model_copy(update={"available": False, "reason": "No module named *tf*"})
    assert unavailable_text(broken, Language.EN) == (
        "🚫 `tensorflow-simple-network` cannot run here now. No module named \\*tf\\*"
    )


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (0.0, "0.0 秒", "0.0 s"),
        (59.94, "59.9 秒", "59.9 s"),
        (59.96, "1 分钟", "1 min"),
        (185, "3 分 5 秒", "3 min 5 s"),
        (3599.6, "1 小时", "1 h"),
        (3725, "1 小时 2 分", "1 h 2 min"),
    ],
)
def test_durations_are_said_in_words(seconds: float, zh: str, en: str) -> None:
    assert shown_duration(seconds, Language.ZH) == zh
    assert shown_duration(seconds, Language.EN) == en


@pytest.mark.parametrize(
    ("done", "total", "bar"),
    [
        (0, 5, "▱▱▱▱▱▱▱▱▱▱ 0/5 · 0 %"),
        (3, 5, "▰▰▰▰▰▰▱▱▱▱ 3/5 · 60 %"),
        (999, 1000, "▰▰▰▰▰▰▰▰▰▱ 999/1000 · 99 %"),
        (5, 5, "▰▰▰▰▰▰▰▰▰▰ 5/5 · 100 %"),
        (9, 5, "▰▰▰▰▰▰▰▰▰▰ 5/5 · 100 %"),
    ],
)
def test_bar_shows_the_share_that_is_done(done: int, total: int, bar: str) -> None:
    assert progress_bar(progress(done, total)) == bar


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_bar_is_never_negative_over_full_or_full_too_early(done: int, total: int) -> None:
    bar = progress_bar(progress(done, total))
    filled = bar.count("▰")
    assert filled + bar.count("▱") == 10
    assert (filled == 10) == (done >= total)
    assert bar.endswith("100 %") == (done >= total)


_values = st.fixed_dictionaries(
    {},
    optional={
        "seed": st.integers(0, 2**31 - 1),
        "epochs": st.integers(1, 20),
        "learning_rate": st.floats(1e-6, 1),
        "augment": st.booleans(),
    },
)


@given(_values)
def test_written_settings_are_read_back_as_they_were(
    values: dict[str, int | float | bool],
) -> None:
    assert parse_settings(written_settings(values), INFO.parameters) == values


_text = st.text(max_size=3_000)
_texts = st.builds(Text, zh=_text, en=_text)
_floats = st.floats(width=32)
_names = st.text(max_size=60)
_measured = st.builds(Measured, elapsed_s=st.floats(0, 1e6), peak_memory_mb=st.floats(0, 1e7))
_at = st.just(START)
_one = st.just(1)
_events = st.one_of(
    st.builds(Queued, sequence=_one, at=_at, position=st.integers(1, 10**6)),
    st.builds(
        Started,
        sequence=_one,
        at=_at,
        device=_text,
        versions=st.dictionaries(_names, _names, max_size=20),
        limit_s=st.floats(0, 1e6),
    ),
    st.builds(
        Progress,
        sequence=_one,
        at=_at,
        done=st.integers(0, 10**9),
        total=st.integers(1, 10**9),
        note=st.none() | _texts,
    ),
    st.builds(
        Metric,
        sequence=_one,
        at=_at,
        step=st.none() | st.integers(-(10**12), 10**12),
        values=st.dictionaries(_names, _floats, max_size=30),
    ),
    st.builds(Figure, sequence=_one, at=_at, name=_names, title=_texts, alt=_texts),
)
_ends = st.one_of(
    st.builds(Succeeded, sequence=_one, at=_at, measured=_measured),
    st.builds(
        Failed,
        sequence=_one,
        at=_at,
        reason=st.sampled_from(FailureReason),
        message=_text,
        measured=st.none() | _measured,
    ),
    st.builds(Cancelled, sequence=_one, at=_at, measured=st.none() | _measured),
    st.builds(TimedOut, sequence=_one, at=_at, limit_s=st.floats(0, 1e6), measured=_measured),
)
_infos = st.builds(
    ExampleInfo,
    id=_names,
    framework=st.sampled_from(Framework),
    title=_texts,
    look_at=_texts,
    compares=st.none() | _texts,
    parameters=st.just(INFO.parameters),
    metrics=st.lists(
        st.builds(MetricInfo, name=_names, title=_texts, unit=st.text(max_size=40)), max_size=20
    ).map(tuple),
    claims=st.lists(st.builds(Claim, metric=_names, than=st.none() | _names), max_size=6).map(
        tuple
    ),
    limit_s=st.just(300.0),
    code=st.just(""),
)
_headings = st.builds(
    RunHeading,
    example=_names,
    settings=st.text(st.characters(exclude_characters="`"), max_size=400),
    owner_id=st.integers(1, 2**63),
    language=st.sampled_from(Language),
    info=st.none() | _infos,
)


@given(_headings, st.lists(_events, max_size=12), st.none() | _ends, st.lists(_names, max_size=10))
def test_no_view_makes_a_card_too_long_or_breaks_its_table(
    heading: RunHeading, events: list[Event], end: Event | None, missing: list[str]
) -> None:
    job = view(*events, *([end] if end else []))
    card = card_text(heading, job, [no_pictures_text(missing, heading.language)])
    assert 0 < len(card) <= MESSAGE_LIMIT
    assert f"<@{heading.owner_id}>" in card
    assert card.count("```") in (0, 2)
    for shown in job.figures:
        assert len(alt_text(shown, heading.language)) <= 1_024


@given(_headings, _text)
def test_no_heading_makes_the_other_texts_too_long(heading: RunHeading, trouble: str) -> None:
    for text in (gone_text(heading), trouble_text(heading, trouble), moved_text(heading, "x")):
        assert 0 < len(text) <= MESSAGE_LIMIT


@given(_text)
def test_a_learners_text_can_neither_end_its_code_nor_start_a_line(text: str) -> None:
    span = code_span(text)
    assert span.count("`") == 2
    assert len(span.splitlines()) == 1
    assert len(span) <= 102
    plain = escaped(text)
    assert len(plain.splitlines()) <= 1
    assert "@everyone" not in plain
    assert "@here" not in plain
