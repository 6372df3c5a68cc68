"""Quantization: the tutor's own encoder with weights of 8 bits instead of 32.

Each row of a matrix has its scale, and each token's activations get theirs while it runs
("dynamic" quantization, symmetric as in Jacob et al., 2018). It computes on the processor, where
products of whole numbers are the faster ones even in a model as small as this.
"""

import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from runners.bank_texts import load_questions
from runners.encoder_model import encode, load_encoder
from runners.example import Context, Example, Parameters, Says, at_least, at_most
from runners.figures import bars, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from torch import Tensor

_BATCH = 32


class Settings(Parameters):
    """What a learner may change."""

    questions: Annotated[
        int,
        Field(ge=_BATCH, le=2000),
        Says("拿题库里多少个问题来比", "how many questions of the bank are compared"),
    ] = 200
    language: Annotated[Literal["zh", "en"], Says("问题的语言", "language of the questions")] = "zh"
    few_bits: Annotated[
        int, Field(ge=2, le=7), Says("另试一种更少的位数", "fewer bits, tried as well")
    ] = 4
    repeats: Annotated[
        int, Field(ge=1, le=50), Says("延迟测几次，取中位数", "timings; their median counts")
    ] = 7


def run(context: Context, parameters: Settings) -> None:
    """Put whole numbers in the place of an encoder's weights and compare its vectors."""
    import copy

    import torch
    from torch import nn

    def quantize(x: "Tensor", bits: int, *, shared: bool = False) -> "tuple[Tensor, Tensor]":
        """Whole numbers q and scales s with x ≈ s·q; a scale for each row, or one for all."""
        largest = x.abs().amax((0, 1) if shared else 1, keepdim=True).expand(len(x), 1)
        s = largest.clamp(min=1e-12) / (2 ** (bits - 1) - 1)
        return (x / s).round().to(torch.int8), s

    class Quantized(nn.Module):
        """A layer's matrix as whole numbers with their scales."""

        q: "Tensor"
        s: "Tensor"

        def __init__(self, layer: Any, bits: int, *, shared: bool) -> None:
            super().__init__()
            q, s = quantize(layer.weight.detach(), bits, shared=shared)
            self.register_buffer("q", q)
            self.register_buffer("s", s.clone())
            self.bias: Any = getattr(layer, "bias", None)

    class QuantizedLinear(Quantized):
        def forward(self, x: "Tensor") -> "Tensor":
            q, s = quantize(x.flatten(0, -2), bits=8)  # the scale of each token
            product = torch.ops.aten._int_mm(q, self.q.T)  # noqa: SLF001 - has no public name
            return (product * (s * self.s.T) + self.bias).unflatten(0, x.shape[:-1])

    class QuantizedEmbedding(Quantized):
        def forward(self, tokens: "Tensor") -> "Tensor":
            return self.q[tokens] * self.s[tokens]  # only the rows that are looked up

    def quantized(bits: int, *, shared: bool = False) -> nn.Module:
        twin = copy.deepcopy(model)
        for name, layer in model.named_modules():
            if isinstance(layer, nn.Linear):
                twin.set_submodule(name, QuantizedLinear(layer, bits, shared=shared))
        words = QuantizedEmbedding(model.get_input_embeddings(), bits, shared=shared)
        twin.set_input_embeddings(words)
        return twin

    tokenizer, model = load_encoder(context.encoder)
    bank = load_questions(context.bank, parameters.language)
    torch.manual_seed(parameters.seed)
    chosen = torch.randperm(len(bank))[: parameters.questions].tolist()
    texts = [f"query: {bank[number].text}" for number in chosen]  # the prefix that e5 expects
    exact = encode_all(tokenizer, model, texts)
    int8, few = quantized(8), quantized(parameters.few_bits)
    ways = {"int8": int8, "shared": quantized(8, shared=True), "few": few}
    same = {}
    for step, (way, form) in enumerate(ways.items(), 1):
        vectors = encode_all(tokenizer, form, texts)
        cosines = (vectors * exact).sum(1)
        same[way] = float((nearest(vectors) == nearest(exact)).double().mean())
        measured = {"cosine": float(cosines.mean()), "worst_cosine": float(cosines.min())}
        measured["same_neighbour"] = same[way]
        context.metric(None, **{f"{way}_{name}": value for name, value in measured.items()})
        context.progress(step, len(ways) + 1)

    two = {"float32": model, "int8": int8}
    ms = latencies(tokenizer, two, texts, parameters.repeats)
    mb = {form: sum(w.nbytes for w in two[form].state_dict().values()) / 1e6 for form in two}
    context.metric(None, **ms, **{f"{form}_mb": megabytes for form, megabytes in mb.items()})
    context.progress(len(ways) + 1, len(ways) + 1)

    title = "编码器：32 位与 8 位 an encoder in 32 bits and in 8"
    with new_figure(title, panels=3) as (figure, (left, middle, right)):
        bars(left, "权重 weights, MB", mb)
        bars(middle, f"{_BATCH} 句 sentences, ms", {form: ms[f"{form}_batch_ms"] for form in two})
        names = ("int8", "int8 共用", f"{parameters.few_bits} 位")
        kept = {name: 100 * share for name, share in zip(names, same.values(), strict=True)}
        bars(right, "近邻不变 unchanged, %", kept)
    context.figure(
        "quantization",
        figure,
        title=Text(zh="量化前后", en="Before and after quantization"),
        alt=Text(
            zh=f"权重从 {mb['float32']:.0f} MB 变成 {mb['int8']:.0f} MB；"
            f"一批 {_BATCH} 句从 {ms['float32_batch_ms']:.0f} ms 变成 "
            f"{ms['int8_batch_ms']:.0f} ms。最近邻不变的问题：8 位 {same['int8']:.1%}，"
            f"8 位但整个矩阵共用一个系数 {same['shared']:.1%}，"
            f"{parameters.few_bits} 位 {same['few']:.1%}。",
            en=f"The weights go from {mb['float32']:.0f} MB to {mb['int8']:.0f} MB, "
            f"a batch of {_BATCH} sentences from {ms['float32_batch_ms']:.0f} ms to "
            f"{ms['int8_batch_ms']:.0f} ms. Questions that keep their nearest neighbour: "
            f"{same['int8']:.1%} at 8 bits, {same['shared']:.1%} at 8 bits with one scale for a "
            f"whole matrix, {same['few']:.1%} at {parameters.few_bits} bits.",
        ),
    )


def encode_all(tokenizer: Any, model: Any, texts: Sequence[str]) -> "Tensor":
    """The vectors of any number of texts."""
    import torch

    with torch.inference_mode():
        starts = range(0, len(texts), _BATCH)
        return torch.cat([encode(tokenizer, model, texts[at : at + _BATCH]) for at in starts])


def latencies(
    tokenizer: Any, models: Mapping[str, Any], texts: Sequence[str], repeats: int
) -> dict[str, float]:
    """Milliseconds for one sentence and for a batch; the models take turns, as load varies."""
    seconds: dict[str, list[float]] = {}
    for _ in range(repeats):
        for name, model in models.items():
            for amount, batch in (("sentence", texts[:1]), ("batch", texts[:_BATCH])):
                began = time.perf_counter()
                encode_all(tokenizer, model, batch)
                seconds.setdefault(f"{name}_{amount}_ms", []).append(time.perf_counter() - began)
    return {name: 1000 * median(taken) for name, taken in seconds.items()}


def nearest(vectors: "Tensor") -> "Tensor":
    """Which other vector lies nearest to each."""
    return (vectors @ vectors.T).fill_diagonal_(-1).argmax(1)


_WAYS = {
    "int8": Text(zh="8 位", en="8 bits"),
    "shared": Text(zh="8 位共用系数", en="8 bits, one scale"),
    "few": Text(zh="更少位", en="fewer bits"),
}

EXAMPLE = Example(
    id="pytorch-quantization",
    framework=Framework.PYTORCH,
    title=Text(
        zh="量化：把导师的编码器变成 8 位整数", en="Quantization: the tutor's encoder in int8"
    ),
    look_at=Text(
        zh="8 位时权重只剩四分之一，向量几乎不变；整个矩阵共用一个缩放系数就差得多。"
        "再试 few_bits=3：位数太少，多数问题的最近邻都换了。",
        en="At 8 bits the weights take a quarter and the vectors hardly change; one scale for a "
        "whole matrix does much worse. Try few_bits=3: with so few bits most questions get "
        "another nearest neighbour.",
    ),
    compares=Text(
        zh="32 位浮点、8 位整数、更少的位数", en="32-bit floats, 8-bit integers, fewer bits"
    ),
    claims=(
        at_most("int8_mb", "float32_mb", times=0.3),
        at_least("int8_cosine", 0.99),
        at_least("int8_cosine", "shared_cosine"),
        at_most("few_same_neighbour", "int8_same_neighbour"),
    ),
    parameters=Settings,
    metrics=(
        *(
            MetricInfo(
                name=f"{way}_{name}",
                title=Text(zh=f"{who.zh}：{zh}", en=f"{who.en}: {en}"),
            )
            for way, who in _WAYS.items()
            for name, zh, en in (
                ("cosine", "平均余弦", "mean cosine"),
                ("worst_cosine", "最差余弦", "worst cosine"),
                ("same_neighbour", "最近邻不变", "same neighbour"),
            )
        ),
        *(
            MetricInfo(
                name=f"{form}_mb",
                title=Text(zh=f"{form}：权重", en=f"{form}: weights"),
                unit="MB",
            )
            for form in ("float32", "int8")
        ),
        *(
            MetricInfo(
                name=f"{form}_{name}_ms",
                title=Text(zh=f"{form}：{zh}", en=f"{form}: {en}"),
                unit="ms",
            )
            for form in ("float32", "int8")
            for name, zh, en in (
                ("sentence", "一句", "one sentence"),
                ("batch", f"一批 {_BATCH} 句", f"{_BATCH} sentences"),
            )
        ),
    ),
    run=run,
    limit_s=300,
    cards=0,
    lower=("questions",),
)
