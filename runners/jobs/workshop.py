"""Puts the runner together from its settings: store, nurseries, queue."""

import os
import shutil
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from runners.catalogue import Catalogue
from runners.jobs.artifacts import Artifacts
from runners.jobs.dispatcher import Dispatcher, Places, Rules, Workshop
from runners.jobs.journal import Journal
from runners.jobs.launcher import Launcher, Nurture, nursery_environment
from runners.jobs.measure import cores, device, graphics_cards
from runners.jobs.store import JobStore
from runners.protocol.health import Health
from runners.protocol.words import Framework
from runners.settings import BANK, RunnerSettings

_WORKER: Final = "runners.jobs.worker"
_BESIDES: Final = (
    "numpy",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "sklearn.datasets",
)
_PRELOADED: Final = {
    Framework.TENSORFLOW: ("tensorflow", *_BESIDES),
    # the first optimizer of a process imports torch._dynamo, which takes longer than torch itself
    Framework.PYTORCH: ("torch", "torch._dynamo", *_BESIDES),
}
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
    environment = nursery_environment(os.environ, threads=threads, cache=cache)
    if not cards:
        # what jobs are told to compute on is what the learner is told, too
        environment["CUDA_VISIBLE_DEVICES"] = "-1"
        environment["TF_CPP_MIN_LOG_LEVEL"] = "3"  # its one error would be that there is no card
    launchers = {
        framework: Launcher(
            Nurture(
                framework=framework,
                python=settings.pythons.get(framework, Path(sys.executable)),
                preload=(*(_PRELOADED[framework] if settings.runner_preload else ()), _WORKER),
                packages=_PACKAGES[framework],
                environment=environment,
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
            queue_limit=settings.runner_queue_limit,
            memory_mb=settings.runner_memory_mb,
            ask_grace_s=settings.runner_ask_grace_s,
            terminate_grace_s=settings.runner_terminate_grace_s,
        ),
        Places(scratch, settings.datasets, settings.encoder_folder, BANK),
        Workshop(
            catalogue,
            journal,
            artifacts,
            launchers,
            lambda framework, versions: device(framework, versions, cards, threads),
        ),
    )
    try:
        await dispatcher.recover()
        yield Runner(catalogue, dispatcher, journal, artifacts, launchers)
    finally:
        await dispatcher.close()
        for launcher in launchers.values():
            await launcher.close()
        opened.close()
        shutil.rmtree(scratch, ignore_errors=True)
