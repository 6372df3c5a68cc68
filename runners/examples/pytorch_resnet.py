"""A residual network (He et al., 2015) that is right in its strides, widths and blocks."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from runners.datasets import Source, load_split
from runners.example import Context, Example, Parameters, Says, at_least
from runners.figures import curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from torch import Tensor, nn

Depth = Literal["18", "34", "50"]


class Settings(Parameters):
    """What a learner may change."""

    depth: Annotated[
        Depth,
        Says(
            "层数；18 和 34 用 BasicBlock，50 用 Bottleneck",
            "layers; 18 and 34 are of BasicBlocks, 50 of Bottlenecks",
        ),
    ] = "18"
    width: Annotated[
        int,
        Field(ge=4, le=64),
        Says("第一组的通道数；论文是 64", "channels of the first group; 64 in the paper"),
    ] = 16
    epochs: Annotated[int, Field(ge=1, le=50), Says("训练轮数", "passes over the data")] = 5
    batch_size: Annotated[
        int, Field(ge=8, le=512), Says("每步的图片数", "pictures in one step")
    ] = 32
    learning_rate: Annotated[
        float, Field(ge=0.0001, le=1), Says("SGD 的学习率", "learning rate of SGD")
    ] = 0.02
    data: Annotated[
        Source,
        Says(
            "图片来源；mnist 需要运行器上有 mnist.npz",
            "which pictures; mnist needs mnist.npz on the runner",
        ),
    ] = "digits"


def run(context: Context, parameters: Settings) -> None:
    """Train a ResNet with SGD and cross-entropy, and say the mean loss of each epoch."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    torch.manual_seed(parameters.seed)
    torch.backends.cudnn.deterministic = True
    device = "cuda" if torch.cuda.is_available() else "cpu"

    split = load_split(parameters.data, context.datasets, side=32, seed=parameters.seed)
    train, validation, test = (
        TensorDataset(torch.from_numpy(part.images)[:, None], torch.from_numpy(part.labels))
        for part in split
    )

    model = build_resnet(parameters.depth, width=parameters.width, classes=10, channels=1)
    model.to(device)
    # A graphics card is quicker with half the bytes a number, and with channels innermost.
    mixed = device == "cuda" and torch.cuda.is_bf16_supported()
    if mixed:
        model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - untyped
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=parameters.learning_rate, momentum=0.9, weight_decay=5e-4
    )

    def accuracy_on(dataset: TensorDataset) -> float:
        model.eval()  # batch norm now uses the means it has gathered, not those of the batch
        right = 0
        with torch.inference_mode():
            for images, labels in DataLoader(dataset, batch_size=256):
                right += int((model(images.to(device)).argmax(1).cpu() == labels).sum())
        return right / len(dataset)

    # A last batch of one picture would leave batch norm nothing to take a variance of.
    batches = DataLoader(train, parameters.batch_size, shuffle=True, drop_last=True)
    done, losses, accuracies = 0, [], []
    for epoch in range(1, parameters.epochs + 1):
        model.train()
        total_loss = 0.0
        for images, labels in batches:
            optimizer.zero_grad()
            with torch.autocast(device, torch.bfloat16, enabled=mixed):
                loss = criterion(model(images.to(device)), labels.to(device))
            loss.backward()
            optimizer.step()
            total_loss += loss.item()
            done += 1
            context.progress(done, len(batches) * parameters.epochs)
        losses.append(total_loss / len(batches))
        accuracies.append(accuracy_on(validation))
        context.log(f"epoch {epoch}: mean loss {losses[-1]:.4f}")
        context.metric(step=epoch, train_loss=losses[-1], validation_accuracy=accuracies[-1])

    test_accuracy = accuracy_on(test)
    count = sum(each.numel() for each in model.parameters())
    context.metric(test_accuracy=test_accuracy, parameters=count)

    with new_figure(f"ResNet-{parameters.depth}", panels=2) as (figure, (left, right)):
        curves(left, "每轮平均损失 mean loss of an epoch", {"训练 train": losses})
        curves(right, "准确率 accuracy", {"验证 validation": accuracies})
    context.figure(
        "curves",
        figure,
        title=Text(zh="损失与准确率", en="Loss and accuracy"),
        alt=Text(
            zh=f"ResNet-{parameters.depth}（{count:,} 个参数）训练 {parameters.epochs} 轮，"
            f"平均损失从 {losses[0]:.3f} 变到 {losses[-1]:.3f}，测试集准确率 {test_accuracy:.1%}。",
            en=f"ResNet-{parameters.depth} ({count:,} parameters): over {parameters.epochs} epochs "
            f"the mean loss goes from {losses[0]:.3f} to {losses[-1]:.3f}; test accuracy "
            f"{test_accuracy:.1%}.",
        ),
    )


def build_resnet(
    depth: Depth, *, width: int, classes: int, channels: int, large_pictures: bool = False
) -> "nn.Module":
    """A ResNet of ``depth`` layers, its groups ``width``, 2, 4 and 8 times ``width`` wide.

    ``large_pictures`` gives it the paper's stem for 224 × 224 pixels, which divides the side by
    4; without it the stem keeps the side, as suits 32 × 32. Layer counts: He et al., 2015,
    table 1; the stride of a Bottleneck sits in its 3 × 3 convolution, as in torchvision.
    """
    from torch import nn

    def convolve(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        )

    class Residual(nn.Module):
        """ReLU(body(x) + shortcut(x)); the shortcut is x itself where the shapes agree."""

        expansion = 1

        def __init__(self, body: nn.Module, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.body = body
            same = stride == 1 and inputs == outputs
            self.shortcut = nn.Identity() if same else convolve(inputs, outputs, 1, stride)
            self.relu = nn.ReLU()

        def forward(self, x: "Tensor") -> "Tensor":
            return self.relu(self.body(x) + self.shortcut(x))

    class BasicBlock(Residual):
        """Two 3 × 3 convolutions."""

        def __init__(self, inputs: int, planes: int, stride: int) -> None:
            body = nn.Sequential(
                convolve(inputs, planes, 3, stride), nn.ReLU(), convolve(planes, planes, 3)
            )
            super().__init__(body, inputs, planes, stride)

    class Bottleneck(Residual):
        """1 × 1 to fewer channels, 3 × 3 among them, 1 × 1 to four times as many."""

        expansion = 4

        def __init__(self, inputs: int, planes: int, stride: int) -> None:
            outputs = planes * self.expansion
            body = nn.Sequential(
                convolve(inputs, planes, 1),
                nn.ReLU(),
                convolve(planes, planes, 3, stride),
                nn.ReLU(),
                convolve(planes, outputs, 1),
            )
            super().__init__(body, inputs, outputs, stride)

    block, layers = {
        "18": (BasicBlock, (2, 2, 2, 2)),
        "34": (BasicBlock, (3, 4, 6, 3)),
        "50": (Bottleneck, (3, 4, 6, 3)),
    }[depth]
    if large_pictures:
        parts = [convolve(channels, width, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1)]
    else:
        parts = [convolve(channels, width, 3), nn.ReLU()]
    inputs = width
    for group, repeats in enumerate(layers):
        planes = width * 2**group
        for repeat in range(repeats):
            # Only the first block of a group halves the picture, and in the first group none.
            stride = 2 if group > 0 and repeat == 0 else 1
            parts.append(block(inputs, planes, stride))
            inputs = planes * block.expansion  # what the next block is given
    model = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))
    for part in model.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
    return model


EXAMPLE = Example(
    id="pytorch-resnet",
    framework=Framework.PYTORCH,
    title=Text(zh="PyTorch 残差网络 ResNet", en="A ResNet in PyTorch"),
    look_at=Text(
        zh="看平均损失逐轮下降；再试 depth=50，比较参数量和准确率：网络更深，小数据上未必更好。",
        en="Watch the mean loss fall from epoch to epoch. Then try depth=50 and compare parameters "
        "and accuracy: on few pictures deeper need not be better.",
    ),
    claims=(at_least("test_accuracy", 0.9),),
    parameters=Settings,
    metrics=(
        MetricInfo(name="train_loss", title=Text(zh="训练平均损失", en="mean training loss")),
        MetricInfo(
            name="validation_accuracy", title=Text(zh="验证准确率", en="validation accuracy")
        ),
        MetricInfo(name="test_accuracy", title=Text(zh="测试准确率", en="test accuracy")),
        MetricInfo(name="parameters", title=Text(zh="参数量", en="parameters")),
    ),
    run=run,
    limit_s=900,
    lower=("batch_size", "width"),
)
