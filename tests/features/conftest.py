"""The real client in a simulated Discord, with fake services."""

from pathlib import Path

import discord
import pytest
from simcord import Env
from simcord.builders import ChannelHandle

from bot.client import TutorBot, create_bot
from bot.services import Services
from bot.settings import Settings
from bot.store.testing import MemoryStore
from bot.testing import FakeClock, FakeRetriever
from knowledge.bank import Bank
from knowledge.entry import Answer, Code, Entry, EntryId
from knowledge.language import Bilingual
from runners.protocol.catalogue import ExampleInfo, MetricInfo, ParameterInfo
from runners.protocol.words import Framework, Text
from runners.testing import FakeRunner

CODE = Code("python", "model.add(Dropout(0.5))")


def last(channel: ChannelHandle) -> discord.Message:
    """The newest message of a channel that has one."""
    assert channel.last_message is not None
    return channel.last_message


def buttons(message: discord.Message) -> list[str]:
    """The custom ids of the buttons under a message, in their order."""
    return [
        item.custom_id
        for row in message.components
        if isinstance(row, discord.ActionRow)
        for item in row.children
        if item.custom_id is not None
    ]


def make_entry(
    entry_id: str,
    zh: str,
    en: str,
    *,
    related: tuple[str, ...] = (),
    explanation_zh: str = "",
) -> Entry:
    return Entry(
        id=EntryId(entry_id),
        topic="generalization",
        question=Bilingual(zh, en),
        phrasings_zh=(),
        phrasings_en=(),
        key_points=(Bilingual("要点一", "first point"), Bilingual("要点二", "second point")),
        related=tuple(EntryId(each) for each in related),
        examples=("tensorflow-overfitting",) if entry_id == "overfitting" else (),
        sources=("Goodfellow et al., Deep Learning, 2016",),
        answer_zh=Answer(
            f"{zh}的一句话。",
            explanation_zh or f"解释在这里。\n\n```python\n{CODE.text}\n```",
            "- 常见的误会",
            (CODE,),
        ),
        answer_en=Answer(f"{en} in a sentence.", "The explanation.", "- a mistake", (CODE,)),
    )


@pytest.fixture
def bank() -> Bank:
    return Bank(
        (
            make_entry(
                "overfitting",
                "什么是过拟合？",
                "What is overfitting?",
                related=("dropout", "early-stopping"),
            ),
            make_entry("dropout", "什么是 Dropout？", "What is dropout?", related=("overfitting",)),
            make_entry(
                "early-stopping",
                "什么是早停？",
                "What is early stopping?",
                explanation_zh="\n\n".join(f"第 {i} 段。" + "字" * 300 for i in range(18)),
            ),
        )
    )


@pytest.fixture
def overfitting(bank: Bank) -> Entry:
    entry = bank.entry("overfitting")
    assert entry is not None
    return entry


@pytest.fixture
def dropout(bank: Bank) -> Entry:
    entry = bank.entry("dropout")
    assert entry is not None
    return entry


@pytest.fixture
def retriever(bank: Bank) -> FakeRetriever:
    return FakeRetriever(bank)


@pytest.fixture
def catalogue() -> tuple[ExampleInfo, ...]:
    return (
        ExampleInfo(
            id="tensorflow-overfitting",
            framework=Framework.TENSORFLOW,
            title=Text(zh="看着模型背题", en="Watch a model memorize"),
            look_at=Text(zh="两条曲线在哪里分开", en="Where the two curves part"),
            parameters=(
                ParameterInfo(
                    name="epochs",
                    kind="integer",
                    default=5,
                    description=Text(zh="训练轮数", en="passes over the data"),
                    minimum=1,
                    maximum=20,
                ),
                ParameterInfo(
                    name="batch_size",
                    kind="integer",
                    default=32,
                    description=Text(zh="批大小", en="batch size"),
                    minimum=8,
                    maximum=512,
                ),
            ),
            metrics=(
                MetricInfo(name="loss", title=Text(zh="训练损失", en="training loss")),
                MetricInfo(name="test_accuracy", title=Text(zh="测试准确率", en="test accuracy")),
            ),
            limit_s=300,
            code="def run(context, parameters): ...",
            lower=("batch_size",),
        ),
        ExampleInfo(
            id="pytorch-resnet",
            framework=Framework.PYTORCH,
            title=Text(zh="残差网络", en="A residual network"),
            look_at=Text(zh="损失怎么降", en="How the loss falls"),
            parameters=(),
            metrics=(),
            limit_s=300,
            code="def run(context, parameters): ...",
            available=False,
            reason="PyTorch is not installed",
        ),
    )


@pytest.fixture
def runner(catalogue: tuple[ExampleInfo, ...]) -> FakeRunner:
    return FakeRunner(catalogue)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def services(
    retriever: FakeRetriever, runner: FakeRunner, store: MemoryStore, clock: FakeClock
) -> Services:
    return Services(retriever, runner, store, clock)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, shards=1)


@pytest.fixture
def simcord_bot(settings: Settings, services: Services) -> TutorBot:
    return create_bot(settings, services)


@pytest.fixture
def env(simcord_env: Env, retriever: FakeRetriever, runner: FakeRunner, clock: FakeClock) -> Env:
    """The simulated Discord; the fakes wait in its way and the clock goes by its time."""
    retriever.hold = simcord_env.external_wait
    runner.hold = simcord_env.external_wait
    runner.now = simcord_env.now
    clock.follow = simcord_env.now
    return simcord_env
