import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from knowledge.aspect import Aspect
from knowledge.discussion import LONGEST
from knowledge.entry import EntryId
from knowledge.errors import IndexMismatchError, IndexMissingError
from knowledge.outcome import Answered, Compared, Query, Refused, Silent, Unsure
from knowledge.prepare import Sources, prepare
from knowledge.retriever import Retriever
from knowledge.settings import KnowledgeSettings
from knowledge.testing import FakeEncoder


@pytest.fixture
def retriever(settings: KnowledgeSettings, sources: Sources, encoder: FakeEncoder) -> Retriever:
    return Retriever(prepare(settings, sources=sources), encoder)


def test_an_official_question_finds_its_entry_in_both_languages(retriever: Retriever) -> None:
    for entry in retriever.bank.entries:
        for text in (entry.question.zh, entry.question.en):
            assert retriever.retrieve(Query(text)).hits[0].entry == entry.id


def test_hits_are_best_first_and_hold_every_entry_once(retriever: Retriever) -> None:
    hits = retriever.retrieve(Query("梯度裁剪有什么用")).hits
    assert {hit.entry for hit in hits} == {entry.id for entry in retriever.bank.entries}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_top_k_bounds_the_hits(retriever: Retriever) -> None:
    assert len(retriever.retrieve(Query("束搜索"), top_k=2).hits) == 2


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "😀🎉", "？！……", "\u200b", "\ud800", "<@42>"])
def test_a_text_without_words_is_refused_and_not_encoded(
    retriever: Retriever, encoder: FakeEncoder, text: str
) -> None:
    encoder.encoded.clear()
    assert retriever.retrieve(Query(text)) == Refused((), 0.0, ())
    assert encoder.encoded == []


def test_a_very_long_text_is_cut_before_it_is_encoded(
    retriever: Retriever, encoder: FakeEncoder
) -> None:
    encoder.encoded.clear()
    retriever.retrieve(Query("梯度" * 2000))
    assert [len(text) for text in encoder.encoded] == [1000]


def test_a_batch_is_encoded_at_once_and_gives_what_single_queries_give(
    retriever: Retriever, encoder: FakeEncoder
) -> None:
    queries = [Query("束搜索入门"), Query(""), Query("what is word embedding")]
    single = [retriever.retrieve(query) for query in queries]
    encoder.encoded.clear()
    batch = retriever.retrieve_many(queries)
    assert encoder.encoded == ["束搜索入门", "what is word embedding"]
    for one, other in zip(batch, single, strict=True):
        assert [hit.entry for hit in one.hits] == [hit.entry for hit in other.hits]
        assert one.confidence == pytest.approx(other.confidence, abs=1e-5)


def test_no_queries_give_no_outcomes(retriever: Retriever) -> None:
    assert retriever.retrieve_many([]) == []


def test_traditional_characters_and_full_width_letters_ask_the_same(retriever: Retriever) -> None:
    plain = retriever.retrieve(Query("词嵌入怎么理解 why"))
    assert retriever.retrieve(Query("詞嵌入怎麼理解　ＷＨＹ")) == plain


def test_a_follow_up_is_read_after_the_conversation(
    retriever: Retriever, encoder: FakeEncoder
) -> None:
    asked = retriever.retrieve(Query("讲讲束搜索的原理"))
    encoder.encoded.clear()
    outcome = retriever.retrieve(Query("为什么？", conversation=("讲讲束搜索的原理",)))
    assert encoder.encoded == ["讲讲束搜索的原理", "为什么?"]
    assert outcome == Answered(EntryId("beam-search"), asked.confidence, asked.hits, Aspect.WHY)


def test_a_comparison_holds_both_entries(retriever: Retriever, encoder: FakeEncoder) -> None:
    encoder.encoded.clear()
    conversation = ("什么是束搜索？", "谢谢")
    outcome = retriever.retrieve(Query("和梯度裁剪有什么区别", conversation=conversation))
    assert isinstance(outcome, Compared)
    assert (outcome.entry, outcome.other) == ("beam-search", "gradient-clipping")
    assert outcome.hits[0].entry == "beam-search"
    assert encoder.encoded == [
        "什么是束搜索?",
        "和梯度裁剪有什么区别",
        "梯度裁剪",
        "什么是束搜索? 梯度裁剪",
    ]


def test_conversations_and_questions_share_one_batch(
    retriever: Retriever, encoder: FakeEncoder
) -> None:
    queries = [
        Query("为什么？", conversation=("什么是束搜索？",)),
        Query("束搜索入门"),
        Query("什么是束搜索？"),
    ]
    single = [retriever.retrieve(query) for query in queries]
    encoder.encoded.clear()
    batch = retriever.retrieve_many(queries)
    assert encoder.encoded == ["什么是束搜索?", "为什么?", "束搜索入门"]
    assert [type(outcome) for outcome in batch] == [type(outcome) for outcome in single]
    assert [outcome.hits[0].entry for outcome in batch] == ["beam-search"] * 3


@pytest.mark.parametrize("text", ["谢谢！", "thanks a lot", "哈哈哈", "好的"])
def test_small_talk_is_met_with_silence_and_not_encoded(
    retriever: Retriever, encoder: FakeEncoder, text: str
) -> None:
    encoder.encoded.clear()
    assert isinstance(retriever.retrieve(Query(text)), Silent)
    assert encoder.encoded == []


def test_a_sign_without_words_in_a_conversation_is_met_with_silence(retriever: Retriever) -> None:
    assert retriever.retrieve(Query("👍", conversation=("什么是束搜索？",))) == Silent()


def test_only_the_newest_messages_are_read(retriever: Retriever, encoder: FakeEncoder) -> None:
    encoder.encoded.clear()
    conversation = ("什么是束搜索？", *(f"第 {number} 句梯度裁剪" for number in range(20)))
    retriever.retrieve(Query("为什么？", conversation=conversation))
    assert len(encoder.encoded) == LONGEST


@pytest.mark.parametrize(
    ("text", "answered"),
    [("有代码吗？", True), ("能跑吗", True), ("举个例子", False), ("有意思，这么复杂", False)],
)
def test_an_unaddressed_follow_up_must_clearly_ask(
    retriever: Retriever, text: str, *, answered: bool
) -> None:
    query = Query(text, conversation=("什么是束搜索？",), addressed=False)
    assert isinstance(retriever.retrieve(query), Answered) == answered


def test_an_unaddressed_question_may_be_asked_again(retriever: Retriever) -> None:
    question = "什么是束搜索，它是怎么回事？"
    asked = retriever.retrieve(Query(question, addressed=False))
    again = retriever.retrieve(Query(question, conversation=(question,), addressed=False))
    assert again == asked
    assert isinstance(again, Answered)


@given(st.lists(st.text(max_size=30), max_size=5), st.text(max_size=30))
@settings_of_hypothesis(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_conversation_has_an_outcome(
    retriever: Retriever, conversation: list[str], text: str
) -> None:
    query = Query(text, conversation=tuple(conversation))
    assert isinstance(retriever.retrieve(query), Answered | Compared | Unsure | Refused | Silent)


def test_threads_get_the_outcomes_of_their_own_queries(retriever: Retriever) -> None:
    queries = [Query(entry.question.zh) for entry in retriever.bank.entries] * 8
    start = threading.Barrier(4)

    def ask(part: list[Query]) -> list[str]:
        start.wait()
        return [retriever.retrieve(query).hits[0].entry for query in part]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, [queries[number::4] for number in range(4)]))
    assert found == [[retriever.bank.entries[number].id] * 8 for number in range(4)]


def test_a_bank_of_one_entry_can_be_asked(
    settings: KnowledgeSettings, sources: Sources, encoder: FakeEncoder
) -> None:
    bank = type(sources.bank)(sources.bank.entries[:1])
    one = Sources(bank, sources.background, encoder)
    retriever = Retriever(prepare(settings, sources=one), encoder)
    outcome = retriever.retrieve(Query(bank.entries[0].question.zh))
    assert [hit.entry for hit in outcome.hits] == [bank.entries[0].id]
    assert isinstance(retriever.retrieve(Query("red wine with cheese")), Refused)
    assert isinstance(outcome, Answered)


def test_an_unprepared_bank_names_the_command_that_prepares_it(
    settings: KnowledgeSettings, sources: Sources
) -> None:
    from knowledge.prepare import load_prepared

    with pytest.raises(IndexMissingError, match="python -m knowledge train"):
        load_prepared(settings, sources=sources)


def test_a_changed_bank_is_noticed_before_the_encoder_loads(
    settings: KnowledgeSettings, sources: Sources, encoder: FakeEncoder
) -> None:
    from knowledge.prepare import load_prepared

    prepare(settings, sources=sources)
    fewer = Sources(type(sources.bank)(sources.bank.entries[1:]), sources.background, encoder)
    with pytest.raises(IndexMismatchError, match="bank changed"):
        load_prepared(settings, sources=fewer)
