"""A server's own entries: wherever the common bank leads to an entry, so does a server's own."""

from dataclasses import dataclass, replace
from pathlib import Path

import discord
import pytest
from simcord import Env
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle

from bot.settings import Settings
from bot.testing import FakeRetriever, answered, unsure
from knowledge.bank import Bank
from knowledge.entry import Entry
from tests.features.conftest import buttons, last, make_entry

EXAMPLE = "tensorflow-overfitting"
QUESTION = "How do we hand in the homework?"


@dataclass(frozen=True)
class Server:
    """A server with a channel and somebody of its staff."""

    channel: ChannelHandle
    member: MemberActor


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, shards=1, tick_seconds=60, progress_seconds=0)


@pytest.fixture
def homework() -> Entry:
    entry = make_entry("homework", "作业怎么交？", QUESTION, related=("dropout",))
    return replace(entry, examples=(EXAMPLE,))


def server(env: Env) -> Server:
    guild = env.create_guild()
    role = guild.create_role("staff", permissions=discord.Permissions(manage_guild=True))
    return Server(
        guild.create_text_channel("study"),
        guild.add_member(env.create_user("laoshi"), roles=[role]),
    )


@pytest.fixture
def ours(env: Env, retriever: FakeRetriever, homework: Entry) -> Server:
    """A server with an entry of its own, and nothing else to ask for every day."""
    made = server(env)
    retriever.guild_banks[made.member.guild.id] = Bank((homework,))
    return made


@pytest.fixture
def theirs(env: Env, ours: Server) -> Server:
    """Another one, without."""
    assert ours
    return server(env)


async def test_completion_offers_them_at_home_alone(ours: Server, theirs: Server) -> None:
    at_home = await ours.member.autocomplete(ours.channel, "ask", "question", "homework")
    elsewhere = await theirs.member.autocomplete(theirs.channel, "ask", "question", "homework")
    assert [choice["value"] for choice in at_home] == [QUESTION]
    assert elsewhere == []


async def test_every_button_of_a_did_you_mean_and_of_the_answer_leads_on(
    ours: Server, retriever: FakeRetriever, homework: Entry
) -> None:
    retriever.outcomes["hand in?"] = unsure(homework)
    await ours.member.slash(ours.channel, "ask", question="hand in?")
    await ours.member.click(last(ours.channel), custom_id="show:homework:en")
    answer = last(ours.channel)
    assert answer.content.startswith(f"### {QUESTION}")
    shown = await ours.member.click(answer, custom_id="more:homework:en")
    assert shown.response is not None
    assert "a mistake" in shown.response.content


async def test_a_run_asked_for_in_words_finds_their_examples_and_its_card_leads_back(
    ours: Server, retriever: FakeRetriever, homework: Entry
) -> None:
    retriever.outcomes["hand in"] = answered(homework)
    offer = await ours.member.slash(ours.channel, "run", example="hand in")
    assert offer.response is not None
    assert buttons(offer.response.message) == [f"run:{EXAMPLE}:en"]
    await ours.member.click(offer.response, custom_id=f"run:{EXAMPLE}:en")
    assert "show:homework:en" in buttons(last(ours.channel))


async def test_the_card_of_another_server_leads_to_the_common_bank(theirs: Server) -> None:
    await theirs.member.slash(theirs.channel, "run", example=EXAMPLE)
    shown = [button for button in buttons(last(theirs.channel)) if button.startswith("show:")]
    assert shown == ["show:overfitting:en"]


async def test_they_are_asked_for_as_the_question_of_the_day(
    env: Env, ours: Server, retriever: FakeRetriever
) -> None:
    retriever.loaded.clear()
    await ours.member.slash(ours.channel, "study start", hour=9)
    before = last(ours.channel)
    await env.advance_time(3600)
    assert last(ours.channel) == before  # it waits for the retriever, which knows them
    retriever.loaded.set()
    await env.advance_time(60)
    daily = last(ours.channel)
    assert buttons(daily) == ["daily:homework"]
    shown = await ours.member.click(daily, custom_id="daily:homework")
    assert shown.ephemeral
    assert shown.response is not None
    assert shown.response.content.startswith(f"### {QUESTION}")
