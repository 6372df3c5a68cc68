from pathlib import Path

import pytest

from knowledge.language import Language
from knowledge.phrasing import Phrasing, PhrasingKind
from knowledge.phrasing_file import read_phrasing_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "beam-search.tsv"


def faults(path: Path, content: str) -> list[tuple[int, str]]:
    path.write_text(content, "utf-8")
    return [(fault.line, fault.message) for fault in read_phrasing_file(path).faults]


def test_phrasings_are_read_with_their_language_kind_and_line(path: Path) -> None:
    path.write_text("zh\tsituation\t翻译总是漏半句\n\nen\ttypo\tbeem serch\n", "utf-8")
    file = read_phrasing_file(path)
    assert file.entry == "beam-search"
    assert file.faults == ()
    assert file.phrasings == (
        Phrasing(Language.ZH, PhrasingKind.SITUATION, "翻译总是漏半句"),
        Phrasing(Language.EN, PhrasingKind.TYPO, "beem serch"),
    )
    assert [(wording.name, wording.line) for wording in file.wordings] == [
        ("翻译总是漏半句", 1),
        ("beem serch", 3),
    ]


def test_what_a_spreadsheet_saves_is_read(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfen\tchat\twhy five of them\r\nen\twhen\tis greedy enough\r\n")
    file = read_phrasing_file(path)
    assert file.faults == ()
    assert [phrasing.text for phrasing in file.phrasings] == [
        "why five of them",
        "is greedy enough",
    ]


@pytest.mark.parametrize(
    ("line", "messages"),
    [
        ("fr\tchat\tpourquoi", ["the language is zh or en, not 'fr'"]),
        ("en\tchat\t", ["the text is empty"]),
        ("en\tchat\t翻译总是漏半句", ["this is not English: 翻译总是漏半句"]),
        ("zh\tchat\twhy five", ["this is not Chinese: why five"]),
        ("en\tchat\t" + "a" * 301, ["a phrasing has at most 300 characters"]),
        (
            "en chat why",
            ["a line has 3 columns, language, kind, text, with tabs between; not 1"],
        ),
        (
            "en\tchat\twhy\tfive",
            ["a line has 3 columns, language, kind, text, with tabs between; not 4"],
        ),
    ],
)
def test_a_faulty_line_is_named(path: Path, line: str, messages: list[str]) -> None:
    content = f"zh\tchat\t翻译漏字\n{line}\n"
    assert faults(path, content) == [(2, message) for message in messages]


def test_an_unknown_kind_is_told_those_that_there_are(path: Path) -> None:
    ((line, message),) = faults(path, "en\trumour\twhy five\n")
    assert line == 1
    assert message.startswith("there is no kind 'rumour'; there are situation, symptom, ")


def test_all_that_is_wrong_with_a_line_is_told(path: Path) -> None:
    told = faults(path, "fr\tchat\t\n")
    assert told == [(1, "the language is zh or en, not 'fr'"), (1, "the text is empty")]


def test_a_file_without_a_phrasing_says_so(path: Path) -> None:
    assert faults(path, "\n") == [(1, "there are no phrasings here")]


def test_a_file_in_another_encoding_says_so(path: Path) -> None:
    path.write_bytes("zh\tchat\t翻译漏字".encode("gb18030"))
    assert [fault.message for fault in read_phrasing_file(path).faults] == ["the file is not UTF-8"]
