"""Makes the README's picture: a real conversation in the playground, ``python docs/picture.py``."""

import asyncio
import shutil
from pathlib import Path

from playwright.async_api import async_playwright

from bot.playground.learner import Learner
from bot.playground.server import open_playground
from bot.program import at_playground, run_bot
from bot.settings import load_settings

_PICTURE = Path(__file__).with_name("conversation.png")


async def main() -> None:
    """Ask, run an example, and take the picture."""
    async with open_playground() as playground, Learner(playground.url, "小明") as learner:
        settings = at_playground(load_settings(), playground)
        tutor = asyncio.create_task(run_bot(settings, playground.clock))
        await learner.wait_for_bot(60)
        asked = await learner.mention("红烧肉怎么做")
        await learner.wait_for_answer(asked, 60)
        await learner.slash("run", example="tensorflow-overfitting", settings="")
        await learner.wait_for_message(lambda message: "✅" in message["content"], 180)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = await browser.new_page(
                viewport={"width": 1180, "height": 1710}, locale="zh-CN", color_scheme="light"
            )
            await page.goto(playground.url)
            await page.locator("[data-testid=message] img").last.wait_for()
            await page.wait_for_timeout(1000)
            await page.screenshot(path=_PICTURE)
            await browser.close()
        tutor.cancel()
        await asyncio.gather(tutor, return_exceptions=True)


asyncio.run(main())
