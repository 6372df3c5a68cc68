"""Whether a run showed what its example claims; whoever has its results can tell."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runners.protocol.catalogue import Claim, ExampleInfo, MetricInfo
from runners.protocol.numbers import shown_number
from runners.protocol.words import Language


@dataclass(frozen=True, slots=True)
class Finding:
    """What a run's results say of a claim: ``measured``, and the ``other`` it is set against.

    ``metrics`` are how the example's results are read, by name.
    """

    claim: Claim
    measured: float
    other: float | None
    metrics: Mapping[str, MetricInfo]

    @property
    def holds(self) -> bool:
        """Whether the claim holds; of what is no number nothing does."""
        claim = self.claim
        bound = claim.plus + (0 if self.other is None else claim.times * self.other)
        return self.measured >= bound if claim.relation == "at least" else self.measured <= bound

    @property
    def mark(self) -> str:
        """Whether it holds, at a glance: ✔ or ✘."""
        return "✔" if self.holds else "✘"

    def text(self, language: Language) -> str:
        """What was found, as a relation of numbers that is true: ``speed 347.8 ≥ 2 × …``."""
        claim = self.claim
        measured = self.metrics.get(claim.metric)
        parts = [_title(claim.metric, measured, language), _value(self.measured, measured)]
        parts.append(self._sign)
        if self.other is None or claim.than is None:
            return " ".join([*parts, _value(claim.plus, measured)])
        if claim.times != 1:
            parts += [shown_number(claim.times), "×"]
        other = self.metrics.get(claim.than)
        parts += [_title(claim.than, other, language), _value(self.other, other)]
        if claim.plus:
            parts += ["+" if claim.plus > 0 else "−", shown_number(abs(claim.plus))]
        return " ".join(parts)

    @property
    def _sign(self) -> str:
        holding, failing, undecided = _SIGNS[self.claim.relation]
        if self.holds:
            return holding
        return undecided if math.isnan(self.measured + (self.other or 0)) else failing


_SIGNS: Final = {"at least": ("≥", "<", "≱"), "at most": ("≤", ">", "≰")}


def findings(info: ExampleInfo, results: Mapping[str, float]) -> tuple[Finding, ...]:
    """What ``results`` say of the example's claims; claims about others are left out."""
    metrics = {metric.name: metric for metric in info.metrics}
    return tuple(
        Finding(
            each,
            results[each.metric],
            None if each.than is None else results[each.than],
            metrics,
        )
        for each in info.claims
        if each.metric in results and (each.than is None or each.than in results)
    )


def _title(name: str, info: MetricInfo | None, language: Language) -> str:
    return name if info is None else info.title.text(language)


def _value(value: float, info: MetricInfo | None) -> str:
    return f"{shown_number(value)} {info.unit if info else ''}".rstrip()
