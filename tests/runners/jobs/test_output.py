import asyncio

from hypothesis import given
from hypothesis import strategies as st

from runners.jobs.output import lines_of


def lines(*chunks: bytes) -> list[str]:
    async def read() -> list[str]:
        stream = asyncio.StreamReader()
        for chunk in chunks:
            stream.feed_data(chunk)
        stream.feed_eof()
        return [line async for line in lines_of(stream)]

    return asyncio.run(read())


def test_lines_end_at_either_kind_of_break() -> None:
    assert lines(b"one\ntwo\r\nthree\rfour") == ["one", "two", "three", "four"]


def test_colours_and_control_characters_are_taken_out() -> None:
    assert lines(b"\x1b[31mred\x1b[0m\x07 \x08end\ttab\n") == ["red end\ttab"]


def test_a_line_without_end_is_cut() -> None:
    assert lines(b"x" * 500_000 + b"\nshort\n") == ["x" * 2_000, "short"]


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    assert lines(b"\xff\xfe\n") == ["\ufffd\ufffd"]


@given(st.binary(max_size=300))
def test_any_output_is_readable(output: bytes) -> None:
    for line in lines(output):
        assert len(line) <= 2_000
        assert "\n" not in line
        assert "\x1b[" not in line
