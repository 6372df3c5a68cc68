"""The page in a browser, the playground's server behind it and a small bot on discord.py."""

import asyncio
import io
import re
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

import discord
import pytest
from discord import app_commands
from playwright.async_api import Locator, Page, async_playwright, expect
from yarl import URL

from bot.playground.server import Playground
from tests.browser import FLAGS, chromium

PATIENCE_MS = 20_000
SHANGHAI = ZoneInfo("Asia/Shanghai")
ALT = "准确率曲线 <b>0.96</b>"
ANSWER = """## 过拟合
**一句话**：模型把 *噪声* 也背下来了，见 [文档](https://keras.io/guides/)。
- 先看曲线
  - 再加正则
1. 早停
> 不是万能的
||答案||
```python
def build(units=128):  # two layers
    return "relu"
```"""
HOSTILE = [
    "<img src=x onerror=\"window.broken='img'\">",
    "<script>window.broken='script'</script>",
    "[click](javascript:window.broken='link') <javascript:1>",
    "```html\n</code></pre><script>window.broken='fence'</script>\n```",
    "**<svg onload=\"window.broken='svg'\">** `<b>` ||<iframe>||",
    "*" + "\\" * 1500,
    "**" * 900,
    "> " * 900,
]


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        sum_ = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + sum_

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + b"\x2f\x9e\x6e" * width for _ in range(height))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


class SettingsForm(discord.ui.Modal, title="改参数"):
    epochs: discord.ui.TextInput["SettingsForm"] = discord.ui.TextInput(
        label="轮数", custom_id="epochs", default="5", max_length=3
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"epochs={self.epochs.value}", ephemeral=True)


class Buttons(discord.ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.add_item(discord.ui.Button(label="来源", url="https://example.org/"))
        self.add_item(discord.ui.Button(label="取消", custom_id="cancel", disabled=True))

    @discord.ui.button(
        label="代码", emoji="🧩", style=discord.ButtonStyle.primary, custom_id="code"
    )
    async def code(self, interaction: discord.Interaction, _: discord.ui.Button["Buttons"]) -> None:
        await interaction.response.send_message("`Dropout(0.5)`", ephemeral=True)

    @discord.ui.button(label="改参数", style=discord.ButtonStyle.danger, custom_id="form")
    async def form(self, interaction: discord.Interaction, _: discord.ui.Button["Buttons"]) -> None:
        await interaction.response.send_modal(SettingsForm(custom_id="settings"))

    @discord.ui.select(
        placeholder="相关问题",
        custom_id="related",
        options=[discord.SelectOption(label="迁移学习", value="transfer", description="微调")],
    )
    async def related(
        self, interaction: discord.Interaction, select: discord.ui.Select["Buttons"]
    ) -> None:
        await interaction.response.edit_message(content=f"选了 {select.values[0]}")


class Tutor(discord.Client):
    """Answers mentions and direct messages, and has commands of each kind."""

    def __init__(self) -> None:
        intents = discord.Intents.default()
        intents.message_content = True
        super().__init__(intents=intents, allowed_mentions=discord.AllowedMentions.none())
        self.card_may_finish = asyncio.Event()
        self.tree = app_commands.CommandTree(self)
        self.tree.command(name="run", description="Run an example")(self._run)
        self.tree.command(name="silent", description="Says nothing")(self._silent)
        self.tree.get_command("run").autocomplete("example")(self._examples)  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess] -- a Command, just made

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        if message.author.bot:
            return
        asked = self.user in message.mentions or isinstance(message.channel, discord.DMChannel)
        if asked:
            await message.reply(ANSWER, view=Buttons())

    async def _run(
        self, interaction: discord.Interaction, example: str, settings: str = ""
    ) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content=f"{example} 1/2 {settings}")
        await self.card_may_finish.wait()
        card = discord.Embed(title=f"{example} 完成", colour=0x2F9E6E)
        card.add_field(name="accuracy", value="0.962")
        card.set_image(url="attachment://plot.png")
        card.set_footer(text="cpu")
        plot = discord.File(io.BytesIO(png(700, 400)), "plot.png", description=ALT)
        await interaction.edit_original_response(content="", embed=card, attachments=[plot])

    async def _examples(
        self, _: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        names = ["tensorflow-simple-network", "tensorflow-overfitting", "pytorch-resnet"]
        return [app_commands.Choice(name=name, value=name) for name in names if current in name]

    async def _silent(self, interaction: discord.Interaction) -> None:
        """Leaves the interaction without an answer."""


@dataclass(frozen=True, slots=True)
class Stage:
    playground: Playground
    tutor: Tutor

    async def say(self, place: str, content: str) -> discord.Message:
        """Let the tutor write into a channel."""
        channel = discord.utils.get(self.tutor.get_all_channels(), name=place)
        assert isinstance(channel, discord.TextChannel)
        return await channel.send(content)


@pytest.fixture
async def stage(playground: Playground) -> AsyncIterator[Stage]:
    async with Tutor() as tutor:
        running = asyncio.create_task(tutor.start(playground.bot_token))
        await tutor.wait_until_ready()
        yield Stage(playground, tutor)
        await tutor.close()
        await running


class Wire:
    """A connection to the playground that can be cut and mended."""

    def __init__(self, target: URL) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @classmethod
    @asynccontextmanager
    async def to(cls, url: str) -> AsyncIterator["Wire"]:
        wire = cls(URL(url))
        await wire.mend()
        try:
            yield wire
        finally:
            await wire.cut()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for end in self._ends:
            end.transport.abort()
        await self._server.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._target.host is not None
        far_reader, far_writer = await asyncio.open_connection(self._target.host, self._target.port)
        ends = {writer, far_writer}
        self._ends |= ends

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                while part := await source.read(65_536):
                    sink.write(part)
                    await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        self._ends -= ends


class OpenPage(Protocol):
    """Opens the page as a new visitor; console lines with ``forgiven`` in them may be."""

    async def __call__(  # noqa: PLR0913 -- what browsers differ in, each by name
        self,
        locale: str = ...,
        *,
        scheme: Literal["light", "dark"] = ...,
        width: int = ...,
        height: int = ...,
        url: str | None = ...,
        forgiven: str | None = ...,
    ) -> Page: ...


@pytest.fixture
async def open_page(stage: Stage) -> AsyncIterator[OpenPage]:
    """Opens pages; at the end nothing may have been complained about in their consoles."""
    executable = chromium()
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=FLAGS)

        async def open_(  # noqa: PLR0913 -- what browsers differ in, each by name
            locale: str = "zh-CN",
            *,
            scheme: Literal["light", "dark"] = "light",
            width: int = 1200,
            height: int = 800,
            url: str | None = None,
            forgiven: str | None = None,
        ) -> Page:
            def complain(text: str) -> None:
                if forgiven is None or forgiven not in text:
                    complaints.append(text)

            context = await browser.new_context(
                locale=locale,
                timezone_id=SHANGHAI.key,
                color_scheme=scheme,
                viewport={"width": width, "height": height},
            )
            page = await context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.on("console", lambda line: complain(f"{line.type}: {line.text}"))
            page.on("pageerror", lambda error: complain(str(error)))
            page.on("dialog", lambda dialog: complain(dialog.message))
            await page.goto(url or stage.playground.url)
            await page.locator("body[data-ready=true]").wait_for()
            return page

        expect.set_options(timeout=PATIENCE_MS)
        yield open_
        await browser.close()
    assert complaints == []


def by_bot(page: Page) -> Locator:
    return page.locator("[data-testid=message][data-bot=true]")


async def distance_from_end(page: Page) -> float:
    return await page.get_by_test_id("messages").evaluate(
        "box => box.scrollHeight - box.scrollTop - box.clientHeight"
    )


async def test_a_mention_is_completed_and_answered(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page()
    await expect(page.get_by_test_id("bot-status")).to_have_attribute("data-online", "true")
    composer = page.get_by_test_id("composer")
    await composer.press_sequentially("@学")
    await expect(page.get_by_test_id("choice").first).to_have_text(re.compile("@学伴"))
    await composer.press("Enter")
    await composer.press_sequentially("模型在训练集上很好测试集很差")
    await composer.press("Enter")
    await expect(composer).to_have_value("")

    answer = by_bot(page).last
    content = answer.get_by_test_id("content")
    await expect(content.locator("strong")).to_have_text("一句话")
    await expect(content.locator("h4")).to_have_text("过拟合")
    await expect(content.locator("em")).to_have_text("噪声")
    await expect(content.locator("li li")).to_have_text("再加正则")
    await expect(content.locator("ol > li")).to_have_text("早停")
    await expect(content.locator("a")).to_have_attribute("href", "https://keras.io/guides/")
    await expect(content.locator("blockquote")).to_have_text("不是万能的")
    await expect(content.get_by_test_id("code").locator(".tok-def")).to_have_text("build")
    await expect(answer.get_by_test_id("reply-to")).to_contain_text("模型在训练集上很好")
    asked = page.locator("[data-testid=message][data-author=小明]").last
    await expect(asked.get_by_test_id("mention")).to_have_text("@学伴")

    spoiler = content.get_by_test_id("spoiler")
    await spoiler.press("Enter")
    await expect(spoiler).to_have_attribute("data-revealed", "")
    channel_messages = [each.content async for each in _general(stage).history()]
    assert f"<@{stage.tutor.user.id}> 模型在训练集上很好测试集很差" in channel_messages  # pyright: ignore[reportOptionalMemberAccess] -- it is logged in


def _general(stage: Stage) -> discord.TextChannel:
    channel = discord.utils.get(stage.tutor.get_all_channels(), name="general")
    assert isinstance(channel, discord.TextChannel)
    return channel


async def test_a_long_answer_is_read_from_its_beginning(open_page: OpenPage) -> None:
    page = await open_page(height=460)
    await page.get_by_test_id("channel-dm").click()
    await page.get_by_test_id("composer").fill("过拟合")
    await page.get_by_test_id("composer").press("Enter")
    await expect(by_bot(page)).to_have_count(1)
    await expect(page.get_by_test_id("jump")).to_be_visible()
    await expect(page.get_by_test_id("message").first).to_be_in_viewport(ratio=1)
    await page.get_by_test_id("jump").click()
    await expect(page.get_by_test_id("jump")).to_be_hidden()
    assert await distance_from_end(page) < 2


async def test_buttons_selects_and_forms_are_used(open_page: OpenPage) -> None:
    page = await open_page()
    await page.get_by_test_id("channel-dm").click()
    await page.get_by_test_id("composer").fill("什么是过拟合")
    await page.get_by_test_id("send").click()
    answer = by_bot(page).first
    buttons = answer.get_by_test_id("button")
    await expect(buttons.filter(has_text="取消")).to_be_disabled()
    await expect(buttons.filter(has_text="来源")).to_have_attribute("href", "https://example.org/")

    await buttons.filter(has_text="代码").click()
    secret = page.locator("[data-testid=message][data-ephemeral=true]")
    await expect(secret.get_by_test_id("content")).to_have_text("Dropout(0.5)")
    await expect(secret).to_contain_text("只有你能看到这条消息")
    await secret.get_by_test_id("dismiss").click()
    await expect(secret).to_have_count(0)

    await buttons.filter(has_text="改参数").click()
    field = page.get_by_test_id("dialog").get_by_test_id("field-epochs")
    await expect(field).to_be_focused()
    await expect(field).to_have_value("5")
    await field.fill("")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_test_id("dialog")).to_contain_text("这一项必填")
    await field.fill("7")
    await field.press("Enter")
    await expect(secret.get_by_test_id("content")).to_have_text("epochs=7")

    await answer.get_by_test_id("select").select_option("transfer")
    await expect(answer.get_by_test_id("content")).to_contain_text("选了 transfer")
    await expect(answer).to_have_attribute("data-edited", "true")


async def test_a_command_is_filled_in_by_keyboard_and_its_card_changes_in_place(
    stage: Stage, open_page: OpenPage
) -> None:
    page = await open_page()
    for number in range(4):
        await stage.say("general", "\n".join(f"line {number}.{line}" for line in range(30)))
    await expect(by_bot(page)).to_have_count(4)
    composer = page.get_by_test_id("composer")
    await composer.press_sequentially("/ru")
    await expect(page.get_by_test_id("choice").first).to_contain_text("Run an example")
    await composer.press("Tab")
    example = page.get_by_test_id("option-example")
    await expect(example).to_be_focused()
    await example.press_sequentially("overfit")
    await expect(page.get_by_test_id("choice")).to_have_text(["tensorflow-overfitting"])
    await example.press("Tab")
    await expect(example).to_have_value("tensorflow-overfitting")
    settings = page.get_by_test_id("option-settings")
    await expect(settings).to_be_focused()
    await settings.press_sequentially("epochs=2")
    await settings.press("Enter")

    card = by_bot(page).last
    await expect(card.get_by_test_id("used-command")).to_contain_text("/run")
    await expect(card.get_by_test_id("content")).to_contain_text("1/2 epochs=2")
    assert await distance_from_end(page) < 2
    await page.get_by_test_id("messages").evaluate("box => { box.scrollTop = 300 }")
    watched = by_bot(page).nth(1)
    before = await watched.bounding_box()
    stage.tutor.card_may_finish.set()

    embed = card.get_by_test_id("embed")
    await expect(embed).to_contain_text("tensorflow-overfitting 完成")
    await expect(embed).to_contain_text("0.962")
    image = card.get_by_test_id("image")
    await expect(image).to_have_attribute("alt", ALT)
    await expect(card.get_by_test_id("alt")).to_contain_text(ALT)
    await expect(image).to_have_js_property("complete", value=True)
    assert await image.evaluate("image => image.naturalWidth") == 700
    assert await watched.bounding_box() == before
    await image.click()
    await expect(page.get_by_test_id("lightbox").locator("img")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("lightbox")).to_be_hidden()


async def test_a_command_can_be_written_out(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page()
    composer = page.get_by_test_id("composer")
    await composer.fill("/run tensorflow-simple-network settings:epochs=2")
    await composer.press("Enter")
    await expect(by_bot(page).last).to_contain_text("tensorflow-simple-network 1/2 epochs=2")
    stage.tutor.card_may_finish.set()
    await expect(by_bot(page).last).to_contain_text("0.962")

    await composer.fill("/run")
    await composer.press("Enter")
    await page.get_by_test_id("command-send").click()
    await expect(page.get_by_test_id("option-error").first).to_have_text("这一项必填")
    await page.get_by_test_id("option-example").press("Escape")
    await page.get_by_test_id("option-example").press("Escape")
    await expect(composer).to_be_focused()
    await composer.fill("/nothing here")
    await composer.press("Enter")
    await expect(page.get_by_test_id("toast")).to_contain_text("没有命令 /nothing")


async def test_a_command_without_an_answer_is_shown_as_failed(
    stage: Stage, open_page: OpenPage
) -> None:
    page = await open_page("en-US")
    composer = page.get_by_test_id("composer")
    await composer.fill("/silent")
    await composer.press("Enter")
    await expect(page.get_by_test_id("pending")).to_be_visible()
    stage.playground.clock.advance(4)
    failed = page.get_by_test_id("failed-command")
    await expect(failed).to_contain_text("the application did not respond")
    await expect(page.get_by_test_id("pending")).to_have_count(0)
    await failed.get_by_role("button").click()
    await expect(failed).to_have_count(0)


async def test_hostile_text_stays_text(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page()
    for number, text in enumerate(HOSTILE):
        await stage.say("general", text)
        await expect(by_bot(page)).to_have_count(number + 1)
    channel = _general(stage)
    card = discord.Embed(title=HOSTILE[0], description=HOSTILE[1])
    card.add_field(name=HOSTILE[4], value=HOSTILE[2])
    card.set_footer(text=HOSTILE[1])
    await channel.send(embed=card)
    await expect(by_bot(page)).to_have_count(len(HOSTILE) + 1)

    contents = page.get_by_test_id("content")
    await expect(contents.nth(0)).to_have_text(HOSTILE[0])
    await expect(contents.nth(1)).to_have_text(HOSTILE[1])
    await expect(contents.nth(3).locator("code")).to_have_text(
        "</code></pre><script>window.broken='fence'</script>"
    )
    messages = page.get_by_test_id("messages")
    for tag in ("script", "iframe", "svg[onload]", "[onerror]", "a[href^='javascript' i]"):
        await expect(messages.locator(tag)).to_have_count(0)
    assert await page.evaluate("window.broken") is None


async def test_enter_while_an_input_method_composes_sends_nothing(open_page: OpenPage) -> None:
    page = await open_page()
    composer = page.get_by_test_id("composer")
    await composer.fill("guo ni he")
    await composer.evaluate(
        """box => box.dispatchEvent(new KeyboardEvent("keydown",
            { key: "Enter", isComposing: true, bubbles: true, cancelable: true }))"""
    )
    await composer.press("Shift+Enter")
    await expect(composer).to_have_value("guo ni he\n")
    await expect(page.get_by_test_id("message")).to_have_count(0)
    await composer.press("Enter")
    await expect(page.get_by_test_id("message")).to_have_count(1)


async def test_the_page_speaks_the_language_of_whoever_one_is(
    stage: Stage, open_page: OpenPage
) -> None:
    page = await open_page()
    await expect(page.get_by_test_id("hello")).to_contain_text("你好，我是学伴")
    await page.get_by_test_id("composer").fill("一半")
    await page.get_by_test_id("user-Alice").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en-US")
    await expect(page.get_by_test_id("hello")).to_contain_text("your tutor")
    await stage.say("study", "**hello** there")
    study = page.get_by_test_id("channel-study")
    await expect(study).to_have_attribute("data-unread", "1")
    await study.click()
    await expect(study).to_have_attribute("data-unread", "0")
    await expect(page.get_by_role("separator").filter(has_text="New")).to_be_visible()

    await page.get_by_test_id("user-小明").click()
    await expect(page.get_by_test_id("composer")).to_have_value("一半")
    await expect(study).to_have_attribute("data-unread", "1")
    await page.reload()
    await page.locator("body[data-ready=true]").wait_for()
    await expect(page.get_by_test_id("user-小明")).to_have_attribute("aria-checked", "true")


async def test_a_suggestion_asks_and_another_fills_the_command(open_page: OpenPage) -> None:
    page = await open_page("en-US")
    await page.get_by_test_id("suggestion").filter(has_text="how do I make training").click()
    await expect(by_bot(page)).to_have_count(1)
    await page.get_by_test_id("ideas").click()
    await page.get_by_test_id("idea").filter(has_text="/run").click()
    await expect(page.get_by_test_id("option-example")).to_have_value("tensorflow-simple-network")
    await expect(page.get_by_test_id("option-settings")).to_be_focused()
    await page.get_by_test_id("command-cancel").click()
    await expect(page.get_by_test_id("composer")).to_be_focused()


async def test_replies_reactions_and_threads(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page("en-US")
    await stage.say("general", "a question for you")
    said = by_bot(page).first
    await said.hover()
    await said.get_by_test_id("tool-react").first.click()
    reaction = said.get_by_test_id("reaction")
    await expect(reaction).to_have_attribute("aria-pressed", "true")
    await reaction.click()
    await expect(reaction).to_have_count(0)

    await said.hover()
    await said.get_by_test_id("tool-reply").click()
    await expect(page.get_by_test_id("reply-bar")).to_contain_text("Replying to 学伴")
    await page.keyboard.type("my answer")
    await page.keyboard.press("Enter")
    mine = page.locator("[data-testid=message][data-author=Alice]").first
    await expect(mine.get_by_test_id("reply-to")).to_contain_text("a question for you")
    await expect(page.get_by_test_id("reply-bar")).to_be_hidden()

    await said.hover()
    await said.get_by_test_id("tool-thread").click()
    await page.get_by_test_id("field-name").fill("aside")
    await page.get_by_test_id("dialog-submit").click()
    thread = page.get_by_test_id("channel-aside")
    await expect(thread).to_have_attribute("aria-current", "page")
    await page.get_by_test_id("composer").fill("in here")
    await page.get_by_test_id("composer").press("Enter")
    await expect(page.get_by_test_id("message").last).to_contain_text("in here")
    await page.get_by_test_id("channel-general").click()
    await expect(said.get_by_test_id("open-thread")).to_contain_text("aside")


async def test_what_happened_while_the_connection_was_down_is_caught_up_with(
    stage: Stage, open_page: OpenPage
) -> None:
    async with Wire.to(stage.playground.url) as wire:
        page = await open_page(url=wire.url, forgiven="ERR_")
        await wire.cut()
        await expect(page.get_by_test_id("connection")).to_be_visible()
        await stage.say("general", "while away")
        await stage.say("study", "elsewhere")
        await expect(by_bot(page)).to_have_count(0)
        await wire.mend()
        await expect(by_bot(page).first).to_contain_text("while away")
        await expect(page.get_by_test_id("channel-study")).to_have_attribute("data-unread", "1")
        await expect(page.get_by_test_id("connection")).to_be_hidden()


async def test_the_clock_moves_on(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page()
    before = stage.playground.clock.now()
    await page.get_by_test_id("clock-day").click()
    await expect(page.get_by_test_id("clock")).to_contain_text("12:00")
    tomorrow = before.astimezone(SHANGHAI) + timedelta(days=1)
    moved = stage.playground.clock.now().astimezone(SHANGHAI)
    assert (moved.date(), moved.hour) == (tomorrow.date(), 12)
    await page.get_by_test_id("clock-hour").click()
    await expect(page.get_by_test_id("clock")).to_contain_text("13:0")


async def test_everything_fits_a_narrow_screen(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page(width=390, height=844)
    await stage.say("general", "x" * 600 + "\n```\n" + "y" * 600 + "\n```")
    await expect(by_bot(page)).to_have_count(1)
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    inner = page.get_by_test_id("messages")
    assert await inner.evaluate("box => box.scrollWidth - box.clientWidth") == 0
    await expect(page.get_by_test_id("channel-study")).to_be_hidden()
    await page.get_by_test_id("menu").click()
    await page.get_by_test_id("channel-study").click()
    await expect(page.get_by_test_id("channel-study")).to_be_hidden()
    await expect(page.locator("h1")).to_have_text("#study")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_has_the_contrast_that_wcag_asks_for(
    stage: Stage, open_page: OpenPage, scheme: Literal["light", "dark"]
) -> None:
    page = await open_page(scheme=scheme)
    await page.get_by_test_id("composer").fill(f"<@{stage.tutor.user.id}> 过拟合")  # pyright: ignore[reportOptionalMemberAccess] -- it is logged in
    await page.get_by_test_id("composer").press("Enter")
    await expect(by_bot(page)).to_have_count(1)
    await by_bot(page).first.get_by_test_id("button").filter(has_text="代码").click()
    await expect(by_bot(page)).to_have_count(2)
    stage.tutor.card_may_finish.set()
    await page.get_by_test_id("composer").fill("/run pytorch-resnet")
    await page.get_by_test_id("composer").press("Enter")
    await expect(by_bot(page).last).to_contain_text("0.962")
    await page.get_by_test_id("composer").fill("/")
    await expect(page.get_by_test_id("choice").first).to_be_visible()
    assert await page.evaluate(FAINT_TEXT) == []


FAINT_TEXT = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((part) => part / 255)
      .map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const isPlaceholder = element.placeholder && !element.value;
    const left_out = ":disabled, :disabled *, [aria-hidden=true], [aria-hidden=true] *, .spoiler *";
    if (!(hasText || isPlaceholder) || element.matches(left_out)) continue;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const grounds = [];
    for (let each = element; each; each = each.parentElement) {
      grounds.push(rgba(getComputedStyle(each).backgroundColor));
    }
    const ground = grounds.reduceRight((below, top) => over(top, below), [255, 255, 255]);
    const style = getComputedStyle(element, isPlaceholder ? "::placeholder" : null);
    const [light, dark] = [luminance(over(rgba(style.color), ground)), luminance(ground)]
      .sort((left, right) => right - left);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${element.tagName}.${element.className}`);
  }
  return [...new Set(faint)];
}"""
