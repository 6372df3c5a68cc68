"""Data parallelism with DistributedDataParallel: the same batches in one process and in two."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_most
from runners.figures import bars, curves, new_figure
from runners.processes import in_two_processes
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn
    from torch.utils.data import TensorDataset


class Settings(Parameters):
    """What a learner may change."""

    epochs: Annotated[int, Field(ge=2, le=30), Says("训练轮数", "passes over the data")] = 5
    global_batch_size: Annotated[
        int,
        Field(ge=16, le=512, multiple_of=2),
        Says("全局批大小，两个进程各拿一半", "global batch; two processes take half of it each"),
    ] = 64
    channels: Annotated[
        int, Field(ge=4, le=64), Says("第一层卷积的通道数", "channels of the first convolution")
    ] = 32
    learning_rate: Annotated[
        float, Field(ge=0.001, le=0.5), Says("SGD 的学习率", "learning rate of SGD")
    ] = 0.05


def run(context: Context, parameters: Settings) -> None:
    """Train in two processes that share each batch, then in one."""
    import torch
    import torch.distributed as dist
    from torch.nn.functional import cross_entropy
    from torch.nn.parallel import DistributedDataParallel
    from torch.utils.data import DataLoader, DistributedSampler

    torch.set_num_threads(1)  # on a processor, one core plays one device
    train, test = load_digits(context.datasets, parameters.seed)

    def fit(rank: int, processes: int) -> Fitted:
        cuda = torch.cuda.device_count() > 1
        device = torch.device("cuda", rank) if cuda else torch.device("cpu")
        torch.manual_seed(parameters.seed)  # the same first weights everywhere
        network = model = build_network(parameters.channels).to(device)
        if processes > 1:
            model = DistributedDataParallel(network, [rank] if cuda else None)
        # Of the shuffled pictures, process 0 takes the 1st, 3rd, 5th …, process 1 the others.
        sampler = DistributedSampler(train, processes, rank, seed=parameters.seed, drop_last=True)
        batches = DataLoader(
            train, parameters.global_batch_size // processes, sampler=sampler, drop_last=True
        )
        optimizer = torch.optim.SGD(model.parameters(), parameters.learning_rate, momentum=0.9)
        losses, seconds = list[float](), list[float]()
        for epoch in range(parameters.epochs):
            sampler.set_epoch(epoch)  # without it every epoch has the same order
            began, mean_loss = time.perf_counter(), torch.zeros(1, device=device)
            for images, labels in batches:
                optimizer.zero_grad()
                loss = cross_entropy(model(images.to(device)), labels.to(device))
                loss.backward()  # in here DDP averages the gradients of all processes
                optimizer.step()
                mean_loss += loss.detach() / len(batches)
            if processes > 1:  # a process knows the loss of its own share only
                dist.all_reduce(mean_loss)
            losses.append(mean_loss.item() / processes)
            seconds.append(time.perf_counter() - began)
            if rank == 0:  # one process speaks for both
                done = (2 - processes) * parameters.epochs + epoch + 1
                context.progress(done, 2 * parameters.epochs)
                context.metric(step=epoch + 1, **{f"loss_{processes}": losses[-1]})
        weights, averaged = flat(network.parameters()), flat_gradient(network)  # of the last step
        network.zero_grad()
        images, labels = (part[rank::processes].to(device) for part in train.tensors)
        cross_entropy(network(images), labels).backward()  # past the DDP wrapper: no averaging
        return Fitted(
            losses,
            len(batches) * parameters.global_batch_size / median(seconds[1:]),
            accuracy_of(network, test),
            weights,
            averaged,
            flat_gradient(network),
        )

    def share(rank: int, meeting: str) -> Fitted:
        """What torchrun would start once a card: join the group, then train."""
        backend = "nccl" if torch.cuda.device_count() > 1 else "gloo"
        dist.init_process_group(backend, meeting, timedelta(seconds=60), world_size=2, rank=rank)
        fitted = fit(rank, 2)
        dist.destroy_process_group()
        return fitted

    both = in_two_processes(share)
    report(context, fit(0, 1), *both)


@dataclass(frozen=True)
class Fitted:
    """What one process knows after training; the arrays hold all parameters one after another.

    ``averaged`` is the gradient of the last step, ``own`` that of all pictures of this process,
    by itself. ``speed`` is in pictures a second, the first epoch left out: it warms up.
    """

    losses: list[float]
    speed: float
    accuracy: float
    weights: "NDArray[np.float32]"
    averaged: "NDArray[np.float32]"
    own: "NDArray[np.float32]"


def flat(tensors: Iterable[Any]) -> "NDArray[np.float32]":
    """All these numbers in one array."""
    import torch

    return torch.cat([each.detach().flatten() for each in tensors]).cpu().numpy()


def flat_gradient(network: "nn.Module") -> "NDArray[np.float32]":
    """The gradients of all its parameters in one array."""
    return flat(each.grad for each in network.parameters())


def report(context: Context, alone: Fitted, first: Fitted, second: Fitted) -> None:
    """Report and draw how far the two processes are apart, and from one that trains alone."""
    gaps = {
        "weight_gap": float(abs(first.weights - second.weights).max()),
        "gradient_gap": float(abs(first.averaged - second.averaged).max()),
        "own_gradient_gap": float(abs(first.own - second.own).max()),
        "loss_gap": max(abs(a - b) for a, b in zip(alone.losses, first.losses, strict=True)),
    }
    context.metric(None, **gaps)
    context.metric(
        accuracy_1=alone.accuracy,
        accuracy_2=first.accuracy,
        throughput_1=alone.speed,
        throughput_2=first.speed,
        speedup=first.speed / alone.speed,
        parameters_each=first.weights.size,
    )
    draw(
        context,
        {1: alone.losses, 2: first.losses},
        {1: alone.speed, 2: first.speed},
        gaps,
    )


def draw(
    context: Context,
    losses: dict[int, list[float]],
    speeds: dict[int, float],
    gaps: dict[str, float],
) -> None:
    """Draw the loss curves and the throughputs by the number of processes."""
    names = {1: "1 个进程 process", 2: "2 个进程 processes"}
    with new_figure("DDP：一批数据两人分 one batch, two processes", panels=2) as (figure, axes):
        curves(axes[0], "损失 loss", {names[1]: losses[1]})
        steps = range(1, len(losses[2]) + 1)  # dashed, because it lies on the other
        axes[0].plot(steps, losses[2], "--", color="#d55e00", label=names[2])
        bars(axes[1], "每秒图片数 pictures a second", {names[n]: speeds[n] for n in names})
    context.figure(
        "ddp",
        figure,
        title=Text(zh="损失与吞吐", en="Loss and throughput"),
        alt=Text(
            zh=f"两条损失曲线最多相差 {gaps['loss_gap']:.1e}。两个进程各算各的梯度相差 "
            f"{gaps['own_gradient_gap']:.1e}，DDP 平均后相差 {gaps['gradient_gap']:.1e}。"
            f"一个进程每秒 {speeds[1]:,.0f} 张，两个进程每秒 {speeds[2]:,.0f} 张，"
            f"是 {speeds[2] / speeds[1]:.2f} 倍。",
            en=f"The two loss curves differ by at most {gaps['loss_gap']:.1e}. The processes' own "
            f"gradients lie {gaps['own_gradient_gap']:.1e} apart, averaged by DDP "
            f"{gaps['gradient_gap']:.1e}. One process does {speeds[1]:,.0f} pictures a second, two "
            f"do {speeds[2]:,.0f}, {speeds[2] / speeds[1]:.2f} times as many.",
        ),
    )


def load_digits(folder: Path, seed: int) -> "tuple[TensorDataset, TensorDataset]":
    """The digits to learn from and to judge by, 16 × 16 pixels, standardised."""
    import torch
    from torch.utils.data import TensorDataset

    split = load_split("digits", folder, side=16, seed=seed)
    mean, spread = split.train.images.mean(), split.train.images.std()
    train, test = (
        TensorDataset(
            torch.from_numpy((part.images - mean) / spread)[:, None], torch.from_numpy(part.labels)
        )
        for part in (split.train, split.test)
    )
    return train, test


def accuracy_of(model: "nn.Module", dataset: "TensorDataset") -> float:
    """The share of the pictures that ``model`` reads right."""
    import torch

    device = next(model.parameters()).device
    images, labels = (part.to(device) for part in dataset.tensors)
    with torch.inference_mode():
        return float((model(images).argmax(1) == labels).float().mean())


def build_network(channels: int) -> "nn.Module":
    """Two convolutions and two linear layers for pictures of 16 × 16 pixels.

    Smooth all the way: at the kink of a ReLU a rounding error could grow into a difference.
    """
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1),
        nn.GELU(),
        nn.Conv2d(channels, 2 * channels, 3, padding=1),
        nn.GELU(),
        nn.AvgPool2d(4),
        nn.Flatten(),
        nn.Linear(2 * channels * 4 * 4, 64),
        nn.GELU(),
        nn.Linear(64, 10),
    )


_PROCESSES = {
    "1": Text(zh="1 进程", en="1 process"),
    "2": Text(zh="2 进程", en="2 processes"),
}
_MEASURES = {
    "loss": (Text(zh="损失", en="loss"), ""),
    "accuracy": (Text(zh="准确率", en="accuracy"), ""),
    "throughput": (Text(zh="吞吐", en="speed"), "img/s"),
}

EXAMPLE = Example(
    id="pytorch-ddp",
    framework=Framework.PYTORCH,
    title=Text(zh="DDP：两个进程分一批数据", en="DDP: two processes share a batch"),
    look_at=Text(
        zh="两条损失曲线应当重合：反向时梯度取了平均，两个进程走的是同一步。"
        "再看吞吐：每个进程一个核，核空闲时接近翻倍，通信和抢核会让它打折扣。",
        en="Both loss curves should coincide: backward averages the gradients, so both processes "
        "take the same step. Then see the throughput: with a free core for each process it nearly "
        "doubles, less what communication and busy cores cost.",
    ),
    compares=Text(zh="1 个进程与 2 个进程", en="1 process and 2 processes"),
    claims=(
        at_most("loss_gap", 1e-3),
        at_most("gradient_gap", "own_gradient_gap", times=0.01),
    ),
    parameters=Settings,
    metrics=(
        *(
            MetricInfo(
                name=f"{measure}_{processes}",
                title=Text(zh=f"{who.zh}：{what.zh}", en=f"{who.en}: {what.en}"),
                unit=unit,
            )
            for measure, (what, unit) in _MEASURES.items()
            for processes, who in _PROCESSES.items()
        ),
        MetricInfo(name="speedup", title=Text(zh="吞吐之比", en="speed, 2 over 1"), unit="×"),
        MetricInfo(name="loss_gap", title=Text(zh="损失最大差", en="largest loss gap")),
        MetricInfo(
            name="own_gradient_gap",
            title=Text(zh="平均前两进程的梯度差", en="gradient gap, not averaged"),
        ),
        MetricInfo(
            name="gradient_gap",
            title=Text(zh="平均后两进程的梯度差", en="gradient gap, averaged"),
        ),
        MetricInfo(
            name="weight_gap", title=Text(zh="两进程的参数差", en="weight gap of the processes")
        ),
        MetricInfo(
            name="parameters_each",
            title=Text(zh="每个进程的参数量", en="parameters in each process"),
        ),
    ),
    run=run,
    limit_s=300,
    cards=2,
    lower=("global_batch_size", "channels"),
)
