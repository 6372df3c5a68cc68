"""Puts the runner together from its settings: store, nurseries, queue."""

import os
import shutil
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal

from runners.catalogue import Catalogue
from runners.jobs.archive import Archive
from runners.jobs.artifacts import Artifacts
from runners.jobs.cards import can_use_cards, graphics_cards, versions_for
from runners.jobs.dispatcher import Dispatcher, Places, Rules, Workshop
from runners.jobs.journal import Journal
from runners.jobs.launcher import Launcher, Nurture, nursery_environment
from runners.jobs.measure import cores
from runners.jobs.retention import Retention
from runners.jobs.store import JobStore
from runners.jobs.walls import build_walls
from runners.protocol.health import Health
from runners.protocol.words import Framework
from runners.settings import BANK, RunnerSettings

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
class Runner:
    """An open runner."""

    catalogue: Catalogue
    dispatcher: Dispatcher
    journal: Journal
    artifacts: Artifacts
    archive: Archive
    launchers: Mapping[Framework, Launcher]

    def health(self) -> Health:
        """How it is doing."""
        return Health(
            running=self.dispatcher.running,
            waiting=self.dispatcher.waiting,
            frameworks={framework: self._condition(framework) for framework in Framework},
        )

    def _condition(
        self, framework: Framework
    ) -> Literal["ready", "loading", "missing", "on demand"]:
        if framework not in self.catalogue.frameworks:
            return "missing"
        launcher = self.launchers[framework]
        if launcher.ready:
            return "ready"
        return "loading" if launcher.opened else "on demand"


@asynccontextmanager
async def open_runner(
    settings: RunnerSettings, catalogue: Catalogue, store: Path, scratch: Path
) -> AsyncGenerator[Runner]:
    """The runner, until the block ends: then what runs is ended and what waits is kept.

    ``store`` is the file of its jobs, ``scratch`` the folder of their working folders; nobody
    else may use either at the same time. Frameworks start to load when a job asks for them.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    cache = settings.data_dir / "cache"
    for folder in (scratch, cache):
        folder.mkdir(parents=True, exist_ok=True)
    threads = max(1, cores() // settings.runner_slots)
    cards = await graphics_cards()
    able = frozenset(
        [
            framework
            for framework in catalogue.frameworks
            if cards
            and can_use_cards(
                framework, await versions_for(_python(settings, framework), _PACKAGES[framework])
            )
        ]
    )
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
    opened = JobStore.open(store)
    journal = Journal(opened)
    artifacts = Artifacts(settings.data_dir / "artifacts")
    dispatcher = Dispatcher(
        Rules(
            slots=settings.runner_slots,
            threads=threads,
            running_each=settings.runner_running_each,
            waiting_each=settings.runner_waiting_each,
            queue_limit=settings.runner_queue_limit,
            memory_mb=settings.runner_memory_mb,
            ask_grace_s=settings.runner_ask_grace_s,
            terminate_grace_s=settings.runner_terminate_grace_s,
            fresh=timedelta(hours=settings.runner_fresh_hours),
        ),
        Places(scratch, settings.datasets, settings.encoder_folder, BANK),
        Workshop(catalogue, journal, artifacts, launchers, graphics_cards, able),
    )
    archive = Archive(
        journal,
        artifacts,
        Retention(timedelta(days=settings.runner_keep_days), settings.runner_keep_mb * 1024 * 1024),
    )
    try:
        await dispatcher.recover()
        yield Runner(catalogue, dispatcher, journal, artifacts, archive, launchers)
    finally:
        await dispatcher.close()
        for launcher in launchers.values():
            await launcher.close()
        opened.close()
        shutil.rmtree(scratch, ignore_errors=True)


def _python(settings: RunnerSettings, framework: Framework) -> Path:
    return settings.pythons.get(framework, Path(sys.executable))


def _hidden(settings: RunnerSettings) -> tuple[Path, ...]:
    """What jobs have no business with: the tutor's data, and the file that may hold its token."""
    data = settings.data_dir
    needed = (Path(sys.prefix), Path(__file__).resolve(), *settings.pythons.values())
    hidden = (Path(".env").absolute(),)
    return hidden if any(path.is_relative_to(data) for path in needed) else (data, *hidden)
