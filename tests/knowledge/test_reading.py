import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.normalise import normalise
from knowledge.reading import Comparison, Contrast, LeadOn, Plain, SmallTalk, read


def reading(text: str) -> object:
    return read(normalise(text))


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
    assert reading(text) == Plain(rest, fresh=True)


@pytest.mark.parametrize(
    ("text", "names", "points"),
    [
        ("什么是 dropout", 1, 0),
        ("为什么呢", 0, 0),
        ("那它为什么好使", 1, 2),
        ("why does it work", 0, 1),
    ],
)
def test_everything_else_names_something_or_points_back(text: str, names: int, points: int) -> None:
    read = reading(text)
    assert isinstance(read, Plain)
    assert (read.names, read.points, read.asked) == (names, points, True)


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


@pytest.mark.parametrize(
    "text", ["啊？没get到", "不太明白", "没看懂", "not clear", "i didn't get it"]
)
def test_assent_that_is_denied_is_no_small_talk(text: str) -> None:
    assert not isinstance(reading(text), SmallTalk)


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
