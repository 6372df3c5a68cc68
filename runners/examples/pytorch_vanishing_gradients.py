"""Gradients through many layers: sigmoid and ReLU, with and without residual connections.

A plain layer multiplies the gradient by diag(f′)·W (Glorot and Bengio, 2010); a residual one adds
the gradient itself (He et al., "Deep Residual Learning", 2015).
"""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_least, at_most
from runners.figures import bars, curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from torch import Tensor


class Settings(Parameters):
    """What a learner may change."""

    layers: Annotated[int, Field(ge=2, le=100), Says("隐藏层数", "hidden layers")] = 30
    width: Annotated[int, Field(ge=8, le=256), Says("每层的神经元数", "units in a layer")] = 64
    epochs: Annotated[int, Field(ge=1, le=50), Says("训练轮数", "passes over the data")] = 10
    learning_rate: Annotated[
        float, Field(ge=0.00001, le=0.1), Says("Adam 的学习率", "learning rate of Adam")
    ] = 0.001


def run(context: Context, parameters: Settings) -> None:
    """Measure the gradient at every layer of four deep networks, then train each of them."""
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy
    from torch.utils.data import DataLoader, TensorDataset

    device = "cuda" if torch.cuda.is_available() else "cpu"
    split = load_split("digits", context.datasets, side=8, seed=parameters.seed)
    train, _, test = (
        TensorDataset(torch.from_numpy(part.images).flatten(1), torch.from_numpy(part.labels))
        for part in split
    )

    class Deep(nn.Module):
        """Hidden layers of one width, between 64 pixels and 10 answers."""

        def __init__(self, activation: nn.Module, *, residual: bool) -> None:
            super().__init__()
            width, count = parameters.width, parameters.layers
            self.activation, self.residual = activation, residual
            self.first, self.last = nn.Linear(64, width), nn.Linear(width, 10)
            hidden = [nn.Linear(width, width) for _ in range(count)]
            for layer in hidden:
                nn.init.kaiming_normal_(layer.weight)  # keeps the scale through ReLU
            self.hidden = nn.ModuleList(hidden)

        def forward(self, x: "Tensor") -> "Tensor":
            x = self.first(x)
            for layer in self.hidden:
                change = self.activation(layer(x))
                # Divided, so that the sum of all changes stays within bounds.
                x = x + change / len(self.hidden) ** 0.5 if self.residual else change
            return self.last(x)

    variants = {
        "sigmoid": (nn.Sigmoid(), False),
        "relu": (nn.ReLU(), False),
        "sigmoid_residual": (nn.Sigmoid(), True),
        "relu_residual": (nn.ReLU(), True),
    }
    norms: dict[str, list[float]] = {}
    ratio: dict[str, float] = {}
    accuracy: dict[str, float] = {}
    for number, (name, (activation, residual)) in enumerate(variants.items()):
        torch.manual_seed(parameters.seed)  # all four start from the same weights
        model = Deep(activation, residual=residual).to(device)
        images, labels = (tensor.to(device) for tensor in train.tensors)
        weights = [each for kind, each in model.hidden.named_parameters() if "weight" in kind]
        gradients = torch.autograd.grad(cross_entropy(model(images), labels), weights)
        norms[name] = [gradient.norm().item() for gradient in gradients]
        ratio[name] = norms[name][0] / norms[name][-1]
        for depth, norm in enumerate(norms[name], 1):
            context.metric(depth, **{f"{name}_norm": norm})

        optimizer = torch.optim.Adam(model.parameters(), parameters.learning_rate)
        for epoch in range(1, parameters.epochs + 1):
            for images, labels in DataLoader(train, batch_size=32, shuffle=True):
                optimizer.zero_grad()
                cross_entropy(model(images.to(device)), labels.to(device)).backward()
                optimizer.step()
            done = number * parameters.epochs + epoch
            context.progress(done, len(variants) * parameters.epochs)
        with torch.inference_mode():
            images, labels = test.tensors
            hits = model(images.to(device)).argmax(1).cpu() == labels
        accuracy[name] = hits.float().mean().item()
        context.metric(None, **{f"{name}_accuracy": accuracy[name], f"{name}_ratio": ratio[name]})

    title = f"{parameters.layers} 层网络 {parameters.layers} hidden layers"
    with new_figure(title, panels=2) as (figure, (left, right)):
        named = {_LABELS[name]: values for name, values in norms.items()}
        curves(left, "各层梯度的范数 norm of the gradient", named, x="第几层 layer")
        left.set_yscale("log")
        last = {_LABELS[name]: 100 * value for name, value in accuracy.items()}
        bars(right, "测试准确率 test accuracy, %", last, "{:.1f}")
        right.tick_params(axis="x", labelsize=10)
    ratios = [f"{value:.1e}" for value in ratio.values()]
    shares = [f"{value:.1%}" for value in accuracy.values()]
    context.figure(
        "gradients",
        figure,
        title=Text(zh="各层梯度与测试准确率", en="Gradient by layer, and test accuracy"),
        alt=Text(
            zh=f"{parameters.layers} 层，第一层与最后一层梯度范数之比：sigmoid {ratios[0]}，"
            f"ReLU {ratios[1]}；加残差后 {ratios[2]} 和 {ratios[3]}。训练 {parameters.epochs} 轮，"
            f"测试准确率：sigmoid {shares[0]}，ReLU {shares[1]}；加残差后 {shares[2]} 和 "
            f"{shares[3]}。",
            en=f"{parameters.layers} layers; gradient norm of the first over that of the last: "
            f"sigmoid {ratios[0]}, ReLU {ratios[1]}; with residual connections {ratios[2]} and "
            f"{ratios[3]}. Test accuracy after {parameters.epochs} epochs: sigmoid {shares[0]}, "
            f"ReLU {shares[1]}; with residual connections {shares[2]} and {shares[3]}.",
        ),
    )


_LABELS = {
    "sigmoid": "sigmoid",
    "relu": "ReLU",
    "sigmoid_residual": "x + sigmoid",
    "relu_residual": "x + ReLU",
}
_VARIANTS = {
    "sigmoid": Text(zh="sigmoid", en="sigmoid"),
    "relu": Text(zh="ReLU", en="ReLU"),
    "sigmoid_residual": Text(zh="x + sigmoid", en="x + sigmoid"),
    "relu_residual": Text(zh="x + ReLU", en="x + ReLU"),
}
_MEASURES = {
    "ratio": Text(zh="首层/末层", en="first/last"),
    "accuracy": Text(zh="准确率", en="accuracy"),
    "norm": Text(zh="梯度", en="gradient"),
}

EXAMPLE = Example(
    id="pytorch-vanishing-gradients",
    framework=Framework.PYTORCH,
    title=Text(
        zh="梯度消失：深层网络里的 sigmoid、ReLU 与残差",
        en="Vanishing gradients: sigmoid, ReLU and residuals in a deep network",
    ),
    look_at=Text(
        zh="左图从右往左看：不加残差的 sigmoid，梯度每退一层就缩小一截，到第一层几乎为 0，"
        "右图里它只能瞎猜。换 ReLU 或加上 x + F(x)，梯度就能传到头；层数越多差别越大，"
        "试试 layers=60。",
        en="Read the left picture from right to left: through plain sigmoids the gradient shrinks "
        "layer by layer to nothing, and on the right that network guesses. ReLU or x + F(x) "
        "carries it to the first layer; the more layers the larger the gap, so try layers=60.",
    ),
    compares=Text(
        zh="sigmoid 与 ReLU，各自不加残差和加残差",
        en="sigmoid and ReLU, each without and with residual connections",
    ),
    claims=(
        at_most("sigmoid_ratio", 1e-6),
        at_least("relu_ratio", 0.01),
        at_least("sigmoid_residual_accuracy", "sigmoid_accuracy", plus=0.3),
    ),
    parameters=Settings,
    metrics=tuple(
        MetricInfo(
            name=f"{variant}_{measure}",
            title=Text(zh=f"{who.zh}：{what.zh}", en=f"{who.en}: {what.en}"),
        )
        for measure, what in _MEASURES.items()
        for variant, who in _VARIANTS.items()
    ),
    run=run,
    limit_s=300,
    lower=("width", "layers"),
)
