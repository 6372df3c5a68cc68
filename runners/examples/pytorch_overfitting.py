"""Overfitting, and what dropout and early stopping do about it, in PyTorch.

The twin of the TensorFlow example: same network, pictures, wrong labels and parameters. Only the
first weights differ, for each framework draws them in its own way.
"""

from typing import Annotated

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_most
from runners.figures import curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text


class Settings(Parameters):
    """What a learner may change."""

    examples: Annotated[
        int, Field(ge=20, le=1000), Says("训练图片的张数", "pictures to learn from")
    ] = 100
    epochs: Annotated[int, Field(ge=2, le=300), Says("最多训练几轮", "passes at most")] = 120
    hidden: Annotated[
        int, Field(ge=8, le=1024), Says("每个隐藏层的神经元数", "units in each hidden layer")
    ] = 512
    dropout: Annotated[
        float, Field(ge=0, le=0.9), Says("Dropout 丢掉的比例", "share that dropout drops")
    ] = 0.5
    noise: Annotated[
        float, Field(ge=0, le=0.8), Says("标错的训练标签比例", "share of wrong training labels")
    ] = 0.2
    patience: Annotated[
        int, Field(ge=1, le=50), Says("几轮没有进步就停", "epochs without progress before stopping")
    ] = 5


def run(context: Context, parameters: Settings) -> None:
    """Train one network three ways on few pictures: bare, with dropout, and stopping early."""
    import numpy as np
    import torch
    from torch import nn

    device = "cuda" if torch.cuda.is_available() else "cpu"
    split = load_split("digits", context.datasets, side=28, seed=parameters.seed)
    random = np.random.default_rng(parameters.seed)
    few = split.train.few(parameters.examples // 10)
    # Some labels are wrong, as people's are: only a network that memorises can learn those.
    wrong = random.random(len(few.labels)) < parameters.noise
    labels = np.where(wrong, random.integers(0, 10, len(wrong)), few.labels)
    (x, y), validation, test = (
        (torch.from_numpy(images).flatten(1).to(device), torch.from_numpy(answers).to(device))
        for images, answers in ((few.images, labels), split.validation, split.test)
    )
    criterion = nn.CrossEntropyLoss()

    def build(dropout: float) -> nn.Sequential:
        torch.manual_seed(parameters.seed)  # the same first weights for all three
        return nn.Sequential(
            nn.Linear(784, parameters.hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(parameters.hidden, parameters.hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(parameters.hidden, 10),
        ).to(device)

    def evaluate(model: nn.Module, part: tuple[torch.Tensor, torch.Tensor]) -> tuple[float, float]:
        model.eval()  # now dropout lets everything through
        with torch.inference_mode():
            scores = model(part[0])
            right = scores.argmax(1) == part[1]
            return criterion(scores, part[1]).item(), right.float().mean().item()

    variants = {
        "bare": (0.0, parameters.epochs),  # patient to the end: it never stops
        "dropout": (parameters.dropout, parameters.epochs),
        "early_stopping": (parameters.dropout, parameters.patience),
    }
    train_loss: dict[str, list[float]] = {name: [] for name in variants}
    validation_loss: dict[str, list[float]] = {name: [] for name in variants}
    accuracy: dict[str, float] = {}
    total = len(variants) * parameters.epochs
    for number, (name, (dropout, patience)) in enumerate(variants.items()):
        model, losses, best_weights = build(dropout), validation_loss[name], {}
        optimizer = torch.optim.Adam(model.parameters())
        order = torch.Generator().manual_seed(parameters.seed)  # the same batches for all three
        for epoch in range(1, parameters.epochs + 1):
            model.train()
            epoch_loss = 0.0
            for batch in torch.randperm(len(x), generator=order).to(device).split(20):
                optimizer.zero_grad()
                loss = criterion(model(x[batch]), y[batch])
                loss.backward()
                optimizer.step()
                epoch_loss += loss.item() * len(batch) / len(x)
            train_loss[name].append(epoch_loss)
            losses.append(evaluate(model, validation)[0])
            context.progress(number * parameters.epochs + epoch, total)
            context.metric(step=epoch, **{f"{name}_validation_loss": losses[-1]})
            best_epoch = losses.index(min(losses)) + 1
            if epoch == best_epoch:  # a copy, for the weights themselves train on
                best_weights = {key: each.clone() for key, each in model.state_dict().items()}
            elif epoch - best_epoch == patience:
                break
        if name == "early_stopping":
            model.load_state_dict(best_weights)
        # Whoever stopped early is through as well.
        context.progress((number + 1) * parameters.epochs, total)
        test_loss, accuracy[name] = evaluate(model, test)
        context.metric(
            None, **{f"{name}_test_accuracy": accuracy[name], f"{name}_test_loss": test_loss}
        )
    context.metric(epochs_until_stop=len(train_loss["early_stopping"]))
    draw(context, len(x), train_loss, validation_loss, accuracy)


def draw(
    context: Context,
    count: int,
    train_loss: dict[str, list[float]],
    validation_loss: dict[str, list[float]],
    accuracy: dict[str, float],
) -> None:
    """The six curves of loss, and what they show in words."""
    shown = {"bare": "不加 bare", "dropout": "Dropout", "early_stopping": "Dropout + 早停 stop"}
    with new_figure(f"{count} 张图片，谁在背题 who memorises?") as (figure, (axes,)):
        curves(
            axes,
            "损失：实线验证，虚线训练 loss: solid validation, dashed training",
            {shown[name]: values for name, values in validation_loss.items()},
            dashed={f"{shown[name]} 训练 train": values for name, values in train_loss.items()},
        )
    best, last = min(validation_loss["bare"]), validation_loss["bare"][-1]
    turn, stopped = validation_loss["bare"].index(best) + 1, len(train_loss["early_stopping"])
    context.figure(
        "curves",
        figure,
        title=Text(zh="三种训练的损失曲线", en="Loss curves of the three trainings"),
        alt=Text(
            zh=f"不加任何办法时验证损失第 {turn} 轮最低，是 {best:.2f}，最后是 {last:.2f}；"
            f"早停在第 {stopped} 轮停下。测试准确率：不加 {accuracy['bare']:.1%}，"
            f"Dropout {accuracy['dropout']:.1%}，加早停 {accuracy['early_stopping']:.1%}。",
            en=f"Bare, the validation loss is lowest at epoch {turn}, {best:.2f}, and {last:.2f} "
            f"in the end; early stopping stops at epoch {stopped}. Test accuracy: bare "
            f"{accuracy['bare']:.1%}, dropout {accuracy['dropout']:.1%}, with early stopping "
            f"{accuracy['early_stopping']:.1%}.",
        ),
    )


_VARIANTS = {
    "bare": Text(zh="不加", en="bare"),
    "dropout": Text(zh="Dropout", en="dropout"),
    "early_stopping": Text(zh="早停", en="stopping"),
}
_MEASURES = {
    "test_accuracy": Text(zh="测试准确率", en="test accuracy"),
    "test_loss": Text(zh="测试损失", en="test loss"),
    "validation_loss": Text(zh="验证损失", en="validation loss"),
}

EXAMPLE = Example(
    id="pytorch-overfitting",
    framework=Framework.PYTORCH,
    title=Text(zh="看着 PyTorch 模型背题：过拟合与对策", en="Watch a PyTorch network overfit"),
    look_at=Text(
        zh="找实线（验证）从哪一轮开始回升：从那里起就是在背题。再看 Dropout 和早停把它压到多低。",
        en="Find the epoch where a solid line (validation) turns up: from there on it is "
        "memorising. Then see how far dropout and early stopping hold it down.",
    ),
    compares=Text(zh="不加办法、Dropout、Dropout 加早停", en="bare, dropout, dropout and stopping"),
    claims=(
        at_most("early_stopping_test_loss", "bare_test_loss", times=0.8),
        at_most("early_stopping_test_loss", "dropout_test_loss", times=0.9),
    ),
    parameters=Settings,
    metrics=(
        *(
            MetricInfo(
                name=f"{variant}_{measure}",
                title=Text(zh=f"{who.zh}：{what.zh}", en=f"{who.en}: {what.en}"),
            )
            for measure, what in _MEASURES.items()
            for variant, who in _VARIANTS.items()
        ),
        MetricInfo(
            name="epochs_until_stop", title=Text(zh="早停前的轮数", en="epochs until the stop")
        ),
    ),
    run=run,
    limit_s=300,
    lower=("hidden", "examples"),
)
