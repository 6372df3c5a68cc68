"""Temperature and top-p on a small language model of characters, trained in the run.

It learns from the English prose of the tutor's question bank. Top-p is the nucleus sampling of
Holtzman et al., 2020.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from runners.bank_texts import load_prose
from runners.example import Context, Example, Parameters, Says, at_least
from runners.figures import curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from torch import Tensor, nn


class Settings(Parameters):
    """What a learner may change."""

    temperature: Annotated[
        float, Field(ge=0, le=3), Says("温度；0 就是贪心", "temperature; 0 is greedy")
    ] = 0.8
    top_p: Annotated[
        float,
        Field(ge=0.05, le=1),
        Says("top-p：候选的累计概率到多少为止", "top-p: the probability to keep"),
    ] = 0.9
    prompt: Annotated[
        Literal["The", "A", "With", "If"], Says("开头的词", "the word to begin with")
    ] = "The"
    steps: Annotated[int, Field(ge=10, le=5000), Says("训练步数", "steps of training")] = 400
    hidden: Annotated[
        int, Field(ge=16, le=1024), Says("GRU 的隐藏维数", "hidden units of the GRU")
    ] = 128


def run(context: Context, parameters: Settings) -> None:
    """Draw from one language model hot and cold, with and without top-p."""
    import torch

    torch.manual_seed(parameters.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    top_p, text = parameters.top_p, english_prose(context.bank)
    characters = sorted(set(text))
    code = torch.tensor([characters.index(each) for each in text], device=device)
    model = train_model(code[:-4096], len(characters), context, parameters)
    held_out = code[-4096:].view(32, 128)

    def distribution(logits: "Tensor", temperature: float, top_p: float) -> "Tensor":
        p = torch.softmax(logits / max(temperature, 1e-4), dim=-1)
        p, order = p.sort(descending=True)
        p[p.cumsum(-1) - p >= top_p] = 0  # those before it reach top_p already
        return torch.zeros_like(p).scatter(-1, order, p / p.sum(-1, keepdim=True))

    def write(temperature: float, top_p: float) -> list[str]:
        """Sixty-four continuations of the prompt, drawn at once."""
        prompt = [characters.index(each) for each in f"{parameters.prompt} "]
        lines = torch.tensor([prompt] * 64, device=device)
        logits, memory = model(lines)
        for _ in range(60):
            drawn = torch.multinomial(distribution(logits[:, -1], temperature, top_p), 1)
            lines = torch.cat([lines, drawn], dim=1)
            logits, memory = model(drawn, memory)
        return ["".join(characters[each] for each in line) for line in lines.tolist()]

    hot_ones = sorted({0, 0.5, 1, 1.5, parameters.temperature})
    rows: list[dict[str, float]] = []
    samples: dict[str, str] = {}
    with torch.inference_mode():
        logits = model(held_out)[0]
        for step, hot in enumerate(hot_ones, 1):
            p = distribution(logits, hot, 1)
            kept = (distribution(logits, hot, top_p) > 0).sum(-1).float()
            plain, cut = write(hot, 1), write(hot, top_p)
            row = {
                "entropy": -(p * p.clamp(min=1e-12).log2()).sum(-1).mean().item(),
                "kept": kept.mean().item(),
                "kept_most": kept.max().item(),
                "different": len(set(plain)),
                "real_words": real_words(plain, text),
                "real_words_top_p": real_words(cut, text),
            }
            rows.append(row)
            context.metric(step, temperature=hot, **row)
            if hot == parameters.temperature:
                context.metric(None, **row)
            samples[f"T={hot:g}: {row['real_words']:.0%}"] = plain[0]
            samples[f"T={hot:g}, p={top_p:g}: {row['real_words_top_p']:.0%}"] = cut[0]

        prompt = [characters.index(each) for each in f"{parameters.prompt} "]
        ahead = model(torch.tensor([prompt], device=device))[0][0, -1]
        order = ahead.argsort(descending=True)[:10]
        shares = {
            f"T={hot:g}": distribution(ahead, hot, 1)[order].tolist() for hot in (0.5, 1, 1.5)
        }

    with new_figure("温度与 top-p temperature, top-p", panels=2) as (figure, (left, right)):
        curves(left, f"“{parameters.prompt} ”之后 what comes next", shares, x="字符 character")
        left.set_xticks(range(1, 11), [repr(characters[each])[1:-1] for each in order.tolist()])
        values = {
            "不截断 all": [row["real_words"] for row in rows],
            f"top-p {top_p:g}": [row["real_words_top_p"] for row in rows],
        }
        curves(right, "真词的比例 share of real words", values, x="温度 temperature")
        right.set_xticks(range(1, len(rows) + 1), [f"{hot:g}" for hot in hot_ones])
    cold, hot = rows[0], rows[-1]
    context.figure(
        "distribution",
        figure,
        title=Text(zh="下一个字符的分布", en="The distribution of the next character"),
        alt=Text(
            zh=f"温度从 {hot_ones[0]:g} 到 {hot_ones[-1]:g}，平均熵从 {cold['entropy']:.2f} 到 "
            f"{hot['entropy']:.2f} 比特，top-p {top_p:g} 平均留下 {cold['kept']:.1f} 到 "
            f"{hot['kept']:.1f} 个字符。最热时写出的词有 {hot['real_words']:.1%} 是真词，"
            f"加 top-p 有 {hot['real_words_top_p']:.1%}。",
            en=f"From temperature {hot_ones[0]:g} to {hot_ones[-1]:g} the mean entropy goes from "
            f"{cold['entropy']:.2f} to {hot['entropy']:.2f} bits, and top-p {top_p:g} "
            f"keeps {cold['kept']:.1f} to {hot['kept']:.1f} characters on average. Hottest, "
            f"{hot['real_words']:.1%} of the words written are real, and "
            f"{hot['real_words_top_p']:.1%} with top-p.",
        ),
    )
    show_samples(context, samples)


def show_samples(context: Context, samples: dict[str, str]) -> None:
    """Draw one line of each way of drawing; the alternative text holds them too."""
    samples = {label: " ".join(line.split()) for label, line in samples.items()}
    for label, line in samples.items():
        context.log(f"{label}  {line}")
    with new_figure("写出来的样子，与真词的比例 samples, and share of real words") as (
        figure,
        (axes,),
    ):
        axes.axis("off")
        for place, (label, line) in enumerate(samples.items()):
            y = 1 - (place + 0.5) / len(samples)
            axes.text(0, y, label, fontsize=10, color="#0072b2", parse_math=False)
            axes.text(0.23, y, line, fontsize=10, parse_math=False)
    told = "\n".join(f"{label}  {line}" for label, line in samples.items())
    context.figure(
        "samples", figure, title=Text(zh="样例", en="Samples"), alt=Text(zh=told, en=told)
    )


_LONG = 3
"""Any two letters are soon a word."""


def real_words(lines: list[str], text: str) -> float:
    """The share of the longer words in ``lines`` that occur in ``text``.

    The first word of a line is the prompt, and the last may be cut off: they don't count.
    """
    known = set(re.findall("[A-Za-z]+", text))
    words = [word for line in lines for word in re.findall("[A-Za-z]+", line)[1:-1]]
    long = [word for word in words if len(word) >= _LONG]
    return sum(word in known for word in long) / max(1, len(long))


def english_prose(bank: Path) -> str:
    """The explanations of the question bank in plain characters, without marks of layout."""
    return re.sub("[^\n -~]|[*`]", "", "\n\n".join(load_prose(bank, "en")))


def train_model(
    code: "Tensor", characters: int, context: Context, parameters: Settings
) -> "nn.Module":
    """A GRU that was trained to foretell the next of ``code``, character by character.

    It takes characters of shape (batch, n), and maybe what it remembers of those before; it gives
    the logits of each next one, (batch, n, characters), and what it remembers now.
    """
    import torch
    from torch import nn

    class Characters(nn.Module):
        """Characters → GRU → logits."""

        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(characters, 64)
            self.gru = nn.GRU(64, parameters.hidden, batch_first=True)
            self.answer = nn.Linear(parameters.hidden, characters)

        def forward(self, x: "Tensor", memory: Any = None) -> "tuple[Tensor, Tensor]":
            outputs, memory = self.gru(self.embedding(x), memory)
            return self.answer(outputs), memory

    model = Characters().to(code.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    for step in range(1, parameters.steps + 1):
        starts = torch.randint(len(code) - 64, (32, 1))
        batch = code[(starts + torch.arange(65)).to(code.device)]
        logits, _ = model(batch[:, :-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        context.progress(step, parameters.steps)
    context.log(f"loss of the last step: {loss.item():.3f} nats a character")
    return model


EXAMPLE = Example(
    id="pytorch-sampling",
    framework=Framework.PYTORCH,
    title=Text(zh="温度与 top-p：同一个模型怎么抽", en="Temperature and top-p: how to draw"),
    look_at=Text(
        zh="看熵和留下的候选随温度变多：温度 0 时 64 次写得一模一样，越热越杂，真词越来越少。"
        "再比“真词”两行：top-p 砍掉尾巴后，温度高也能少写错字。",
        en="Entropy and the candidates kept grow with the temperature: at 0 all 64 lines are the "
        "same, and the hotter, the fewer words are real. Then compare real words with top-p, "
        "which cuts off the tail: fewer are misspelt even when it is hot.",
    ),
    compares=Text(
        zh="不同温度，各自不截断和用 top-p",
        en="several temperatures, each with all candidates and with top-p",
    ),
    claims=(at_least("real_words_top_p", "real_words", plus=0.03),),
    parameters=Settings,
    metrics=(
        MetricInfo(name="temperature", title=Text(zh="温度", en="temperature")),
        MetricInfo(name="entropy", title=Text(zh="熵", en="entropy"), unit="bits"),
        MetricInfo(name="kept", title=Text(zh="top-p 平均留下", en="top-p keeps, mean")),
        MetricInfo(name="kept_most", title=Text(zh="top-p 最多留下", en="top-p keeps at most")),
        MetricInfo(name="different", title=Text(zh="64 行里不同的", en="different of 64")),
        MetricInfo(name="real_words", title=Text(zh="真词", en="real words")),
        MetricInfo(
            name="real_words_top_p", title=Text(zh="真词，用 top-p", en="real words, top-p")
        ),
    ),
    run=run,
    limit_s=300,
    lower=("hidden",),
)
