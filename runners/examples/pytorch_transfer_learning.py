"""Transfer learning in PyTorch: what was learnt on many pictures helps where there are few.

The twin of the TensorFlow example: same networks, task and metrics. Its values are means of some
tries, for what ten pictures teach depends on which ten they are.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from runners.datasets import Pictures, load_split
from runners.errors import MissingDatasetError
from runners.example import Context, Example, Parameters, Says, at_least
from runners.figures import bars, curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from torch import Tensor, nn

_VGG16_WEIGHTS: Final = "vgg16-397923af.pth"


class Settings(Parameters):
    """What a learner may change."""

    base: Annotated[
        Literal["digits", "vgg16"],
        Says(
            "底座：digits 当场在 0–4 上预训练；vgg16 需要运行器上有 ImageNet 权重",
            "the base: digits is trained here on 0 to 4; vgg16 needs ImageNet weights",
        ),
    ] = "digits"
    labels_each: Annotated[
        int, Field(ge=1, le=100), Says("新任务每类有几张标注", "labels of each new class")
    ] = 2
    pretraining_epochs: Annotated[
        int, Field(ge=1, le=50), Says("预训练几轮", "epochs of pre-training")
    ] = 8
    epochs: Annotated[
        int, Field(ge=1, le=200), Says("新任务训练几轮", "epochs on the new task")
    ] = 10
    tries: Annotated[
        int,
        Field(ge=1, le=30),
        Says("每种起点试几次再取平均，每次另抽标注", "tries to average, each with other labels"),
    ] = 5


def run(context: Context, parameters: Settings) -> None:
    """Carry a base from digits 0–4 to 5–9 with few labels: frozen, fine-tuned, from scratch."""
    import copy

    import torch
    from torch import nn

    torch.manual_seed(parameters.seed)
    torch.backends.cudnn.deterministic = True
    device = "cuda" if torch.cuda.is_available() else "cpu"
    vgg16 = parameters.base == "vgg16"
    build = vgg16_base if vgg16 else small_base
    split = load_split("digits", context.datasets, side=32, seed=parameters.seed)
    criterion = nn.CrossEntropyLoss()

    def train(base: nn.Module, pictures: Pictures) -> Iterator[nn.Module]:
        """Train ``base`` under a new head; gives the model after every epoch."""
        model = nn.Sequential(base, nn.Linear(512, 5)).to(device)
        x, y = inputs(pictures, vgg16).to(device), torch.from_numpy(pictures.labels).to(device)
        learning = [each for each in model.parameters() if each.requires_grad]
        # VGG16 has no batch normalization: steps as large as a new head's would undo it.
        rate = 1e-4 if vgg16 and next(base.parameters()).requires_grad else 1e-3
        optimizer = torch.optim.Adam(learning, lr=rate)
        while True:
            model.train()
            for batch in torch.randperm(len(x), device=device).split(4):
                optimizer.zero_grad()
                criterion(model(x[batch]), y[batch]).backward()
                optimizer.step()
            yield model

    trained = build()
    if vgg16:
        load_imagenet(trained, context.datasets)
    else:
        epochs = train(trained, split.train.only(range(5)))
        for epoch, _ in zip(range(parameters.pretraining_epochs), epochs, strict=False):
            context.progress(epoch + 1, parameters.pretraining_epochs, _PRETRAINING)

    new, test = (part.only(range(5, 10)) for part in (split.train, split.test))
    test_x, test_y = inputs(test, vgg16).to(device), torch.from_numpy(test.labels).to(device)
    accuracy: dict[str, list[float]] = {"frozen": [], "fine_tuned": [], "scratch": []}
    for number, (name, means) in enumerate(accuracy.items()):
        tries: list[list[float]] = []
        for attempt in range(parameters.tries):
            # So few pictures leave much to luck: each try draws others, the same for every start.
            torch.manual_seed(parameters.seed + attempt)
            order = torch.randperm(len(new.labels)).numpy()
            few = Pictures(new.images[order], new.labels[order]).few(parameters.labels_each)
            base = build() if name == "scratch" else copy.deepcopy(trained)
            base.requires_grad_(name != "frozen")  # frozen: only the new head learns
            curve: list[float] = []
            for _, model in zip(range(parameters.epochs), train(base, few), strict=False):
                curve.append(measure(model, test_x, test_y))
            tries.append(curve)
            done = number * parameters.tries + attempt + 1
            context.progress(done, len(accuracy) * parameters.tries)
        for epoch, values in enumerate(zip(*tries, strict=True), 1):
            means.append(sum(values) / len(values))
            context.metric(step=epoch, **{f"{name}_accuracy": means[-1]})
        learnt = sum(each.numel() for each in model.parameters() if each.requires_grad)
        context.metric(None, **{f"{name}_accuracy": means[-1], f"{name}_trainable": learnt})
        context.log(f"{name}: {', '.join(f'{curve[-1]:.1%}' for curve in tries)}")
    draw(context, parameters, accuracy)


def measure(model: "nn.Module", x: "Tensor", y: "Tensor") -> float:
    """The accuracy of ``model`` on ``x``, 0 to 1."""
    import torch

    model.eval()
    with torch.inference_mode():
        return (model(x).argmax(1) == y).float().mean().item()


def draw(context: Context, parameters: Settings, accuracy: dict[str, list[float]]) -> None:
    """The three curves, where they end, and the same in words."""
    labels = {"frozen": "冻结 frozen", "fine_tuned": "微调 tuned", "scratch": "从零 scratch"}
    title = f"每类 {parameters.labels_each} 张标注 labels a class"
    with new_figure(title, panels=2) as (figure, (left, right)):
        curves(left, "测试准确率 accuracy", {labels[name]: a for name, a in accuracy.items()})
        last = {labels[name]: 100 * values[-1] for name, values in accuracy.items()}
        bars(right, "最后 in the end, %", last, "{:.1f}")
    ends = {name: f"{values[-1]:.1%}" for name, values in accuracy.items()}
    context.figure(
        "accuracy",
        figure,
        title=Text(zh="三种起点的准确率", en="Accuracy from three starting points"),
        alt=Text(
            zh=f"新类别每类只有 {parameters.labels_each} 张标注，{parameters.epochs} 轮后的"
            f"测试准确率（{parameters.tries} 次平均）：冻结底座 {ends['frozen']}，"
            f"微调 {ends['fine_tuned']}，从零训练 {ends['scratch']}。",
            en=f"With {parameters.labels_each} labels for each new class and {parameters.epochs} "
            f"epochs, the test accuracy, a mean of {parameters.tries} tries, is {ends['frozen']} "
            f"with a frozen base, {ends['fine_tuned']} fine-tuned and {ends['scratch']} from "
            f"scratch.",
        ),
    )


def small_base() -> "nn.Module":
    """Three convolutions that make 512 features of a picture of 32 × 32 pixels."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
    )


def vgg16_base() -> "nn.Module":
    """Thirteen convolutions that make 512 features of a picture of 32 × 32 pixels.

    Configuration D in table 1 of Simonyan and Zisserman (2015), without its top; the layers are
    numbered as in torchvision.
    """
    from torch import nn

    layers: list[nn.Module] = []
    before = 3
    for channels in _VGG16:
        if channels is None:
            layers.append(nn.MaxPool2d(2))
        else:
            convolution = nn.Conv2d(before, channels, 3, padding=1)
            # as for VGG in torchvision: with PyTorch's default nothing would reach the last layer
            nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
            layers += [convolution, nn.ReLU()]
            before = channels
    return nn.Sequential(*layers, nn.Flatten())


def load_imagenet(vgg16: "nn.Module", folder: Path) -> None:
    """Give ``vgg16`` what torchvision's published weights, which lie in ``folder``, learnt.

    Raises:
        MissingDatasetError: the weights are not there.
    """
    import torch

    file = folder / _VGG16_WEIGHTS
    if not file.is_file():
        raise MissingDatasetError(file.name)
    weights: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    top = "classifier."  # for ImageNet's thousand classes
    vgg16.load_state_dict(
        {k.removeprefix("features."): v for k, v in weights.items() if not k.startswith(top)}
    )


def inputs(pictures: Pictures, vgg16: bool) -> "Tensor":  # noqa: FBT001 - one of two bases
    """The pictures as the base takes them: one channel, or three as VGG16 was trained on."""
    import torch

    x = torch.from_numpy(pictures.images)[:, None]
    if not vgg16:
        return x
    mean, deviation = torch.tensor(_IMAGENET).view(2, 1, 3, 1, 1)
    return (x - mean) / deviation


_VGG16: Final = (
    64,
    64,
    None,
    128,
    128,
    None,
    *(256,) * 3,
    None,
    *(512,) * 3,
    None,
    *(512,) * 3,
    None,
)
_IMAGENET: Final = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and deviation of ImageNet's red, green and blue, as torchvision prepares its pictures."""
_PRETRAINING = Text(zh="预训练", en="pre-training")
_STARTS = {
    "frozen": Text(zh="冻结", en="frozen"),
    "fine_tuned": Text(zh="微调", en="fine-tuned"),
    "scratch": Text(zh="从零", en="scratch"),
}

EXAMPLE = Example(
    id="pytorch-transfer-learning",
    framework=Framework.PYTORCH,
    title=Text(
        zh="PyTorch 迁移学习：认过 0–4，再学 5–9", en="Transfer learning in PyTorch: 0–4 to 5–9"
    ),
    look_at=Text(
        zh="标注少、轮数少时，带着预训练底座的两条曲线应当高过从零训练的那条；"
        "把 labels_each 或 epochs 调大，差距会缩小。",
        en="With few labels and few epochs, the two curves that start from the pre-trained base "
        "should lie above the one from scratch; raise labels_each or epochs and the gap closes.",
    ),
    compares=Text(zh="冻结、微调、从零训练", en="frozen, fine-tuned, from scratch"),
    claims=(
        at_least("frozen_accuracy", "scratch_accuracy", plus=0.03),
        at_least("fine_tuned_accuracy", "scratch_accuracy", plus=0.03),
    ),
    parameters=Settings,
    metrics=(
        *(
            MetricInfo(
                name=f"{start}_accuracy",
                title=Text(zh=f"{who.zh}：测试准确率", en=f"{who.en}: accuracy"),
            )
            for start, who in _STARTS.items()
        ),
        *(
            MetricInfo(
                name=f"{start}_trainable",
                title=Text(zh=f"{who.zh}：可训练参数", en=f"{who.en}: trainable"),
            )
            for start, who in _STARTS.items()
        ),
    ),
    run=run,
    limit_s=300,
    lower=("labels_each",),
)
