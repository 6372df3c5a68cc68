"""Evaluation: how often retrieval is right on questions whose answers are known."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from knowledge.errors import EvaluationFileError
from knowledge.outcome import Answered, Outcome, Query, Refused, Unsure

_NEAR, _REACH = 3, 10
_BATCH: Final = 64


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the entries that answer it; without any it is out of scope."""

    query: str
    entries: frozenset[str]
    tag: str


@dataclass(frozen=True, slots=True)
class Measures:
    """Rates from 0 to 1 over the lines that they apply to; None where there is no such line.

    Over the lines in scope: ``recall_at_1`` and ``recall_at_3`` (an accepted entry is among the
    first hits), ``mrr_at_10`` (mean of 1 / rank of the first accepted entry, 0 beyond ten),
    ``answered_right`` and ``answered_wrong``. Over all lines: ``unsure`` and ``refused``. Over the
    lines out of scope: ``false_answers``. ``auroc`` is the probability that a line in scope gets
    more confidence than one out of scope, a draw counting half.
    """

    n: int
    recall_at_1: float | None
    recall_at_3: float | None
    mrr_at_10: float | None
    answered_right: float | None
    answered_wrong: float | None
    unsure: float | None
    refused: float | None
    false_answers: float | None
    auroc: float | None

    def as_json(self) -> dict[str, int | float | None]:
        """The measures by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The measures over all questions, and over those of each tag."""

    all: Measures
    tags: Mapping[str, Measures]

    def as_json(self) -> dict[str, Any]:
        """``{"all": …, "tags": {tag: …}}``."""
        return {
            "all": self.all.as_json(),
            "tags": {tag: measures.as_json() for tag, measures in self.tags.items()},
        }


def read_questions(path: Path, known: Callable[[str], bool]) -> list[Question]:
    """The questions of a file, one JSON object a line: ``{"query", "entries", "tag"}``.

    Empty lines are skipped.

    Raises:
        EvaluationFileError: the file or a line cannot be read, or an entry is not ``known``; the
            message names the line.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationFileError(f"{path} cannot be read: {error}") from error
    questions = [
        _question(f"{path}:{number}", line, known)
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    if not questions:
        raise EvaluationFileError(f"{path} holds no questions")
    return questions


def evaluate(
    questions: Sequence[Question],
    retrieve_many: Callable[[Sequence[Query]], Sequence[Outcome]],
    *,
    addressed: bool = True,
) -> Evaluation:
    """Ask every question and measure the outcomes; `Outcome.hits` must reach down to ten."""
    asked: list[tuple[Question, Outcome]] = []
    for start in range(0, len(questions), _BATCH):
        batch = questions[start : start + _BATCH]
        queries = [Query(question.query, addressed=addressed) for question in batch]
        asked.extend(zip(batch, retrieve_many(queries), strict=True))
    tags = sorted({question.tag for question in questions})
    return Evaluation(
        _measures(asked),
        {tag: _measures([pair for pair in asked if pair[0].tag == tag]) for tag in tags},
    )


class _Line(BaseModel):
    model_config = ConfigDict(strict=True)

    query: str
    entries: list[str]
    tag: str = ""


def _question(place: str, line: str, known: Callable[[str], bool]) -> Question:
    try:
        read = _Line.model_validate_json(line)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        message = f"{place}: {f'{where}: ' if where else ''}{fault['msg']}"
        raise EvaluationFileError(message) from error
    for name in read.entries:
        if not known(name):
            raise EvaluationFileError(f"{place}: there is no entry {name}")
    return Question(read.query, frozenset(read.entries), read.tag)


def _measures(asked: Sequence[tuple[Question, Outcome]]) -> Measures:
    inside = [(question, outcome) for question, outcome in asked if question.entries]
    outside = [outcome for question, outcome in asked if not question.entries]
    ranks = [_rank(question, outcome) for question, outcome in inside]
    answers = [(question, outcome) for question, outcome in inside if isinstance(outcome, Answered)]
    right = sum(outcome.entry in question.entries for question, outcome in answers)
    return Measures(
        n=len(asked),
        recall_at_1=_rate(sum(rank == 1 for rank in ranks), len(inside)),
        recall_at_3=_rate(sum(1 <= rank <= _NEAR for rank in ranks), len(inside)),
        mrr_at_10=_rate(sum(1 / rank for rank in ranks if rank), len(inside)),
        answered_right=_rate(right, len(inside)),
        answered_wrong=_rate(len(answers) - right, len(inside)),
        unsure=_rate(sum(isinstance(outcome, Unsure) for _, outcome in asked), len(asked)),
        refused=_rate(sum(isinstance(outcome, Refused) for _, outcome in asked), len(asked)),
        false_answers=_rate(
            sum(isinstance(outcome, Answered) for outcome in outside), len(outside)
        ),
        auroc=_auroc(
            [outcome.confidence for _, outcome in inside],
            [outcome.confidence for outcome in outside],
        ),
    )


def _rank(question: Question, outcome: Outcome) -> int:
    """The place of the first accepted entry, from 1; 0 when it is not among the first ten."""
    for rank, hit in enumerate(outcome.hits[:_REACH], 1):
        if hit.entry in question.entries:
            return rank
    return 0


def _rate(count: float, total: int) -> float | None:
    return count / total if total else None


def _auroc(inside: Iterable[float], outside: Iterable[float]) -> float | None:
    pairs = [(one > other) + (one == other) / 2 for one in inside for other in outside]
    return _rate(sum(pairs), len(pairs))
