from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from knowledge.guild_banks import GuildFolders
from knowledge.outcome import Query
from knowledge.prepare import Sources, prepare
from knowledge.retriever import Retriever
from knowledge.settings import KnowledgeSettings
from knowledge.testing import FakeEncoder

PRIVATE = {
    1: ("office-printer", "我们的打印机", "our printer"),
    2: ("canteen-card", "饭卡充值", "the canteen card"),
}
OPEN_TO_ALL = "束搜索入门"

WriteGuildEntry = Callable[[int, str, str, str], Path]


@pytest.fixture
def write(settings: KnowledgeSettings, entry_text: Callable[..., str]) -> WriteGuildEntry:
    """Write an entry into a guild's own bank."""

    def write_entry(guild: int, entry_id: str, zh: str, en: str) -> Path:
        path = settings.guilds_dir / str(guild) / "questions" / "house" / f"{entry_id}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(entry_text(id=entry_id, topic="house", zh=zh, en=en), "utf-8")
        return path

    return write_entry


@pytest.fixture
def retriever(
    settings: KnowledgeSettings, sources: Sources, encoder: FakeEncoder, write: WriteGuildEntry
) -> Retriever:
    for guild, subject in PRIVATE.items():
        write(guild, *subject)
    retriever = Retriever(
        prepare(settings, sources=sources), encoder, GuildFolders(settings.guilds_dir)
    )
    assert retriever.refresh() == {1: None, 2: None}
    return retriever


def found(retriever: Retriever, text: str, guild: int | None) -> list[str]:
    return [hit.entry for hit in retriever.retrieve(Query(text, guild=guild), 100).hits]


def test_a_guild_finds_its_own_entries_and_everybodys(retriever: Retriever) -> None:
    assert found(retriever, "我们的打印机怎么理解", 1)[0] == "office-printer"
    assert found(retriever, "饭卡充值入门", 2)[0] == "canteen-card"
    assert found(retriever, OPEN_TO_ALL, 1)[0] == "beam-search"
    assert retriever.bank_of(1).entry("office-printer") is not None
    assert retriever.bank_of(2).entry("office-printer") is None
    assert retriever.bank.entry("office-printer") is None


_ASKED = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [text for entry_id, zh, en in PRIVATE.values() for text in (entry_id, zh, en, f"{zh}入门")]
    ),
)
_GUILDS = st.one_of(st.none(), st.integers(1, 4))


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(_ASKED, _GUILDS, st.lists(_ASKED, max_size=2)), min_size=1, max_size=4))
def test_no_guild_is_ever_shown_an_entry_of_another(
    retriever: Retriever, asked: list[tuple[str, int | None, list[str]]]
) -> None:
    queries = [
        Query(text, guild=guild, conversation=tuple(earlier)) for text, guild, earlier in asked
    ]
    for query, outcome in zip(queries, retriever.retrieve_many(queries, 100), strict=True):
        foreign = {subject[0] for guild, subject in PRIVATE.items() if guild != query.guild}
        assert foreign.isdisjoint(hit.entry for hit in outcome.hits)


def test_what_changes_in_a_folder_joins_without_a_restart(
    retriever: Retriever, write: WriteGuildEntry, encoder: FakeEncoder
) -> None:
    assert retriever.refresh() == {}
    encoder.encoded.clear()
    path = write(3, "night-shift", "夜班表", "the night shift")
    assert retriever.refresh() == {3: None}
    assert encoder.encoded
    assert all("夜班" in text or "night shift" in text for text in encoder.encoded)
    assert found(retriever, "夜班表入门", 3)[0] == "night-shift"
    path.unlink()
    assert retriever.refresh() == {3: None}
    assert "night-shift" not in found(retriever, "夜班表入门", 3)


def test_a_faulty_bank_is_told_and_what_was_there_stays(
    retriever: Retriever, write: WriteGuildEntry
) -> None:
    write(1, "beam-search", "束搜索二", "another beam search")
    error = retriever.refresh()[1]
    assert error is not None
    assert "the common bank has an entry beam-search already" in str(error)
    assert found(retriever, "我们的打印机怎么理解", 1)[0] == "office-printer"


def test_folders_that_are_no_guilds_are_left_alone(
    settings: KnowledgeSettings, write: WriteGuildEntry
) -> None:
    folders = GuildFolders(settings.guilds_dir)
    assert folders.changed() == {}
    write(7, "night-shift", "夜班表", "the night shift")
    (settings.guilds_dir / "notes").mkdir()
    (settings.guilds_dir / "8" / "questions").mkdir(parents=True)
    assert list(folders.changed()) == [7]
