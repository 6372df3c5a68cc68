import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.lexical import Bm25, tokens, words

WORDS = st.lists(st.sampled_from(["loss", "过拟合", "训练", "model", "batch"]), max_size=8)


def test_a_long_word_brings_the_shorter_ones_along() -> None:
    assert words("准确率很高 gpt-4") == ["准确", "准确率", "很", "高", "gpt", "gpt-4"]


def test_tokens_add_neighbouring_characters_that_are_no_word_yet() -> None:
    assert tokens("先降后升 loss") == ["先降", "后升", "loss", "降后"]


def test_punctuation_is_no_token() -> None:
    assert tokens("?! …, loss = 3") == ["loss", "3"]


def test_the_entry_that_shares_rare_words_scores_highest() -> None:
    ranker = Bm25([["模型", "过拟合"], ["模型", "迁移"], ["模型", "量化"]])
    scores = ranker.scores(["模型", "迁移"])
    assert scores.argmax() == 1
    assert scores[0] == scores[2] > 0


def test_a_word_that_texts_outside_of_the_bank_use_counts_less() -> None:
    bags = [["how", "overfit"], ["cost", "cheap"]]
    alone = Bm25(bags).scores(["how"])[0]
    beside = Bm25(bags, [["how", "weather"]] * 20).scores(["how"])[0]
    assert beside < alone


def test_scores_follow_the_published_formula() -> None:
    scores = Bm25([["a", "b"], ["c", "c", "d", "e"]]).scores(["a"])
    rarity = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    k1, b, length, mean_length = 2.5, 0.5, 2, 3
    damped = (k1 + 1) / (1 + k1 * (1 - b + b * length / mean_length))
    assert scores[0] == pytest.approx(rarity * damped)
    assert scores[1] == 0


def test_a_score_without_some_words_is_that_of_a_smaller_bag() -> None:
    bags = [["a", "b", "b", "c"], ["c", "c", "d", "e"]]
    whole = Bm25(bags)
    assert whole.score_without(["a", "b"], 0, Counter()) == pytest.approx(
        whole.scores(["a", "b"])[0]
    )
    assert whole.score_without(["a"], 0, Counter(["a"])) == 0
    fewer = whole.score_without(["b"], 0, Counter(["b", "c"]))
    rarity = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    assert fewer == pytest.approx(rarity * 3.5 / (1 + 2.5 * (0.5 + 0.5 * 2 / 4)))
    assert whole.score_without(["z", "d"], 0, Counter()) == 0


@given(st.lists(WORDS, min_size=1, max_size=6), WORDS)
def test_scores_are_never_negative_and_a_repeated_word_counts_once(
    bags: list[list[str]], query: list[str]
) -> None:
    scores = Bm25(bags).scores(query)
    assert (scores >= 0).all()
    assert (scores == Bm25(bags).scores(query * 3)).all()


def test_unknown_words_score_nothing() -> None:
    ranker = Bm25([["a"], ["b"]])
    assert list(ranker.scores(["z"])) == [0, 0]
    assert ranker.knows("a")
    assert not ranker.knows("z")
