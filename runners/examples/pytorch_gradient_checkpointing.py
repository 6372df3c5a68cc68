"""Gradient checkpointing (Chen et al., 2016): activations computed twice instead of kept."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_least, at_most
from runners.figures import bars, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text
from runners.saved_bytes import SavedBytes

if TYPE_CHECKING:
    from torch import nn


class Settings(Parameters):
    """What a learner may change."""

    layers: Annotated[
        int, Field(ge=4, le=64), Says("Transformer 层数", "layers of the transformer")
    ] = 16
    head_size: Annotated[
        int,
        Field(ge=4, le=256),
        Says("每个注意力头的维数，共 4 个头", "dimensions of each of the 4 attention heads"),
    ] = 16
    batch_size: Annotated[
        int, Field(ge=4, le=512), Says("每步的图片数", "pictures in one step")
    ] = 64
    updates: Annotated[int, Field(ge=2, le=1000), Says("更新几次", "how many updates")] = 30
    dropout: Annotated[
        float, Field(ge=0, le=0.9), Says("Dropout 丢掉的比例", "share that dropout drops")
    ] = 0.0


def run(context: Context, parameters: Settings) -> None:
    """Train one transformer three ways that differ in what the forward pass keeps."""
    import statistics
    from contextlib import nullcontext

    import torch
    from torch import nn
    from torch.autograd.graph import saved_tensors_hooks
    from torch.utils.checkpoint import checkpoint_sequential

    device = "cuda" if torch.cuda.is_available() else "cpu"
    split = load_split("digits", context.datasets, side=16, seed=parameters.seed)
    # A picture is read as a sequence: its 16 rows of 16 pixels.
    (x, y), _, (test_x, test_y) = (
        (torch.tensor(part.images).to(device), torch.tensor(part.labels).to(device))
        for part in split
    )
    layers, updates = parameters.layers, parameters.updates

    # name: segments. Of every segment only the input is kept, but the last one keeps everything,
    # as it is needed first. So a single segment is training as usual.
    ways = {"plain": 1, "root": round(layers**0.5), "each": layers}
    models = {name: build(parameters).to(device) for name in ways}
    optimizers = {name: torch.optim.Adam(model.parameters()) for name, model in models.items()}
    saved = {name: SavedBytes(model.parameters()) for name, model in models.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    told: dict[str, Any] = {}
    for update in range(1, updates + 1):
        torch.manual_seed(parameters.seed + update)
        batch = torch.randperm(len(x))[: parameters.batch_size]
        for name, (first, body, head) in models.items():
            # The first update is weighed and the others are timed: weighing costs time.
            hooks = saved_tensors_hooks(saved[name].pack, saved[name].unpack)
            torch.manual_seed(parameters.seed + update)  # all three drop the same
            optimizers[name].zero_grad()
            began = seconds_on(device)
            with hooks if update == 1 else nullcontext():
                hidden = checkpoint_sequential(
                    body, ways[name], first(x[batch]), use_reentrant=False
                )
                loss = nn.functional.cross_entropy(head(hidden), y[batch])
            loss.backward()  # computes again what was not kept
            seconds[name].append(seconds_on(device) - began)
            optimizers[name].step()
            told[f"{name}_loss"] = loss.item()
        context.metric(step=update, **told)
        context.progress(update, updates)

    gradients: dict[str, torch.Tensor] = {}
    for name, model in models.items():
        given = [weight.grad for weight in model.parameters() if weight.grad is not None]
        gradients[name] = torch.cat([gradient.flatten() for gradient in given])
        with torch.inference_mode():
            hits = model.eval()(test_x).argmax(1) == test_y
        told[f"{name}_accuracy"] = hits.float().mean().item()
        told[f"{name}_memory"] = saved[name].peak / 1e6
        told[f"{name}_time"] = 1000 * statistics.median(seconds[name][1:])
        if name != "plain":
            told[f"{name}_difference"] = (gradients[name] - gradients["plain"]).abs().max().item()
    # Weights, gradients and Adam's two moments: four numbers of four bytes, whatever is kept.
    told["state_memory"] = 16 * len(gradients["plain"]) / 1e6
    context.metric(**told)

    with new_figure(f"{layers} 层，存还是重算 keep or compute again?", panels=2) as (figure, axes):
        for panel, what, title in (
            (axes[0], "memory", "为反向存的激活 kept for backward, MB"),
            (axes[1], "time", "前向加反向 forward and backward, ms"),
        ):
            heights = {f"{who.zh}\n{who.en}": told[f"{way}_{what}"] for way, who in _WAYS.items()}
            bars(panel, title, heights, "{:.1f}")
    slower = told["each_time"] / told["plain_time"] - 1
    off = max(told["root_difference"], told["each_difference"])
    context.figure(
        "checkpointing",
        figure,
        title=Text(zh="激活显存与时间", en="Memory of activations against time"),
        alt=Text(
            zh=f"{layers} 层全存要 {told['plain_memory']:.1f} MB 激活、每步 "
            f"{told['plain_time']:.1f} ms；分 {ways['root']} 段 {told['root_memory']:.1f} MB、"
            f"{told['root_time']:.1f} ms；每层一段 {told['each_memory']:.1f} MB、"
            f"{told['each_time']:.1f} ms，时间变化 {slower:+.0%}。梯度最多差 {off:.1e}。",
            en=f"Keeping all of {layers} layers takes {told['plain_memory']:.1f} MB of activations "
            f"and {told['plain_time']:.1f} ms a step; {ways['root']} segments take "
            f"{told['root_memory']:.1f} MB and {told['root_time']:.1f} ms; a segment for each "
            f"layer {told['each_memory']:.1f} MB and {told['each_time']:.1f} ms, {slower:+.0%} of "
            f"time. The gradients are off by {off:.1e} at most.",
        ),
    )


def build(parameters: Settings) -> "nn.Sequential":
    """A layer that takes a row of pixels in, a transformer of many layers, and a head."""
    import torch
    from torch import nn

    torch.manual_seed(parameters.seed)
    width, dropout = 4 * parameters.head_size, parameters.dropout
    layers = [
        nn.TransformerEncoderLayer(width, 4, 4 * width, dropout, batch_first=True, norm_first=True)
        for _ in range(parameters.layers)
    ]
    head = nn.Sequential(nn.Flatten(), nn.Linear(16 * width, 10))
    return nn.Sequential(nn.Linear(16, width), nn.Sequential(*layers), head)


def seconds_on(device: str) -> float:
    """The time, once the device has done all that it was asked for."""
    import time

    import torch

    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


_WAYS = {
    "plain": Text(zh="全存", en="keep all"),
    "root": Text(zh="√n 段", en="√n segments"),
    "each": Text(zh="每层一段", en="each layer"),
}
_MEASURES = {
    "memory": (Text(zh="存的激活", en="activations kept"), "MB"),
    "time": (Text(zh="每步用时", en="time of a step"), "ms"),
    "loss": (Text(zh="训练损失", en="training loss"), ""),
    "accuracy": (Text(zh="测试准确率", en="test accuracy"), ""),
    "difference": (Text(zh="梯度最多差", en="gradients off"), ""),
}

EXAMPLE = Example(
    id="pytorch-gradient-checkpointing",
    framework=Framework.PYTORCH,
    title=Text(zh="梯度检查点：用时间换显存", en="Gradient checkpointing: time for memory"),
    look_at=Text(
        zh="左边的激活少了好几倍，右边的时间只多几成，梯度一个数都没变。"
        "再试 dropout=0.1：随机数状态会一并恢复，结果照样一样。",
        en="On the left several times fewer bytes are kept, on the right a step takes some tens of "
        "per cent longer, and no gradient changes. Then try dropout=0.1: random states are "
        "restored as well, and all stays the same.",
    ),
    compares=Text(
        zh="激活全存、分 √n 段重算、每层重算", en="all kept, √n segments, each layer computed again"
    ),
    claims=(
        at_most("root_memory", "plain_memory", times=0.5),
        at_most("each_memory", "plain_memory", times=0.5),
        at_most("root_difference", 1e-5),
        at_least("root_time", "plain_time"),
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
            if (way, measure) != ("plain", "difference")
        ),
        MetricInfo(
            name="state_memory",
            title=Text(
                zh="权重、梯度、优化器（省不了）", en="weights, gradients, optimizer: not saved"
            ),
            unit="MB",
        ),
    ),
    run=run,
    limit_s=300,
    lower=("batch_size", "layers", "head_size"),
)
