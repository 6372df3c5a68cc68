"""What a process writes to standard output and error, cut into lines that a person may read."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

_CHUNK: Final = 32 * 1024
_LINE: Final = 2_000
_PACE_S: Final = 0.005
_CONTROL: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")
_BREAK: Final = re.compile(rb"[\r\n]+")


async def lines_of(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines of ``stream``, without control characters, at most 2,000 characters each.

    What is longer is cut off. It reads no faster than some 6 MB/s: whoever writes more waits.
    """
    rest = b""
    while chunk := await stream.read(_CHUNK):
        *lines, rest = _BREAK.split(rest + chunk)
        for line in lines:
            yield _text(line)
        # a character has at most four bytes: more of this line is never shown
        rest = rest[: 4 * _LINE]
        await asyncio.sleep(_PACE_S)
    if rest:
        yield _text(rest)


def _text(line: bytes) -> str:
    return _CONTROL.sub("", line.decode(errors="replace"))[:_LINE]
