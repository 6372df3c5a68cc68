"""Comparisons: which two things a message sets side by side."""

import re
from dataclasses import dataclass
from typing import Final

from knowledge.patterns import within


@dataclass(frozen=True, slots=True)
class SideBySide:
    """The two sides of a comparison as they are written; one may be empty or a mere pronoun.

    ``of_choice``: they are joined by "or", which joins much else too.
    """

    left: str
    right: str
    of_choice: bool = False


def side_by_side(text: str) -> SideBySide | None:
    """The sides of the comparison that ``text`` (normalised) draws, or None where it draws none."""
    for pattern in _PATTERNS:
        found = pattern.search(text)
        if found is not None:
            middle = found.groupdict().get("middle") or ""
            return SideBySide(
                f"{found['left']}{middle}".strip(),
                _trimmed(found["right"]),
                of_choice=pattern is _ZH_OR,
            )
    return None


def _trimmed(side: str) -> str:
    return _TRAILS_EN.sub("", _TRAILS_ZH.sub("", side.strip())).strip()


_TRAILS_ZH: Final = re.compile(
    r"(?:有|是|的|到底|究竟|之间|又|还|都|各自?|本质上?|最大|主要){0,4}"
    r"(?:什么|啥|何|哪些|哪儿?|多大|多少)?(?:本质)?的?$"
)
_TRAILS_EN: Final = re.compile(
    r"\s*(?:(?:哪个|哪种|谁|该|我|选|怎么|更|,).*|"
    r"\b(?:for|in terms of|when|then|though|if|which|here|please|pls)\b.*)$"
)
_THAN_ZH: Final = r"(?<![对相])比(?!如|较|例|方|赛|重|值|特|起来|分|率|喻)"
_WITH_ZH: Final = within(
    rf"""
    相比较?[于起]?|相较[于起]?|较之|比起(?!来)|对比(?!学|度|损|例|组|图|表|实)(?:一下|下)?|区别于
    和|跟|与|同(?!样|时|一|步|类|理|学|事|意|感|情|行|城|桌)|{_THAN_ZH}
    """
)
_DIFFER_ZH: Final = within(
    r"""
    区别|不同|差[别异距]|分别|不一样|两样|差(?:在|哪|多少)|异同|优缺点|[优利]劣|优势|劣势|长短
    利弊|关系|联系
    一样|一[回码]事|同一|相同|类似|相似|像[吗不么啊]|哪一?[个种]|孰|谁[更好强快]|怎么[选区分]
    咋[选分]|如何[选区]
    [好强差快慢省贵弱高新牛](?:在|多少|哪)|先进在|选[哪谁]|该[选用]|相比|比(?=有|是|哪|谁|我|,)
    比(?:呢|怎么样|怎样|如何|咋样|的话|较|起来|一比|一下|$|\?)
    """
)
_ZH: Final = re.compile(
    rf"^(?P<left>.*?){_WITH_ZH}(?P<right>.{{1,60}}?)"
    r"(?:相比|比起来|比较(?:一下|下|的话)?|对比|放?在?一起[比看]?|的话|之间|他俩|两者|二者|俩)?"
    rf"{_DIFFER_ZH}"
)
_ZH_MORE: Final = re.compile(
    rf"^(?P<left>.*?){_THAN_ZH}(?P<right>.{{1,40}}?)"
    r"(?:[更还要会能好强快慢差省贵弱准稳]|真的|便宜|高级)"
)
_ZH_OR: Final = re.compile(
    r"^(?P<left>.*\S.*?)还是(?![不没很太有会要得在老总搞听看]|一样|比较)(?P<right>[^,?!]{1,40})"
)
_ZH_ENDS: Final = re.compile(
    r"^(?P<left>\W*(?:那么?|它|这[个种]?|那个|如果|要是|我|想|再|来|请|不?能|可以){0,4}\W*)"
    rf"(?:{_WITH_ZH}|vs\.?|pk)\s*(?P<right>[^,.?!]{{1,40}}?)"
    r"(?:对?比较?)?(?:一下|下)?(?:[呢嘞咧呐]|\?|$)"
)
_EN_BETWEEN: Final = re.compile(
    r"\b(?:differ\w*|choose|pick|decide|comparison|distinction|distinguish|relation\w*|trade-?offs?)\b"
    r".{0,20}?\bbetween (?P<left>.{1,60}?) (?:and|or|vs\.?) (?P<right>[^,.?!]{1,60})"
)
_EN_BESIDE: Final = within(
    r"""
    \b(?:vs\.?|versus)(?!\w)
    \bdiffer(?:s|ent|ence|ences|ently)?\b.{0,20}?\b(?:from|than|to|with|between|against)\b
    \bcompar(?:e|es|ed|ing|ison|able)\b.{0,20}?\b(?:to|with|against|and|between)\b|\bcompare\b
    \bcontrast(?:s|ed|ing)?\b.{0,20}?\b(?:with|to|and|against)\b|\bunlike\b|\bnext to\b
    \brelative to\b
    \b(?:the )?same(?: \w+){0,2}? (?:as|with)\b|\b(?:similar|identical|equivalent) to\b
    \bas opposed to\b
    \b(?:better|worse|faster|slower|cheaper|stronger) than\b
    \b(?:safer|simpler|easier|other|rather|different) than\b
    \b(?:more|less) \w+ than\b|\binstead of\b
    \brelat(?:e|es|ed|ion|ionship)\b.{0,12}?\b(?:to|with)\b
    \b(?:advantages?|benefits?|edge|prefer(?:red)?|choose|pick|use|using)\b(?P<middle>.{0,20}?)\bover\b
    \bstacks? up (?:against|to|with)\b|\b(?:another name for|a kind of|a form of)\b
    \bdistinguish(?:es)?\b.{0,16}?\bfrom\b|\bsets? \w+ apart from\b
    """
)
_EN: Final = re.compile(rf"^(?P<left>.*?){_EN_BESIDE}\s*(?P<right>[^,?!]{{1,80}})")
_EN_JUST: Final = re.compile(
    r"^(?P<left>(?:(?:so|but|wait|hm+),? ){0,3}(?:is|are)(?:n'?t)? "
    r"(?:this|that|it|they|these|those)) (?:thing )?"
    r"(?:just|basically|simply|really|kind of|only|the same|another) (?P<right>[^,.?!]{2,60})"
)
_PATTERNS: Final = (_EN_BETWEEN, _EN, _EN_JUST, _ZH, _ZH_MORE, _ZH_OR, _ZH_ENDS)
