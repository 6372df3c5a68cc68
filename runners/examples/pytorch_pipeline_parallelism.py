"""Pipeline parallelism: two stages in two processes, and how micro-batches shrink the bubble."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_most
from runners.figures import bars, new_figure
from runners.processes import in_two_processes
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor, nn
    from torch.distributed.pipelining import PipelineStage

_STAGES = 2
_LAYERS = 8
_MICRO = (1, 2, 4, 8)


Piece = tuple[Literal["forward", "backward"], int]
"""What a stage does at once: a direction and the number of the micro-batch."""


class Settings(Parameters):
    """What a learner may change."""

    epochs: Annotated[int, Field(ge=1, le=20), Says("每种做法训练几轮", "epochs of each way")] = 5
    batch_size: Annotated[
        int,
        Field(ge=16, le=512, multiple_of=8),
        Says("每步的图片数，最多切成 8 份", "pictures in one step, cut into up to 8"),
    ] = 512
    width: Annotated[
        int, Field(ge=16, le=4096), Says("每个隐藏层的神经元数", "units in each hidden layer")
    ] = 768
    learning_rate: Annotated[
        float, Field(ge=0.0001, le=0.1), Says("SGD 的学习率", "learning rate of SGD")
    ] = 0.02


def run(context: Context, parameters: Settings) -> None:
    """Train in a pipeline of two processes with 1, 2, 4 and 8 micro-batches, then uncut in one."""
    import torch
    import torch.distributed as dist
    from torch.distributed.pipelining import Schedule1F1B, ScheduleGPipe
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(1)  # on a processor, one core plays one device
    x, y = load_digits(context.datasets, parameters.seed)
    # GPipe: all forwards, then all backwards. 1F1B: as soon as possible a backward.
    ways: dict[str, Any] = {str(micro): (ScheduleGPipe, micro) for micro in _MICRO}
    ways["1f1b"] = (Schedule1F1B, _MICRO[-1])
    total = (len(ways) + 1) * parameters.epochs

    def fit(rank: int, device: torch.device, way: str) -> Measured:
        """Train the stage of this process: the first half of the layers, or the second."""
        half = _LAYERS // _STAGES
        model = build_layers(range(rank * half, (rank + 1) * half), parameters).to(device)
        optimizer = torch.optim.SGD(model.parameters(), parameters.learning_rate, momentum=0.9)
        measured = Measured()
        schedule, micro = ways[way]
        pipeline = schedule(timed_stage(model, rank, device, measured), micro, cross_entropy)
        for epoch in range(parameters.epochs):
            losses: list[torch.Tensor] = []  # of the micro-batches, known where the pipeline ends
            for chosen in batches(len(x), parameters, epoch):
                optimizer.zero_grad()
                with measured.step():
                    if rank == 0:  # pictures go in at one end, labels at the other
                        pipeline.step(x[chosen].to(device))
                    else:
                        parts: list[torch.Tensor] = []
                        pipeline.step(target=y[chosen].to(device), losses=parts)
                        losses += parts
                measured.remember_gradient(model)
                optimizer.step()  # by the mean gradient of all micro-batches, as without them
            if rank == 0:
                context.progress(list(ways).index(way) * parameters.epochs + epoch + 1, total)
            else:
                measured.losses.append(float(torch.stack(losses).detach().mean()))
        return measured

    def share(rank: int, meeting: str) -> dict[str, Measured]:
        """Meet the other process, then train in every way with it."""
        backend, device = "gloo", torch.device("cpu")
        if torch.cuda.device_count() > 1:
            backend, device = "nccl", torch.device("cuda", rank)
            torch.cuda.set_device(device)
        dist.init_process_group(backend, meeting, timedelta(seconds=60), world_size=2, rank=rank)
        results = {way: fit(rank, device, way) for way in ways}
        dist.destroy_process_group()
        return results

    first, second = in_two_processes(share)
    whole = train_whole(x, y, parameters)
    context.progress(total, total)
    report(context, whole, first, second)


@dataclass
class Measured:
    """What is measured of a stage; ``seconds`` and ``work`` have an item for each step.

    ``work`` says in its order how long each piece took, ``held`` how many micro-batches waited
    for their backward at most; ``gradient`` is that of each parameter in the first step.
    """

    losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    work: list[dict[Piece, float]] = field(default_factory=list)
    held: int = 0
    gradient: "list[NDArray[np.float32]]" = field(default_factory=list)

    @contextmanager
    def step(self) -> Iterator[None]:
        """Take the time from the common start of a step to its common end."""
        import torch.distributed as dist

        self.work.append({})
        dist.barrier()
        began = time.perf_counter()
        yield
        dist.barrier()
        self.seconds.append(time.perf_counter() - began)

    @contextmanager
    def working(self, piece: Piece) -> Iterator[None]:
        """Take the time that this stage computes; what remains of a step it idles."""
        finish_on_cards()  # until then it may still be receiving what it shall work on
        began = time.perf_counter()
        yield
        finish_on_cards()
        self.work[-1][piece] = time.perf_counter() - began

    def remember_gradient(self, model: "nn.Module") -> None:
        """Keep the gradient of ``model`` if it is the first."""
        if not self.gradient:
            gradients = [each.grad for each in model.parameters() if each.grad is not None]
            self.gradient = [each.cpu().numpy() for each in gradients]


def finish_on_cards() -> None:
    """Wait until a graphics card has done what it was asked."""
    import torch

    if torch.cuda.device_count() > 1:
        torch.cuda.synchronize()


def timed_stage(
    model: "nn.Module", rank: int, device: "torch.device", measured: Measured
) -> "PipelineStage":
    """A stage of two that says when it computes and how many micro-batches it holds."""
    from torch.distributed.pipelining import PipelineStage

    class Timed(PipelineStage):
        def forward_one_chunk(self, fwd_chunk_id: int, *args: Any, **kwargs: Any) -> Any:
            with measured.working(("forward", fwd_chunk_id)):
                output = super().forward_one_chunk(fwd_chunk_id, *args, **kwargs)
            measured.held = max(measured.held, len(self.fwd_cache))
            return output

        def backward_one_chunk(self, bwd_chunk_id: int, *args: Any, **kwargs: Any) -> Any:
            with measured.working(("backward", bwd_chunk_id)):
                return super().backward_one_chunk(bwd_chunk_id, *args, **kwargs)

    return Timed(model, rank, _STAGES, device)


def train_whole(x: "Tensor", y: "Tensor", parameters: Settings) -> Measured:
    """Train the whole network in one process, a batch at a time."""
    import torch

    device = "cuda" if torch.cuda.device_count() > 1 else "cpu"
    model = build_layers(range(_LAYERS), parameters).to(device)
    optimizer = torch.optim.SGD(model.parameters(), parameters.learning_rate, momentum=0.9)
    measured = Measured()
    for epoch in range(parameters.epochs):
        losses: list[float] = []
        for chosen in batches(len(x), parameters, epoch):
            optimizer.zero_grad()
            began = time.perf_counter()
            output = model(x[chosen].to(device))
            loss = torch.nn.functional.cross_entropy(output, y[chosen].to(device))
            loss.backward()
            finish_on_cards()
            measured.seconds.append(time.perf_counter() - began)
            measured.remember_gradient(model)
            losses.append(loss.item())
            optimizer.step()
        measured.losses.append(mean(losses))
    return measured


def build_layers(numbers: range, parameters: Settings) -> "nn.Sequential":
    """These of the network's layers, with the same first weights wherever they are built.

    Smooth all the way: at the kink of a ReLU a rounding error could grow into a difference.
    """
    import torch
    from torch import nn

    parts: list[nn.Module] = []
    for number in numbers:
        torch.manual_seed(parameters.seed + number)
        inputs = 16 * 16 if number == 0 else parameters.width
        last = number == _LAYERS - 1
        layer = nn.Linear(inputs, 10 if last else parameters.width)
        nn.init.kaiming_normal_(layer.weight)
        parts += [layer] if last else [layer, nn.GELU()]
    return nn.Sequential(*parts)


def batches(size: int, parameters: Settings, epoch: int) -> "list[Tensor]":
    """Which pictures each full batch of the epoch has: the same in every process."""
    import torch

    order = torch.Generator().manual_seed(parameters.seed + epoch)
    shuffled = torch.randperm(size, generator=order).split(parameters.batch_size)
    return [chosen for chosen in shuffled if len(chosen) == parameters.batch_size]


def load_digits(folder: Path, seed: int) -> "tuple[Tensor, Tensor]":
    """The 16 × 16 pixels to learn from, standardised, and their labels."""
    import torch

    images, labels = load_split("digits", folder, side=16, seed=seed).train
    pixels = torch.from_numpy((images - images.mean()) / images.std())
    return pixels.flatten(1), torch.from_numpy(labels)


def bubble(micro: int) -> float:
    """The idle share of a pipeline whose stages take equal times (Huang et al., 2019)."""
    return (_STAGES - 1) / (micro + _STAGES - 1)


def report(
    context: Context, whole: Measured, first: dict[str, Measured], second: dict[str, Measured]
) -> None:
    """Report and draw what the uncut network and every pipeline did."""
    last = str(_MICRO[-1])
    for step, (one, cut) in enumerate(zip(whole.losses, second[last].losses, strict=True), 1):
        context.metric(step=step, **{"loss_whole": one, f"loss_{last}": cut})
    largest = max(float(abs(each).max()) for each in whole.gradient)
    loss_gap, gradient_gap = 0.0, 0.0
    for way, stage in second.items():
        losses = zip(stage.losses, whole.losses, strict=True)
        loss_gap = max(loss_gap, *(abs(a - b) for a, b in losses))
        gradients = zip(first[way].gradient + stage.gradient, whole.gradient, strict=True)
        apart = max(float(abs(a - b).max()) for a, b in gradients)
        gradient_gap = max(gradient_gap, apart / largest)
    idle = {way: idle_shares(stage, second[way]) for way, stage in first.items()}
    held = {way: first[way].held for way in (last, "1f1b")}
    steps = {way: 1000 * median(stage.seconds[1:]) for way, stage in first.items()}
    steps["whole"] = 1000 * median(whole.seconds[1:])
    context.metric(None, **{f"idle_{way}": value for way, (value, _) in idle.items()})
    context.metric(None, **{f"schedule_{way}": value for way, (_, value) in idle.items()})
    context.metric(None, **{f"bubble_{micro}": 100 * bubble(micro) for micro in _MICRO})
    context.metric(None, **{f"held_{way}": value for way, value in held.items()})
    context.metric(None, **{f"step_{way}": value for way, value in steps.items()})
    context.metric(loss_gap=loss_gap, gradient_gap=gradient_gap)
    draw(context, idle, held, steps, gradient_gap)


def idle_shares(first: Measured, second: Measured) -> tuple[float, float]:
    """Of a step, how long a stage idles, in %: as measured, and by the schedule alone."""
    # The first step also finds out the shapes of what is sent, and does not count.
    steps = list(zip(first.seconds, first.work, second.work, strict=True))[1:]
    idle = [
        1 - sum((*one.values(), *two.values())) / (_STAGES * seconds) for seconds, one, two in steps
    ]
    pieces = [equal_pieces(stage.work[1:]) for stage in (first, second)]
    busy = sum(sum(stage.values()) for stage in pieces)
    return 100 * median(idle), 100 * (1 - busy / (_STAGES * replay(pieces)))


def equal_pieces(steps: list[dict[Piece, float]]) -> dict[Piece, float]:
    """The pieces of a step in their order, each with the median time of its direction."""
    times: dict[str, list[float]] = {}
    for step in steps:
        for (direction, _), seconds in step.items():
            times.setdefault(direction, []).append(seconds)
    return {piece: median(times[piece[0]]) for piece in steps[0]}


def replay(pieces: list[dict[Piece, float]]) -> float:
    """How long a step takes whose stages do these pieces, if what is sent takes no time."""
    done: dict[tuple[int, Piece], float] = {}
    clocks = [0.0] * _STAGES
    waiting = [list(stage) for stage in pieces]
    while any(waiting):
        for stage, queue in enumerate(waiting):
            while queue:
                # forward comes from the stage before this one, backward from the one after it
                source = stage + (-1 if queue[0][0] == "forward" else 1)
                if source in range(_STAGES) and (source, queue[0]) not in done:
                    break
                piece = queue.pop(0)
                began = max(clocks[stage], done.get((source, piece), 0))
                done[stage, piece] = clocks[stage] = began + pieces[stage][piece]
    return max(clocks)


def draw(
    context: Context,
    idle: dict[str, tuple[float, float]],
    held: dict[str, int],
    steps: dict[str, float],
    gradient_gap: float,
) -> None:
    """Draw the idle shares, measured and by the formula, and what the schedules hold."""
    last = str(_MICRO[-1])
    with new_figure("切成几份，空等多少 micro-batches and the bubble", panels=2) as (figure, axes):
        left, right = axes
        ticks = [str(micro) for micro in _MICRO]
        measured, alone = zip(*(idle[micro] for micro in ticks), strict=True)
        left.plot(ticks, measured, "o-", color="#0072b2", label="实测 measured")
        left.plot(ticks, alone, "^-", color="#009e73", label="只算排队 schedule alone")
        formula = [100 * bubble(micro) for micro in _MICRO]
        left.plot(ticks, formula, "s--", color="#d55e00", label="公式 (p−1)/(m+p−1)")
        left.set_ylim(0)
        left.set_xlabel("微批次数 micro-batches")
        left.set_title("空等的时间 time idle, %")
        title = f"{last} 份时存几份激活 held of {last}"
        bars(right, title, {"GPipe": held[last], "1F1B": held["1f1b"]})
    shares = [
        (m, *(f"{share:.0f} %" for share in (*idle[str(m)], 100 * bubble(m)))) for m in _MICRO
    ]
    zh = "；".join(f"{m} 份 {real}、{alone}（公式 {ideal}）" for m, real, alone, ideal in shares)
    en = "; ".join(f"{m}: {real}, {alone} ({ideal})" for m, real, alone, ideal in shares)
    context.figure(
        "bubble",
        figure,
        title=Text(zh="气泡与微批次数", en="The bubble and the micro-batches"),
        alt=Text(
            zh=f"两段流水线空等的时间，实测的和只算排队的：{zh}。第一段同时存的微批次，GPipe 是 "
            f"{held[last]} 份，1F1B 是 {held['1f1b']} 份。一步用时：不切 "
            f"{steps['whole']:.0f} 毫秒，1 份 {steps['1']:.0f} 毫秒，{last} 份 "
            f"{steps[last]:.0f} 毫秒。梯度和不切时最多相差 {gradient_gap:.1e}（相对）。",
            en="Time that the two stages idle, by micro-batches: measured, by the schedule alone "
            f"(by the formula): {en}. The first stage holds {held[last]} of them under GPipe and "
            f"{held['1f1b']} under 1F1B. A step takes {steps['whole']:.0f} ms uncut, "
            f"{steps['1']:.0f} ms with 1 and {steps[last]:.0f} ms with {last}. The gradient "
            f"differs from the uncut network's by at most "
            f"{gradient_gap:.1e} of its largest number.",
        ),
    )


_WAYS = {
    "whole": Text(zh="不切", en="uncut"),
    **{str(micro): Text(zh=f"{micro} 份", en=f"{micro} micro") for micro in _MICRO},
    "1f1b": Text(zh="8 份 1F1B", en="8 micro, 1F1B"),
}
_MEASURES = {
    "loss": (Text(zh="损失", en="loss"), "", ("whole", "8")),
    "step": (Text(zh="每步时间", en="time a step"), "ms", tuple(_WAYS)),
    "idle": (Text(zh="空等", en="idle"), "%", ("1", "2", "4", "8", "1f1b")),
    "schedule": (
        Text(zh="只算排队的空等", en="idle by schedule"),
        "%",
        ("1", "2", "4", "8", "1f1b"),
    ),
    "bubble": (Text(zh="公式的空等", en="idle by formula"), "%", ("1", "2", "4", "8")),
    "held": (Text(zh="第一段存几份", en="held at once"), "", ("8", "1f1b")),
}

EXAMPLE = Example(
    id="pytorch-pipeline-parallelism",
    framework=Framework.PYTORCH,
    title=Text(zh="流水线并行：微批次越多，空等越少", en="Pipeline parallelism and its bubble"),
    look_at=Text(
        zh="微批次越多，只算排队的空等就跟着公式 (p−1)/(m+p−1) 越少，梯度却和不切时一样；"
        "1F1B 的气泡差不多，第一段同时只存 2 份。"
        "实测的空等还有传送和抢核的份，所以切得太碎又会变慢，核都忙着时切开不一定比不切快。",
        en="With more micro-batches the schedule alone idles less, as (p−1)/(m+p−1) says, with the "
        "gradient of the uncut network; 1F1B has much the same bubble and holds only 2 of them. "
        "The idle time measured adds messages and busy cores: tiny pieces are slow again, and on "
        "busy cores the pipeline need not be faster than the uncut network.",
    ),
    compares=Text(
        zh="1、2、4、8 个微批次与不切", en="1, 2, 4, 8 micro-batches and the uncut network"
    ),
    claims=(
        at_most("schedule_8", "schedule_1", times=0.6),
        at_most("gradient_gap", 1e-3),
        at_most("held_1f1b", "held_8", times=0.5),
    ),
    parameters=Settings,
    metrics=(
        *(
            MetricInfo(
                name=f"{measure}_{way}",
                title=Text(zh=f"{_WAYS[way].zh}：{what.zh}", en=f"{_WAYS[way].en}: {what.en}"),
                unit=unit,
            )
            for measure, (what, unit, ways) in _MEASURES.items()
            for way in ways
        ),
        MetricInfo(name="loss_gap", title=Text(zh="损失最大差", en="largest loss gap")),
        MetricInfo(
            name="gradient_gap", title=Text(zh="梯度最大相对差", en="largest relative gradient gap")
        ),
    ),
    run=run,
    limit_s=600,
    cards=2,
    lower=("width", "batch_size"),
)
