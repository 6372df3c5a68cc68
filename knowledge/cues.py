"""Cues: the words by which a message asks on about what is under discussion."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from knowledge.aspect import Aspect
from knowledge.patterns import any_of
from knowledge.small_talk import without_praise


@dataclass(frozen=True, slots=True)
class Cue:
    """An aspect that a message names. ``strong``: it asks for it; else it merely hints at it."""

    aspect: Aspect
    strong: bool


def cue_of(text: str) -> Cue | None:
    """The aspect that ``text`` (normalised) names, or None where it names none.

    The last request counts ("I see. And the code?"), and where there is none the last hint.
    """
    clauses = list(_clauses(without_praise(text).replace("e.g", "eg")))
    for strong, table in ((True, _STRONG), (False, _WEAK)):
        for clause in reversed(clauses):
            for aspect, pattern in table:
                if pattern.search(clause):
                    return Cue(aspect, strong)
    return None


def without_cues(text: str) -> str:
    """``text`` (normalised) with what names an aspect left out."""
    rest = without_praise(text)
    for _, pattern in (*_STRONG, *_WEAK):
        rest = pattern.sub(" ", rest)
    return rest


def _clauses(text: str) -> Iterator[str]:
    """The parts of ``text`` between its punctuation marks, and between Han and spaces."""
    return (part for each in _CLAUSE_END.split(text) if (part := each.strip()))


_CLAUSE_END: Final = re.compile(r"[,.;:!?、。…~\n]+|(?<=[\u4e00-\u9fff]) | (?=[\u4e00-\u9fff])")

_WHY: Final = any_of(
    r"""
    为(?:什么|什麽|甚么|啥|何|毛|嘛)|凭(?:什么|啥)|因为(?:什么|啥)|图个?(?:什么|啥)
    (?:咋|怎么)(?:就(?!业)|会|还|反而|不)|干(?:嘛|啥)(?:要|非|不)|何(?:必|以|故)|怎么解释
    (?:什么|啥|有)说法
    原因|缘由|缘故|根源|理由|动机|依据|道理|想不通|说不通|背后|逻辑|导致|用意|意图|初衷|何解
    为什呢
    \bwhys?\b|\bhow (?:come|so)\b|\breason(?:s|ing)?\b|\brationale\b|\bcaus(?:e|es|ed|ing)\b
    \bwhat (?:makes|explains|drives|justifies|for)\b|\b(?:due to|because of) what\b
    \bintuition\b|\bmotivation\b|\bjustification\b|\blogic\b|\bthe point of\b
    \bwhat(?:'s| is) the point\b
    \bbehind (?:it|this|that|the)\b|\bunder(?:neath|lying)\b|^(?:but |and )?y\b(?! ?=)
    """
)
_RUN: Final = any_of(
    r"""
    跑(?:一|下|个|遍|跑|看|起来|得|不(?!过)|吗|嘛|么|吧|呗)|^跑$
    (?:能)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:可)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:会)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:想)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:要)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:帮)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:给)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:直接)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:实际)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:现场)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:在线)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:试)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:亲手)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:自己)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:动手)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:来)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:我)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    (?:你)[^,。?]{0,4}?跑(?!题|步|路|偏|分|不过|赢|(?:起来)?的(?:代码|脚本|程序|版本|那种|demo))
    实跑
    运行(?!的?(?:代码|脚本|程序|时间|速度|效率|成本))|执行|动手|实操|实测|上手
    试(?:一|试|跑|验|着|下|个)|[想来能以]试|玩(?:一|玩)|看(?:下|看|一下)?(?:输出|运行|效果|结果)
    \b(?:re)?run(?:s|ning|nable)?\b(?! (?:into|out))|\bexecut(?:e|es|ed|able|ing)\b|\blaunch\b
    \blive\b
    \btry (?:it|this|that|them|out)\b|\blet me try\b|\bplay (?:around )?with\b|\bhands[- ]on\b
    \bin action\b
    \b(?:spin|fire) (?:it|this|that) up\b|\bkick (?:it|this) off\b|\btest (?:it|this|that|drive)\b
    \bgive (?:it|this|that) a (?:try|go|whirl|spin|shot)\b|\bsandbox\b|\bcolab\b
    \bsee (?:it|the) (?:work|output|result)
    """
)
_CODE: Final = any_of(
    r"""
    代码|源码|原码|程式|脚本|伪码|\bdemo\b|程序|片段|(?:几|两|三|多少)行
    (?:怎么|怎样|咋|如何|具体)(?:用代码|去|来|个)?(?:写(?!论文|提示)|敲|码|编|调用|实现)
    实现(?:一下|看看|方式|方法|版|吗|呢|$)|(?:给|来|贴|看|求|最小|参考)[^,]{0,3}实现
    写(?:给我|段|几行|出来|一个|个|一下|一段)|(?:哪|什么|啥)个?(?:函数|接口|api)
    \bcod(?:e|es|ing|ed)\b|\bsnippets?\b|\bscripts?\b|\bimplement(?:ations?|ed|s|ing)?\b
    \bsource\b
    \bpseudo-?code\b|\bgist\b|\bnotebook\b|\brepo\b|\bboilerplate\b|\bone[- ]liner\b|\blines? of\b
    \b(?:which|what) (?:function|api|call|class|import)s?\b
    \bhow (?:do|would|can|to)(?: i| you| we| one)? (?:write|type|program)\b
    \blook (?:like )?in (?:python|pytorch|torch|tensorflow|tf|keras|numpy|jax)\b
    \b(?:python|pytorch|torch|tensorflow|tf|keras|numpy|jax) version\b
    """
)
_EXAMPLE: Final = any_of(
    r"""
    例子|例题|例(?=[吗呢呗么啊嘛不]|$)|举(?:个|几|一|例|些|两|俩|点)|栗子|例如|比如|譬如|比方|类比
    实例|案例|示例|范例|样例|算(?:一|给|看|个|例|算)|手算|带数字|拿[^,]{1,14}(?:来说|举|算|说明)
    演示|用在哪|走一[遍下]
    具体的?(?:数字|数值|场景|情况|应用)|(?:应用|使用|实际|真实|现实)的?(?:场景|应用|生活)
    生活[里中化上]
    \bexamples?\b|\binstances?\b|\beg\b|\bsuch as\b|\blike what\b|\billustrat\w+|\bconcrete\w*
    \bworked\b|\bwork (?:it |this |that )?through\b|\bwalk me through\b|\bdemonstrat\w+
    \bnumeric\w*
    \buse[- ]cases?\b|\bcase stud|\bscenarios?\b|\btoy\b|\banalog(?:y|ies|ous)\b|\bmetaphor
    \bin practice\b
    \breal[- ](?:life|world)\b|\bwith (?:some |real |actual |small |concrete )*numbers\b
    \bsamples?\b(?! (?:size|efficien))
    """
)
_SIMPLER: Final = any_of(
    r"""
    (?<!太)(?<!这么)(?<!那么)简单|简化|简短|通俗|浅(?:显|白|一?[点些])|白话|人话|直白|明白一?[点些]
    接地气
    [换用]一?[个种](?:简单的?)?(?:说法|讲法|方式|角度|表达|解释)|[易好]懂|好理解|生动|形象
    [给让跟对像][^,]{0,6}(?:小白|外行|新手|小学生|初中生|孩子|小孩|奶奶|外婆|门外汉)
    (?:小白|外行|零基础|小学生|初中生|文科生)(?=[^,]{0,8}[版懂听看讲说解])
    (?:[三五]岁|孩子|奶奶|外婆|新手|幼儿园)(?=[^,]{0,8}[版懂听看讲说解])
    [一两]句话|[短慢]一?[点些]|讲慢|[少不][点用][^,]{0,4}术语|\btl;?dr\b|说重点|重新[讲说解]|总结一下
    概括
    \bsimpl(?:er?|est|y|ify|ified)\b|\beli ?\d+\b|\beasier\b|\bre(?:phrase|word)\b|\bbaby steps?\b
    \blike i(?:'?m| am| were| was| know)\b
    \bto (?:an?|my) (?:\w+[- ])*(?:kid|child|grader|old|beginner|gran\w+|mom|mum|dad|dog)\b
    \bbreak (?:it|this|that) down\b
    \bplain(?:er|ly)?\b|\blay(?:man|person|men)?(?:'?s)?\b|\bdumb(?:er|ed)?\b
    \b(?:speak|in) (?:human|english)\b
    \bhuman (?:words|language|terms|speak)\b|\bless (?:technical|maths?|jargon|formal|abstract)\b
    \bfor (?:an? )?(?:absolute |total |complete )?(?:dumm(?:ies|y)|beginners?|newb\w*)\b
    \bfor (?:an? )?(?:absolute |total |complete )?(?:noobs?|kids?|idiots?)\b
    \bshort(?:er)? version\b|\bin (?:one|a) (?:sentence|nutshell)\b|\bslow(?:er)? ?down\b
    \bno jargon\b
    \b(?:in|with|use|using) (?:everyday|small|simpler|normal) (?:words|terms|language)\b
    \b(?:in|with|use|using) (?:other|fewer|different) (?:words|terms|language)\b
    \bwithout (?:the |all the |all that |so much )?(?:jargon|maths?)\b
    """
)
_MORE: Final = any_of(
    r"""
    详(?:细|尽|解|述|谈)|细(?:说|嗦|唠|讲|致|节|聊|一?[点些])|仔细|展开
    深(?:入|挖|层|度|了|一?[点些])|具体(?:一?[点些]|说|讲|聊|是什么)
    继续|接着|往下|下文|后续|进阶|补充|扩展|延伸|拓展|全面|完整|透彻|讲透|[讲说]全|没[讲说]完|干货
    资料|参考
    还有(?!个?问题)|更多|多(?:讲|说|来|聊|介绍|给)|其[他它]|别的|另外的|除[了此]|[长全多]一?[点些]
    [再多][来给](?:点|一点|些)
    (?:然后|接下来|后面|之后|后来|下一步)(?:呢|怎样|怎么样|嘞|咧)?(?=$|[?!])
    注意(?:什么|啥|点|事项|哪)|[哪啥什么]些?坑|坑[吗呢么]|避坑|踩坑
    \bmore\b|\bdetail(?:s|ed)?\b|\belaborat\w+|\bgo (?:on|into)\b|\bcontinue\b
    \bkeep (?:going|talking)\b
    \bdeep(?:er|ly)?\b|\bdepth\b|\bfurther\b|\bexpand\b|\bextend\b|\belse\b|\bcarry on\b
    \bunpack\b|\bdig\b|\bproceed\b
    \b(?:and )?then(?: what)?\W*$|\bwhat(?:'s| is| comes)? next\b|\bnext\W*$|\bflesh\b
    \badditional\b
    \b(?:full|longe?r?|complete|extended|whole) (?:version|story|picture|answer|explanation)\b
    \breferences?\b|\bread up\b|\bresources?\b|\bcaveats?\b|\bpitfalls?\b|\bgotchas?\b
    \bwatch out\b
    \bother (?:ways?|options?|causes?|tricks?|things?|methods?)\b
    """
)
_FURTHER_CAUSES: Final = any_of(
    r"""
    (?:还|其他|其它|别的|另)[^,?!]{0,5}(?:原因|理由|道理)
    \b(?:other|further|more|additional) (?:\w+ )?(?:reasons?|causes?)\b
    """
)
_STRONG: Final = (
    (Aspect.MORE, _FURTHER_CAUSES),
    (Aspect.WHY, _WHY),
    (Aspect.RUN, _RUN),
    (Aspect.CODE, _CODE),
    (Aspect.EXAMPLE, _EXAMPLE),
    (Aspect.SIMPLER, _SIMPLER),
    (Aspect.MORE, _MORE),
)
"""In this order: "why does the code…" asks why, code that shall run is to be run, and so on."""

_LOST: Final = any_of(
    r"""
    [不没未](?:有)?(?:太|怎么|大|是很|完全|咋|能)*(?:懂|明白|理解|get|清楚|跟上)
    [不没未](?:有)?(?:全|够|听|看|弄|搞|整|读)*(?:懂|明白|理解|get|清楚|跟上)
    [听看读弄搞想]不(?:太)?(?:懂|明白|来|了|下去|清)|get ?不到|(?:什么|啥)个?意思
    懵|晕|蒙[了圈逼]|头(?:都|好|有点)?(?:大|疼|痛|晕|秃|炸)|脑壳|天书|云里雾里|一头雾水|迷糊
    绕[晕口了进得来]|术语|黑话
    [太好略](?:难|复杂|抽象|专业|深|学术|绕|烧脑|硬核|拗口|长|晦涩|技术)|复杂|抽象|难懂|难理解
    高深|深奥|烧脑|晦涩
    (?:有点|有些|这么|过于|还是)(?:难|深|绕|长|专业)|[说讲][的得]?(?:什么|啥)
    ^(?:啊|哈|嗯|蛤|what|eh|sorry|pardon)\?+$
    \b(?:n't|not|never|cannot|barely|hardly) (?:\w+ ){0,3}?(?:get|got|follow|understand)
    \b(?:n't|not|never|cannot|barely|hardly) (?:\w+ ){0,3}?(?:grasp|clear|click)
    \b(?:dont|didnt|cant|doesnt) (?:\w+ ){0,3}?(?:get|got|follow|understand|grasp|clear|click)
    n't (?:\w+ ){0,3}?(?:get|got|follow|underst\w+|grasp|clear|click)
    \bnot sure (?:\w+ ){0,3}?(?:get|got|underst\w+|follow)|\bconfus\w+
    \b(?:i'?m|am|got|totally|completely|still|bit|so) lost\b|\blost me\b|\bover my head\b
    \b(?:too|so|very|really|kinda|bit) (?:\w+ )?(?:technical|complicated|complex|hard)\b
    \b(?:too|so|very|really|kinda|bit) (?:\w+ )?(?:abstract|dense|much|advanced)\b
    \b(?:too|so|very|really|kinda|bit) (?:\w+ )?(?:mathy|academic|long|wordy|fast|difficult)\b
    \bno (?:idea|clue)\b|\bhuh\b|\bwhat (?:do|does|did) (?:you|that|this|it) (?:even )?mean\b
    \bjargon\b
    \bmy (?:brain|head)\b|\b(?:say|explain) (?:that|it|this) again\b|\bcome again\b|\bgreek\b
    \bgibberish\b|\bwut\b|\b(?:stupid|dense|slow) here\b
    """
)
_WORKINGS: Final = any_of(
    r"""
    原理|机制|怎么(?:做到|[回肥]事|来的|办到|起作用)|咋(?:做到|[回肥]事|来的)
    有(?:什么|啥)(?:用|好处|意义|必要)|必要|好处|意义|作用
    \bhow (?:does|do|can|could|would|is) (?:that|it|this|they)\b|\bprinciple\b|\bmechanism\b
    \bbenefits?\b
    """
)
_TELL: Final = any_of(
    r"""
    再(?:讲|说|解释|聊|介绍)|[讲说聊](?:讲|说|聊|一下|下|两句)|介绍一?下|所以呢|缺点|坏处|局限
    步骤|怎么[用做办]|怎么操作
    \bexplain\b|\bdescribe\b|\btell me\b|\bteach me\b|\bso what\b|\bdrawbacks?\b|\bdownsides?\b
    \bsteps?\b|\bpros\b
    """
)
_WEAK: Final = ((Aspect.SIMPLER, _LOST), (Aspect.WHY, _WORKINGS), (Aspect.MORE, _TELL))
"""What an aspect is read from where nothing asks for one outright."""
