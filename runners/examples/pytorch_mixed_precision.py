"""Mixed precision (Micikevicius et al., 2018): 16 bits where they do, 32 where they must."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_least, at_most
from runners.figures import bars, curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text
from runners.saved_bytes import SavedBytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor, nn


class Settings(Parameters):
    """What a learner may change."""

    updates: Annotated[int, Field(ge=2, le=2000), Says("更新几次", "how many updates")] = 200
    batch_size: Annotated[
        int, Field(ge=8, le=1024), Says("每步的图片数", "pictures in one step")
    ] = 64
    channels: Annotated[
        int, Field(ge=8, le=256), Says("第一层的通道数", "channels of the first layer")
    ] = 32
    learning_rate: Annotated[
        float, Field(ge=0.00001, le=0.1), Says("Adam 的学习率", "learning rate of Adam")
    ] = 0.001
    loss_scale: Annotated[
        int,
        Field(ge=1, le=2**30),
        Says("FP16 实验里损失放大几倍", "factor of the loss in the trial of float16"),
    ] = 65_536


def run(context: Context, parameters: Settings) -> None:
    """Train in float32 and under autocast; then see what float16 does to real gradients."""
    import statistics
    from contextlib import nullcontext

    import torch
    from torch import nn
    from torch.autograd.graph import saved_tensors_hooks

    device = "cuda" if torch.cuda.is_available() else "cpu"
    half = torch.bfloat16
    if device == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        half = torch.float16
    split = load_split("digits", context.datasets, side=16, seed=parameters.seed)
    (x, y), _, (test_x, test_y) = (
        (torch.tensor(part.images)[:, None].to(device), torch.tensor(part.labels).to(device))
        for part in split
    )

    losses: dict[str, list[float]] = {"float32": [], "mixed": []}
    models = {
        name: build(parameters).to(device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - untyped
        for name in losses
    }
    told: dict[str, Any] = {}
    for number, (name, model) in enumerate(models.items()):
        torch.manual_seed(parameters.seed)
        mixed = torch.autocast(device, dtype=half, enabled=name == "mixed")
        # float16 needs its loss scaled; with bfloat16 the scaler only passes things on.
        scaled = name == "mixed" and half == torch.float16
        scaler = torch.amp.GradScaler(device, enabled=scaled)
        optimizer = torch.optim.Adam(model.parameters(), parameters.learning_rate)
        saved, seconds = SavedBytes(model.parameters()), list[float]()
        for update in range(1, parameters.updates + 1):
            batch = torch.randperm(len(x))[: parameters.batch_size]
            # The first update is weighed and the others are timed: weighing costs time.
            weigh = saved_tensors_hooks(saved.pack, saved.unpack) if update == 1 else nullcontext()
            began = seconds_on(device)
            optimizer.zero_grad()
            with weigh, mixed:  # the weights stay float32; products are computed in 16 bits
                loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            seconds.append(seconds_on(device) - began)
            losses[name].append(loss.item())
            context.metric(step=update, **{f"{name}_loss": losses[name][-1]})
            context.progress(number * parameters.updates + update, 2 * parameters.updates)
        with torch.inference_mode(), mixed:
            hits = model(test_x).argmax(1) == test_y
        told[f"{name}_loss"] = statistics.fmean(losses[name][-10:])
        told[f"{name}_accuracy"] = hits.float().mean().item()
        told[f"{name}_time"] = 1000 * statistics.median(seconds[1:])
        told[f"{name}_memory"] = saved.peak / 1e6

    # The gradients that pass between the layers are the smallest. A float16 tensor receives them:
    gradients = inner_gradients(models["float32"], x[:64], y[:64])
    for name, scale in (("bare", 1), ("scaled", parameters.loss_scale)):
        receiver = torch.zeros_like(gradients, dtype=torch.float16).requires_grad_()
        loss = (receiver.float() * gradients).sum()  # its gradients are just those
        (received,) = torch.autograd.grad(loss * scale, receiver)
        told[f"{name}_lost"] = (received == 0).float().mean().item()
        told[f"{name}_overflow"] = received.isinf().float().mean().item()
    context.metric(**told)

    kind = str(half).removeprefix("torch.")
    context.figure(
        "training",
        draw_training(losses, told, kind),
        title=Text(zh="两种精度的训练", en="Training in two precisions"),
        alt=Text(
            zh=f"float32 与 {kind} 混合：测试准确率 {told['float32_accuracy']:.1%} 和 "
            f"{told['mixed_accuracy']:.1%}，为反向存 {told['float32_memory']:.2f} MB 和 "
            f"{told['mixed_memory']:.2f} MB，每步 {told['float32_time']:.1f} ms 和 "
            f"{told['mixed_time']:.1f} ms（{device}）。",
            en=f"float32 and {kind} mixed: test accuracy {told['float32_accuracy']:.1%} and "
            f"{told['mixed_accuracy']:.1%}, kept for the backward pass "
            f"{told['float32_memory']:.2f} MB and {told['mixed_memory']:.2f} MB, a step "
            f"{told['float32_time']:.1f} ms and {told['mixed_time']:.1f} ms ({device}).",
        ),
    )
    context.figure(
        "underflow",
        draw_underflow(gradients, parameters.loss_scale),
        title=Text(zh="FP16 下溢与损失缩放", en="Underflow of float16, and loss scaling"),
        alt=Text(
            zh=f"层与层之间的真实梯度交给 float16：不缩放有 {told['bare_lost']:.1%} 变成 0，"
            f"损失乘 {parameters.loss_scale:,} 后只有 {told['scaled_lost']:.1%}，"
            f"溢出成 inf 的占 {told['scaled_overflow']:.1%}。",
            en=f"Of the real gradients between layers, float16 turns {told['bare_lost']:.1%} into "
            f"0 without scaling and {told['scaled_lost']:.1%} with the loss multiplied by "
            f"{parameters.loss_scale:,}, which makes {told['scaled_overflow']:.1%} overflow.",
        ),
    )


def build(parameters: Settings) -> "nn.Sequential":
    """Four convolutions, and a layer that tells ten digits apart."""
    import torch
    from torch import nn

    torch.manual_seed(parameters.seed)
    width = parameters.channels
    widths = [(1, width, 1), (width, width, 1), (width, 2 * width, 2), (2 * width, 2 * width, 2)]
    parts: list[nn.Module] = []
    for inputs, outputs, stride in widths:
        parts += [nn.Conv2d(inputs, outputs, 3, stride, padding=1), nn.ReLU()]
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(2 * width * 4 * 4, 10))


def inner_gradients(model: "nn.Sequential", x: "Tensor", y: "Tensor") -> "Tensor":
    """The gradients that are not 0 with respect to what every layer gives, in float32."""
    import torch
    from torch import nn

    given: list[Tensor] = [x]
    for layer in model:
        given.append(layer(given[-1]))
    loss = nn.functional.cross_entropy(given[-1], y)
    gradients = torch.cat([each.flatten() for each in torch.autograd.grad(loss, given[1:])])
    return gradients[gradients != 0]


def draw_training(
    losses: Mapping[str, list[float]], told: Mapping[str, float], kind: str
) -> "Figure":
    """The losses in both precisions, and what is kept for the backward pass."""
    with new_figure(f"float32 与 {kind} 混合 and mixed", panels=2) as (figure, (left, right)):
        curves(left, "训练损失 training loss", losses, x="更新 update")
        memory = {name: told[f"{name}_memory"] for name in losses}
        bars(right, "为反向存的 kept for backward, MB", memory, "{:.2f}")
    return figure


def draw_underflow(gradients: "Tensor", scale: float) -> "Figure":
    """How large the gradients are, as they are and scaled, and where float16 ends."""
    sizes = gradients.abs().log10().cpu().numpy()
    with new_figure("FP16 装得下吗 do they fit?") as (figure, (axes,)):
        for label, values in {
            "原样 as they are": sizes,
            f"损失 × {scale:,} loss × {scale:,}": sizes + math.log10(scale),
        }.items():
            axes.hist(values, bins=80, alpha=0.6, label=label)
        axes.axvline(_SMALLEST, color="black", linestyle="--", label="FP16 变成 0 becomes 0")
        axes.axvline(_LARGEST, color="black", linestyle=":", label="FP16 变成 inf becomes inf")
        axes.set_title("层间梯度有多大 gradients between layers")
        axes.set_xlabel("log10 |梯度 gradient|")
    return figure


def seconds_on(device: str) -> float:
    """The time, once the device has done all that it was asked for."""
    import time

    import torch

    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


_SMALLEST, _LARGEST = math.log10(2**-25), math.log10(65_520)
"""Half of float16's smallest number, and its largest plus half a step: from there on it is inf."""

_PRECISIONS = {
    "float32": Text(zh="float32", en="float32"),
    "mixed": Text(zh="混合精度", en="mixed"),
}
_MEASURES = {
    "loss": (Text(zh="训练损失", en="training loss"), ""),
    "accuracy": (Text(zh="测试准确率", en="test accuracy"), ""),
    "time": (Text(zh="每步用时", en="time of a step"), "ms"),
    "memory": (Text(zh="为反向存的", en="kept for backward"), "MB"),
}
_SCALES = {
    "bare": Text(zh="FP16 不缩放", en="float16 unscaled"),
    "scaled": Text(zh="FP16 损失缩放", en="float16 scaled"),
}
_FATES = {
    "lost": Text(zh="变成 0 的梯度", en="gradients turned 0"),
    "overflow": Text(zh="变成 inf 的梯度", en="gradients turned inf"),
}

EXAMPLE = Example(
    id="pytorch-mixed-precision",
    framework=Framework.PYTORCH,
    title=Text(zh="混合精度：16 位训练丢不丢精度", en="Mixed precision: what 16 bits cost"),
    look_at=Text(
        zh="两条损失曲线几乎重合，激活却约少一半；每步快不快看硬件，没有 BF16 单元的 CPU 可能更慢。"
        "再看直方图：虚线左边的梯度在 FP16 里变成 0，损失缩放把它们救了回来。",
        en="The two losses all but coincide while activations take about half; whether a step is "
        "faster depends on the hardware: a CPU without units for bfloat16 may be slower. Left of "
        "the dashed line float16 makes gradients 0, and loss scaling brings them back.",
    ),
    compares=Text(
        zh="float32 与混合精度；FP16 缩放与不缩放",
        en="float32 and mixed precision; float16 with and without loss scaling",
    ),
    claims=(
        at_most("mixed_memory", "float32_memory", times=0.7),
        at_least("mixed_accuracy", "float32_accuracy", plus=-0.03),
        at_most("scaled_lost", "bare_lost", times=0.5),
    ),
    parameters=Settings,
    metrics=(
        *(
            MetricInfo(
                name=f"{precision}_{measure}",
                title=Text(zh=f"{which.zh}：{what.zh}", en=f"{which.en}: {what.en}"),
                unit=unit,
            )
            for measure, (what, unit) in _MEASURES.items()
            for precision, which in _PRECISIONS.items()
        ),
        *(
            MetricInfo(
                name=f"{scale}_{fate}",
                title=Text(zh=f"{how.zh}：{what.zh}", en=f"{how.en}: {what.en}"),
            )
            for fate, what in _FATES.items()
            for scale, how in _SCALES.items()
        ),
    ),
    run=run,
    limit_s=600,
    lower=("batch_size", "channels"),
)
