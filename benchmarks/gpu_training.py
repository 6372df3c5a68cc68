"""Training steps of ResNet-50: the example's own network by turns with a public one.

Everything takes the device it computes on, so the same steps run on a processor, only slowly.
"""

import gc
import importlib.metadata
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from runners.examples.pytorch_resnet import build_resnet

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

PARAMETERS: Final = 25_557_032
"""Of ResNet-50 with 1,000 classes, as published."""

_CLASSES: Final = 1_000
_LONGEST: Final = 160


@dataclass(frozen=True, slots=True)
class Load:
    """How much is trained, on pictures of ``side`` by ``side`` pixels.

    After ``warm_up`` steps that do not count, ``steps`` are timed together, ``repeats`` times.
    """

    batch_size: int = 128
    steps: int = 20
    side: int = 224
    warm_up: int = 5
    repeats: int = 5


@dataclass(frozen=True, slots=True)
class Way:
    """How a network is trained; in full precision and just as it is built, unless it says so.

    ``compiler`` is the backend of torch.compile.
    """

    name: str
    bf16: bool = False
    channels_last: bool = False
    compiler: str = ""


FULL: Final = Way("fp32, TF32 off")
MIXED: Final = Way("bf16 autocast", bf16=True)
FASTEST: Final = Way(
    "bf16 autocast, channels-last, torch.compile",
    bf16=True,
    channels_last=True,
    compiler="inductor",
)
WAYS: Final = (FULL, MIXED, FASTEST)


@dataclass(frozen=True, slots=True)
class Network:
    """A ResNet-50 and where it comes from."""

    name: str
    build: "Callable[[], nn.Module]"


@dataclass(frozen=True, slots=True)
class Rates:
    """Images a second of one way, one number a repeat; none where ``fault`` says why."""

    way: str
    ours: tuple[float, ...] = ()
    reference: tuple[float, ...] = ()
    fault: str = ""


def example_network() -> Network:
    """The example's, at full width and with the stem for large pictures."""
    return Network(
        "runners.examples.pytorch_resnet",
        lambda: build_resnet("50", width=64, classes=_CLASSES, channels=3, large_pictures=True),
    )


def reference_network() -> Network:
    """That of torchvision where it is installed, else that of transformers."""
    if find_spec("torchvision"):
        return Network(
            f"torchvision {importlib.metadata.version('torchvision')}, resnet50", _of_torchvision
        )
    version = importlib.metadata.version("transformers")
    return Network(f"transformers {version}, ResNetForImageClassification", _of_transformers)


def _of_torchvision() -> "nn.Module":
    from torchvision.models import resnet50  # pyright: ignore[reportMissingImports] - may be there

    return resnet50(weights=None, num_classes=_CLASSES)


def _of_transformers() -> "nn.Module":
    from torch import nn
    from transformers import ResNetConfig, ResNetForImageClassification

    class Logits(nn.Module):
        """Gives the bare logits, as the other networks do."""

        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.model = model

        def forward(self, images: "Tensor") -> "Tensor":
            return self.model(images).logits

    config = ResNetConfig(
        layer_type="bottleneck", depths=[3, 4, 6, 3], downsample_in_bottleneck=False
    )
    config.num_labels = _CLASSES
    return Logits(ResNetForImageClassification(config))


def count_parameters(network: "nn.Module") -> int:
    """How many numbers are learned."""
    return sum(each.numel() for each in network.parameters())


def check_sizes(networks: Sequence[Network]) -> None:
    """Raise ValueError for one that is no ResNet-50 by its number of parameters."""
    for network in networks:
        count = count_parameters(network.build())
        if count != PARAMETERS:
            raise ValueError(f"{network.name} has {count:,} parameters, not {PARAMETERS:,}")


def set_precision() -> None:
    """Have fp32 mean fp32, and cuDNN try out which of its algorithms is the fastest."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True


def compare(
    way: Way, load: Load, device: "torch.device", networks: tuple[Network, Network]
) -> Rates:
    """Train ours and the reference by turns; what a card or its compiler cannot do is a fault."""
    try:
        return _compared(way, load, device, networks)
    except RuntimeError as error:  # out of memory is one, and so is what the compiler raises
        first = (str(error).strip().splitlines() or [""])[0]
        return Rates(way.name, fault=f"{type(error).__name__}: {first[:_LONGEST]}")
    finally:
        _let_go(compiled=bool(way.compiler))


def _compared(
    way: Way, load: Load, device: "torch.device", networks: tuple[Network, Network]
) -> Rates:
    sides = [_Training(network.build(), way, load, device) for network in networks]
    for side in sides:
        side.rate(load.warm_up)
    rounds = [[side.rate(load.steps) for side in sides] for _ in range(load.repeats)]
    return Rates(
        way.name,
        ours=tuple(our for our, _ in rounds),
        reference=tuple(theirs for _, theirs in rounds),
    )


class _Training:
    """A network in training, on one synthetic batch that lies on the device."""

    def __init__(self, network: "nn.Module", way: Way, load: Load, device: "torch.device") -> None:
        import torch

        layout = torch.channels_last if way.channels_last else torch.contiguous_format
        network = network.to(device).train()
        if way.channels_last:
            network.to(memory_format=layout)  # pyright: ignore[reportCallIssue] - it takes one
        numbers = torch.Generator().manual_seed(0)
        shape = (load.batch_size, 3, load.side, load.side)
        images = torch.randn(shape, generator=numbers)
        labels = torch.randint(_CLASSES, (load.batch_size,), generator=numbers)
        self._images = images.to(device, memory_format=layout)
        self._labels = labels.to(device)
        self._optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
        self._forward = torch.compile(network, backend=way.compiler) if way.compiler else network
        self._bf16 = way.bf16
        self._device = device

    def rate(self, steps: int) -> float:
        """Images a second over ``steps`` steps."""
        self._synchronise()
        began = time.perf_counter()
        loss = [self._step() for _ in range(steps)][-1]
        self._synchronise()
        seconds = time.perf_counter() - began
        if not math.isfinite(loss.item()):
            raise RuntimeError("the loss is not finite")
        return steps * len(self._labels) / seconds

    def _step(self) -> "Tensor":
        import torch
        from torch.nn.functional import cross_entropy

        self._optimizer.zero_grad()
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
            loss = cross_entropy(self._forward(self._images), self._labels)
        loss.backward()
        self._optimizer.step()
        return loss.detach()

    def _synchronise(self) -> None:
        import torch

        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def _let_go(*, compiled: bool) -> None:
    """Have the next way find the card as this one did."""
    import torch

    if compiled:
        torch.compiler.reset()
    gc.collect()
    torch.cuda.empty_cache()
