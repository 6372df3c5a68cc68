"""Follow-ups: a question such as "why?" that only means something after what was said before."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from knowledge.lexical import words
from knowledge.normalise import has_words, normalise, without_mentions

_NO_SUBJECT: Final = frozenset(
    """
    为什么 为啥 为何 怎么 怎样 如何 什么 啥 哪些 哪个 哪里 多少 几 吗 呢 吧 啊 呀 嘛 呗 哦 嗯 那
    那么 这 这个 那个 这样 那样 这种 那种 这里 那里 它 它们 他 她 上面 上述 刚才 刚刚 前面 你 我
    我们 咱们 您 大家 请 请问 麻烦 帮 帮忙 给 让 把 能 不能 可以 不可 会 要 想 需要 应该 应 该 是
    不是 有 没有 还 还有 再 又 也 都 就 才 更 最 很 太 的 了 着 过 地 得 和 与 或 在 对 用 做 办
    写 看 看看 说 说说 讲 讲讲 讲解 解释 一下 一点 一点儿 点 些 一个 一些 两个 个 例 例子 例如 举
    举个 举例 说明 举例说明 代码 示例 样例 程序 具体 详细 简单 通俗 清楚 明白 懂 没 不懂 听 听懂
    然后 接着 继续 另外 其他 其它 别的 更多 原因 道理 原理 意思 区别 好处 坏处 缺点 优点 办法 方法
    步骤 好 好的 谢谢 行 不 但 但是 可是 所以 因为 如果 时候 到底 究竟 真的 就是 展示 来 去 出 下
    上 里 中 怎么办 怎么样 怎么回事 回事 什么样 什么时候 why how what which when where who is are
    was were be been do does did can could should would will may might shall has have had it its
    this that these those they them he she there here and or but so then also too as of in on at
    to for from with about by i me my we us our you your please tell show give explain describe
    say talk more less detail details further again another other others else example examples
    sample samples code snippet step steps any some a an the not no yes ok okay thanks thank come
    mean means meaning reason reasons exactly simple simpler simply one ones work works use used
    using really just actually instead same way ways let see need want know understand get got
    make go up like s t m d re ll ve
    """.split()  # noqa: SIM905 - so many words are easier read as lines
)
"""Words that can make up a question without naming what it is about."""

_LEADS_ON: Final = re.compile(r"^(?:那么?|and |what about |how about |what if )")
_LONGEST_LEAD: Final = 40


def in_context(text: str, conversation: Sequence[str], knows: Callable[[str], bool]) -> str:
    """What to look for when ``text`` (normalised) comes after ``conversation``, oldest first.

    A text that names no subject is put behind the latest message that does. One that leads on
    ("and with PyTorch?") is so only when the bank ``knows`` a word of it, so that a change of
    subject stays one.
    """
    if not conversation or not _is_follow_up(text, knows):
        return text
    for message in reversed(conversation):
        earlier = normalise(without_mentions(message))
        if has_words(earlier) and not _lacks_subject(earlier):
            return normalise(f"{earlier} {text}")
    return text


def _is_follow_up(text: str, knows: Callable[[str], bool]) -> bool:
    if _lacks_subject(text):
        return True
    leads_on = len(text) <= _LONGEST_LEAD and _LEADS_ON.match(text) is not None
    return leads_on and any(knows(word) for word in _subject(text))


def _lacks_subject(text: str) -> bool:
    return not _subject(text)


def _subject(text: str) -> list[str]:
    return [word for word in words(text) if word not in _NO_SUBJECT]
