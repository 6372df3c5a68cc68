import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.aspect import Aspect
from knowledge.normalise import normalise
from knowledge.reading import (
    Comparison,
    Contrast,
    FollowUp,
    LeadOn,
    Question,
    SmallTalk,
    read,
)


def reading(text: str) -> object:
    return read(normalise(text))


@pytest.mark.parametrize(
    ("text", "aspect"),
    [
        ("為什麼？", Aspect.WHY),
        ("咋回事啊", Aspect.WHY),
        ("lol ok but why on earth does it do that", Aspect.WHY),
        ("那举个栗子呗", Aspect.EXAMPLE),
        ("for instance?", Aspect.EXAMPLE),
        ("牛，来几行代码呗大佬", Aspect.CODE),
        ("cool, any snippet?", Aspect.CODE),
        ("thanks! can this be run live?", Aspect.RUN),
        ("能跑吗", Aspect.RUN),
        ("头大，能再浅显点么", Aspect.SIMPLER),
        ("my brain hurts, explain like i'm twelve", Aspect.SIMPLER),
        ("没听懂", Aspect.SIMPLER),
        ("再详细点", Aspect.MORE),
        ("what else could it be", Aspect.MORE),
        ("还可能是什么原因", Aspect.MORE),
    ],
)
def test_a_follow_up_says_what_it_wants_of_what_was_said(text: str, aspect: Aspect) -> None:
    read = reading(text)
    assert isinstance(read, FollowUp)
    assert read.aspect is aspect


@pytest.mark.parametrize(
    ("text", "aspect"),
    [
        ("为什么代码里要除以根号 d", Aspect.WHY),
        ("代码能跑吗", Aspect.RUN),
        ("给点能跑的代码", Aspect.CODE),
        ("没懂，举个例子", Aspect.EXAMPLE),
        ("再简单点", Aspect.SIMPLER),
        ("懂了。那代码呢", Aspect.CODE),
    ],
)
def test_of_several_cues_the_one_that_is_asked_for_counts(text: str, aspect: Aspect) -> None:
    read = reading(text)
    assert isinstance(read, FollowUp)
    assert read.aspect is aspect


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("和剪枝有什么区别", "剪枝"),
        ("它跟 FSDP 比有啥优缺点", "fsdp"),
        ("那比梯度裁剪好在哪", "梯度裁剪"),
        ("跟量化比呢", "量化"),
        ("difference between this and gradient clipping?", "gradient clipping"),
        ("vs dropout?", "dropout"),
        ("is it the same thing as instruction tuning?", "instruction tuning"),
        ("isn't that just data parallelism?", "data parallelism"),
        ("lora 和它有什么不同", "lora"),
    ],
)
def test_a_comparison_names_the_other_side(text: str, other: str) -> None:
    assert reading(text) == Comparison(other)


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("BERT 和 GPT 有什么区别", ("bert", "gpt")),
        ("what is the difference between an rnn and an lstm", ("an rnn", "an lstm")),
        ("该用 RAG 还是微调", ("该用 rag", "微调")),
    ],
)
def test_a_comparison_of_two_named_things_is_a_contrast(text: str, sides: tuple[str, str]) -> None:
    assert reading(text) == Contrast(*sides)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("那 PyTorch 呢", "pytorch"),
        ("流水线那种呢", "流水线"),
        ("那 flash attention 又是什么", "flash attention"),
        ("what about weight decay", "weight decay"),
        ("ok and fsdp?", "fsdp"),
    ],
)
def test_a_lead_moves_on_to_a_subject(text: str, subject: str) -> None:
    assert reading(text) == LeadOn(subject)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("换个话题，显存爆了怎么办", "显存爆了怎么办"),
        ("新问题：什么是 dropout", "什么是 dropout"),
        ("ok different topic: is llama free to use", "is llama free to use"),
    ],
)
def test_a_change_of_subject_is_taken_at_its_word(text: str, rest: str) -> None:
    assert reading(text) == Question(rest, fresh=True)


@pytest.mark.parametrize(
    "text", ["什么是 dropout", "大模型到底是个啥", "训练集 99% 测试集 60%", "bert 是干啥的"]
)
def test_a_question_of_its_own_is_no_follow_up(text: str) -> None:
    assert isinstance(reading(text), Question)


@pytest.mark.parametrize(
    ("text", "thanks"),
    [
        ("謝謝！", True),
        ("豁然开朗，多谢", True),
        ("awesome, thanks a lot", True),
        ("thanks for the example, super clear", True),
        ("代码跑通了，谢谢！", True),
        ("OK，了解", False),
        ("哈哈哈", False),
        ("先溜了，老板来了", False),
        ("brb, gotta go", False),
        ("原来如此", False),
    ],
)
def test_thanks_assent_and_goodbyes_want_nothing(text: str, thanks: bool) -> None:  # noqa: FBT001 - a case
    assert reading(text) == SmallTalk(thanks)


@given(st.text(max_size=300))
def test_every_text_has_a_reading(text: str) -> None:
    assert read(normalise(text)) == read(normalise(text))


@pytest.mark.parametrize(
    "piece",
    ["嗯", "那", "还是", "好的", "和", "比", "ok ", "than ", "what is ", "先去", "不没太", "why "],
)
def test_reading_takes_bounded_time(piece: str) -> None:
    read("预热 warm up")  # loads the dictionary
    text = normalise(piece * 1000)
    start = time.perf_counter()
    read(text)
    assert time.perf_counter() - start < 2
