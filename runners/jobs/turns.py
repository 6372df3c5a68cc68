"""Whose turn it is: round robin over groups, and in a group over its learners. Pure decisions.

A group is a guild, or one learner by direct message. Whoever submits ten jobs waits with nine
of them for everybody else's first.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from runners.protocol.words import JobId


@dataclass(frozen=True, slots=True)
class Claim:
    """A job's claim to be run: whose it is, and how many graphics cards it takes.

    One that takes none takes a slot of the processor.
    """

    job: JobId
    guild: str | None = None
    learner: str | None = None
    cards: int = 0

    @property
    def group(self) -> tuple[str | None, str | None]:
        """Those who share one turn: the guild, or the learner where there is none."""
        return (self.guild, self.learner if self.guild is None else None)


@dataclass(slots=True)
class Served:
    """When each group and each learner had a turn last, counted in turns; 0 is never."""

    turns: int = 0
    groups: dict[tuple[str | None, str | None], int] = field(
        default_factory=dict[tuple[str | None, str | None], int]
    )
    learners: dict[tuple[str | None, str | None], int] = field(
        default_factory=dict[tuple[str | None, str | None], int]
    )

    def note(self, claim: Claim) -> None:
        """``claim`` had its turn."""
        self.turns += 1
        self.groups[claim.group] = self.turns
        self.learners[claim.guild, claim.learner] = self.turns


class _Place(NamedTuple):
    """How far in front a line stands: served longest ago first, then come first."""

    served: int
    came: int


def in_turn(claims: Sequence[Claim], served: Served) -> list[Claim]:
    """``claims``, given in the order of their submission, in the order of their turns."""
    came = {claim.job: number for number, claim in enumerate(claims)}
    lines: dict[tuple[str | None, str | None], dict[str | None, deque[Claim]]] = {}
    for claim in claims:
        lines.setdefault(claim.group, {}).setdefault(claim.learner, deque()).append(claim)
    within = {
        group: [
            (_Place(served.learners.get((line[0].guild, learner), 0), came[line[0].job]), line)
            for learner, line in learners.items()
        ]
        for group, learners in lines.items()
    }
    for queue in within.values():
        heapq.heapify(queue)
    groups = [
        (_Place(served.groups.get(group, 0), came[queue[0][1][0].job]), group)
        for group, queue in within.items()
    ]
    heapq.heapify(groups)
    ordered: list[Claim] = []
    while groups:
        _, group = heapq.heappop(groups)
        queue = within[group]
        _, line = heapq.heappop(queue)
        ordered.append(line.popleft())
        turn = served.turns + len(ordered)
        if line:
            heapq.heappush(queue, (_Place(turn, came[line[0].job]), line))
        if queue:
            heapq.heappush(groups, (_Place(turn, came[queue[0][1][0].job]), group))
    return ordered


@dataclass(frozen=True, slots=True)
class Room:
    """What can run at the same time: ``slots`` on the processor, one job on each of ``cards``.

    A learner may have ``each`` jobs running.
    """

    slots: int
    cards: int
    each: int


def next_to_start(ordered: Iterable[Claim], running: Sequence[Claim], room: Room) -> Claim | None:
    """The first of ``ordered`` that has room beside what is ``running``.

    A claim to more cards than are free holds back the cards from those behind it, or it would
    wait for ever.
    """
    slots = room.slots - sum(not claim.cards for claim in running)
    cards = room.cards - sum(claim.cards for claim in running)
    for claim in ordered:
        theirs = sum(each.learner == claim.learner for each in running)
        if claim.learner is not None and theirs >= room.each:
            continue
        if claim.cards <= cards if claim.cards else slots > 0:
            return claim
        if claim.cards:
            cards = 0
        else:
            slots = 0
    return None


def expected_waits(
    ordered: Sequence[Claim],
    running: Sequence[Claim],
    seconds: Mapping[JobId, float | None],
    room: Room,
) -> list[float | None]:
    """How long each of ``ordered`` is likely to wait, seconds; None where nobody can tell.

    ``seconds`` says how long each waiting job will take and each running one still takes.
    """
    lanes = {False: [0.0] * room.slots, True: [0.0] * room.cards}
    ends: dict[str, list[float]] = {}
    for claim in running:
        _take(lanes[claim.cards > 0], claim, 0, _known(seconds[claim.job]), ends)
    waits: list[float | None] = []
    for claim in ordered:
        lane = lanes[claim.cards > 0]
        start = sorted(lane)[max(1, claim.cards) - 1]
        theirs = sorted(ends.get(claim.learner, ())) if claim.learner is not None else []
        if len(theirs) >= room.each:
            start = max(start, theirs[-room.each])
        waits.append(start if start < float("inf") else None)
        _take(lane, claim, start, _known(seconds[claim.job]), ends)
    return waits


def _take(
    lane: list[float], claim: Claim, start: float, takes: float, ends: dict[str, list[float]]
) -> None:
    lane.sort()
    for place in range(min(max(1, claim.cards), len(lane))):
        lane[place] = start + takes
    if claim.learner is not None:
        ends.setdefault(claim.learner, []).append(start + takes)


def _known(seconds: float | None) -> float:
    return float("inf") if seconds is None else seconds
