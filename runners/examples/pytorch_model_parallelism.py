"""Model parallelism by hand: a network's first layers in one process, the rest in another."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_least, at_most
from runners.figures import bars, new_figure
from runners.processes import in_two_processes
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

_LAYERS = 6


class Settings(Parameters):
    """What a learner may change."""

    epochs: Annotated[int, Field(ge=2, le=30), Says("训练轮数", "passes over the data")] = 12
    batch_size: Annotated[
        int, Field(ge=8, le=512), Says("每步的图片数", "pictures in one step")
    ] = 256
    width: Annotated[
        int, Field(ge=16, le=2048), Says("每个隐藏层的神经元数", "units in each hidden layer")
    ] = 768
    cut: Annotated[
        int,
        Field(ge=1, le=_LAYERS - 1),
        Says("6 层里前几层放在进程 0", "how many of the 6 layers live in process 0"),
    ] = 3
    learning_rate: Annotated[
        float, Field(ge=0.00001, le=0.01), Says("Adam 的学习率", "learning rate of Adam")
    ] = 0.0005


def run(context: Context, parameters: Settings) -> None:
    """Train a network cut over two processes, then whole in one."""
    import torch
    import torch.distributed as dist
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(1)  # on a processor, one core plays one device
    x, y = load_digits(context.datasets, parameters.seed)

    def fit(rank: int, processes: int) -> Part:
        """Train what lives in this process: the layers up to the cut, those after it, or all."""
        first, last = rank == 0, rank == processes - 1
        layers = range(0 if first else parameters.cut, _LAYERS if last else parameters.cut)
        device = torch.device("cuda", rank) if torch.cuda.device_count() > 1 else "cpu"
        model = build_layers(layers, parameters).to(device)
        optimizer = torch.optim.Adam(model.parameters(), parameters.learning_rate)
        part = Part()

        def receive(*shape: int) -> "Tensor":
            tensor = torch.empty(shape, device=device)
            with part.receiving(tensor):  # until it has come, this process has nothing to do
                dist.recv(tensor, 1 - rank)
            return tensor

        def forward(images: "Tensor") -> "tuple[Tensor, Tensor]":
            """What comes into this part of the network, and what leaves it."""
            given = images if first else receive(len(images), parameters.width).requires_grad_()
            output = model(given)
            if not last:
                dist.send(output.detach(), 1)
            return given, output

        for epoch in range(parameters.epochs):
            total_loss = torch.zeros(1, device=device)
            with part.epoch():
                for chosen in batches(len(x), parameters, epoch):
                    optimizer.zero_grad()
                    given, output = forward(x[chosen].to(device))
                    if last:
                        loss = cross_entropy(output, y[chosen].to(device))
                        loss.backward()
                        total_loss += loss.detach() * len(chosen) / len(x)
                    else:  # process 1 has the loss: backward goes on with the gradient it sends
                        output.backward(receive(*output.shape))
                    if given.grad is not None:  # process 0 has pictures, they need none
                        dist.send(given.grad, 0)
                    optimizer.step()
            part.losses.append(total_loss.item())
            if rank == 0:
                done = (2 - processes) * parameters.epochs + epoch + 1
                context.progress(done, 2 * parameters.epochs)
        part.weigh(model, optimizer)
        return part

    def share(rank: int, meeting: str) -> Part:
        """Meet the other process, then train the part of the network that lives in this one."""
        backend = "nccl" if torch.cuda.device_count() > 1 else "gloo"
        dist.init_process_group(backend, meeting, timedelta(seconds=60), world_size=2, rank=rank)
        part = fit(rank, 2)
        dist.destroy_process_group()
        return part

    first, second = in_two_processes(share)
    report(context, fit(0, 1), first, second)


@dataclass
class Part:
    """What is measured of a part of a network, or of the whole, in the process that has it."""

    losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    traffic: list[int] = field(default_factory=list)
    waited: float = 0
    received: int = 0
    parameters: int = 0
    state_mib: float = 0

    @contextmanager
    def epoch(self) -> Iterator[None]:
        """Take the time of an epoch; in it, `receiving` adds up."""
        self.waited, self.received, began = 0, 0, time.perf_counter()
        yield
        self.seconds.append(time.perf_counter() - began)
        self.idle.append(self.waited / self.seconds[-1])
        self.traffic.append(self.received)

    @contextmanager
    def receiving(self, tensor: "Tensor") -> Iterator[None]:
        """Take the time that this process waits for ``tensor``."""
        import torch

        began = time.perf_counter()
        yield
        if tensor.is_cuda:
            torch.cuda.synchronize(tensor.device)
        self.waited += time.perf_counter() - began
        self.received += tensor.nbytes

    def weigh(self, model: "nn.Module", optimizer: "Optimizer") -> None:
        """Count what is held for training: weights, gradients, and Adam's two means of each."""
        import torch

        held = [each for weight in model.parameters() for each in (weight, weight.grad)]
        held += [each for state in optimizer.state.values() for each in state.values()]
        self.parameters = sum(each.numel() for each in model.parameters())
        self.state_mib = sum(each.nbytes for each in held if torch.is_tensor(each)) / 2**20

    def idle_share(self) -> float:
        """The share of an epoch that this process waits, but for the first, which warms up."""
        return median(self.idle[1:])


def build_layers(numbers: range, parameters: Settings) -> "nn.Sequential":
    """These of the network's layers, with the same first weights wherever they are built."""
    import torch
    from torch import nn

    parts: list[nn.Module] = []
    for number in numbers:
        torch.manual_seed(parameters.seed + number)
        inputs = 16 * 16 if number == 0 else parameters.width
        last = number == _LAYERS - 1
        parts.append(nn.Linear(inputs, 10 if last else parameters.width))
        if not last:
            parts.append(nn.ReLU())
    return nn.Sequential(*parts)


def batches(size: int, parameters: Settings, epoch: int) -> "tuple[Tensor, ...]":
    """Which pictures each batch of the epoch has: the same in every process."""
    import torch

    order = torch.Generator().manual_seed(parameters.seed + epoch)
    return torch.randperm(size, generator=order).split(parameters.batch_size)


def load_digits(folder: Path, seed: int) -> "tuple[Tensor, Tensor]":
    """The 16 × 16 pixels to learn from, standardised, and their labels."""
    import torch

    images, labels = load_split("digits", folder, side=16, seed=seed).train
    pixels = torch.from_numpy((images - images.mean()) / images.std())
    return pixels.flatten(1), torch.from_numpy(labels)


def report(context: Context, whole: Part, first: Part, second: Part) -> None:
    """Report and draw what the whole network and its two parts did."""
    for step, (one, cut) in enumerate(zip(whole.losses, second.losses, strict=True), 1):
        context.metric(step=step, whole_loss=one, split_loss=cut)
    loss_gap = max(abs(a - b) for a, b in zip(whole.losses, second.losses, strict=True))
    ratio = median(whole.seconds[1:]) / median(first.seconds[1:])
    traffic = (first.traffic[0] + second.traffic[0]) / 2**20
    context.metric(
        loss_gap=loss_gap,
        speedup=ratio,
        traffic=traffic,
    )
    names = {"whole": "整个 whole", "first": "进程 process 0", "second": "进程 process 1"}
    parts = {"whole": whole, "first": first, "second": second}
    for name, part in parts.items():
        context.metric(
            **{
                f"{name}_parameters": part.parameters,
                f"{name}_state": part.state_mib,
                f"{name}_idle": 100 * part.idle_share(),
            }
        )
    title = "一个网络切给两个进程 one network in two processes"
    with new_figure(title, panels=2) as (figure, (left, right)):
        held = {names[name]: part.state_mib for name, part in parts.items()}
        bars(left, "训练所占 held for training, MiB", held, "{:.1f}")
        idle = {names[name]: 100 * part.idle_share() for name, part in parts.items()}
        bars(right, "空等的时间 time spent waiting, %", idle)
    context.figure(
        "parts",
        figure,
        title=Text(zh="各进程所占内存与空等", en="Memory and waiting of each process"),
        alt=Text(
            zh=f"整个网络训练要占 {whole.state_mib:.1f} MiB；切开后进程 0 占 "
            f"{first.state_mib:.1f}，进程 1 占 {second.state_mib:.1f}。进程 0 有 "
            f"{first.idle_share():.0%} 的时间在等，进程 1 有 {second.idle_share():.0%}，"
            f"速度是不切时的 {ratio:.2f} 倍。损失曲线最多相差 {loss_gap:.1e}。",
            en=f"The whole network holds {whole.state_mib:.1f} MiB for training; cut, process 0 "
            f"holds {first.state_mib:.1f} and process 1 {second.state_mib:.1f}. Process 0 waits "
            f"{first.idle_share():.0%} of the time, process 1 {second.idle_share():.0%}, at "
            f"{ratio:.2f} times the speed of the whole. The losses differ by at most "
            f"{loss_gap:.1e}.",
        ),
    )


_HOLDERS = {
    "whole": Text(zh="不切", en="whole"),
    "first": Text(zh="进程 0", en="process 0"),
    "second": Text(zh="进程 1", en="process 1"),
}
_MEASURES = {
    "parameters": (Text(zh="参数量", en="parameters"), ""),
    "state": (Text(zh="训练所占内存", en="held for training"), "MiB"),
    "idle": (Text(zh="空等的时间", en="time waiting"), "%"),
}

EXAMPLE = Example(
    id="pytorch-model-parallelism",
    framework=Framework.PYTORCH,
    title=Text(zh="模型并行：一个网络切给两个进程", en="A network cut over two processes"),
    look_at=Text(
        zh="每个进程只放一半参数，损失却和不切时一样。再看两边空等的时间：一个算，另一个就在等，"
        "所以装得下了，却没有变快。",
        en="Each process holds only its part of the parameters, and the loss is that of the whole "
        "network. Then see how long each of them waits: while one computes the other idles, so "
        "it fits, but it is no faster.",
    ),
    compares=Text(zh="不切与切给两个进程", en="whole and cut over two processes"),
    claims=(
        at_most("loss_gap", 1e-3),
        at_most("first_state", "whole_state", times=0.75),
        at_most("second_state", "whole_state", times=0.75),
        at_least("first_idle", 20),
    ),
    parameters=Settings,
    metrics=(
        MetricInfo(name="whole_loss", title=Text(zh="不切：损失", en="whole: loss")),
        MetricInfo(name="split_loss", title=Text(zh="切开：损失", en="cut: loss")),
        MetricInfo(name="loss_gap", title=Text(zh="损失最大差", en="largest loss gap")),
        *(
            MetricInfo(
                name=f"{holder}_{measure}",
                title=Text(zh=f"{who.zh}：{what.zh}", en=f"{who.en}: {what.en}"),
                unit=unit,
            )
            for measure, (what, unit) in _MEASURES.items()
            for holder, who in _HOLDERS.items()
        ),
        MetricInfo(name="speedup", title=Text(zh="速度之比", en="speed, cut over whole"), unit="×"),
        MetricInfo(
            name="traffic", title=Text(zh="每轮收发的数据", en="sent in an epoch"), unit="MiB"
        ),
    ),
    run=run,
    limit_s=300,
    cards=2,
    lower=("width", "batch_size"),
)
