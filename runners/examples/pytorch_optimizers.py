"""SGD, momentum, Adam and AdamW from the same start over the same batches.

Momentum: Polyak, 1964. Adam: Kingma and Ba, 2015. AdamW: Loshchilov and Hutter, 2019.
"""

from typing import Annotated

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_least
from runners.figures import bars, curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text


class Settings(Parameters):
    """What a learner may change."""

    epochs: Annotated[int, Field(ge=1, le=50), Says("训练轮数", "passes over the data")] = 8
    batch_size: Annotated[
        int,
        Field(ge=4, le=1200),
        Says(
            "每步的图片数；1200 就是全部一起，即梯度下降",
            "pictures in one step; 1200 is all of them, which is gradient descent",
        ),
    ] = 32
    sgd_rate: Annotated[
        float,
        Field(ge=0.0001, le=1),
        Says("SGD 和动量的学习率", "learning rate of SGD and momentum"),
    ] = 0.01
    momentum: Annotated[
        float, Field(ge=0, le=0.99), Says("动量系数 β", "coefficient β of momentum")
    ] = 0.9
    adam_rate: Annotated[
        float,
        Field(ge=0.00001, le=1),
        Says("Adam 和 AdamW 的学习率", "learning rate of Adam and AdamW"),
    ] = 0.001
    weight_decay: Annotated[
        float, Field(ge=0, le=1), Says("AdamW 的权重衰减", "weight decay of AdamW")
    ] = 0.1


def run(context: Context, parameters: Settings) -> None:
    """Train four copies of one network, which differ in their optimizer and in nothing else."""
    import copy

    import torch
    from torch import nn

    torch.manual_seed(parameters.seed)
    torch.backends.cudnn.deterministic = True
    device = "cuda" if torch.cuda.is_available() else "cpu"
    split = load_split("digits", context.datasets, side=28, seed=parameters.seed)
    (x, y), (test_x, test_y) = (
        (torch.from_numpy(images)[:, None].to(device), torch.from_numpy(labels).to(device))
        for images, labels in (split.train, split.test)
    )
    start = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 10),
    ).to(device)
    criterion = nn.CrossEntropyLoss()

    models = {name: copy.deepcopy(start) for name in _NAMES}
    sgd_rate, adam_rate = parameters.sgd_rate, parameters.adam_rate
    optimizers = {
        "sgd": torch.optim.SGD(models["sgd"].parameters(), lr=sgd_rate),
        "momentum": torch.optim.SGD(
            models["momentum"].parameters(), lr=sgd_rate, momentum=parameters.momentum
        ),
        "adam": torch.optim.Adam(models["adam"].parameters(), lr=adam_rate),
        "adamw": torch.optim.AdamW(
            models["adamw"].parameters(), lr=adam_rate, weight_decay=parameters.weight_decay
        ),
    }

    losses: dict[str, list[float]] = {name: [] for name in models}
    accuracy: dict[str, float] = {}
    for number, (name, model) in enumerate(models.items()):
        optimizer = optimizers[name]
        order = torch.Generator().manual_seed(parameters.seed)  # the same batches for all
        for epoch in range(1, parameters.epochs + 1):
            total = 0.0
            shuffled = torch.randperm(len(x), generator=order).to(device)
            for batch in shuffled.split(parameters.batch_size):
                optimizer.zero_grad()
                loss = criterion(model(x[batch]), y[batch])
                loss.backward()
                optimizer.step()  # all that differs: what is made of the gradients
                total += loss.item() * len(batch)
            losses[name].append(total / len(x))
            context.metric(step=epoch, **{f"{name}_train_loss": losses[name][-1]})
            context.progress(number * parameters.epochs + epoch, len(models) * parameters.epochs)
        with torch.inference_mode():
            accuracy[name] = (model(test_x).argmax(1) == test_y).float().mean().item()
        # What it keeps between steps: nothing, a velocity, or m and v for each weight.
        kept = [each for state in optimizer.state.values() for each in state.values()]
        numbers = sum(each.numel() for each in kept if torch.is_tensor(each) and each.dim() > 0)
        count = sum(weight.numel() for weight in model.parameters())
        values = {f"{name}_test_accuracy": accuracy[name], f"{name}_kept": numbers / count}
        context.metric(None, **values)
    for name in ("adam", "adamw"):  # AdamW alone pulls its weights towards 0
        weights = nn.utils.parameters_to_vector(models[name].parameters())
        context.metric(None, **{f"{name}_weight_norm": weights.norm().item()})

    with new_figure("同一个起点，四种优化器 four optimizers", panels=2) as (figure, (left, right)):
        lines = {_NAMES[name]: each for name, each in losses.items()}
        curves(left, "训练损失 training loss", lines)
        left.set_yscale("log")
        percent = {_NAMES[name]: 100 * each for name, each in accuracy.items()}
        bars(right, "测试准确率 test accuracy, %", percent, "{:.1f}")
    ends = {name: f"{losses[name][-1]:.4f}" for name in losses}
    context.figure(
        "losses",
        figure,
        title=Text(zh="四种优化器的损失与准确率", en="Loss and accuracy of four optimizers"),
        alt=Text(
            zh=f"{parameters.epochs} 轮后的训练损失和测试准确率："
            + "；".join(f"{_NAMES[name]} {ends[name]}、{accuracy[name]:.1%}" for name in ends)
            + "。",
            en=f"Training loss and test accuracy after {parameters.epochs} epochs: "
            + "; ".join(f"{_NAMES[name]} {ends[name]}, {accuracy[name]:.1%}" for name in ends)
            + ".",
        ),
    )


_NAMES = {"sgd": "SGD", "momentum": "Momentum", "adam": "Adam", "adamw": "AdamW"}
_MEASURES = {
    "test_accuracy": Text(zh="测试准确率", en="test accuracy"),
    "kept": Text(zh="每参数多存", en="kept a weight"),
    "train_loss": Text(zh="训练损失", en="training loss"),
}

EXAMPLE = Example(
    id="pytorch-optimizers",
    framework=Framework.PYTORCH,
    title=Text(zh="SGD、动量、Adam、AdamW 同台比", en="SGD, momentum, Adam and AdamW side by side"),
    look_at=Text(
        zh="看动量和 Adam 比 SGD 早几轮把损失降到同样的高度，而每个参数又要多存几个数。"
        "再用 sgd_rate=0.1 跑一次：SGD 赶上来了，因为动量 0.9 会把步子放大到约十倍。",
        en="See how many epochs sooner momentum and Adam bring the loss down to where SGD ends, "
        "and how many more numbers each keeps for a weight. Then run sgd_rate=0.1: SGD catches "
        "up, for a momentum of 0.9 makes the steps about ten times longer.",
    ),
    compares=Text(zh="SGD、动量、Adam、AdamW", en="SGD, momentum, Adam, AdamW"),
    claims=(
        at_least("momentum_test_accuracy", "sgd_test_accuracy", plus=0.02),
        at_least("adam_test_accuracy", "sgd_test_accuracy", plus=0.02),
    ),
    parameters=Settings,
    metrics=(
        *(
            MetricInfo(
                name=f"{optimizer}_{measure}",
                title=Text(zh=f"{name}：{what.zh}", en=f"{name}: {what.en}"),
            )
            for measure, what in _MEASURES.items()
            for optimizer, name in _NAMES.items()
        ),
        *(
            MetricInfo(
                name=f"{optimizer}_weight_norm",
                title=Text(zh=f"{name}：权重长度", en=f"{name}: norm of the weights"),
            )
            for optimizer, name in (("adam", "Adam"), ("adamw", "AdamW"))
        ),
    ),
    run=run,
    limit_s=300,
    lower=("batch_size",),
)
