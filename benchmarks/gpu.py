"""``make bench-gpu``: the PyTorch examples and ResNet-50's training on an NVIDIA card.

Prints what it measures, and writes it only to a file that it is given.
"""

import argparse
import asyncio
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from benchmarks.gpu_examples import Ran, run_examples
from benchmarks.gpu_report import examples_section, training_section
from benchmarks.gpu_training import (
    WAYS,
    Load,
    Network,
    Rates,
    check_sizes,
    compare,
    example_network,
    reference_network,
    set_precision,
)
from runners.catalogue import load_catalogue
from runners.jobs.cards import device_name, graphics_cards
from runners.protocol.words import Framework
from runners.settings import read_settings

_EXAMPLES: Final = "examples"
_TRAINING: Final = "training"
_NO_CARD: Final = 2
_ANSWER_S: Final = 30
_DESCRIPTION: Final = "Runs the PyTorch examples and trains ResNet-50 on an NVIDIA card."
_FEWEST: Final = 2
"""Images in a batch: batch norm takes a variance of them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status: 1 when something failed, 2 without a card."""
    parser = _parser()
    options = parser.parse_args(arguments)
    reason = why_no_card()
    if reason:
        print(f"benchmarks.gpu: nothing to measure: {reason}", file=sys.stderr)
        return _NO_CARD
    settings = read_settings()
    catalogue = load_catalogue(pythons=settings.pythons)
    known = [
        info.id for info in catalogue if info.framework is Framework.PYTORCH and info.available
    ]
    unknown = {*options.only} - {_EXAMPLES, _TRAINING, *known}
    if unknown:
        parser.error(f"--only: there is no {', '.join(sorted(unknown))}")
    sections = [_show(f"# On a graphics card\n\n{_machine()}")]
    ran: list[Ran] = []
    rates: list[Rates] = []
    if names := chosen(options.only, known):
        ran = asyncio.run(run_examples(settings, catalogue, names))
        sections.append(_show(examples_section(ran)))
    if not options.only or _TRAINING in options.only:
        load = Load(batch_size=options.batch_size, steps=options.steps)
        networks = (example_network(), reference_network())
        rates = train(load, networks)
        sections.append(_show(training_section(load, networks, rates)))
    if options.write is not None:
        options.write.write_text("\n".join(sections), "utf-8")
    return 0 if well(ran, rates) else 1


def why_no_card() -> str:
    """Why nothing can be measured here, in one line; empty where there is a card."""
    try:
        import torch
    except ImportError:
        return "PyTorch is not installed"
    return reason_against(
        torch.__version__, torch.version.cuda, available=torch.cuda.is_available()
    )


def reason_against(version: str, cuda: str | None, *, available: bool) -> str:
    """Why PyTorch ``version``, built for ``cuda``, does not compute on an NVIDIA card."""
    if cuda is None:
        return f"PyTorch {version} is built without CUDA"
    return "" if available else f"PyTorch {version} (CUDA {cuda}) finds no NVIDIA card"


def chosen(only: Sequence[str], known: Sequence[str]) -> list[str]:
    """The examples to run of those that are ``known``."""
    return [name for name in known if not only or _EXAMPLES in only or name in only]


def well(ran: Sequence[Ran], rates: Sequence[Rates]) -> bool:
    """Whether every example succeeded, showed what it claims, and every way could be trained."""
    succeeded = all(each.run.succeeded and each.run.shows_all for each in ran)
    return succeeded and not any(each.fault for each in rates)


def train(load: Load, networks: tuple[Network, Network]) -> list[Rates]:
    """Train both in every way on the first card."""
    import torch

    check_sizes(networks)
    set_precision()
    rates: list[Rates] = []
    for way in WAYS:
        print(f"{way.name} …", file=sys.stderr, flush=True)
        rates.append(compare(way, load, torch.device("cuda"), networks))
    return rates


def _show(text: str) -> str:
    """Print it and give it back, its last line ended."""
    print(f"{text}\n", flush=True)
    return f"{text}\n"


def _machine() -> str:
    """What is measured on; the cards' names by nvidia-smi, for PyTorch would open one to ask."""
    import torch

    cards = asyncio.run(graphics_cards())
    name = device_name(cards, 0) if cards else torch.cuda.get_device_name()
    return (
        f"{name}{_driver()}; PyTorch {torch.__version__}, CUDA {torch.version.cuda}, "
        f"cuDNN {torch.backends.cudnn.version()}; Python {platform.python_version()}."
    )


def _driver() -> str:
    with suppress(OSError, subprocess.SubprocessError):
        told = subprocess.run(
            ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],  # noqa: S607 - wherever it is
            capture_output=True,
            text=True,
            timeout=_ANSWER_S,
            check=True,
        ).stdout.split()
        return f", driver {told[0]}" if told else ""
    return ""


def _parser() -> argparse.ArgumentParser:
    usual = Load()
    parser = argparse.ArgumentParser(prog="benchmarks.gpu", description=_DESCRIPTION)
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="NAME",
        help=f"'{_EXAMPLES}', '{_TRAINING}', or names of examples; everything unless given",
    )
    parser.add_argument(
        "--steps", type=_at_least(1), default=usual.steps, help="timed steps a repeat in training"
    )
    parser.add_argument(
        "--batch-size", type=_at_least(_FEWEST), default=usual.batch_size, help="images a step"
    )
    parser.add_argument("--write", type=_file, metavar="FILE", help="the report, as Markdown")
    return parser


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is no whole number from {least} on")
        return int(text)

    return number


def _file(text: str) -> Path:
    if not Path(text).absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder for {text}")
    return Path(text)


if __name__ == "__main__":
    sys.exit(main())
