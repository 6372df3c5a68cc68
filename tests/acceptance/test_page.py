"""Somebody opens the page and uses the tutor: asks, presses, runs."""

import re
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from bot.playground.learner import Learner
from bot.playground.server import Playground
from tests.browser import FLAGS, chromium

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENT_MS = 90_000


@pytest_asyncio.fixture(loop_scope="session")
async def page(playground: Playground) -> AsyncGenerator[Page]:
    executable = chromium()
    async with Learner(playground.url, "小明") as learner:
        await learner.wait_for_bot(180)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=FLAGS)
        opened = await browser.new_page(locale="zh-CN")
        await opened.goto(playground.url)
        yield opened
        await browser.close()


async def test_a_newcomer_asks_presses_and_runs(page: Page) -> None:
    composer = page.get_by_test_id("composer")
    await page.get_by_test_id("channel-dm").click()
    await composer.fill("模型在训练集上很好测试集很差")
    await composer.press("Enter")
    answer = page.locator("[data-testid=message][data-bot=true]").last
    await expect(answer.get_by_test_id("content")).to_contain_text(
        "什么是过拟合", timeout=PATIENT_MS
    )
    await answer.locator("[data-custom-id='more:overfitting:zh']").click()
    private = page.locator("[data-testid=message][data-ephemeral=true]").last
    await expect(private).to_contain_text("常见误会", timeout=20_000)

    await composer.fill("/run tensorflow-simple-network settings:epochs=2")
    await composer.press("Enter")
    card = page.locator("[data-testid=message]", has_text="tensorflow-simple-network").last
    await expect(card).to_contain_text("✅", timeout=PATIENT_MS)
    await expect(card).to_contain_text("测试准确率", timeout=PATIENT_MS)
    picture = card.locator("img").last
    await expect(picture).to_have_attribute("alt", re.compile("测试集准确率最后是 9"))
