"""Batch sizes: gradient noise, updates, time and outcome, at one learning rate and a scaled one.

The scaled rate grows in proportion to the batch (Goyal et al., 2017).
"""

from itertools import product
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_least, at_most
from runners.figures import curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZES = (8, 32, 128, 512)
_BASE = 32


class Settings(Parameters):
    """What a learner may change."""

    epochs: Annotated[int, Field(ge=2, le=100), Says("训练轮数", "passes over the data")] = 40
    learning_rate: Annotated[
        float,
        Field(ge=0.001, le=1),
        Says("批大小 32 时 SGD 的学习率", "learning rate of SGD at batch size 32"),
    ] = 0.02
    hidden: Annotated[
        int, Field(ge=8, le=1024), Says("隐藏层的神经元数", "units in the hidden layer")
    ] = 128
    draws: Annotated[
        int, Field(ge=8, le=500), Says("量梯度噪声时抽几批", "batches drawn to measure the noise")
    ] = 50


def run(context: Context, parameters: Settings) -> None:
    """Train with batches of 8 to 512 pictures: once at one learning rate, once at a scaled one."""
    import copy
    import time
    from statistics import median

    import torch
    from torch import nn

    torch.manual_seed(parameters.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    split = load_split("digits", context.datasets, side=16, seed=parameters.seed)
    (x, y), (test_x, test_y) = (
        (torch.from_numpy(images).flatten(1).to(device), torch.from_numpy(labels).to(device))
        for images, labels in (split.train, split.test)
    )
    start = nn.Sequential(
        nn.Linear(16 * 16, parameters.hidden), nn.ReLU(), nn.Linear(parameters.hidden, 10)
    ).to(device)
    criterion = nn.CrossEntropyLoss()

    def gradient(batch: torch.Tensor) -> torch.Tensor:
        """Which way these pictures pull the untrained network, as one long vector."""
        loss = criterion(start(x[batch]), y[batch])
        return nn.utils.parameters_to_vector(torch.autograd.grad(loss, list(start.parameters())))

    whole = gradient(torch.arange(len(x), device=device))
    noise: dict[int, float] = {}
    for size in _SIZES:  # drawn with replacement, so that the pictures of 512 are independent too
        drawn = [torch.randint(len(x), (size,), device=device) for _ in range(parameters.draws)]
        squares = torch.stack([(gradient(batch) - whole).square().sum() for batch in drawn])
        noise[size] = (squares.mean().sqrt() / whole.norm()).item()

    outcome: dict[tuple[str, int], Outcome] = {}
    for number, (rule, size) in enumerate(product(("fixed", "scaled"), _SIZES)):
        model = copy.deepcopy(start)
        factor = size / _BASE if rule == "scaled" else 1
        optimizer = torch.optim.SGD(model.parameters(), lr=parameters.learning_rate * factor)
        order = torch.Generator().manual_seed(parameters.seed)
        losses: list[float] = []
        seconds: list[float] = []
        for epoch in range(1, parameters.epochs + 1):
            batches = torch.randperm(len(x), generator=order).to(device).split(size)
            began = time.perf_counter()
            for batch in batches:
                optimizer.zero_grad()
                criterion(model(x[batch]), y[batch]).backward()
                optimizer.step()
            if device == "cuda":
                torch.cuda.synchronize()  # until now the card has only been told what to do
            seconds.append(time.perf_counter() - began)
            with torch.inference_mode():
                losses.append(criterion(model(x), y).item())
            context.metric(step=epoch, **{f"{rule}_loss_{size}": losses[-1]})
            done = number * parameters.epochs + epoch
            context.progress(done, 2 * len(_SIZES) * parameters.epochs)
        with torch.inference_mode():
            accuracy = (model(test_x).argmax(1) == test_y).float().mean().item()
        updates = -(-len(x) // size)
        outcome[rule, size] = Outcome(losses, accuracy, updates, 1000 * median(seconds))
    report(context, noise, outcome)


class Outcome(NamedTuple):
    """What a training came to; updates and time are those of one epoch."""

    losses: list[float]
    accuracy: float
    updates: int
    epoch_ms: float


def report(
    context: Context,
    noise: dict[int, float],
    outcome: dict[tuple[str, int], Outcome],
) -> None:
    """Report and draw what the batch sizes cost, and what came of them."""
    for size in _SIZES:
        values = {
            "noise": noise[size],
            "updates": outcome["fixed", size].updates,
            "epoch": outcome["fixed", size].epoch_ms,
            "fixed_loss": outcome["fixed", size].losses[-1],
            "scaled_loss": outcome["scaled", size].losses[-1],
            "fixed_accuracy": outcome["fixed", size].accuracy,
            "scaled_accuracy": outcome["scaled", size].accuracy,
        }
        context.metric(None, **{f"{name}_{size}": value for name, value in values.items()})

    expected = [noise[_SIZES[0]] * (_SIZES[0] / size) ** 0.5 for size in _SIZES]
    times = [outcome["fixed", size].epoch_ms for size in _SIZES]
    with new_figure("批大小的代价 what a batch size costs", panels=2) as (figure, (left, right)):
        by_size(left, "梯度噪声 gradient noise", {"实测 measured": list(noise.values())})
        left.plot(range(1, len(_SIZES) + 1), expected, "--", color="#22262b", label="∝ 1/√B")
        left.set_yscale("log")
        by_size(right, "一轮的时间 an epoch, ms", {"固定学习率 fixed rate": times})
        right.set_ylim(0)  # an epoch is shorter, not free
    small, large = _SIZES[0], _SIZES[-1]
    updates = {size: outcome["fixed", size].updates for size in (small, large)}
    context.figure(
        "cost",
        figure,
        title=Text(zh="梯度噪声与一轮的时间", en="Gradient noise and the time of an epoch"),
        alt=Text(
            zh=f"批大小从 {small} 到 {large}，梯度噪声（相对梯度长度）从 {noise[small]:.2f} 降到 "
            f"{noise[large]:.2f}；一轮从 {updates[small]} 次更新、{times[0]:.0f} 毫秒变成 "
            f"{updates[large]} 次、{times[-1]:.0f} 毫秒。",
            en=f"From batch size {small} to {large} the gradient noise (relative to the gradient) "
            f"falls from {noise[small]:.2f} to {noise[large]:.2f}; an epoch goes from "
            f"{updates[small]} updates and {times[0]:.0f} ms to {updates[large]} and "
            f"{times[-1]:.0f} ms.",
        ),
    )

    names = {"fixed": "学习率不变 one rate", "scaled": "随批大小变 in proportion"}
    with new_figure("训练损失 training loss", panels=2) as (figure, axes):
        for (rule, name), each in zip(names.items(), axes, strict=True):
            lines = {f"批 batch {size}": outcome[rule, size].losses for size in _SIZES}
            curves(each, name, lines)
            each.set_yscale("log")
            each.sharey(axes[0])
    fixed, scaled = (
        ", ".join(f"{outcome[rule, size].accuracy:.1%}" for size in _SIZES) for rule in names
    )
    sizes = ", ".join(map(str, _SIZES))
    unscaled_loss, scaled_loss = (outcome[rule, large].losses[-1] for rule in names)
    context.figure(
        "losses",
        figure,
        title=Text(zh="损失：学习率不变与随批大小变", en="Loss at one rate and at scaled rates"),
        alt=Text(
            zh=f"批大小 {sizes} 的测试准确率：学习率不变时依次为 {fixed}；与批大小成比例时为 "
            f"{scaled}。批大小 {large} 的训练损失，学习率不变时最后是 {unscaled_loss:.3f}，"
            f"按比例放大时是 {scaled_loss:.3f}。",
            en=f"Test accuracy for batch sizes {sizes}: at one learning rate {fixed}; in "
            f"proportion to the batch {scaled}. With batches of {large} the training loss ends at "
            f"{unscaled_loss:.3f} at the one rate and at {scaled_loss:.3f} at the scaled one.",
        ),
    )


def by_size(axes: "Axes", title: str, lines: dict[str, list[float]]) -> None:
    """Draw lines over the batch sizes."""
    curves(axes, title, lines, x="批大小 batch size")
    axes.set_xticks(range(1, len(_SIZES) + 1), [str(size) for size in _SIZES])


_MEASURES = {
    "noise": (Text(zh="梯度噪声", en="gradient noise"), ""),
    "updates": (Text(zh="每轮更新次数", en="updates an epoch"), ""),
    "epoch": (Text(zh="一轮的时间", en="time of an epoch"), "ms"),
    "fixed_loss": (Text(zh="学习率不变：损失", en="fixed rate: loss"), ""),
    "scaled_loss": (Text(zh="学习率成比例：损失", en="scaled rate: loss"), ""),
    "fixed_accuracy": (Text(zh="学习率不变：准确率", en="fixed rate: accuracy"), ""),
    "scaled_accuracy": (Text(zh="学习率成比例：准确率", en="scaled rate: accuracy"), ""),
}

EXAMPLE = Example(
    id="pytorch-batch-size",
    framework=Framework.PYTORCH,
    title=Text(zh="批大小：8、32、128、512 差在哪", en="Batch sizes: 8, 32, 128, 512"),
    look_at=Text(
        zh="批大小每乘 4，梯度噪声约减半，一轮更快，更新次数却只剩四分之一：学习率不变就训不够，"
        "学习率也乘 4，四条曲线就差不多重合。再用 learning_rate=0.1 跑一次：批大小 512 放大后"
        "的学习率已经太大，什么也学不到。",
        en="Four times the batch halves the gradient noise and shortens the epoch, but leaves a "
        "quarter of the updates: at the same rate it is trained too little, at four times the "
        "rate the curves nearly coincide. Then run learning_rate=0.1: scaled to batches of 512 "
        "that is too much, and nothing is learnt.",
    ),
    compares=Text(
        zh="四种批大小，学习率不变与成比例", en="four batch sizes, one rate and scaled rates"
    ),
    claims=(
        at_most("noise_512", "noise_8", times=0.25),
        at_least("fixed_loss_512", "fixed_loss_8", times=4),
        at_most("scaled_loss_512", "fixed_loss_512", times=0.5),
    ),
    parameters=Settings,
    metrics=tuple(
        MetricInfo(
            name=f"{measure}_{size}",
            title=Text(zh=f"批 {size}：{what.zh}", en=f"batch {size}: {what.en}"),
            unit=unit,
        )
        for measure, (what, unit) in _MEASURES.items()
        for size in _SIZES
    ),
    run=run,
    limit_s=300,
)
