"""Attention by hand and fused: equal results, but only one of them keeps n × n weights.

The formula is that of Vaswani et al., 2017; how the fused kernel does without the matrix is
Dao et al., "FlashAttention", 2022.
"""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from runners.example import Context, Example, Parameters, Says, at_most
from runners.figures import curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from torch import Tensor


class Settings(Parameters):
    """What a learner may change."""

    longest: Annotated[
        int, Field(ge=256, le=4096), Says("最长的序列有几个词", "tokens of the longest sequence")
    ] = 4096
    heads: Annotated[int, Field(ge=1, le=16), Says("头数", "heads")] = 4
    head_size: Annotated[int, Field(ge=8, le=128), Says("每个头的维数 d", "size d of a head")] = 64
    causal: Annotated[
        bool, Says("用因果掩码挡住后面的词", "hide later tokens by a causal mask")
    ] = False


def run(context: Context, parameters: Settings) -> None:
    """Attend over longer and longer sequences, by hand and fused, and compare what it takes."""
    import numpy as np
    import torch
    from torch.nn.functional import scaled_dot_product_attention
    from torch.utils.benchmark import Timer

    torch.manual_seed(parameters.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    # A card's FlashAttention wants 16 bits; a CPU's takes 32.
    dtype = torch.float16 if device == "cuda" else torch.float32

    def naive(q: "Tensor", k: "Tensor", v: "Tensor") -> "Tensor":
        scores = q @ k.transpose(-2, -1) / parameters.head_size**0.5  # n × n for each head
        if parameters.causal:
            future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=device).triu(1)
            scores = scores.masked_fill(future, float("-inf"))  # softmax makes it exactly 0
        return scores.softmax(dim=-1) @ v

    def fused(q: "Tensor", k: "Tensor", v: "Tensor") -> "Tensor":
        return scaled_dot_product_attention(q, k, v, is_causal=parameters.causal)

    lengths = [parameters.longest // 2**halvings for halvings in (4, 3, 2, 1, 0)]
    columns = ("naive_memory", "fused_memory", "naive_time", "fused_time")
    measured: dict[str, list[float]] = {name: [] for name in columns}
    difference = 0.0
    for step, length in enumerate(lengths, 1):
        shape = (3, 1, parameters.heads, length, parameters.head_size)
        qkv = [each.requires_grad_() for each in torch.randn(shape, device=device, dtype=dtype)]
        outputs: list[Tensor] = []
        for name, attend in (("naive", naive), ("fused", fused)):
            kept: dict[int, int] = {}  # what must stay in memory for the backward pass

            def keep(tensor: "Tensor", kept: dict[int, int] = kept) -> "Tensor":
                kept[tensor.data_ptr()] = tensor.nbytes
                return tensor.detach()  # kept as itself, an output would keep its graph alive

            with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
                outputs.append(attend(*qkv).detach())
            measured[f"{name}_memory"].append(sum(kept.values()) / 2**20)

            timer = Timer(  # a forward and a backward pass
                "torch.autograd.grad(attend(*qkv).sum(), qkv)",
                globals={"torch": torch, "attend": attend, "qkv": qkv},
                num_threads=torch.get_num_threads(),
            )
            # Of its repeats the quickest: the others were disturbed.
            quickest = min(timer.blocked_autorange(min_run_time=0.1).times)
            measured[f"{name}_time"].append(1000 * quickest)
        difference = max(difference, (outputs[0] - outputs[1]).abs().max().item())
        last = {name: values[-1] for name, values in measured.items()}
        context.metric(step, length=length, **last)
        context.progress(step, len(lengths))

    # The p of values ∝ lengthᵖ, over the longer ones, where small costs no longer count.
    power = {
        name: np.polyfit(np.log(lengths[-3:]), np.log(values[-3:]), 1)[0]
        for name, values in measured.items()
    }
    matrix = parameters.heads * parameters.longest**2 * dtype.itemsize / 2**20
    context.metric(None, **last, **{f"{name}_power": float(p) for name, p in power.items()})
    context.metric(largest_difference=difference, score_matrix=matrix)

    title = "手写与融合注意力 attention by hand and fused"
    with new_figure(title, panels=2) as (figure, panels):
        of = {"memory": "为反向保留 kept, MiB", "time": "前向加反向 both passes, ms"}
        for axes, (what, told) in zip(panels, of.items(), strict=True):
            values = {"手写 by hand": measured[f"naive_{what}"]}
            values |= {"融合 fused": measured[f"fused_{what}"]}
            curves(axes, told, values, x="长度 length")
            axes.set_xticks(range(1, len(lengths) + 1), [str(length) for length in lengths])
            axes.set_yscale("log")
    context.figure(
        "growth",
        figure,
        title=Text(zh="内存与时间随长度的增长", en="Memory and time by length"),
        alt=Text(
            zh=f"长度 {parameters.longest} 时为反向保留：手写 {last['naive_memory']:.1f} MiB，"
            f"融合 {last['fused_memory']:.1f} MiB；随长度的 {power['naive_memory']:.2f} 和 "
            f"{power['fused_memory']:.2f} 次方增长。前向加反向：{last['naive_time']:.1f} 和 "
            f"{last['fused_time']:.1f} 毫秒，随长度的 {power['naive_time']:.2f} 和 "
            f"{power['fused_time']:.2f} 次方增长。结果最多相差 {difference:.1e}。",
            en=f"At length {parameters.longest}, by hand {last['naive_memory']:.1f} MiB are kept "
            f"for the backward pass, fused {last['fused_memory']:.1f} MiB, growing as the length "
            f"to the power of {power['naive_memory']:.2f} and {power['fused_memory']:.2f}. Both "
            f"passes take {last['naive_time']:.1f} and {last['fused_time']:.1f} ms, to the power "
            f"of {power['naive_time']:.2f} and {power['fused_time']:.2f}. The results differ by "
            f"{difference:.1e} at most.",
        ),
    )


_WAYS = {"naive": Text(zh="手写", en="by hand"), "fused": Text(zh="融合", en="fused")}
_MEASURES = {
    "memory": (Text(zh="保留", en="kept"), "MiB"),
    "memory_power": (Text(zh="内存增长的次方", en="memory power"), ""),
    "time": (Text(zh="前向加反向", en="both passes"), "ms"),
    "time_power": (Text(zh="时间增长的次方", en="time power"), ""),
}

EXAMPLE = Example(
    id="pytorch-attention",
    framework=Framework.PYTORCH,
    title=Text(
        zh="注意力：手写公式与融合算子（FlashAttention）",
        en="Attention: the formula by hand and fused (FlashAttention)",
    ),
    look_at=Text(
        zh="左图：手写的要留下 n×n 的权重，长度翻倍内存变四倍，融合的只变两倍，结果却只差舍入误差。"
        "右图两条线差不多陡：融合省的是读写，计算量仍随长度的平方增长。",
        en="On the left: by hand the n × n weights are kept and twice the length is four times "
        "the memory, fused it is twice, and yet the results differ by rounding only. On the right "
        "the lines are about as steep: fusing saves traffic, the work still grows as the square.",
    ),
    compares=Text(
        zh="手写 softmax(QK^T/√d)V 与 scaled_dot_product_attention",
        en="softmax(QK^T/√d)V by hand and scaled_dot_product_attention",
    ),
    claims=(
        at_most("fused_memory", "naive_memory", times=0.25),
        at_most("fused_memory_power", "naive_memory_power", plus=-0.5),
        at_most("largest_difference", 1e-3),
    ),
    parameters=Settings,
    metrics=(
        *(
            MetricInfo(
                name=f"{way}_{measure}",
                title=Text(zh=f"{who.zh}：{what.zh}", en=f"{who.en}: {what.en}"),
                unit=unit,
            )
            for measure, (what, unit) in _MEASURES.items()
            for way, who in _WAYS.items()
        ),
        MetricInfo(name="score_matrix", title=Text(zh="n×n 权重", en="n × n weights"), unit="MiB"),
        MetricInfo(
            name="largest_difference", title=Text(zh="结果最大相差", en="largest difference")
        ),
        MetricInfo(name="length", title=Text(zh="长度", en="length")),
    ),
    run=run,
    limit_s=300,
    lower=("longest", "heads"),
)
