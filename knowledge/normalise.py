"""One spelling for what means the same: the first step of every query."""

import re
import unicodedata
from functools import cache
from typing import Final, Protocol, cast

MAX_CHARACTERS: Final = 1000
"""What is longer is cut: the encoder reads 512 tokens, and a question is told long before that."""

_SPACES: Final = re.compile(r"\s+")
_UNSEEN: Final = re.compile(r"[\u0000-\u0008\u000e-\u001f\u007f\u00ad\u200b-\u200f\u2060\ufeff]")
_HALVES: Final = re.compile(r"[\ud800-\udfff]")
_WORD: Final = re.compile(r"\w")
_MENTION: Final = re.compile(r"<(?:@[!&]?|#|a?:\w+:|t:)\d+(?::\w)?>")


class _Converter(Protocol):
    def convert(self, text: str) -> str: ...


def normalise(text: str) -> str:
    """``text`` in simplified characters and lower case, with single spaces.

    At most 1,000 characters are kept. Compatibility forms such as full-width letters become
    ordinary ones (Unicode NFKC). Applying it twice changes nothing more.
    """
    # Cutting first bounds the time that any input can take; no step below makes text much longer,
    # and the second cut sees to what it does.
    text = _HALVES.sub("", text[: 2 * MAX_CHARACTERS])
    # One pass can make work for another: NFKC can compose what lower-casing took apart.
    for _ in range(4):
        passed = _pass(text)
        if passed == text:
            break
        text = passed
    return text


def has_words(text: str) -> bool:
    """Whether there is a letter or a digit in ``text``, in any script."""
    return _WORD.search(text) is not None


def without_mentions(text: str) -> str:
    """``text`` without chat markup for people, channels, times and custom emoji."""
    return _MENTION.sub(" ", text)


def _pass(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    text = _simplified().convert(text)
    text = _UNSEEN.sub("", text.lower())
    text = _SPACES.sub(" ", text).strip()
    return text[:MAX_CHARACTERS].strip()


@cache
def _simplified() -> _Converter:
    import opencc

    return cast("_Converter", opencc.OpenCC("t2s"))
