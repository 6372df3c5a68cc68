from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from runners.protocol.events import (
    EVENT,
    Cancelled,
    Event,
    Failed,
    Figure,
    Log,
    Measured,
    Metric,
    Progress,
    Queued,
    Started,
    Succeeded,
    TimedOut,
)
from runners.protocol.jobs import HistoryRow, JobView, fold
from runners.protocol.words import FailureReason, Framework, JobId, JobState, Text

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
MEASURED = Measured(elapsed_s=1, peak_memory_mb=2)
numbers = st.floats(allow_nan=False)
names = st.sampled_from(["loss", "accuracy", "损失"])


def new_view() -> JobView:
    return JobView(
        id=JobId("0" * 32),
        example="steady",
        framework=Framework.PYTORCH,
        parameters={"seed": 0},
        seed=0,
        submitted_at=AT,
    )


happenings = st.one_of(
    st.builds(Progress, sequence=st.just(1), at=st.just(AT), done=st.just(1), total=st.just(2)),
    st.builds(
        Metric,
        sequence=st.just(1),
        at=st.just(AT),
        step=st.none() | st.integers(-3, 9),
        values=st.dictionaries(names, numbers, min_size=1),
    ),
    st.builds(Log, sequence=st.just(1), at=st.just(AT), text=st.text(max_size=9)),
    st.builds(
        Figure,
        sequence=st.just(1),
        at=st.just(AT),
        name=st.sampled_from(["a.png", "b.png"]),
        title=st.just(Text(zh="图", en="picture")),
        alt=st.just(Text(zh="升", en="rising")),
    ),
)
ends = st.sampled_from(
    [
        Succeeded(sequence=1, at=AT, measured=MEASURED),
        Failed(sequence=1, at=AT, reason=FailureReason.LOST, message="gone"),
        Cancelled(sequence=1, at=AT),
        TimedOut(sequence=1, at=AT, limit_s=3, measured=MEASURED),
    ]
)


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    started = Started(sequence=1, at=AT, device="cpu (1 core)", versions={}, limit_s=3)
    events: list[Event] = [Queued(sequence=1, at=AT, position=2), started]
    events += draw(st.lists(happenings, max_size=30))
    events.append(draw(ends))
    return [
        event.model_copy(update={"sequence": number})
        for number, event in enumerate(events, start=1)
    ]


def folded(events: list[Event]) -> JobView:
    view = new_view()
    for event in events:
        view = fold(view, event)
    return view


@given(lives())
def test_a_life_ends_in_the_state_of_its_last_event(events: list[Event]) -> None:
    view = folded(events)
    assert view.state == events[-1].type
    assert view.state.final
    assert view.sequence == len(events)
    assert view.position is None
    assert [row.step for row in view.history] == sorted({row.step for row in view.history})
    assert len(view.logs) <= 20
    assert len({figure.name for figure in view.figures}) == len(view.figures)


@given(lives(), st.data())
def test_events_that_come_twice_change_nothing(events: list[Event], data: st.DataObject) -> None:
    again: list[Event] = []
    for number, event in enumerate(events):
        again.append(event)
        again += data.draw(st.lists(st.sampled_from(events[: number + 1]), max_size=2))
    assert folded(again) == folded(events)


@given(lives())
def test_events_and_views_survive_their_journey_as_json(events: list[Event]) -> None:
    assert [EVENT.validate_json(event.model_dump_json()) for event in events] == events
    view = folded(events)
    assert JobView.model_validate_json(view.model_dump_json()) == view


def test_a_row_reported_in_parts_and_out_of_order_is_one_row() -> None:
    events: list[Event] = [
        Metric(sequence=1, at=AT, step=2, values={"loss": 0.5}),
        Metric(sequence=2, at=AT, step=1, values={"loss": 0.9}),
        Metric(sequence=3, at=AT, step=2, values={"accuracy": 0.7}),
    ]
    assert folded(events).history == (
        HistoryRow(step=1, values={"loss": 0.9}),
        HistoryRow(step=2, values={"loss": 0.5, "accuracy": 0.7}),
    )


def test_a_figure_drawn_anew_takes_the_place_of_the_first() -> None:
    def drawn(number: int, name: str, alt: str) -> Figure:
        text = Text(zh=alt, en=alt)
        return Figure(sequence=number, at=AT, name=name, title=text, alt=text)

    view = folded([drawn(1, "a.png", "1"), drawn(2, "b.png", "2"), drawn(3, "a.png", "3")])
    assert [(figure.name, figure.alt.en) for figure in view.figures] == [
        ("a.png", "3"),
        ("b.png", "2"),
    ]


def test_a_diverged_loss_travels_as_strict_json() -> None:
    event = Metric(sequence=1, at=AT, step=1, values={"loss": float("inf")})
    assert '"loss":"Infinity"' in event.model_dump_json()
    assert EVENT.validate_json(event.model_dump_json()) == event


def test_a_job_can_end_without_having_started() -> None:
    view = folded([Queued(sequence=1, at=AT, position=1), Cancelled(sequence=2, at=AT)])
    assert (view.state, view.started_at, view.ended_at) == (JobState.CANCELLED, None, AT)
