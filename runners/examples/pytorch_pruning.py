"""Pruning by magnitude (Han et al., 2015): how many weights can go, and what tuning mends."""

from typing import Annotated, Any

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_least
from runners.figures import curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text


class Settings(Parameters):
    """What a learner may change."""

    sparsity: Annotated[
        float,
        Field(ge=0.1, le=0.99),
        Says("结果表里剪掉多少权重", "share of weights cut that the results tell of"),
    ] = 0.9
    hidden: Annotated[
        int, Field(ge=16, le=1024), Says("每个隐藏层的神经元数", "units in each hidden layer")
    ] = 512
    epochs: Annotated[int, Field(ge=1, le=50), Says("剪之前训练几轮", "epochs before pruning")] = 40
    tuning_epochs: Annotated[
        int, Field(ge=1, le=20), Says("剪完再训练几轮", "epochs of fine-tuning after it")
    ] = 3


def run(context: Context, parameters: Settings) -> None:
    """Prune one trained network to several sparsities, by magnitude and at random."""
    import copy
    import io
    import itertools

    import torch
    from torch import nn
    from torch.nn.utils import prune

    device = "cuda" if torch.cuda.is_available() else "cpu"
    split = load_split("digits", context.datasets, side=28, seed=parameters.seed)
    (x, y), _, test = (
        (torch.tensor(part.images).flatten(1).to(device), torch.tensor(part.labels).to(device))
        for part in split
    )
    levels = sorted({0.5, 0.7, 0.8, 0.9, 0.95, 0.98, parameters.sparsity})
    methods = {"magnitude": prune.L1Unstructured, "random": prune.RandomUnstructured}
    total = parameters.epochs + len(levels) * len(methods) * parameters.tuning_epochs
    epoch, width = itertools.count(1), parameters.hidden

    def train(model: nn.Module, epochs: int) -> None:
        torch.manual_seed(parameters.seed)
        optimizer = torch.optim.Adam(model.parameters())
        for _ in range(epochs):
            for batch in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
                optimizer.step()
            context.progress(next(epoch), total)

    def accuracy(model: nn.Module) -> float:
        with torch.inference_mode():
            return (model(test[0]).argmax(1) == test[1]).float().mean().item()

    def file_kb(model: nn.Module) -> float:
        torch.save(model.state_dict(), file := io.BytesIO())
        return len(file.getvalue()) / 1000

    torch.manual_seed(parameters.seed)
    dense = nn.Sequential(
        nn.Linear(784, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10)
    ).to(device)
    train(dense, parameters.epochs)
    whole, whole_size = accuracy(dense), file_kb(dense)
    context.metric(dense_accuracy=whole, dense_file=whole_size)

    accuracies: dict[str, list[float]] = {
        f"{name}_{moment}": [] for moment in ("before", "after") for name in methods
    }
    for step, level in enumerate(levels, 1):
        for name, method in methods.items():
            model = copy.deepcopy(dense)
            linear = [part for part in model if isinstance(part, nn.Linear)]
            prune.global_unstructured(
                [(part, "weight") for part in linear], pruning_method=method, amount=level
            )
            told: dict[str, Any] = {f"{name}_before": accuracy(model)}
            train(model, parameters.tuning_epochs)  # the masks keep what was cut at zero
            told[f"{name}_after"] = accuracy(model)
            for part in linear:
                prune.remove(part, "weight")  # no mask any more, the zeros are in the weights
            for measured, value in told.items():
                accuracies[measured].append(value)
            context.metric(step=step, **told)
            if level == parameters.sparsity:
                zeros = torch.cat([part.weight.flatten() == 0 for part in linear])
                size = file_kb(model)
                context.metric(**told, zeros=zeros.float().mean().item(), pruned_file=size)

    with new_figure("剪掉多少还认得出 how much can go?") as (figure, (axes,)):
        curves(
            axes,
            "测试准确率：实线再训练后，虚线刚剪完 accuracy: solid fine-tuned, dashed just cut",
            {_LABELS[name]: accuracies[f"{name}_after"] for name in methods},
            dashed={f"_{name}": accuracies[f"{name}_before"] for name in methods},
            x="剪掉的权重 weights cut, %",
        )
        axes.set_xticks(range(1, len(levels) + 1), [f"{100 * level:.4g}" for level in levels])
    at = levels.index(parameters.sparsity)
    ends = {name: f"{values[at]:.1%}" for name, values in accuracies.items()}
    context.figure(
        "accuracy",
        figure,
        title=Text(zh="剪枝比例与准确率", en="Sparsity and accuracy"),
        alt=Text(
            zh=f"不剪时测试准确率 {whole:.1%}。剪掉 {parameters.sparsity:.1%} 的权重："
            f"按大小剪，刚剪完 {ends['magnitude_before']}，再训练后 {ends['magnitude_after']}；"
            f"随机剪，刚剪完 {ends['random_before']}，再训练后 {ends['random_after']}。"
            f"文件从 {whole_size:.0f} kB 变成 {size:.0f} kB：零也照样占地方。",
            en=f"Whole, the network reads {whole:.1%} of the test pictures. With "
            f"{parameters.sparsity:.1%} of the weights cut: by magnitude "
            f"{ends['magnitude_before']} at first and {ends['magnitude_after']} once fine-tuned, "
            f"at random {ends['random_before']} and {ends['random_after']}. The file goes from "
            f"{whole_size:.0f} kB to {size:.0f} kB: zeros take up room as well.",
        ),
    )


_LABELS = {"magnitude": "按大小 magnitude", "random": "随机 random"}
_METHODS = {
    "magnitude": Text(zh="按大小剪", en="by magnitude"),
    "random": Text(zh="随机剪", en="at random"),
}
_MOMENTS = {
    "after": Text(zh="再训练后准确率", en="accuracy once fine-tuned"),
    "before": Text(zh="刚剪完准确率", en="accuracy just after the cut"),
}

EXAMPLE = Example(
    id="pytorch-pruning",
    framework=Framework.PYTORCH,
    title=Text(zh="模型剪枝：剪掉九成权重还行不行", en="Pruning: nine weights in ten away"),
    look_at=Text(
        zh="看两条实线：按大小剪，剪到九成再训练一会儿还几乎不掉；随机剪，早早就掉下来。"
        "再看文件大小，一点没变：非结构化剪枝只留下零。",
        en="Look at the solid lines: cut by magnitude and fine-tuned, nine weights in ten are "
        "hardly missed; cut at random, they are missed early. Then look at the size of the file, "
        "which stays: unstructured pruning leaves only zeros.",
    ),
    compares=Text(
        zh="按大小剪与随机剪，再训练前后", en="by magnitude or at random, before and after tuning"
    ),
    claims=(
        at_least("magnitude_after", "dense_accuracy", plus=-0.03),
        at_least("magnitude_after", "random_after", plus=0.03),
        at_least("pruned_file", "dense_file", times=0.95),
    ),
    parameters=Settings,
    metrics=(
        MetricInfo(name="dense_accuracy", title=Text(zh="不剪的准确率", en="accuracy when whole")),
        *(
            MetricInfo(
                name=f"{method}_{moment}",
                title=Text(zh=f"{how.zh}：{when.zh}", en=f"{how.en}: {when.en}"),
            )
            for moment, when in _MOMENTS.items()
            for method, how in _METHODS.items()
        ),
        MetricInfo(name="zeros", title=Text(zh="零占权重的比例", en="share of zero weights")),
        MetricInfo(
            name="dense_file", title=Text(zh="不剪的文件大小", en="file when whole"), unit="kB"
        ),
        MetricInfo(
            name="pruned_file", title=Text(zh="剪后的文件大小", en="file when pruned"), unit="kB"
        ),
    ),
    run=run,
    limit_s=300,
    lower=("hidden",),
)
