import re
import time
from pathlib import Path

import aiohttp
import pytest

from bot.playground.learner import Learner
from bot.playground.wire import Json

pytestmark = pytest.mark.asyncio(loop_scope="session")

PNG = b"\x89PNG\r\n\x1a\n"


def custom_ids(message: Json) -> list[str]:
    return [each["custom_id"] for row in message["components"] for each in row["components"]]


async def run(learner: Learner, example: str, settings: str) -> None:
    interaction = await learner.slash("run", example=example, settings=settings)
    assert interaction["state"] in ("deferred", "acknowledged")


async def card_that(learner: Learner, example: str, *signs: str, within_s: float = 120) -> Json:
    return await learner.wait_for_message(
        lambda message: (
            f"`{example}`" in message["content"]
            and any(sign in message["content"] for sign in signs)
        ),
        within_s,
    )


async def test_an_example_runs_and_shows_accuracy_plot_time_and_memory(xiaoming: Learner) -> None:
    await run(xiaoming, "tensorflow-simple-network", "epochs=2")
    card = await card_that(xiaoming, "tensorflow-simple-network", "✅", "❌")
    accuracy = re.search(r"测试准确率\s+(0\.\d+)", card["content"])
    assert accuracy is not None, card["content"]
    assert float(accuracy[1]) > 0.9
    assert re.search(r"\d+(\.\d+)? 秒", card["content"])
    assert re.search(r"\d+ MB|\d+ MiB", card["content"])
    (plot,) = card["attachments"]
    assert plot["description"]
    async with aiohttp.ClientSession() as session, session.get(plot["url"]) as response:
        assert (await response.read()).startswith(PNG)


async def test_a_wrong_setting_names_the_range_and_queues_nothing(xiaoming: Learner) -> None:
    before = len(await xiaoming.messages())
    await run(xiaoming, "tensorflow-simple-network", "epochs=100000")
    told = await xiaoming.wait_for_message(lambda m: "epochs=100000" in m["content"])
    assert re.search(r"1 到 \d+ 的整数", told["content"])
    assert told["flags"] & 64
    assert len(await xiaoming.messages()) == before + 1


async def test_cancel_ends_a_training_within_three_seconds(xiaoming: Learner, home: Path) -> None:
    await run(xiaoming, "pytorch-resnet", "epochs=50")
    card = await card_that(xiaoming, "pytorch-resnet", "▰", "▱")
    (cancel,) = [each for each in custom_ids(card) if each.startswith("cancel:")]
    pressed = time.monotonic()
    await xiaoming.press(card, cancel)
    ended = await card_that(xiaoming, "pytorch-resnet", "🛑", within_s=30)
    seconds = time.monotonic() - pressed
    assert "🛑" in ended["content"]
    # What is promised is 3 s; the rest is the card's own pace and a busy machine.
    assert seconds < 3 + 2, seconds
    assert working_in(home) == []


async def test_only_owner_and_staff_may_cancel(
    xiaoming: Learner, alice: Learner, teacher: Learner
) -> None:
    await run(xiaoming, "pytorch-resnet", "epochs=49")
    card = await xiaoming.wait_for_message(
        lambda m: "epochs=49" in m["content"] and ("▰" in m["content"] or "▱" in m["content"]), 120
    )
    (cancel,) = [each for each in custom_ids(card) if each.startswith("cancel:")]
    await alice.press(card, cancel)
    refused = await alice.wait_for_message(lambda m: bool(m["flags"] & 64))
    assert "staff" in refused["content"]
    await teacher.press(card, cancel)
    await teacher.wait_for_message(
        lambda m: "epochs=49" in m["content"] and "🛑" in m["content"], 30
    )


async def test_completion_offers_examples_and_settings(xiaoming: Learner) -> None:
    examples = await xiaoming.autocomplete("run", "example", example="resnet")
    assert [choice["value"] for choice in examples] == ["pytorch-resnet"]
    settings = await xiaoming.autocomplete(
        "run", "settings", example="tensorflow-simple-network", settings="ep"
    )
    assert settings[0]["value"].startswith("epochs=")


def working_in(home: Path) -> list[Path]:
    """Scratch folders that jobs have left."""
    return sorted(home.glob("**/scratch/*"))
