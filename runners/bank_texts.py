"""The tutor's own question bank as text to learn from: questions with their topics, and prose.

The bank is read as files: what runs here knows nothing of the package that answers from it.
"""

from pathlib import Path
from typing import Literal, NamedTuple

from runners.errors import MissingDatasetError


class Question(NamedTuple):
    """One way to ask, the entry that answers it and the topic that the entry belongs to."""

    text: str
    entry: str
    topic: str


def load_questions(bank: Path, language: Literal["zh", "en"]) -> list[Question]:
    """The phrasings of the bank in ``language``, in the order of entries and lines.

    Raises:
        MissingDatasetError: there is no bank in that folder.
    """
    topics = {path.stem: path.parent.name for path in sorted(bank.glob("*/*.md"))}
    questions: list[Question] = []
    for path in sorted((bank.parent / "phrasings").glob("*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            spoken, _, text = line.split("\t")
            if spoken == language and path.stem in topics:
                questions.append(Question(text, path.stem, topics[path.stem]))
    if not questions:
        raise MissingDatasetError("the question bank")
    return questions


def load_prose(bank: Path, language: Literal["zh", "en"]) -> list[str]:
    """The explanations of the bank's entries in ``language``, one text an entry.

    Raises:
        MissingDatasetError: there is no bank in that folder.
    """
    texts = [_body(path, language) for path in sorted(bank.glob("*/*.md"))]
    if not texts:
        raise MissingDatasetError("the question bank")
    return texts


def _body(path: Path, language: Literal["zh", "en"]) -> str:
    *_, text = path.read_text(encoding="utf-8").split("\n---\n", 1)
    zh, _, en = text.partition("\n# en\n")
    return (zh.partition("# zh\n")[2] if language == "zh" else en).strip()
