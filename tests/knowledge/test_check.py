from pathlib import Path

import pytest

from knowledge import cli
from knowledge.commands import check
from knowledge.errors import EncoderUnavailableError
from knowledge.prepare import Prepared, Sources, prepare
from knowledge.settings import KnowledgeSettings
from knowledge.testing import FakeEncoder

ASKED = "讲讲束搜索的原理"
TWIN = f"{ASKED}吧"


@pytest.fixture
def unprepared(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        pytest.fail("nothing is to be prepared")

    monkeypatch.setattr(check, "prepare", refuse)


@pytest.fixture
def prepared(
    settings: KnowledgeSettings,
    sources: Sources,
    encoder: FakeEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> Prepared:
    """What stands for the bank that ships."""
    made = prepare(settings, sources=sources)
    monkeypatch.setattr(check, "prepare", lambda *_arguments, **_options: made)
    monkeypatch.setattr(check, "open_encoder", lambda *_arguments: encoder)
    return made


def name_example(bank_dir: Path) -> tuple[Path, int]:
    path = bank_dir / "language" / "beam-search.md"
    text = path.read_text("utf-8").replace("examples: []", "examples: [pytorch-beam]")
    path.write_text(text, "utf-8")
    return path, text.split("\n").index("examples: [pytorch-beam]") + 1


@pytest.mark.usefixtures("unprepared")
def test_a_quick_check_lists_the_faults_of_the_files(
    bank_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", str(bank_dir), "--quick"]) == 0
    assert capsys.readouterr() == ("", "the bank has no faults\n")
    path, line = name_example(bank_dir)
    assert cli.main(["check", str(bank_dir), "--quick", "--examples", "pytorch-resnet, a-b"]) == 1
    assert capsys.readouterr().out == (
        f"{bank_dir}:1: no entry names the example a-b\n"
        f"{bank_dir}:1: no entry names the example pytorch-resnet\n"
        f"{path}:{line}: there is no example pytorch-beam\n"
    )


@pytest.mark.usefixtures("unprepared")
def test_examples_can_be_named_in_a_file(bank_dir: Path, tmp_path: Path) -> None:
    name_example(bank_dir)
    listed = tmp_path / "examples.txt"
    listed.write_text("pytorch-beam\n", "utf-8")
    assert cli.main(["check", str(bank_dir), "--quick", "--examples", str(listed)]) == 0


@pytest.mark.usefixtures("unprepared")
def test_more_ids_may_be_given_than_a_files_name_has_room_for(
    bank_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [f"pytorch-example-{number}" for number in range(30)]
    assert cli.main(["check", str(bank_dir), "--quick", "--examples", ",".join(ids)]) == 1
    assert len(capsys.readouterr().out.splitlines()) == len(ids)


@pytest.mark.usefixtures("unprepared")
def test_a_complete_bank_needs_more_phrasings(
    bank_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", str(bank_dir), "--quick", "--complete"]) == 1
    assert "wordings in zh are too few" in capsys.readouterr().out


@pytest.mark.usefixtures("prepared")
def test_meanings_are_compared_unless_a_quick_check_is_asked_for(
    bank_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", str(bank_dir)]) == 0
    first = bank_dir / "language" / "beam-search.md"
    second = bank_dir / "language" / "word-embedding.md"
    text = second.read_text("utf-8").replace("    - 词嵌入入门", f"    - {TWIN}")
    second.write_text(text, "utf-8")
    lines = [
        path.read_text("utf-8").split("\n").index(f"    - {asked}") + 1
        for path, asked in ((first, ASKED), (second, TWIN))
    ]
    capsys.readouterr()
    assert cli.main(["check", str(bank_dir)]) == 1
    assert capsys.readouterr().out == (
        f"{second}:{lines[1]}: {TWIN!r} asks what {ASKED!r} at {first}:{lines[0]} asks\n"
    )


@pytest.mark.usefixtures("unprepared")
def test_meanings_wait_until_the_files_are_mended(
    bank_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name_example(bank_dir)
    assert cli.main(["check", str(bank_dir), "--examples", "pytorch-resnet"]) == 1
    assert capsys.readouterr().err == "meanings are compared once the files have no faults\n"


def test_without_an_encoder_the_files_alone_are_checked(
    bank_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unavailable(*_arguments: object, **_options: object) -> None:
        raise EncoderUnavailableError

    monkeypatch.setattr(check, "prepare", unavailable)
    assert cli.main(["check", str(bank_dir)]) == 0
    assert capsys.readouterr().err == (
        "no meanings were compared: "
        "The packages that carry the built-in encoder are not installed.\n"
        "the bank has no faults\n"
    )


@pytest.mark.usefixtures("unprepared")
def test_private_entries_may_relate_to_the_bank_that_ships(
    bank_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for taken in ("training/gradient-clipping", "language/word-embedding"):
        (bank_dir / f"{taken}.md").unlink()
    path = bank_dir / "language" / "beam-search.md"
    text = path.read_text("utf-8").replace("related: []", "related: [transformer]")
    path.write_text(text, "utf-8")
    assert cli.main(["check", str(bank_dir), "--quick"]) == 1
    assert "there is no entry transformer" in capsys.readouterr().out
    assert cli.main(["check", str(bank_dir), "--quick", "--private"]) == 0
