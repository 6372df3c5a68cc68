"""Turns: how a message goes back to what was said, on from it, or to something else."""

import re
from typing import Final

from knowledge.patterns import any_of, within
from knowledge.subject import subject_words


def after_change(text: str) -> str | None:
    """What ``text`` (normalised) asks once it said that the subject changes; None if it didn't."""
    found = _CHANGES.match(text)
    rest = text[found.end() :] if found else ""
    return rest if subject_words(rest) else None


def led_to(text: str) -> str | None:
    """The subject that ``text`` (normalised) moves on to ("and in PyTorch?"), or None."""
    for pattern in (_LEADS_THAT, _LEADS_ZH, _LEADS_EN):
        found = pattern.match(text)
        if found is not None and subject_words(found["subject"]):
            return found["subject"].strip()
    return None


def points_back(text: str) -> bool:
    """Whether a pronoun of ``text`` (normalised) points back to what was said."""
    return _POINTS.search(text) is not None


def goes_on(text: str) -> bool:
    """Whether ``text`` (normalised) begins as if it went on from something ("so…", "but…")."""
    return _TURNS.match(text) is not None


def is_pronoun(text: str) -> bool:
    """Whether ``text`` (normalised) begins with a word for what was said before."""
    return _PRONOUN.match(text) is not None


_OPENING: Final = within(
    r"""
    ok(?:ay)?|alright|right|great|cool|nice|thanks?|thx|got it|i see|hm+|oh|ah|well|so|now|anyway
    好的?|好吧|行|嗯|哦|噢|谢谢|感谢|明白了?|懂了|了解|收到|对了|那|那么|诶|哎|[\s,.!。~]
    """
)
_CHANGES: Final = re.compile(
    rf"^{_OPENING}*"
    + within(
        r"""
        [换转切改]一?[个下]?新?(?:话题|问题|主题|题目|方向)
        (?:新|另外?一?个|下一?个|别的?)的?(?:问题|话题)
        (?:另外|顺便|再)[想再来]?(?:问|请教|咨询)(?:你|您|大家)?一?[下个句]?别?的?(?:问题|事)?
        (?:另外|顺便|再)[想再来]?(?:打听)(?:你|您|大家)?一?[下个句]?别?的?(?:问题|事)?
        (?:还想|想再)[想再来]?(?:问|请教|咨询|打听)(?:你|您|大家)?一?[下个句]?别?的?(?:问题|事)?
        (?:接着再|还|最后)[想再来]?(?:问|请教|咨询)(?:你|您|大家)?一?[下个句]?别?的?(?:问题|事)?
        (?:接着再|还|最后)[想再来]?(?:打听)(?:你|您|大家)?一?[下个句]?别?的?(?:问题|事)?
        问一?[个点些](?:别的|其他|不相关|无关|题外)的?(?:问题)?|不[说聊管谈](?:这个|它|那个)了?
        话说|说起来|题外话|跑个题|插一?句|插播|回到正题
        (?:on to )?(?:an? |the |my )?(?:different|another) (?:question|topic|subject)
        (?:on to )?(?:an? |the |my )?(?:new|next|separate) (?:question|topic|subject)
        (?:on to )?(?:an? |the |my )?(?:unrelated|other|random) (?:question|topic|subject)
        (?:an? |the |my )?(?:off[- ]topic|side|last|second) (?:question|topic|thing|note)
        (?:an? |the |my )?(?:quick|one more|one other) (?:question|topic|thing|note)
        (?:completely |totally )?unrelated(?: but)?|btw|by the way|moving on|off[- ]topic
        on another note
        (?:let'?s )?(?:chang|switch)\w* (?:the )?(?:topics?|subjects?|gears)
        change of (?:topic|subject)
        (?:also )?(?:i )?(?:also )?want(?:ed)? to ask(?: you)?(?: about)?
        forget (?:about )?(?:that|it)|aside from that
        """
    )
    + r"[\s,.:;!?、。—-]*"
)
_LEADS_ZH: Final = re.compile(
    rf"^{_OPENING}*(?:要是|如果|假如|假设|换[成做]|换|至于|关于|说到|对于|改成|轮到|放到|到了?)?"
    r"(?P<subject>.{1,40}?)(?:[那这][种块边]|方面|的话|又|的时候)*"
    r"(?:[呢咧捏嘞呐]|又[是怎咋该算].{0,8})\W*$"
)
_LEADS_THAT: Final = re.compile(
    r"^(?:[^,]{0,4},)?(?:那么?|所以)(?P<subject>[^,]{1,40}?)(?:又|到底)?"
    r"(?:是(?:什么|啥|怎么|指|干)|怎么[样用做办弄搞理]|(?:什么|啥)意思|指什么).{0,6}$"
)
_LEADS_EN: Final = re.compile(
    rf"^{_OPENING}*(?:(?:and |but |then |so )?(?:what about|how about|what if|and if)|"
    r"and (?:for|in|with|on)|and|same (?:for|with|thing for)|now)\s+"
    r"(?P<subject>[^.]{2,80}?)(?: then| though| again)?\W*$"
)
_POINTS: Final = any_of(
    r"""
    它|其(?![他它实中])|这(?![么两])|那(?!么)(?!.{0,3}[为凭图])|上[面述]|刚[才刚]|前面
    \b(?:it|its|this|that|these|those|they|them|their)\b
    """
)
_TURNS: Final = re.compile(
    rf"^{_OPENING}*(?:所以|但是?|可(?!以)是?|不过|然后|那么?(?![个种些样])|咋|(?:and|but|so|then)\b)|"
    r"^(?:那|so\b|hm+\b)"
)
_PRONOUN: Final = any_of(
    r"""
    [它这那其]|上面|前面|刚才|前者|之前
    (?:it|this|that|these|those|them|yours?|the (?:former|previous|last|above))\b
    """
)
