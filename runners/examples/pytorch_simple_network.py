"""A two-layer classifier of handwritten digits in PyTorch, with its training loop written out.

The twin of the TensorFlow example: same network, pictures and parameters. Only the first weights
differ, for each framework draws them in its own way.
"""

from typing import Annotated

from pydantic import Field

from runners.datasets import Source, load_split
from runners.example import Context, Example, Parameters, Says, at_least
from runners.figures import curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text


class Settings(Parameters):
    """What a learner may change."""

    epochs: Annotated[int, Field(ge=1, le=200), Says("训练轮数", "passes over the data")] = 60
    batch_size: Annotated[
        int, Field(ge=8, le=512), Says("每步的图片数", "pictures in one step")
    ] = 16
    learning_rate: Annotated[
        float, Field(ge=0.00001, le=0.1), Says("Adam 的学习率", "learning rate of Adam")
    ] = 0.001
    hidden: Annotated[
        int, Field(ge=4, le=1024), Says("隐藏层的神经元数", "units in the hidden layer")
    ] = 128
    data: Annotated[
        Source,
        Says(
            "图片来源；mnist 需要运行器上有 mnist.npz",
            "which pictures; mnist needs mnist.npz on the runner",
        ),
    ] = "digits"


def run(context: Context, parameters: Settings) -> None:
    """Train 784 → 128 ReLU → 10 scores with Adam and cross-entropy, step by step."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    torch.manual_seed(parameters.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    # A picture's 28 × 28 pixels become 784 inputs; labels stay numbers from 0 to 9.
    split = load_split(parameters.data, context.datasets, side=28, seed=parameters.seed)
    train, validation, test = (
        TensorDataset(torch.from_numpy(part.images).flatten(1), torch.from_numpy(part.labels))
        for part in split
    )

    model = nn.Sequential(
        nn.Linear(784, parameters.hidden), nn.ReLU(), nn.Linear(parameters.hidden, 10)
    ).to(device)
    criterion = nn.CrossEntropyLoss()  # it has the softmax in it, so the model ends without
    optimizer = torch.optim.Adam(model.parameters(), lr=parameters.learning_rate)

    def evaluate(dataset: TensorDataset) -> tuple[float, float]:
        """Mean loss and accuracy; nothing is learnt."""
        model.eval()
        total_loss, right = 0.0, 0
        with torch.inference_mode():
            for batch in DataLoader(dataset, batch_size=256):
                x, y = (part.to(device) for part in batch)
                scores = model(x)
                total_loss += criterion(scores, y).item() * len(y)
                right += int((scores.argmax(1) == y).sum())
        return total_loss / len(dataset), right / len(dataset)

    batches = DataLoader(train, parameters.batch_size, shuffle=True)
    names = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    history: dict[str, list[float]] = {name: [] for name in names}
    done = 0
    for epoch in range(1, parameters.epochs + 1):
        model.train()
        total_loss, right = 0.0, 0
        for batch in batches:
            x, y = (part.to(device) for part in batch)
            optimizer.zero_grad()
            scores = model(x)
            loss = criterion(scores, y)
            loss.backward()  # fills each weight's .grad; no weight has moved yet
            optimizer.step()
            total_loss += loss.item() * len(y)  # the last batch is smaller and weighs less
            right += int((scores.argmax(1) == y).sum())
            done += 1
            context.progress(done, len(batches) * parameters.epochs)
        values = (total_loss / len(train), right / len(train), *evaluate(validation))
        context.metric(step=epoch, **dict(zip(names, values, strict=True)))
        for name, value in zip(names, values, strict=True):
            history[name].append(value)

    test_loss, test_accuracy = evaluate(test)
    count = sum(each.numel() for each in model.parameters())
    context.metric(test_loss=test_loss, test_accuracy=test_accuracy, parameters=count)

    train_name, validation_name = "训练 train", "验证 validation"
    with new_figure("两层网络认数字 two layers read digits", panels=2) as (figure, axes):
        for each, what, title in zip(
            axes, ("loss", "accuracy"), ("损失 loss", "准确率 accuracy"), strict=True
        ):
            lines = {
                train_name: history[f"train_{what}"],
                validation_name: history[f"validation_{what}"],
            }
            curves(each, title, lines)
    first, last = history["validation_loss"][0], history["validation_loss"][-1]
    context.figure(
        "curves",
        figure,
        title=Text(zh="损失与准确率", en="Loss and accuracy"),
        alt=Text(
            zh=f"{parameters.epochs} 轮训练中验证损失从 {first:.2f} 变到 {last:.2f}，"
            f"测试集准确率最后是 {test_accuracy:.1%}。",
            en=f"Over {parameters.epochs} epochs the validation loss goes from {first:.2f} to "
            f"{last:.2f}; in the end {test_accuracy:.1%} of the test pictures are read right.",
        ),
    )


EXAMPLE = Example(
    id="pytorch-simple-network",
    framework=Framework.PYTORCH,
    title=Text(zh="PyTorch 两层网络识别手写数字", en="A two-layer PyTorch network"),
    look_at=Text(
        zh="看两条损失曲线一起降到第几轮，往后只有训练的那条还在降；代码里没有 fit，"
        "清梯度、前向、损失、反向、更新这五步都写在循环里。",
        en="See until which epoch both loss curves fall; from there on only the training one does. "
        "There is no fit in the code: clear the gradients, forward, loss, backward and step all "
        "stand in the loop.",
    ),
    claims=(at_least("test_accuracy", 0.9),),
    parameters=Settings,
    metrics=(
        MetricInfo(name="train_loss", title=Text(zh="训练损失", en="training loss")),
        MetricInfo(name="train_accuracy", title=Text(zh="训练准确率", en="training accuracy")),
        MetricInfo(name="validation_loss", title=Text(zh="验证损失", en="validation loss")),
        MetricInfo(
            name="validation_accuracy", title=Text(zh="验证准确率", en="validation accuracy")
        ),
        MetricInfo(name="test_loss", title=Text(zh="测试损失", en="test loss")),
        MetricInfo(name="test_accuracy", title=Text(zh="测试准确率", en="test accuracy")),
        MetricInfo(name="parameters", title=Text(zh="参数量", en="parameters")),
    ),
    run=run,
    limit_s=300,
    lower=("batch_size", "hidden"),
)
