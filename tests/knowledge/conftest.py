"""A small bank on disk, and the pieces that retrieval is made of."""

from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.background import Background, Kind, OutOfScope
from knowledge.bank import Bank, load_bank
from knowledge.follow_ups import FollowUp
from knowledge.language import Language
from knowledge.move import Move
from knowledge.prepare import Sources
from knowledge.settings import KnowledgeSettings
from knowledge.testing import FakeEncoder

ENTRY = """---
id: {id}
topic: {topic}
question:
  zh: 什么是{zh}？
  en: What is {en}?
phrasings:
  zh:
    - {zh}怎么理解
    - 讲讲{zh}的原理
    - {zh}有什么用
    - 新手怎么学{zh}
    - {zh}入门
  en:
    - explain {en} to me
    - how does {en} work
    - {en} for beginners
    - why use {en}
    - {en} in short
key_points:
  - zh: {zh}的定义
    en: the definition of {en}
  - zh: {zh}的用处
    en: the use of {en}
  - zh: {zh}的代价
    en: the cost of {en}
related: []
examples: []
sources:
  - A book on {en}
---

# zh

{zh}是一种方法。

{zh}先看数据，再动手。

```python
print("{id}")
```

**常见误会**：
- {zh}不是万能的。

# en

{en} is a method.

{en} looks at the numbers first.

**Common mistakes**
- {en} is no cure for everything.
"""

_SUBJECTS = (
    ("gradient-clipping", "training", "梯度裁剪", "gradient clipping"),
    ("word-embedding", "language", "词嵌入", "word embedding"),
    ("beam-search", "language", "束搜索", "beam search"),
    ("knowledge-distillation", "cost", "知识蒸馏", "distillation"),
)

_FOLLOW_UPS = (
    *((Move.WHY, f"为什么{end}") for end in ("", "?", "呢", "呀", "会这样", "这么做")),
    *((Move.CODE, f"有代码{end}") for end in ("", "吗", "吗?", "没", "可以看", "就好了")),
    *((Move.RUN, f"能跑{end}") for end in ("", "吗", "吗?", "不", "起来吗", "一下不")),
    *((Move.SIMPLER, f"没懂{end}") for end in ("", "啊", "呢", ",再简单点")),
    *((Move.NOTHING, text) for text in ("先去吃饭了", "哈哈哈哈哈", "周末去爬山", "回头见")),
)

_ORDINARY = (
    "今天下午三点在会议室开会",
    "这家店的牛肉面味道不错",
    "火车晚点了四十分钟",
    "the meeting was moved to three",
    "the soup is good but a bit salty",
    "she has been learning the piano",
)

_FOREIGN = (
    "红烧肉怎么做",
    "周末去哪里玩",
    "明天会下雨吗",
    "附近有什么好吃的",
    "这部电影好看吗",
    "房租又涨了怎么办",
    "how do I bake bread",
    "what is the weather like tomorrow",
    "recommend a good film",
    "where can I park my car",
    "who won the match yesterday",
    "how long does the flight take",
)

WriteEntry = Callable[..., Path]
"""Writes an entry's file: ``write(old, new, …)`` replaces parts of a faultless one."""


@pytest.fixture
def bank_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "questions"
    for entry_id, topic, zh, en in _SUBJECTS:
        place = folder / topic
        place.mkdir(parents=True, exist_ok=True)
        text = ENTRY.format(id=entry_id, topic=topic, zh=zh, en=en)
        (place / f"{entry_id}.md").write_text(text, "utf-8")
    return folder


@pytest.fixture
def entry_text() -> Callable[..., str]:
    """The file of a faultless entry, with the given id, topic, zh and en."""
    return ENTRY.format


@pytest.fixture
def write_entry(tmp_path: Path) -> WriteEntry:
    """Write `gradient-clipping`, with each of some texts replaced by another."""

    def write(*replacements: str) -> Path:
        text = ENTRY.format(
            id="gradient-clipping", topic="training", zh="梯度裁剪", en="gradient clipping"
        )
        for old, new in zip(replacements[::2], replacements[1::2], strict=True):
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "bank" / "training" / "gradient-clipping.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.fixture
def bank(bank_dir: Path) -> Bank:
    return load_bank(bank_dir)


@pytest.fixture
def background() -> Background:
    return Background(
        _ORDINARY,
        tuple(OutOfScope(Language.ZH, Kind.LIFE, text) for text in _FOREIGN),
        tuple(FollowUp(move, text) for move, text in _FOLLOW_UPS),
    )


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def sources(bank: Bank, background: Background, encoder: FakeEncoder) -> Sources:
    return Sources(bank, background, encoder)


@pytest.fixture
def settings(tmp_path: Path) -> KnowledgeSettings:
    return KnowledgeSettings(data_dir=tmp_path / "data", encoder="fake")
