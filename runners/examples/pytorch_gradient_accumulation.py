"""Gradient accumulation: the update of a large batch in the memory of a small one."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_most
from runners.figures import bars, curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text
from runners.saved_bytes import SavedBytes

if TYPE_CHECKING:
    from torch import nn


class Settings(Parameters):
    """What a learner may change."""

    micro_batch: Annotated[
        int, Field(ge=2, le=64), Says("每个小批次几张图", "pictures in a micro-batch")
    ] = 32
    accumulate: Annotated[
        int, Field(ge=2, le=16), Says("累积几个小批次才更新", "micro-batches to one update")
    ] = 8
    updates: Annotated[int, Field(ge=2, le=1000), Says("更新几次", "how many updates")] = 80
    learning_rate: Annotated[
        float, Field(ge=0.0001, le=1), Says("SGD 的学习率", "learning rate of SGD")
    ] = 0.05
    norm: Annotated[
        Literal["group", "batch"],
        Says(
            "归一化：group 逐张图算；batch 看整个小批次",
            "normalization: group looks at each picture, batch at the whole micro-batch",
        ),
    ] = "group"


def run(context: Context, parameters: Settings) -> None:
    """Train on large batches, on the same ones in parts, and in parts without the division."""
    from contextlib import nullcontext

    import torch
    from torch import nn
    from torch.autograd.graph import saved_tensors_hooks

    device = "cuda" if torch.cuda.is_available() else "cpu"
    split = load_split("digits", context.datasets, side=16, seed=parameters.seed)
    (x, y), _, (test_x, test_y) = (
        (torch.tensor(part.images)[:, None].to(device), torch.tensor(part.labels).to(device))
        for part in split
    )
    steps, updates = parameters.accumulate, parameters.updates
    torch.manual_seed(parameters.seed)
    batches = [torch.randperm(len(x))[: parameters.micro_batch * steps] for _ in range(updates)]

    # name: (parts that a batch is fed in, what each part's loss is divided by)
    ways = {"large": (1, 1), "accumulated": (steps, steps), "undivided": (steps, 1)}
    losses: dict[str, list[float]] = {name: [] for name in ways}
    weights: dict[str, torch.Tensor] = {}  # after the first update, all in one vector
    told: dict[str, Any] = {}
    for number, (name, (parts, divisor)) in enumerate(ways.items()):
        torch.manual_seed(parameters.seed)
        model = build(parameters.norm).to(device)
        optimizer = torch.optim.SGD(model.parameters(), parameters.learning_rate, momentum=0.9)
        saved, seconds = SavedBytes(model.parameters()), 0.0
        for update, batch in enumerate(batches, 1):
            # The first update is weighed and the others are timed: weighing costs time.
            weigh = saved_tensors_hooks(saved.pack, saved.unpack) if update == 1 else nullcontext()
            began, total = seconds_on(device), torch.zeros((), device=device)
            with weigh:
                for part in batch.chunk(parts):
                    loss = nn.functional.cross_entropy(model(x[part]), y[part])
                    (loss / divisor).backward()  # adds to .grad and lets the activations go
                    total += loss.detach()
            optimizer.step()
            optimizer.zero_grad()
            seconds += seconds_on(device) - began if update > 1 else 0
            if update == 1:
                weights[name] = nn.utils.parameters_to_vector(model.parameters()).detach()
            losses[name].append(total.item() / parts)
            told[f"{name}_loss"] = losses[name][-1]
            context.metric(step=update, **{f"{name}_loss": losses[name][-1]})
            context.progress(number * updates + update, len(ways) * updates)
        with torch.inference_mode():
            hits = model.eval()(test_x).argmax(1) == test_y
        told[f"{name}_accuracy"] = hits.float().mean().item()
        told[f"{name}_memory"] = saved.peak / 1e6
        told[f"{name}_time"] = 1000 * seconds / (updates - 1)
        if name != "large":
            told[f"{name}_difference"] = (weights[name] - weights["large"]).abs().max().item()
    context.metric(**told)

    title = f"{parameters.micro_batch} × {steps} 张图更新一次 pictures to one update"
    with new_figure(title, panels=2) as (figure, (left, right)):
        lines = {"大批次 large": losses["large"], "忘了除 undivided": losses["undivided"]}
        curves(left, "训练损失 training loss", lines, x="更新 update")
        left.plot(range(1, updates + 1), losses["accumulated"], "k:", label="累积 accumulated")
        heights = {
            "大批次 large": told["large_memory"],
            "累积 accumulated": told["accumulated_memory"],
        }
        bars(right, "激活峰值 activations at most, MB", heights, "{:.2f}")
    context.figure(
        "accumulation",
        figure,
        title=Text(zh="累积与大批次", en="Accumulation and the large batch"),
        alt=Text(
            zh=f"更新一次后，累积与大批次的参数最多差 {told['accumulated_difference']:.1e}，"
            f"忘了除以 {steps} 差 {told['undivided_difference']:.1e}；{updates} 次更新后测试准确率"
            f"：大批次 {told['large_accuracy']:.1%}，累积 {told['accumulated_accuracy']:.1%}，"
            f"忘了除 {told['undivided_accuracy']:.1%}。激活峰值从 {told['large_memory']:.2f} MB "
            f"降到 {told['accumulated_memory']:.2f} MB；一次更新 {told['large_time']:.1f} ms 和 "
            f"{told['accumulated_time']:.1f} ms。",
            en=f"After one update no weight is further than {told['accumulated_difference']:.1e} "
            f"from the large batch's with accumulation, but {told['undivided_difference']:.1e} "
            f"without the division by {steps}. After {updates} updates the test accuracy is "
            f"{told['large_accuracy']:.1%}, {told['accumulated_accuracy']:.1%} and, undivided, "
            f"{told['undivided_accuracy']:.1%}. Activations take {told['large_memory']:.2f} MB at "
            f"most, accumulated {told['accumulated_memory']:.2f} MB; an update takes "
            f"{told['large_time']:.1f} ms and {told['accumulated_time']:.1f} ms.",
        ),
    )


def build(norm: Literal["group", "batch"]) -> "nn.Sequential":
    """Three convolutions, each with a normalization, and a layer that tells ten digits apart."""
    from torch import nn

    def convolve(inputs: int, outputs: int, stride: int) -> "list[nn.Module]":
        normalize = nn.BatchNorm2d(outputs) if norm == "batch" else nn.GroupNorm(4, outputs)
        return [nn.Conv2d(inputs, outputs, 3, stride, padding=1), normalize, nn.ReLU()]

    body = [*convolve(1, 16, 1), *convolve(16, 32, 2), *convolve(32, 32, 2)]
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(32 * 4 * 4, 10))


def seconds_on(device: str) -> float:
    """The time, once the device has done all that it was asked for."""
    import time

    import torch

    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


_WAYS = {
    "large": Text(zh="大批次", en="large batch"),
    "accumulated": Text(zh="累积", en="accumulated"),
    "undivided": Text(zh="忘了除", en="undivided"),
}
_MEASURES = {
    "loss": (Text(zh="训练损失", en="training loss"), ""),
    "accuracy": (Text(zh="测试准确率", en="test accuracy"), ""),
    "memory": (Text(zh="激活峰值", en="activations at most"), "MB"),
    "time": (Text(zh="一次更新用时", en="time of an update"), "ms"),
    "difference": (Text(zh="更新一次后参数最多差", en="weights off after one update"), ""),
}

EXAMPLE = Example(
    id="pytorch-gradient-accumulation",
    framework=Framework.PYTORCH,
    title=Text(zh="梯度累积：小显存跑出大批次", en="Gradient accumulation: a large batch in parts"),
    look_at=Text(
        zh="黑色虚线（累积）正好压在大批次上，激活却只要几分之一；忘了除以步数，"
        "等于学习率大了这么多倍。再试 norm=batch：参数差会大上万倍。",
        en="The dotted line (accumulated) lies on that of the large batch, in a fraction of its "
        "memory; without the division the learning rate is as many times too large. Then try "
        "norm=batch and see the weights come apart.",
    ),
    compares=Text(
        zh="一次大批次、累积、忘了除以步数", en="one large batch, accumulated, without the division"
    ),
    claims=(
        at_most("accumulated_difference", "undivided_difference", times=0.001),
        at_most("accumulated_memory", "large_memory", times=0.5),
    ),
    parameters=Settings,
    metrics=tuple(
        MetricInfo(
            name=f"{way}_{measure}",
            title=Text(zh=f"{who.zh}：{what.zh}", en=f"{who.en}: {what.en}"),
            unit=unit,
        )
        for measure, (what, unit) in _MEASURES.items()
        for way, who in _WAYS.items()
        if (way, measure) != ("large", "difference")
    ),
    run=run,
    limit_s=300,
    lower=("micro_batch",),
)
