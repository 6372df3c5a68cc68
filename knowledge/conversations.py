"""Evaluation of conversations: how often the last message gets the entry and the side it wants."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from knowledge.aspect import Aspect
from knowledge.errors import EvaluationFileError
from knowledge.outcome import Answered, Compared, Outcome, Query, Refused, Silent, Unsure

_BATCH: Final = 64


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation of a learner whose last message is judged.

    ``turns`` are the learner's messages, oldest first. ``entries`` answers the last one: a pair
    for a comparison, else one entry; with ``aspect`` None there is nothing to answer and no entry.
    """

    turns: tuple[str, ...]
    entries: frozenset[str]
    aspect: Aspect | None
    tag: str


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Over ``n`` cases, the parts (0 to 1) in which the entry and the aspect were right."""

    n: int
    entry_accuracy: float
    aspect_accuracy: float


@dataclass(frozen=True, slots=True)
class ConversationEvaluation:
    """The accuracy over all cases, and over those of each tag."""

    all: Accuracy
    tags: dict[str, Accuracy]

    def as_json(self) -> dict[str, object]:
        """``{"all": …, "tags": {tag: …}}``."""
        return asdict(self)


def read_conversations(path: Path, known: Callable[[str], bool]) -> list[Case]:
    """The cases of a file, one JSON object a line.

    ``{"turns", "entry", "aspect", "other", "tag"}``, of which the last two may be left out.
    Empty lines are skipped.

    Raises:
        EvaluationFileError: the file or a line cannot be read, or an entry is not ``known``; the
            message names the line.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationFileError(f"{path} cannot be read: {error}") from error
    cases = [
        _case(f"{path}:{number}", line, known)
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    if not cases:
        raise EvaluationFileError(f"{path} holds no conversations")
    return cases


def evaluate_conversations(
    cases: Sequence[Case], retrieve_many: Callable[[Sequence[Query]], Sequence[Outcome]]
) -> ConversationEvaluation:
    """Put the last message of every case, after the others, and judge the outcomes.

    An outcome that asks back counts as wrong, also where there is nothing to answer.
    """
    judged: list[tuple[str, bool, bool]] = []
    for start in range(0, len(cases), _BATCH):
        batch = cases[start : start + _BATCH]
        queries = [Query(case.turns[-1], conversation=case.turns[:-1]) for case in batch]
        for case, outcome in zip(batch, retrieve_many(queries), strict=True):
            entries, aspect = _given(outcome)
            judged.append((case.tag, entries == case.entries, aspect == case.aspect))
    tags = sorted({case.tag for case in cases})
    return ConversationEvaluation(
        _accuracy(judged),
        {tag: _accuracy([each for each in judged if each[0] == tag]) for tag in tags},
    )


class _Line(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    turns: list[str] = Field(min_length=1)
    entry: str | None
    aspect: Aspect | None = Field(strict=False)
    other: str | None = None
    tag: str = ""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.entry is None) != (self.aspect is None):
            raise ValueError("there is an entry just where there is an aspect")
        if (self.other is None) == (self.aspect is Aspect.COMPARE):
            raise ValueError("there is another entry just for a comparison")
        return self


def _case(place: str, line: str, known: Callable[[str], bool]) -> Case:
    try:
        read = _Line.model_validate_json(line)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        message = f"{place}: {f'{where}: ' if where else ''}{fault['msg']}"
        raise EvaluationFileError(message) from error
    entries = frozenset(name for name in (read.entry, read.other) if name is not None)
    for name in sorted(entries):
        if not known(name):
            raise EvaluationFileError(f"{place}: there is no entry {name}")
    return Case(tuple(read.turns), entries, read.aspect, read.tag)


def _given(outcome: Outcome) -> tuple[AbstractSet[str] | None, Aspect | Unsure | None]:
    """The entries and the aspect that a learner got; an `Unsure` is neither these nor none."""
    match outcome:
        case Answered(entry=entry, aspect=aspect):
            return {entry}, aspect
        case Compared(entry=entry, other=other):
            return {entry, other}, Aspect.COMPARE
        case Refused() | Silent():
            return frozenset(), None
        case Unsure():
            return None, outcome


def _accuracy(judged: Sequence[tuple[str, bool, bool]]) -> Accuracy:
    total = len(judged)
    return Accuracy(
        total,
        sum(entry for _, entry, _ in judged) / total,
        sum(aspect for _, _, aspect in judged) / total,
    )
