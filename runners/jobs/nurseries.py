"""The nurseries of one computer, put together from the settings and from what is found on it."""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runners.jobs.cards import Card, can_use_cards, graphics_cards, versions_for
from runners.jobs.launcher import Launcher, Nurture, nursery_environment
from runners.jobs.walls import build_walls
from runners.protocol.words import Framework
from runners.settings import RunnerSettings

_BESIDES: Final = (
    "numpy",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "sklearn.datasets",
    "sklearn.model_selection",
    "scipy.ndimage",
)
_PRELOADED: Final = {
    Framework.TENSORFLOW: ("tensorflow", *_BESIDES),
    # the first optimizer of a process imports torch._dynamo, which takes longer than torch itself
    Framework.PYTORCH: ("torch", "torch._dynamo", *_BESIDES),
}
_PROBES: Final = {
    Framework.TENSORFLOW: "import tensorflow as tf; tf.config.list_logical_devices('GPU')[0]",
    Framework.PYTORCH: "import torch; torch.zeros(1, device='cuda').item()",
}
"""What a forked process must be able to do where there is a graphics card."""

_PACKAGES: Final = {
    Framework.TENSORFLOW: ("tensorflow", "keras", "numpy", "nvidia-cudnn-cu12"),
    Framework.PYTORCH: ("torch", "numpy"),
}


@dataclass(frozen=True, slots=True)
class Nurseries:
    """Launchers whose nurseries start when a job asks for them, and the cards they found.

    ``able`` are the frameworks that can use the cards.
    """

    launchers: Mapping[Framework, Launcher]
    cards: tuple[Card, ...]
    able: frozenset[Framework]

    async def close(self) -> None:
        """End the nurseries and every process that came out of them."""
        for launcher in self.launchers.values():
            await launcher.close()


async def prepare_nurseries(
    settings: RunnerSettings,
    frameworks: Iterable[Framework],
    threads: int,
    scratch: Path,
    cache: Path,
) -> Nurseries:
    """The nurseries of this computer; ``frameworks`` are those that are installed on it.

    A job has ``threads`` of the processor's cores, its folder below ``scratch``, and ``cache``
    for what libraries keep. Raises RunnerSettingsError when walls are required and cannot be built.
    """
    cards = await graphics_cards()
    able = await able_frameworks(settings, frameworks) if cards else frozenset[Framework]()
    environment = nursery_environment(os.environ, threads=threads, cache=cache)
    if not cards:
        # what jobs are told to compute on is what the learner is told, too
        environment["CUDA_VISIBLE_DEVICES"] = "-1"
        environment["TF_CPP_MIN_LOG_LEVEL"] = "3"  # its one error would be that there is no card
    walls = await build_walls(
        settings.runner_walls,
        hidden=_hidden(settings),
        readable=(settings.datasets, settings.encoder_folder),
        writable=(scratch, cache),
    )
    launchers = {
        framework: Launcher(
            Nurture(
                framework=framework,
                python=_python(settings, framework),
                preload=_PRELOADED[framework] if settings.runner_preload else (),
                packages=_PACKAGES[framework],
                environment=environment,
                fork=settings.runner_fork,
                probe=_PROBES[framework] if framework in able else "",
                walls=walls,
            )
        )
        for framework in Framework
    }
    return Nurseries(launchers, cards, able)


async def able_frameworks(
    settings: RunnerSettings, frameworks: Iterable[Framework]
) -> frozenset[Framework]:
    """Those of ``frameworks`` that could use a graphics card, as they are installed here."""
    return frozenset(
        [
            framework
            for framework in frameworks
            if can_use_cards(
                framework, await versions_for(_python(settings, framework), _PACKAGES[framework])
            )
        ]
    )


def _python(settings: RunnerSettings, framework: Framework) -> Path:
    return settings.pythons.get(framework, Path(sys.executable))


def _hidden(settings: RunnerSettings) -> tuple[Path, ...]:
    """What jobs have no business with: the tutor's data, and the file that may hold its token."""
    data = settings.data_dir
    needed = (Path(sys.prefix), Path(__file__).resolve(), *settings.pythons.values())
    hidden = (Path(".env").absolute(),)
    return hidden if any(path.is_relative_to(data) for path in needed) else (data, *hidden)
