from collections.abc import Callable
from pathlib import Path

import pytest

from runners.bank_texts import Question, load_prose, load_questions
from runners.errors import MissingDatasetError
from runners.settings import BANK

_ENTRY = """---
id: dropout
---

# zh

随机丢掉一些神经元。

```python
x = 1  # en
```

# en

Drops units by chance.
"""


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    folder = tmp_path / "questions"
    (folder / "generalization").mkdir(parents=True)
    (folder / "generalization" / "dropout.md").write_text(_ENTRY, encoding="utf-8")
    (tmp_path / "phrasings").mkdir()
    (tmp_path / "phrasings" / "dropout.tsv").write_text(
        "zh\tsituation\t为什么要随机丢\nen\tterm\twhat is dropout\n", encoding="utf-8"
    )
    (tmp_path / "phrasings" / "gone.tsv").write_text("zh\tterm\t没有条目\n", encoding="utf-8")
    return folder


def test_questions_come_with_their_entry_and_its_topic(bank: Path) -> None:
    assert load_questions(bank, "zh") == [Question("为什么要随机丢", "dropout", "generalization")]
    assert load_questions(bank, "en") == [Question("what is dropout", "dropout", "generalization")]


def test_prose_is_the_part_in_one_language(bank: Path) -> None:
    assert load_prose(bank, "en") == ["Drops units by chance."]
    [zh] = load_prose(bank, "zh")
    assert zh.startswith("随机丢掉一些神经元。")


@pytest.mark.parametrize("load", [load_questions, load_prose])
def test_without_a_bank_it_says_so(load: Callable[..., object], tmp_path: Path) -> None:
    with pytest.raises(MissingDatasetError, match="question bank"):
        load(tmp_path, "zh")


def test_the_bank_that_ships_can_be_read() -> None:
    assert {question.topic for question in load_questions(BANK, "zh")} >= {"cost", "training"}
    assert all(len(text) > 200 for text in load_prose(BANK, "zh"))
