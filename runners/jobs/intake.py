"""What of a job's reports becomes events: the limits that keep a talkative job bounded."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from runners.jobs.messages import FigureReport, LogReport, MetricReport, ProgressReport
from runners.protocol.events import Event, Figure, Log, Metric, Progress

LOG_LINES: Final = 400
ROWS: Final = 5_000
RESULTS: Final = 200
FIGURES: Final = 60
LINE: Final = 2_000
PROGRESS_S: Final = 0.25
UNNUMBERED: Final = 1
"""The sequence number of an event that its journal has not numbered yet."""


@dataclass(slots=True)
class Intake:
    """Turns reports into events, within limits; the first report over one leaves a log line.

    Progress is thinned to one event in a quarter of a second; the newest is held back until
    `due` or `rest` asks for it, so that it is never lost.
    """

    _counts: dict[str, int] = field(default_factory=dict[str, int])
    _held: ProgressReport | None = None
    _progress_at: datetime | None = None

    def log(self, text: str, at: datetime) -> list[Event]:
        """The events for a line that was written or logged."""
        if not text.strip():
            return []
        return self._within(
            "log lines", LOG_LINES, Log(sequence=UNNUMBERED, at=at, text=text[:LINE])
        )

    def report(
        self, report: MetricReport | LogReport | ProgressReport, at: datetime
    ) -> list[Event]:
        """The events for a report."""
        match report:
            case ProgressReport():
                self._held = report
                return self.due(at)
            case LogReport(text=text):
                return [event for line in text.splitlines() for event in self.log(line, at)]
            case MetricReport(step=step, values=values):
                event = Metric(sequence=UNNUMBERED, at=at, step=step, values=values)
                if step is None:
                    return self._within("results", RESULTS, event)
                return self._within("metric rows", ROWS, event)

    def may_draw(self) -> bool:
        """Whether one more figure is taken; counts it."""
        self._counts["figures"] = self._counts.get("figures", 0) + 1
        return self._counts["figures"] <= FIGURES

    def figure(self, report: FigureReport, at: datetime) -> Event:
        """The event for a figure that was kept."""
        return Figure(
            sequence=UNNUMBERED, at=at, name=report.name, title=report.title, alt=report.alt
        )

    def due(self, at: datetime) -> list[Event]:
        """The progress held back, when its time has come."""
        last = self._progress_at
        if last is not None and (at - last).total_seconds() < PROGRESS_S:
            return []
        return self.rest(at)

    def rest(self, at: datetime) -> list[Event]:
        """The progress held back, in any case."""
        held, self._held = self._held, None
        if held is None:
            return []
        self._progress_at = at
        return [
            Progress(sequence=UNNUMBERED, at=at, done=held.done, total=held.total, note=held.note)
        ]

    def _within(self, what: str, limit: int, event: Event) -> list[Event]:
        count = self._counts.get(what, 0) + 1
        self._counts[what] = count
        if count <= limit:
            return [event]
        if count == limit + 1:
            text = f"more than {limit} {what}: the rest is left out"
            return [Log(sequence=UNNUMBERED, at=event.at, text=text)]
        return []
