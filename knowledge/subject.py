"""What a message is about: the words that name a subject."""

from functools import lru_cache
from typing import Final

from knowledge.lexical import words

_NO_SUBJECT: Final = frozenset(
    """
    为什么 为啥 为何 怎么 怎样 如何 什么 啥 哪些 哪个 哪里 哪儿 多少 几 吗 呢 吧 啊 呀 嘛 呗 哦 嗯
    那 咋 咋样 那么 这 这个 那个 这样 那样 这种 那种 这里 那里 这段 这些 那些 这么 它 它们 他 她
    他们 其 上面 上述 刚才 刚刚 前面 你 我 我们 咱们 你们 您 大家 请 请问 麻烦 帮 帮忙 给 给我 让
    把 被 能 不能 能不能 可以 可不可以 不可 会 要 不要 想 想要 需要 应该 应 该 是 不是 是不是 有
    没有 没 有没有 还 还有 还是 再 又 也 都 就 才 更 最 很 太 的 了 着 过 地 得 和 与 或 跟 在 对
    用 做 办 写 看 看看 看到 说 说说 讲 讲讲 讲解 解释 解释一下 一下 下 一点 一点儿 点 些 一个
    一些 两个 个 例 例子 例如 举 举个 举例 说明 举例说明 代码 示例 样例 程序 具体 详细 简单 通俗
    清楚 明白 懂 听 听懂 然后 接着 继续 另外 其他 其它 别的 更多 原因 道理 原理 意思 区别 好处
    坏处 缺点 优点 办法 方法 步骤 好 好的 谢谢 行 不 不行 但 但是 可是 可 不过 所以 因为 如果 要是
    时候 到底 究竟 真的 真 就是 展示 来 去 出 上 里 中 怎么办 怎么样 怎么回事 回事 什么样 什么时候
    东西 时 后 前 之后 之前 里面 方面 的话 话 版 版本 部分 地方 内容 问题 事 事情 情况 感觉 觉得
    知道 一遍 一次 一会 一会儿 直接 自己 现在 刚 先 别 每次 一直 到 从 以 而 并 且 而且 或者 只
    只是 其实 实际 实际上 真正 有点 有些 点儿 这边 那边 哈 哈哈 诶 欸 哎 唉 哇 噢 喔 哟 捏 咯 喽
    嘞 咧 哒 滴 嗷 昂 么 大佬 老师 同学 学伴 助教 兄弟 哥 姐 亲 有木有 木有 有没 没啥 求 贴 甩 整
    搞 弄 想看 谢 谢啦 多谢 该用 这是 那是 来个 整个 打个 用个 贴段 甩个 过来 就行 换个 换成
    行不行 儿 咋办 多大 哪 完全 一样 有何 啦 听听 感受 非 出来 起来 结果 效果 现象 搞定 抄 在线
    亲手
    ok okay why how what which when where who whom whose is are was were be been being do does did
    doing done can could should would will may might shall must has have had having it its this
    that these those they them their he she his her there here and or but so then also too as of
    in on at to for from with without about by into onto out off up down over under again i me my
    mine we us our you your yours please pls plz tell show give explain describe say talk speak
    more less detail details detailed further another other others else example examples instance
    sample samples code snippet snippets step steps any some a an the not no yes thanks thank come
    mean means meaning reason reasons exactly simple simpler simply one ones work works working
    use used uses using really just actually instead same way ways let lets let's see need want
    know understand get got gets make makes made go goes going like s t m d re ll ve u r im i'm
    it's that's what's don't doesn't didn't isn't can't won't dont doesnt didnt isnt cant if
    because than very much many lot bit little kind sort thing things stuff anything something
    everything nothing now still even only ever hmm hm well oh ah uh um right sure hey hi hello
    man bro dude guys anyone someone somebody everyone there's here's i've you've maybe perhaps
    though anyway great isn doesn don didn won wouldn aren wasn weren couldn shouldn hasn haven
    ain que tho thou help helps y good nice cool awesome fine try bother gimme wanna gonna gotta
    lemme kinda sorta put part possible able
    """.split()  # noqa: SIM905 - so many words are easier read as lines
)
"""Words that can make up a message without naming what it is about."""


@lru_cache(maxsize=4096)
def subject_words(text: str) -> tuple[str, ...]:
    """The words of ``text`` (normalised) that name a subject.

    A long word brings the shorter ones in it along; no word comes twice.
    """
    found = (word for word in words(text) if word not in _NO_SUBJECT)
    return tuple(dict.fromkeys(found))
