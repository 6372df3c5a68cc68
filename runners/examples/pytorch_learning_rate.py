"""One network, learning rates from much too small to much too large."""

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_least, at_most
from runners.figures import curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text


class Settings(Parameters):
    """What a learner may change."""

    optimizer: Annotated[
        Literal["sgd", "adamw"],
        Says("优化器；换成 adamw，最好的学习率会小得多", "with adamw the best rate is far smaller"),
    ] = "sgd"
    lowest: Annotated[
        float, Field(ge=0.000001, le=0.01), Says("最小的学习率", "the smallest rate")
    ] = 0.0001
    highest: Annotated[float, Field(ge=0.1, le=100), Says("最大的学习率", "the largest rate")] = 10
    rates: Annotated[
        int,
        Field(ge=3, le=6),
        Says(
            "试几个学习率，后一个总是前一个的同样倍数",
            "how many rates, evenly spaced in their logarithm",
        ),
    ] = 6
    epochs: Annotated[
        int, Field(ge=1, le=50), Says("每个学习率训练几轮", "passes over the data with each rate")
    ] = 30
    batch_size: Annotated[
        int, Field(ge=4, le=1200), Says("每步的图片数", "pictures in one step")
    ] = 32
    hidden: Annotated[
        int, Field(ge=8, le=1024), Says("隐藏层的神经元数", "units in the hidden layer")
    ] = 128


def run(context: Context, parameters: Settings) -> None:
    """Train copies of one network over the same batches, each at its own learning rate."""
    import copy

    import numpy as np
    import torch
    from torch import nn

    torch.manual_seed(parameters.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    split = load_split("digits", context.datasets, side=28, seed=parameters.seed)
    (x, y), (test_x, test_y) = (
        (torch.from_numpy(images).flatten(1).to(device), torch.from_numpy(labels).to(device))
        for images, labels in (split.train, split.test)
    )
    start = nn.Sequential(
        nn.Linear(784, parameters.hidden), nn.ReLU(), nn.Linear(parameters.hidden, 10)
    ).to(device)
    criterion = nn.CrossEntropyLoss()
    with torch.inference_mode():
        start_loss = criterion(start(x), y).item()

    # The same factor from one rate to the next: 0.001, 0.002, 0.003 would try next to nothing.
    rates = np.geomspace(parameters.lowest, parameters.highest, parameters.rates).tolist()
    optimizers = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}
    trials: dict[float, Trial] = {}
    for number, rate in enumerate(rates, 1):
        model = copy.deepcopy(start)
        optimizer = optimizers[parameters.optimizer](model.parameters(), lr=rate)
        order = torch.Generator().manual_seed(parameters.seed)  # the same batches for all
        losses: list[float] = []
        highest = 0.0
        for epoch in range(1, parameters.epochs + 1):
            total = 0.0
            shuffled = torch.randperm(len(x), generator=order).to(device)
            for batch in shuffled.split(parameters.batch_size):
                optimizer.zero_grad()
                loss = criterion(model(x[batch]), y[batch])
                loss.backward()
                optimizer.step()
                value = min(_CEILING, loss.item())  # so is what is no number any more
                total += value * len(batch)
                highest = max(highest, value)
            losses.append(total / len(x))
            done = (number - 1) * parameters.epochs + epoch
            context.progress(done, len(rates) * parameters.epochs)
        with torch.inference_mode():
            accuracy = (model(test_x).argmax(1) == test_y).float().mean().item()
        trials[rate] = Trial(losses, highest, accuracy)
        context.metric(
            step=number,
            learning_rate=rate,
            final_loss=losses[-1],
            highest_loss=highest,
            test_accuracy=accuracy,
        )

    best = min(trials, key=lambda rate: trials[rate].losses[-1])
    context.metric(
        start_loss=start_loss,
        best_learning_rate=best,
        best_loss=trials[best].losses[-1],
        best_test_accuracy=trials[best].accuracy,
        smallest_rate_loss=trials[rates[0]].losses[-1],
        largest_rate_loss=trials[rates[-1]].losses[-1],
        diverged=len(sort_out(trials, start_loss)["diverging"]),
    )
    draw(context, trials, start_loss)


class Trial(NamedTuple):
    """What came of one rate: the mean loss of each epoch, the highest of a batch, the outcome."""

    losses: list[float]
    highest: float
    accuracy: float


def sort_out(trials: Mapping[float, Trial], start_loss: float) -> dict[str, list[float]]:
    """Which rates are too small, good, too large, and so large that the loss shot up."""
    final = {rate: trial.losses[-1] for rate, trial in trials.items()}
    best = min(final, key=lambda rate: final[rate])
    groups: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    for rate, loss in final.items():
        if loss <= _AS_GOOD * final[best]:
            kind = "good"
        elif rate < best:
            kind = "small"
        else:
            kind = "diverging" if trials[rate].highest > _SHOT_UP * start_loss else "large"
        groups[kind].append(rate)
    return groups


def draw(context: Context, trials: Mapping[float, Trial], start_loss: float) -> None:
    """The final loss against the rate, the way there, and both in words."""
    final = {rate: trial.losses[-1] for rate, trial in trials.items()}
    groups = sort_out(trials, start_loss)
    with new_figure("学习率差十倍 ten times the rate", panels=2) as (figure, (left, right)):
        left.plot(list(final), list(final.values()), color=_GREY, zorder=1)
        for kind, (colour, marker, name) in _KINDS.items():
            rates = groups[kind]
            if rates:
                heights = [final[rate] for rate in rates]
                label = f"{name.zh} {name.en}"
                left.scatter(rates, heights, 90, colour, marker=marker, label=label, zorder=2)
        left.axhline(start_loss, color=_GREY, linestyle=":", label="没训练时 untrained")
        left.set_xscale("log")
        left.set_yscale("log")
        left.set_ylim(min(final.values()) / 6)  # room for the legend
        left.set_xlabel("学习率 learning rate")
        left.set_title("最后的训练损失 final training loss")
        lines = {f"{rate:.3g}": trial.losses for rate, trial in trials.items()}
        curves(right, "逐轮 epoch by epoch", lines)
        right.set_yscale("log")
    ends = [f"{rate:.3g} → {loss:.3g}" for rate, loss in final.items()]
    top = max(trials.values(), key=lambda trial: trial.highest).highest
    zh, en = (
        [
            f"{_KINDS[kind].name.text(language)} {', '.join(f'{rate:.3g}' for rate in rates)}"
            for kind, rates in groups.items()
            if rates
        ]
        for language in ("zh", "en")
    )
    context.figure(
        "rates",
        figure,
        title=Text(zh="最后的损失与学习率", en="Final loss against learning rate"),
        alt=Text(
            zh=f"没训练时损失 {start_loss:.3g}；各学习率最后的训练损失：{'，'.join(ends)}。"
            f"{'；'.join(zh)}。途中单批损失最高冲到 {top:.3g}。",
            en=f"Untrained, the loss is {start_loss:.3g}; final training loss of each rate: "
            f"{', '.join(ends)}. Sorted: {'; '.join(en)}. On the way the loss of a batch went up "
            f"to {top:.3g}.",
        ),
    )


class _Kind(NamedTuple):
    colour: str
    marker: str
    name: Text


_KINDS = {
    "small": _Kind("#0072b2", "v", Text(zh="太小", en="too small")),
    "good": _Kind("#009e73", "o", Text(zh="合适", en="good")),
    "large": _Kind("#e69f00", "^", Text(zh="太大", en="too large")),
    "diverging": _Kind("#d55e00", "X", Text(zh="发散", en="diverging")),
}
_GREY = "#8a8f98"
_AS_GOOD = 2.0
"""A loss of up to so many times the best is good as well."""
_SHOT_UP = 2.0
"""A batch's loss of more than so many times the untrained network's has shot up."""
_CEILING = 1e9
"""What a higher loss counts as."""

EXAMPLE = Example(
    id="pytorch-learning-rate",
    framework=Framework.PYTORCH,
    title=Text(zh="学习率扫一遍：太小、合适、发散", en="A sweep of learning rates"),
    look_at=Text(
        zh="左图找谷底：往左每小十倍，同样的轮数里学到的就更少；往右大十倍，损失先冲上去，"
        "之后跟没训练差不多。再用 optimizer=adamw 跑一次，看谷底往左挪了多少。",
        en="Find the valley on the left: with smaller rates less is learnt in the same time, and "
        "with larger ones the loss shoots up and ends where the untrained network was. Then run "
        "optimizer=adamw and see how far the valley moves.",
    ),
    compares=Text(zh="几个学习率，其余全同", en="learning rates, all else equal"),
    claims=(
        at_most("best_loss", "smallest_rate_loss", times=0.5),
        at_least("largest_rate_loss", "start_loss", times=0.9),
    ),
    parameters=Settings,
    metrics=(
        MetricInfo(name="best_learning_rate", title=Text(zh="最好的学习率", en="best rate")),
        MetricInfo(name="best_loss", title=Text(zh="它最后的损失", en="its final loss")),
        MetricInfo(
            name="best_test_accuracy", title=Text(zh="它的测试准确率", en="its test accuracy")
        ),
        MetricInfo(name="start_loss", title=Text(zh="没训练时的损失", en="untrained loss")),
        MetricInfo(
            name="smallest_rate_loss", title=Text(zh="最小学习率的损失", en="loss, smallest rate")
        ),
        MetricInfo(
            name="largest_rate_loss", title=Text(zh="最大学习率的损失", en="loss, largest rate")
        ),
        MetricInfo(name="diverged", title=Text(zh="发散的个数", en="rates that diverged")),
        MetricInfo(name="learning_rate", title=Text(zh="学习率", en="learning rate")),
        MetricInfo(name="final_loss", title=Text(zh="最后的训练损失", en="final training loss")),
        MetricInfo(
            name="highest_loss", title=Text(zh="单批最高的损失", en="highest loss of a batch")
        ),
        MetricInfo(name="test_accuracy", title=Text(zh="测试准确率", en="test accuracy")),
    ),
    run=run,
    limit_s=300,
)
