"""Whether a run showed what its example claims; whoever has its results can tell."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from runners.protocol.catalogue import Claim, MetricInfo
from runners.protocol.numbers import shown_number
from runners.protocol.words import Language


@dataclass(frozen=True, slots=True)
class Finding:
    """What a run's results say of a claim: ``measured``, and the ``other`` it is set against."""

    claim: Claim
    measured: float
    other: float | None

    @property
    def holds(self) -> bool:
        """Whether the claim holds; of what is no number nothing does."""
        claim = self.claim
        bound = claim.plus + (0 if self.other is None else claim.times * self.other)
        return self.measured >= bound if claim.relation == "at least" else self.measured <= bound

    def text(self, metrics: Sequence[MetricInfo], language: Language) -> str:
        """What was found, as a relation of numbers that is true: ``speed 347.8 ≥ 2 × …``.

        ``metrics`` give the results their names for people.
        """
        claim = self.claim
        known = {each.name: each for each in metrics}
        measured = known.get(claim.metric)
        parts = [_title(claim.metric, measured, language), _value(self.measured, measured)]
        parts.append(self._sign)
        if self.other is None or claim.than is None:
            return " ".join([*parts, _value(claim.plus, measured)])
        if claim.times != 1:
            parts += [shown_number(claim.times), "×"]
        other = known.get(claim.than)
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


def findings(claims: Sequence[Claim], results: Mapping[str, float]) -> tuple[Finding, ...]:
    """What ``results`` say of ``claims``; left out are those about results that are not there."""
    return tuple(
        Finding(each, results[each.metric], None if each.than is None else results[each.than])
        for each in claims
        if each.metric in results and (each.than is None or each.than in results)
    )


def _title(name: str, info: MetricInfo | None, language: Language) -> str:
    return name if info is None else info.title.text(language)


def _value(value: float, info: MetricInfo | None) -> str:
    return f"{shown_number(value)} {info.unit if info else ''}".rstrip()
