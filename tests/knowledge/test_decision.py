import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.decision import THRESHOLDS, Thresholds, decide
from knowledge.entry import EntryId
from knowledge.language import Bilingual
from knowledge.manner import Manner, manner_of
from knowledge.outcome import Answered, Hit, Refused, Unsure

HITS = [
    Hit(EntryId(name), Bilingual(f"什么是{name}", f"what is {name}"), -float(number))
    for number, name in enumerate(("first", "second", "third", "fourth"))
]
STEPS = Thresholds(ask=0.2, addressed=0.5, asked=0.8, said=0.9)


@pytest.mark.parametrize(
    ("confidence", "manner", "kind"),
    [
        (0.5, Manner.ADDRESSED, Answered),
        (0.499, Manner.ADDRESSED, Unsure),
        (0.2, Manner.ADDRESSED, Unsure),
        (0.199, Manner.ADDRESSED, Refused),
        (0.799, Manner.ASKED, Unsure),
        (0.8, Manner.ASKED, Answered),
        (0.89, Manner.SAID, Unsure),
        (0.9, Manner.SAID, Answered),
    ],
)
def test_each_step_begins_at_its_threshold(confidence: float, manner: Manner, kind: type) -> None:
    assert type(decide(HITS, confidence, manner, STEPS)) is kind


def test_an_answer_is_the_first_hit_and_keeps_all() -> None:
    expected = Answered(EntryId("first"), 0.97, tuple(HITS))
    assert decide(HITS, 0.97, Manner.ADDRESSED) == expected


def test_asking_back_offers_at_most_three() -> None:
    assert decide(HITS, 0.3, Manner.ADDRESSED) == Unsure(tuple(HITS[:3]), 0.3, tuple(HITS))


def test_a_refusal_names_at_most_three_near_subjects() -> None:
    assert decide(HITS, 0.0, Manner.ASKED) == Refused(tuple(HITS[:3]), 0.0, tuple(HITS))


@given(
    st.lists(st.sampled_from(HITS), max_size=6),
    st.floats(0, 1),
    st.sampled_from(list(Manner)),
)
def test_every_confidence_has_an_outcome_that_fits_its_hits(
    hits: list[Hit], confidence: float, manner: Manner
) -> None:
    outcome = decide(hits, confidence, manner)
    assert outcome.confidence == confidence
    assert outcome.hits == tuple(hits)
    match outcome:
        case Answered(entry=entry):
            assert entry == hits[0].entry
        case Unsure(candidates=offered) | Refused(nearest=offered):
            assert offered == tuple(hits[:3])


@given(st.floats(0, 1), st.sampled_from(list(Manner)))
def test_nothing_found_is_always_refused(confidence: float, manner: Manner) -> None:
    assert decide((), confidence, manner) == Refused((), confidence, ())


def test_the_less_certain_it_is_that_an_answer_is_wanted_the_more_it_needs() -> None:
    needed = [THRESHOLDS.ask, *(THRESHOLDS.answer(manner) for manner in Manner)]
    assert needed == sorted(needed)
    assert len(set(needed)) == len(needed)


@pytest.mark.parametrize(
    "text",
    [
        "为什么验证集 loss 先降后升",
        "过拟合怎么办",
        "loss 不降了?",
        "how do i make training cheaper",
        "anyone know a good way to freeze layers",
        "resnet 和 vgg 的区别",
    ],
)
def test_a_question_among_people_is_asked(text: str) -> None:
    assert manner_of(text, addressed=False) is Manner.ASKED
    assert manner_of(text, addressed=True) is Manner.ADDRESSED


@pytest.mark.parametrize(
    "text", ["老师说下周讲过拟合", "这个大模型真好用哈哈", "my overfitting slides are done"]
)
def test_a_remark_is_said(text: str) -> None:
    assert manner_of(text, addressed=False) is Manner.SAID
