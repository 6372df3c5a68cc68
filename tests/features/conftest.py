"""The real client in a simulated Discord, with fake services."""

from pathlib import Path

import pytest
from simcord import Env

from bot.client import TutorBot, create_bot
from bot.services import Services
from bot.settings import Settings
from bot.store.testing import MemoryStore
from bot.testing import FakeClock, FakeRetriever
from knowledge.bank import Bank
from knowledge.entry import Answer, Code, Entry, EntryId
from knowledge.language import Bilingual
from runners.testing import FakeRunner

CODE = Code("python", "model.add(Dropout(0.5))")


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
def retriever(bank: Bank) -> FakeRetriever:
    return FakeRetriever(bank)


@pytest.fixture
def runner() -> FakeRunner:
    return FakeRunner()


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
    clock.follow = simcord_env.now
    return simcord_env
