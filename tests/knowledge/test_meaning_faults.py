import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from knowledge.bank import load_bank, read_wordings
from knowledge.centre import Centres
from knowledge.confidence import FEATURES, Gate
from knowledge.corpus import build_corpus
from knowledge.encoder import Vectors
from knowledge.fault import Fault
from knowledge.fusion import Weights
from knowledge.meaning_faults import (
    AGREEING,
    NEAR_COSINE,
    NEARER_BY,
    SAME_COSINE,
    Meanings,
    meaning_faults,
)
from knowledge.moves import MoveTeller
from knowledge.normalise import normalise
from knowledge.prepare import prepare
from knowledge.settings import KnowledgeSettings
from knowledge.training import Figures, Trained

DIMENSION = 256
TEMPERATURE = 0.05

Direction = npt.NDArray[np.float64]


class Said:
    """Vectors of texts: those that were placed, and for all others some direction of their own."""

    def __init__(self) -> None:
        self._placed: dict[str, Direction] = {}

    def place(self, text: str, near: str, cosine: float) -> None:
        """Put ``text`` at ``cosine`` to ``near``, and to the others as far as chance has it."""
        towards, aside = self._vector(near), _direction(text)
        aside = aside - aside @ towards * towards
        aside /= np.linalg.norm(aside)
        self._placed[normalise(text)] = cosine * towards + np.sqrt(1 - cosine**2) * aside

    def vectors(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vector(text) for text in texts]).astype(np.float32)

    def _vector(self, text: str) -> Direction:
        return self._placed.get(normalise(text), _direction(normalise(text)))


def _direction(text: str) -> Direction:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    vector: Direction = np.random.default_rng(seed).standard_normal(DIMENSION)
    return vector / np.linalg.norm(vector)


@pytest.fixture
def said() -> Said:
    return Said()


def trained(lexical: float = 0.0) -> Trained:
    zeros = np.zeros(len(FEATURES))
    gate = Gate(zeros, zeros + 1, zeros, 0.0)
    centres = Centres(np.zeros((2, DIMENSION), np.float32))
    moves = MoveTeller(np.zeros((0, 0), np.float32), np.zeros(0, np.float32))
    figures = Figures(0, 0.0, 0.0)
    return Trained(centres, Weights(TEMPERATURE, 1.0, lexical), gate, moves, figures)


def write(bank_dir: Path, entry: str, *texts: str) -> Path:
    path = bank_dir.parent / "phrasings" / f"{entry}.tsv"
    path.parent.mkdir(exist_ok=True)
    languages = ["en" if text.isascii() else "zh" for text in texts]
    lines = [f"{each}\tsymptom\t{text}\n" for each, text in zip(languages, texts, strict=True)]
    path.write_text("".join(lines), "utf-8")
    return path


def found(bank_dir: Path, said: Said, lexical: float = 0.0) -> tuple[Fault, ...]:
    bank = load_bank(bank_dir)
    meanings = Meanings(bank, build_corpus(bank), trained(lexical), said.vectors)
    return meaning_faults(meanings, read_wordings(bank_dir))


def test_the_bank_that_ships_has_no_faults_of_meaning(prepared_data_dir: Path) -> None:
    prepared = prepare(KnowledgeSettings(data_dir=prepared_data_dir))
    meanings = Meanings(prepared.bank, prepared.corpus, prepared.trained, prepared.index.vectors)
    assert meaning_faults(meanings, read_wordings()) == ()


FIRST, SECOND = "the translation misses half of a sentence", "half of the sentence is missing"


def test_two_entries_do_not_ask_the_same(bank_dir: Path, said: Said) -> None:
    first = write(bank_dir, "beam-search", "why five", FIRST)
    second = write(bank_dir, "word-embedding", SECOND)
    said.place(SECOND, FIRST, SAME_COSINE + 0.01)
    assert found(bank_dir, said) == (
        Fault(second, 1, f"{SECOND!r} asks what {FIRST!r} at {first}:2 asks"),
    )


def test_what_is_a_little_farther_off_may_stand(bank_dir: Path, said: Said) -> None:
    write(bank_dir, "beam-search", FIRST)
    write(bank_dir, "word-embedding", SECOND)
    said.place(SECOND, FIRST, SAME_COSINE - 0.01)
    assert found(bank_dir, said) == ()


def test_one_entry_may_say_a_thing_twice(bank_dir: Path, said: Said) -> None:
    write(bank_dir, "beam-search", FIRST, SECOND)
    said.place(SECOND, FIRST, 0.99)
    assert found(bank_dir, said) == ()


def test_other_words_may_mean_nearly_the_same(bank_dir: Path, said: Said) -> None:
    other = "翻译总是漏半句"
    write(bank_dir, "beam-search", FIRST)
    write(bank_dir, "word-embedding", other)
    said.place(other, FIRST, 0.99)
    assert found(bank_dir, said) == ()


ASKED = "words close in meaning lie far apart"
NEAREST = ("similar words far apart", "synonyms are not close", "vectors of synonyms disagree")


def astray(bank_dir: Path, said: Said, cosine: float) -> tuple[Path, Path]:
    """A line of beam search among lines of word embedding: its file and theirs."""
    here = write(bank_dir, "beam-search", "why five", ASKED)
    there = write(bank_dir, "word-embedding", *NEAREST)
    for number, text in enumerate(NEAREST):
        said.place(text, ASKED, cosine - 0.01 * number)
    return here, there


def test_a_phrasing_among_the_lines_of_another_entry_is_a_fault(bank_dir: Path, said: Said) -> None:
    here, there = astray(bank_dir, said, NEAR_COSINE + 0.05)
    message = f"{ASKED!r} is nearer to word-embedding, see {NEAREST[0]!r} at {there}:1"
    assert found(bank_dir, said) == (Fault(here, 2, message),)


def test_words_that_only_the_line_itself_gives_its_entry_do_not_help(
    bank_dir: Path, said: Said
) -> None:
    here, _ = astray(bank_dir, said, NEAR_COSINE + 0.05)
    (fault,) = found(bank_dir, said, lexical=10.0)
    assert (fault.path, fault.line) == (here, 2)


def test_words_of_the_entrys_other_lines_do(bank_dir: Path, said: Said) -> None:
    astray(bank_dir, said, NEAR_COSINE + 0.05)
    # Word for word what is asked, yet a meaning of its own.
    write(bank_dir, "beam-search", ASKED, f"{ASKED} as well")
    assert found(bank_dir, said, lexical=10.0) == ()


def test_what_is_far_from_everything_is_no_fault(bank_dir: Path, said: Said) -> None:
    astray(bank_dir, said, NEAR_COSINE - 0.01)
    assert found(bank_dir, said) == ()


def test_one_line_of_its_own_among_the_nearest_is_enough(bank_dir: Path, said: Said) -> None:
    astray(bank_dir, said, NEAR_COSINE + 0.05)
    own = "distances between words surprise me"
    write(bank_dir, "beam-search", ASKED, own)
    said.place(own, ASKED, NEAR_COSINE + 0.05 - 0.01 * (AGREEING - 1) + 0.005)
    assert found(bank_dir, said) == ()


def test_many_lines_of_its_own_a_little_farther_off_are_enough(bank_dir: Path, said: Said) -> None:
    cosine = NEAR_COSINE + 0.05
    astray(bank_dir, said, cosine)
    own = [f"distances between words surprise me, case {number}" for number in range(20)]
    write(bank_dir, "beam-search", ASKED, *own)
    nearness = cosine - 0.01 + TEMPERATURE * np.log(AGREEING / len(own))
    for text in own:
        said.place(text, ASKED, nearness - TEMPERATURE * (NEARER_BY - 0.5))
    assert found(bank_dir, said) == ()
    for text in own:
        said.place(text, ASKED, nearness - TEMPERATURE * (NEARER_BY + 0.5))
    assert len(found(bank_dir, said)) == 1


def test_an_entrys_question_is_its_own_whatever_lies_near(bank_dir: Path, said: Said) -> None:
    write(bank_dir, "word-embedding", *NEAREST)
    for text in NEAREST:
        said.place(text, "What is beam search?", 0.8)
    assert found(bank_dir, said) == ()


def test_a_private_bank_alone_is_judged_but_compared_with_both(
    bank_dir: Path, tmp_path: Path, entry_text: Callable[..., str], said: Said
) -> None:
    private = tmp_path / "guild" / "questions"
    (private / "rules").mkdir(parents=True)
    text = entry_text(id="house-rules", topic="rules", zh="群规", en="our rules")
    (private / "rules" / "house-rules.md").write_text(text, "utf-8")
    common_file = write(bank_dir, "beam-search", FIRST)
    own_file = write(private, "house-rules", SECOND)
    said.place(SECOND, FIRST, 0.95)
    common = load_bank(bank_dir)
    own = load_bank(private, beside=common)
    corpus = build_corpus(common).joined(build_corpus(own))
    meanings = Meanings(common.joined(own), corpus, trained(), said.vectors)
    assert meaning_faults(meanings, read_wordings(private), read_wordings(bank_dir)) == (
        Fault(own_file, 1, f"{SECOND!r} asks what {FIRST!r} at {common_file}:1 asks"),
    )
