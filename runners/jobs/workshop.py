"""Puts the runner together from its settings: store, engine, queue."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from runners.catalogue import Catalogue
from runners.errors import RunnerSettingsError
from runners.jobs.archive import Archive
from runners.jobs.artifacts import Artifacts
from runners.jobs.dispatcher import Dispatcher, Places, Rules, Workshop
from runners.jobs.engine import Condition, Engine
from runners.jobs.journal import Journal
from runners.jobs.local_engine import open_local_engine
from runners.jobs.retention import Retention
from runners.jobs.store import JobStore
from runners.protocol.health import Health
from runners.protocol.words import Framework
from runners.settings import BANK, RunnerSettings


@dataclass(frozen=True, slots=True)
class Runner:
    """An open runner."""

    catalogue: Catalogue
    dispatcher: Dispatcher
    journal: Journal
    artifacts: Artifacts
    archive: Archive
    engine: Engine

    def health(self) -> Health:
        """How it is doing."""
        return Health(
            running=self.dispatcher.running,
            waiting=self.dispatcher.waiting,
            frameworks={framework: self._condition(framework) for framework in Framework},
        )

    def _condition(self, framework: Framework) -> Condition | Literal["missing"]:
        if framework not in self.catalogue.frameworks:
            return "missing"
        return self.engine.condition(framework)


@asynccontextmanager
async def open_runner(
    settings: RunnerSettings, catalogue: Catalogue, store: Path, scratch: Path
) -> AsyncGenerator[Runner]:
    """The runner, until the block ends: then what runs is ended and what waits is kept.

    ``store`` is the file of its jobs, ``scratch`` the folder of their working folders; nobody
    else may use either at the same time. Frameworks start to load when a job asks for them.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    opened = JobStore.open(store)
    try:
        journal = Journal(opened)
        artifacts = Artifacts(settings.data_dir / "artifacts")
        archive = Archive(
            journal,
            artifacts,
            Retention(
                timedelta(days=settings.runner_keep_days), settings.runner_keep_mb * 1024 * 1024
            ),
        )
        async with _engine(settings, catalogue, journal, artifacts, scratch) as engine:
            dispatcher = Dispatcher(
                _rules(settings),
                Places(scratch, settings.datasets, settings.encoder_folder, BANK),
                Workshop(catalogue, journal, artifacts, engine),
            )
            try:
                await dispatcher.recover()
                yield Runner(catalogue, dispatcher, journal, artifacts, archive, engine)
            finally:
                await dispatcher.close()
    finally:
        opened.close()
        shutil.rmtree(scratch, ignore_errors=True)


def _engine(
    settings: RunnerSettings,
    catalogue: Catalogue,
    journal: Journal,
    artifacts: Artifacts,
    scratch: Path,
) -> AbstractAsyncContextManager[Engine]:
    frameworks = catalogue.frameworks
    if settings.runner_engine == "local":
        return open_local_engine(settings, frameworks, journal, artifacts, scratch)
    try:
        from runners.jobs.ray_engine import open_ray_engine
    except ImportError as error:
        raise RunnerSettingsError(
            "XUEBAN_RUNNER_ENGINE=ray needs Ray: install xueban with its extra `ray`"
        ) from error
    return open_ray_engine(settings, frameworks, journal, artifacts)


def _rules(settings: RunnerSettings) -> Rules:
    return Rules(
        running_each=settings.runner_running_each,
        waiting_each=settings.runner_waiting_each,
        queue_limit=settings.runner_queue_limit,
        memory_mb=settings.runner_memory_mb,
        ask_grace_s=settings.runner_ask_grace_s,
        terminate_grace_s=settings.runner_terminate_grace_s,
        fresh=timedelta(hours=settings.runner_fresh_hours),
    )
