from dataclasses import replace

import numpy as np
import pytest

from knowledge.bank import Bank
from knowledge.entry import EntryId
from knowledge.language import Bilingual
from knowledge.relations import Relations


@pytest.fixture
def compared(bank: Bank) -> Bank:
    """The bank with an entry that compares two others, to which it is related."""
    clipping = bank.entries[0]
    names = {entry.id for entry in bank.entries}
    assert {"beam-search", "word-embedding"} <= names
    comparison = replace(
        clipping,
        id=EntryId("beam-search-vs-sampling"),
        question=Bilingual(
            "束搜索和采样有什么区别？", "How does beam search differ from sampling?"
        ),
        related=(EntryId("beam-search"),),
    )
    return Bank((*bank.entries, comparison))


def number(bank: Bank, name: str) -> int:
    return [entry.id for entry in bank.entries].index(EntryId(name))


def test_relatedness_goes_both_ways(compared: Bank) -> None:
    relations = Relations.of(compared)
    search, comparison = (
        number(compared, each) for each in ("beam-search", "beam-search-vs-sampling")
    )
    assert np.flatnonzero(relations.related(search)).tolist() == [comparison]
    assert np.flatnonzero(relations.related(comparison)).tolist() == [search]


def test_names_are_the_words_of_the_question_in_either_language(compared: Bank) -> None:
    relations = Relations.of(compared)
    embedding = number(compared, "word-embedding")
    assert relations.names(embedding, "词嵌入")
    assert relations.names(embedding, "word embed")
    assert not relations.names(embedding, "束搜索")
    assert not relations.names(embedding, "它")
    assert relations.named("word search")[embedding] == pytest.approx(0.5)


@pytest.mark.parametrize("other", ["采样", "sampling", "samp"])
def test_the_entry_that_is_a_comparison_is_found(compared: Bank, other: str) -> None:
    relations = Relations.of(compared)
    search = number(compared, "beam-search")
    own = number(compared, "beam-search-vs-sampling")
    assert relations.comparison(search, set(), other) == own
    assert relations.comparison(own, set(), other) == own


def test_retrieval_may_find_the_comparison_by_other_words(compared: Bank) -> None:
    relations = Relations.of(compared)
    search, own = number(compared, "beam-search"), number(compared, "beam-search-vs-sampling")
    assert relations.comparison(search, {own}, "随机挑下一个词") == own


def test_other_pairs_have_no_entry_of_their_own(compared: Bank) -> None:
    relations = Relations.of(compared)
    search, embedding = number(compared, "beam-search"), number(compared, "word-embedding")
    assert relations.comparison(embedding, set(), "采样") is None
    assert relations.comparison(search, {embedding}, "词嵌入") is None
    assert relations.comparison(search, set(), "束搜索") is None
