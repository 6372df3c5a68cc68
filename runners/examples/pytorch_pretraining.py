"""Pre-train a small GPT on the tutor's prose, and judge it by entries that it hasn't read.

Perplexity: Jelinek et al., 1977; 6·N·D operations: Kaplan et al., 2020.
"""

import math
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from runners.bank_texts import load_prose
from runners.example import Context, Example, Parameters, Says, at_most
from runners.figures import curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure
    from torch import Tensor, nn

Language = Literal["zh", "en"]


class Settings(Parameters):
    """What a learner may change."""

    language: Annotated[
        Language, Says("读题库的中文还是英文讲解", "which of the bank's languages to read")
    ] = "en"
    steps: Annotated[int, Field(ge=10, le=10_000), Says("训练步数", "steps of training")] = 1200
    layers: Annotated[int, Field(ge=1, le=12), Says("Transformer 层数", "layers")] = 2
    width: Annotated[
        Literal["64", "128", "256", "512"], Says("向量的维数", "size of the vectors")
    ] = "64"
    length: Annotated[
        int, Field(ge=16, le=512), Says("上下文有几个字符", "characters of context")
    ] = 64
    batch_size: Annotated[int, Field(ge=1, le=256), Says("每步几段", "pieces in one step")] = 16
    learning_rate: Annotated[
        float, Field(ge=0.00001, le=0.1), Says("最高学习率", "highest learning rate")
    ] = 0.008


def run(context: Context, parameters: Settings) -> None:
    """Learn to foretell the next character; compare with counting characters and pairs."""
    import torch
    from torch.nn.functional import cross_entropy

    torch.manual_seed(parameters.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    length, half = parameters.length, parameters.length // 2
    texts = read_texts(context.bank, parameters.language, parameters.seed)
    characters = sorted(set("".join(texts)))
    code = {character: place for place, character in enumerate(characters)}
    # Nobody labels anything: the answer to each character is the one after it.
    train, held_out = (torch.tensor([code[each] for each in text], device=device) for text in texts)
    # Windows overlap and only their second half counts, so that no answer lacks what is before it.
    windows = held_out.unfold(0, length + 1, length - half)
    answers = windows[:, half + 1 :].flatten()
    model = build_gpt(parameters.layers, int(parameters.width), length, len(characters)).to(device)

    def foretell(x: "Tensor") -> "Tensor":
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            return model(x).float()

    def perplexity() -> float:
        with torch.inference_mode():
            logits = torch.cat([foretell(some)[:, half:] for some in windows[:, :-1].split(64)])
        return cross_entropy(logits.flatten(0, 1), answers).exp().item()

    before = windows[:, half:-1].flatten()
    unigram, bigram = perplexities_by_counting(train, before, answers, len(characters))
    untrained = perplexity()
    context.log(f"0: {write(foretell, code, parameters)}")

    optimizer = torch.optim.AdamW(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, parameters.learning_rate, total_steps=parameters.steps
    )
    perplexities = [untrained]
    for step in range(1, parameters.steps + 1):
        starts = torch.randint(len(train) - length, (parameters.batch_size, 1))
        batch = train[(starts + torch.arange(length + 1)).to(device)]
        loss = cross_entropy(foretell(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step * 10 // parameters.steps > (step - 1) * 10 // parameters.steps:
            perplexities.append(perplexity())
            row = {"train_loss": loss.item(), "perplexity": perplexities[-1]}
            context.metric(len(perplexities) - 1, steps=step, **row)
        context.progress(step, parameters.steps)

    sample = write(foretell, code, parameters)
    context.log(f"{parameters.steps}: {sample}")
    count = sum(each.numel() for each in model.parameters())
    read = parameters.steps * parameters.batch_size * length
    after = perplexities[-1]
    context.metric(perplexity=after, untrained_perplexity=untrained)
    context.metric(unigram_perplexity=unigram, bigram_perplexity=bigram)
    context.metric(bits_a_character=math.log2(after), parameters=count)
    context.metric(characters_read=read, operations=6 * count * read)

    figure = draw(perplexities, {"一元 single": unigram, "二元 pairs": bigram}, sample, parameters)
    context.figure(
        "perplexity",
        figure,
        title=Text(zh="困惑度与样例", en="Perplexity, and a sample"),
        alt=Text(
            zh=f"没读过的文字，每字符困惑度：训练前 {untrained:.1f}；只数单个字符 {unigram:.1f}，"
            f"数相邻两个 {bigram:.1f}；训练 {parameters.steps} 步后 {after:.2f}。"
            f"它写的：{sample}",
            en=f"Perplexity a character of texts it hasn't read: {untrained:.1f} untrained, "
            f"{unigram:.1f} by counting characters, {bigram:.1f} by counting pairs, {after:.2f} "
            f"after {parameters.steps} steps. A sample: {sample}",
        ),
    )


_NOT_PROSE = {
    "en": r"[*`]|[^\n -~]",
    "zh": r"```.*?```|[*`]|[^\n -~\u4e00-\u9fff，。：；、？！（）“”]",
}
"""Code, marks of layout, and characters that few texts have."""


def read_texts(bank: Path, language: Language, seed: int) -> tuple[str, str]:
    """The bank's prose to learn from, and a twentieth of its entries to judge by."""
    import numpy as np

    removed = re.compile(_NOT_PROSE[language], re.DOTALL)
    texts = [removed.sub("", text) for text in load_prose(bank, language)]
    order = np.random.default_rng(seed).permutation(len(texts))
    cut = max(1, len(texts) // 20)
    train, held_out = ("\n\n".join(texts[at] for at in part) for part in (order[cut:], order[:cut]))
    return train, held_out


def perplexities_by_counting(
    train: "Tensor", before: "Tensor", answers: "Tensor", characters: int
) -> tuple[float, float]:
    """What is reached by how often each character occurs, and by what follows which."""
    share = train.bincount(minlength=characters) + 1.0  # so that none is impossible
    share /= share.sum()
    followers = (train[:-1] * characters + train[1:]).bincount(minlength=characters**2)
    # What was seen seldom, or never, is taken to be followed by what is frequent.
    pairs = followers.view(characters, characters) + 20 * share
    pairs /= pairs.sum(dim=1, keepdim=True)
    single, pair = (
        p.log().mean().neg().exp().item() for p in (share[answers], pairs[before, answers])
    )
    return single, pair


def write(
    foretell: "Callable[[Tensor], Tensor]", code: dict[str, int], parameters: Settings
) -> str:
    """What the model makes of a first word, drawn one by one at a temperature of 0.7."""
    import torch

    characters = list(code)
    text = [code[each] for each in {"zh": "模型", "en": "The "}[parameters.language]]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.inference_mode():
        for _ in range(400 if parameters.language == "en" else 200):
            logits = foretell(torch.tensor([text[-parameters.length :]], device=device))[0, -1]
            text.append(int(torch.multinomial(torch.softmax(logits / 0.7, dim=-1), 1)))
    return " ".join("".join(characters[each] for each in text).split())


def draw(
    perplexities: list[float], counting: dict[str, float], sample: str, parameters: Settings
) -> "Figure":
    """The perplexity over the steps, and the sample where a second picture would be."""
    tenths = len(perplexities)
    with new_figure("预训练一个小 GPT pre-training", panels=2) as (figure, (left, right)):
        title = "没读过的文字 held-out perplexity"
        flat = {name: [value] * tenths for name, value in counting.items()}
        curves(left, title, {"GPT": perplexities, **flat}, x="训练步数 steps")
        left.set_yscale("log")
        labels = [f"{parameters.steps * tenth // 10}" for tenth in range(0, tenths, 2)]
        left.set_xticks(range(1, tenths + 1, 2), labels)
        right.axis("off")
        right.set_title("它写的 a sample")
        lines = textwrap.fill(sample, 40 if parameters.language == "en" else 20)
        right.text(0, 1, lines, va="top", fontsize=11, parse_math=False)
    return figure


def build_gpt(layers: int, width: int, length: int, characters: int) -> "nn.Module":
    """Characters of shape (batch, n) to logits of each next one; n ≤ ``length``."""
    import torch
    from torch import nn

    class GPT(nn.Module):
        """Characters and their places, through layers in which none sees what comes later."""

        def __init__(self) -> None:
            super().__init__()
            self.characters = nn.Embedding(characters, width)
            self.places = nn.Embedding(length, width)
            self.layers = nn.ModuleList(
                [
                    nn.TransformerEncoderLayer(
                        width,
                        nhead=width // 32,
                        dim_feedforward=4 * width,
                        dropout=0.0,
                        activation="gelu",
                        batch_first=True,
                        norm_first=True,
                    )
                    for _ in range(layers)
                ]
            )
            for table in (self.characters, self.places):
                nn.init.normal_(table.weight, std=0.1)  # PyTorch's 1.0 would drown what is added
            self.answer = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, characters))

        def forward(self, x: "Tensor") -> "Tensor":
            n = x.shape[1]
            future = torch.ones(n, n, dtype=torch.bool, device=x.device).triu(1)
            x = self.characters(x) + self.places.weight[:n]
            for layer in self.layers:
                x = layer(x, src_mask=future, is_causal=True)
            return self.answer(x)

    return GPT()


EXAMPLE = Example(
    id="pytorch-pretraining",
    framework=Framework.PYTORCH,
    title=Text(zh="预训练一个小 GPT，看困惑度", en="Pre-train a small GPT and watch perplexity"),
    look_at=Text(
        zh="看没读过的文字上，困惑度怎样从瞎猜降下来，依次穿过两条横线：只数单个字符、数相邻"
        "两个字符；低于第二条，才算用上了更远的上文。再读右边的样例：没人教过它语法，"
        "它只会续写，不会答题。",
        en="On texts it hasn't read, watch perplexity fall from mere guessing through both flat "
        "lines, of counting characters and pairs: below the second, what came earlier is used. "
        "Then read the sample: nobody taught it grammar, and it only continues, doesn't answer.",
    ),
    compares=Text(
        zh="训练后、训练前、只数字符、数相邻两个字符",
        en="trained, untrained, and counting single characters or pairs",
    ),
    claims=(
        at_most("perplexity", "bigram_perplexity", times=0.8),
        at_most("bigram_perplexity", "unigram_perplexity"),
    ),
    parameters=Settings,
    metrics=(
        MetricInfo(name="perplexity", title=Text(zh="困惑度：训练后", en="perplexity, trained")),
        MetricInfo(
            name="bigram_perplexity", title=Text(zh="困惑度：数相邻两个", en="counting pairs")
        ),
        MetricInfo(
            name="unigram_perplexity", title=Text(zh="困惑度：数单个", en="counting single ones")
        ),
        MetricInfo(name="untrained_perplexity", title=Text(zh="困惑度：训练前", en="untrained")),
        MetricInfo(
            name="bits_a_character",
            title=Text(zh="每字符比特数", en="bits a character"),
            unit="bits",
        ),
        MetricInfo(name="parameters", title=Text(zh="参数量 N", en="parameters N")),
        MetricInfo(name="characters_read", title=Text(zh="读过的字符 D", en="characters read, D")),
        MetricInfo(name="operations", title=Text(zh="算力约 6·N·D", en="work, about 6·N·D")),
        MetricInfo(name="train_loss", title=Text(zh="训练损失", en="training loss"), unit="nats"),
        MetricInfo(name="steps", title=Text(zh="训练步数", en="steps")),
    ),
    run=run,
    limit_s=600,
    lower=("batch_size", "length", "width", "layers"),
)
