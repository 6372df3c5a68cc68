"""An entry, a doubt and a refusal in Markdown, in the learner's language."""

from knowledge.entry import Entry
from knowledge.language import Bilingual, Language
from knowledge.outcome import Refused, Silent, Unsure


def answer_text(entry: Entry, language: Language) -> str:
    """The answer: its question, the one-sentence summary, the explanation with its code."""
    answer = entry.answer(language)
    text = f"### {entry.question.text(language)}\n**{answer.summary}**\n\n{answer.explanation}"
    # An answer that leaves the code to the other language is read without that one here.
    return (
        text if "```" in answer.explanation else f"{text}\n\n{code_text(entry, language)}".rstrip()
    )


def more_text(entry: Entry, language: Language) -> str:
    """What the answer left out: common mistakes, key points and sources."""
    answer = entry.answer(language)
    points = "\n".join(f"- {point.text(language)}" for point in entry.key_points)
    sources = "\n".join(f"- {source}" for source in entry.sources)
    sections = (
        (_PITFALLS, answer.pitfalls),
        (_KEY_POINTS, points),
        (_SOURCES, sources),
    )
    return "\n\n".join(
        f"**{heading.text(language)}**\n{body}" for heading, body in sections if body
    )


def code_text(entry: Entry, language: Language) -> str:
    """The code blocks of the answer."""
    return "\n\n".join(
        f"```{code.language}\n{code.text}\n```" for code in entry.answer(language).code
    )


def unsure_text(outcome: Unsure, language: Language) -> str:
    """The question back: did you mean one of these?"""
    del outcome
    return _DID_YOU_MEAN.text(language)


def refused_text(outcome: Refused, language: Language) -> str:
    """An honest no, with a way on."""
    return (_REFUSED_NEAR if outcome.nearest else _REFUSED).text(language)


def silent_text(outcome: Silent, language: Language) -> str:
    """What a command says, which cannot be silent, where there is nothing to answer."""
    return (_WELCOME if outcome.thanks else _NOTHING_ASKED).text(language)


def none_meant_text(language: Language) -> str:
    """What a "did you mean" becomes when none of its subjects was meant."""
    return _NONE_MEANT.text(language)


def greeting_text(language: Language) -> str:
    """What the tutor says to a mention without a question."""
    return _GREETING.text(language)


def loading_text(language: Language) -> str:
    """The sign that a question waits for the encoder."""
    return _LOADING.text(language)


_PITFALLS = Bilingual("常见误会", "Common mistakes")
_KEY_POINTS = Bilingual("要点", "Key points")
_SOURCES = Bilingual("出处", "Sources")
_DID_YOU_MEAN = Bilingual(
    "我拿不太准，你想问的是哪一个？", "I am not quite sure. Did you mean one of these?"
)
_REFUSED = Bilingual(
    "这个题库里没有，我不想乱说。问题我记下了，老师能看到；也可以直接问群里的人。",
    "The bank has nothing on this, and I would rather not guess. I kept the question for the "
    "staff; somebody in the group may know.",
)
_REFUSED_NEAR = Bilingual(
    "这个题库里没有，我不想乱说。问题我记下了，老师能看到；也可以直接问群里的人。离得最近的几个主题：",
    "The bank has nothing on this, and I would rather not guess. I kept the question for the "
    "staff; somebody in the group may know. The subjects that lie nearest:",
)
_WELCOME = Bilingual("不客气，有问题再来。", "You are welcome. Come back with the next question.")
_NOTHING_ASKED = Bilingual("这句里我没看到要答的问题。", "I see nothing in that for me to answer.")
_GREETING = Bilingual(
    "我是学伴，专门答 AI、大模型、TensorFlow 和 PyTorch 的问题。直接 @我 提问，或用 `/ask`；"
    "能跑的例子用 `/run`。比如：“训练集准确率很高，测试集很差，怎么回事？”",
    "I am Xueban and answer questions about AI, large models, TensorFlow and PyTorch. Mention me "
    "with a question, or use `/ask`; `/run` runs an example. Try: “my training accuracy is high "
    "but the test accuracy is poor, why?”",
)
_LOADING = Bilingual(
    "⏳ 题库正在加载，马上回答你……", "⏳ The bank is loading; your answer comes in a moment…"
)
_NONE_MEANT = Bilingual(
    "好，那题库里多半没有。换个说法再问一次，或者直接问群里的人。",
    "Then the bank most likely has nothing on it. Try other words, or ask the group.",
)
