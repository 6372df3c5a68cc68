"""A run of an example at its defaults, and whether it showed what the example claims."""

from dataclasses import dataclass

from runners.protocol.catalogue import ExampleInfo
from runners.protocol.claims import Finding, findings
from runners.protocol.jobs import JobView
from runners.protocol.words import JobState


@dataclass(frozen=True, slots=True)
class ExampleRun:
    """An example and how its run ended."""

    info: ExampleInfo
    view: JobView

    @property
    def succeeded(self) -> bool:
        """Whether it ran to its end."""
        return self.view.state is JobState.SUCCEEDED

    @property
    def found(self) -> tuple[Finding, ...]:
        """What its results say of what it claims."""
        return findings(self.info, self.view.metrics)

    @property
    def shows_all(self) -> bool:
        """Whether they show all of it."""
        return len(self.found) == len(self.info.claims) and all(each.holds for each in self.found)

    @property
    def share_shown(self) -> str:
        """How much of it they show: ``2 of 3``."""
        return f"{sum(each.holds for each in self.found)} of {len(self.info.claims)}"
