"""In which manner a text came to the tutor: put to it, asked aloud, or just said."""

import re
from enum import Enum
from typing import Final

_ASKS: Final = re.compile(
    r"""
    [?？]
    | 为什么|为啥|为何|怎么|怎样|咋|如何|什么|啥|哪|谁|几个|多少|多大|多久|吗|呢$
    | 是否|是不是|有没有|能不能|可不可以|会不会|该不该|要不要|请问|请教|区别|办法|原因
    | ^(?:why|how|what|which|when|where|who|is|are|do|does|did|can|could|should|would|will)\b
    | \bhow\ (?:do|does|can|to|much|many|should)\b
    | \bwhat(?:'s|\ is|\ are|\ does)\b
    | \bwhy\ (?:is|are|do|does)\b
    | \b(?:any(?:one|body)\ know|explain|difference\ between)\b
    """,
    re.VERBOSE,
)


class Manner(Enum):
    """How a text came to the tutor, from the most to the least certain that an answer is wanted."""

    ADDRESSED = "addressed"
    ASKED = "asked"
    SAID = "said"


def manner_of(text: str, *, addressed: bool) -> Manner:
    """The manner of ``text`` (normalised); ``addressed`` is whether it was put to the tutor."""
    if addressed:
        return Manner.ADDRESSED
    return Manner.ASKED if _ASKS.search(text) else Manner.SAID
