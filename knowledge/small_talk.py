"""Small talk: thanks, assent, laughter and goodbyes, which want no answer."""

import re
from typing import Final

from knowledge.patterns import any_of

_LONGEST: Final = 60
"""How many columns small talk takes at most, a Han character two; longer texts say something."""

_LONGEST_GOODBYE: Final = 40


def thanks(text: str) -> bool:
    """Whether ``text`` (normalised) thanks somebody."""
    return _THANKS.search(text) is not None


def takes_leave(text: str) -> bool:
    """Whether somebody goes, or goes to try it out, with ``text`` (normalised)."""
    return _columns(text) <= _LONGEST_GOODBYE and _LEAVE.search(text) is not None


def is_small_talk(text: str) -> bool:
    """Whether ``text`` (normalised) is thanks, praise, assent or laughter and nothing else."""
    if _columns(text) > _LONGEST or _CODE.search(text) or _DENIED.search(text):
        return False
    rest, kinds = text, 0
    for pattern in (_PRAISE, _LAUGHTER, _POLITE):
        rest, found = pattern.subn(" ", rest)
        kinds += found
    return kinds > 0 and not _FILLERS.sub(" ", rest).strip()


def _columns(text: str) -> int:
    return sum(1 + (character >= "\u2e80") for character in text)


_CODE: Final = re.compile(r"[][{}=<>_]")
_DENIED: Final = any_of(
    r"""
    [没不未](?:太|大|怎么|咋|全|完全|听|看|弄|搞|能|有|是很)*(?:懂|明白|清[楚晰]|get)
    \b(?:do|did|does|is|are|was)(?:n'?t| not) (?:\w+ )?(?:get|got|see|understood|clear|helpful)\b
    \bnot (?:\w+ )?(?:clear|helpful|understood|great|good|sure)\b
    """
)
"""Words of assent, denied."""

_PRAISE: Final = any_of(
    r"""
    thank(?:s| you)(?: so much| a lot)? for (?:the |your |this |that |all |these )?\w+(?: \w+)?
    (?:great|nice|good|clear|lovely|cool|helpful) (?:examples?|explanations?|code|answers?|point)
    (?:it|code|that|example) (?:runs|ran|works|worked)(?: now| fine| great| well| perfectly)*
    (?:谢谢|感谢|多谢)(?:你|您|老师|大佬)?(?:这么)?(?:详细)?的?(?:讲解|解释|例子|代码|回答|说明)
    (?:讲|说|解释|解答|回答)得?(?:很|真|太|挺|非常|超|好|特别|够)(?:清楚|清晰|详细|好|棒)
    (?:例子|代码|写)得?(?:很|真|太|挺|非常|超|好|特别|够)(?:清楚|清晰|详细|好|棒)
    (?:讲|说|解释|回答|例子)得?(?:很|真|太|挺|非常|超|好|特别|够)(?:明白|透彻|到位|易懂|通俗|简单)
    (?:代码|例子|程序|脚本)?(?:已经|终于)?(?:跑|运行)(?:通|成功|起来|出来|完|好)[了啦]
    (?:看|听|弄|搞|终于)懂了|原来(?:如此|是|这)[^,.?!]{0,8}
    """
)
_LAUGHTER: Final = any_of(
    r"""
    哈{2,}|呵呵+|嘿嘿+|嘻嘻+|笑(?:死|哭|喷|尿|疯|不活|出声)|h{3,}|23{2,}|\bx+d+\b
    \bl+(?:o+l+)+z?\b|\blmf?ao+\b|\brofl\b|\b(?:ba|mua)?h[ae]h[aeh]*\b|\bhehe\w*
    """
)
_THANKS: Final = any_of(
    r"""
    谢|3q|三克油|感激|感恩|辛苦了
    \b(?:thank\w*|thx|tnx|tks|ty(?:sm|vm)?|cheers|appreciat\w+|grateful)\b
    """
)
_POLITE: Final = any_of(
    r"""
    谢谢|谢[了啦过咯喽哈意]|多谢|[感拜跪致鸣]谢|谢|感激|感恩|3q|三克油|辛苦|鞠躬|磕头|比心|救命
    爱了
    好[的滴哒嘞咧吧呀啊耶叻]?|行[吧了嘞]?|可以[的了]?|中(?!的)|[嗯恩哦噢喔唔哇嗷]+|昂|豁(?!然)|稳|妥
    对[的哦啊]?
    收到|了解|知道|晓得|明白|懂[了啦咯]?|清[楚晰]|get到?|学[到会废]|涨(?:知识|姿势)|长见识|受教
    受益匪?浅?
    原来|这样子?|难怪|怪不得|豁然开朗|恍然大悟|茅塞顿开|醍醐灌顶|是[的啊吗]?|真的?|确实|有道理
    有用
    没(?:问题|事|疑问|别的|啥)|不用|就这样|够|先这样|牛[逼b掰批皮蛙]?|厉害|强|赞|棒|完美|漂亮|优秀
    绝|妙
    [你您]好|早[上安啊]?|晚上好|嗨|在吗|在不在|有人吗
    \b(?:hi|hey|hello|yo|anyone|somebody|there)\b
    6{2,}|\b(?:nb|yyds|no|dd|respect)\b|给力|靠谱|到位|帮(?:大忙|到|助|了?我?大?忙)|有意思|有趣
    不错|解决|搞定
    \b(?:thanks?|thank (?:you|u|ya)|thx|tnx|tks|ty(?:sm|vm)?)\b
    \b(?:cheers|ta|appreciat\w+|grateful|great|awesome)\b
    \b(?:cool|nice|perfect|gotcha|got (?:it|that|u|you|ya))\b
    \b(?:i see|makes (?:\w+ )?sense|understood|neat|wow+)\b
    \b(?:ok+(?:ay|ie|k|i)?|okey|dokey|dokie|k+|alrighty?|right)\b
    \b(?:sure|fine|good|yes+|yea?h+|yep|yup|ya+|ah+|oh+)\b
    \b(?:aha+|mm+|hm+|noted|roger|copy|worries|problem|never ?mind)\b
    \b(?:nvm|np|help(?:s|ed|ful)|super|brilliant)\b
    \b(?:excellent|amazing|sweet|whoa|woah|damn|dang|legend)\b
    \b(?:lifesaver|genius|beautiful|fantastic|wonderful)\b
    \b(?:lovely|fair(?: enough)?|love (?:it|that|this)|you (?:rock|rule))\b
    \b(?:the (?:best|man|goat)|clear(?:er)?)\b
    \b(?:click(?:s|ed)|interesting|insightful|exactly|indeed)\b
    \b(?:agreed|deal|bye+|later|cya|good ?night|gn|same)\b
    \b(?:bless|kudos|props|yay+|done|that'?s (?:it|all)|all (?:good|set))\b
    \b(?:will do|much (?:better|obliged))\b
    """
)
_FILLERS: Final = any_of(
    r"""
    \b(?:lot|bunch|ton|million|so|very|much|really|you|man|bro)\b
    \b(?:mate|dude|buddy|guys?|sir|all|for|the|your|this)\b
    \b(?:that|it|its|is|was|are|im|me|my|and|now|then|well)\b
    \b(?:just|pretty|totally|quite|too|again|to|of|in|on|an)\b
    \b(?:at|be|have|has|had|will|would|what|one|up|with|got)\b
    \b(?:get|think|guess|explanation|answer|explaining)\b
    \b(?:help|time|info|tutor|bot|teach(?:er)?|xueban|friend)\b
    \b(?:day|we|crystal|enough|finally|everything|there)\b
    \b(?:everyone|here|tips?|knew|know|didn|as|hell|af|point)\b
    \b(?:ll|re|ve|more|questions?|perfect|total|[a-z])\b
    [你您我他它这那]|们|大[佬神哥]|老师|哥|姐|兄弟?|助教|学伴|同学|教授|朋友|亲|宝|家人|师傅|前辈
    先生|大家|各位
    [了啦的呀哈啊哎哟诶欸嘿吧嘛呢咯喽噢呐哩呗么吗耶嗨]
    [真太很挺超都也就才还又再先给是有没不到地得个说讲回小老心]
    非常|超级|十分|特别|[这那]么|这下|[这一]次|一下|终于|总算|已经|现在|刚[才刚]|感觉|一切|问题
    讲解|解释|回答|解答|帮忙|分享|指[点教]|赐教|耐心|详细|[\W_]+
    """
)
_LEAVE: Final = any_of(
    r"""
    先(?:去|溜|走|撤|睡|忙|下|闪|吃|回|干|这样|不聊|消化|缓)|[溜撤闪睡]了|拜拜|再见|回头[见聊]
    明天见(?!\w)|晚安
    去(?:吃饭|睡|忙|上课|开会|上班|干活|搬砖|洗澡|接|拿|取|买|锻炼|打球|健身|跑步)
    (?:下班|下课|放学|收工|回家|吃饭|开会|上课|睡觉|到站|干活|搬砖|关机|断电)[了去啦咯]
    (?:我去|我先|回头|待会儿?|等会儿?)(?:再|我)?[^,]{0,3}(?:试|看|消化|研究|琢磨|学|想|复习)
    (?:等下|晚点|下次|改天|回去)(?:再|我)?[^,]{0,3}(?:试|看|消化|研究|琢磨|学|想|复习)
    \b(?:gotta|got to|have to|need to) (?:go|run|leave|bounce|dash|sleep|head)\b
    \b(?:must|better|should) (?:go|run|leave|bounce|dash|sleep|head)\b
    \b(?:brb|gtg|g2g|ttyl|afk|bbl|cya)\b|\b(?:see|talk to|catch) (?:you|ya|u)\b|\bgood ?night\b
    \b(?:going|heading|off|gone) (?:to (?:bed|sleep|work|class|lunch|dinner|the))\b
    \b(?:going|heading|off|gone) (?:home|out|offline)\b
    \b(?:i'?ll|i will|i'm going to|gonna|imma) (?:\w+ )?(?:try|check|look|read|digest|sleep)\b
    """
)
