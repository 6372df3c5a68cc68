import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runners.catalogue import Catalogue
from runners.errors import RunnerSettingsError
from runners.jobs.walls import Enclosure, build_walls
from runners.jobs.workshop import open_runner
from runners.protocol.words import Wall
from runners.settings import RunnerSettings
from tests.runners.bubblewrap import need_walls

if TYPE_CHECKING:
    from tests.runners.conftest import Bench


@pytest.fixture
def port() -> Iterator[int]:
    """Where somebody listens on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
async def walled(
    settings: RunnerSettings, trials: Catalogue, bench: "Bench"
) -> AsyncIterator["Bench"]:
    """A second runner on the same data, behind walls."""
    need_walls()
    folder = settings.data_dir / "runner behind walls"
    required = settings.model_copy(update={"runner_walls": "required"})
    async with open_runner(required, trials, folder / "jobs.db", folder / "scratch") as runner:
        yield type(bench)(runner)


async def test_a_job_behind_walls_reaches_sees_and_writes_its_own_only(
    settings: RunnerSettings,
    bench: "Bench",
    walled: "Bench",
    port: int,
    leftovers: Callable[[], list[str]],
) -> None:
    settings.datasets.mkdir(parents=True)
    for path in (settings.data_dir / "secret", settings.datasets / "mnist.npz"):
        path.touch()
    inside = await walled.end(walled.submit("curious", port=port))
    outside = await bench.end(bench.submit("curious", port=port))
    assert inside.metrics == {
        "reached": 0,
        "talks_to_itself": 1,
        "wrote_data": 0,
        "wrote_beside": 0,
        "wrote_scratch": 1,
        "saw_secret": 0,
        "saw_datasets": 1,
    }
    # without walls all of that is in its reach, or the above would show nothing
    assert set(outside.metrics.values()) == {1}
    assert (inside.walls, outside.walls) == ((Wall.NETWORK, Wall.FILES), ())
    assert not [left for left in leftovers() if "scratch" in left.rpartition(" ")[2]]


async def test_a_job_behind_walls_is_cancelled_with_its_family(
    walled: "Bench", leftovers: Callable[[], list[str]]
) -> None:
    job = walled.submit("unruly", how="family")
    await walled.started(job)
    walled.runner.dispatcher.cancel(job)
    assert (await walled.end(job)).measured is not None
    assert not [left for left in leftovers() if "time.sleep(600)" in left]


async def test_walls_that_are_required_and_cannot_be_built_are_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunnerSettingsError, match="bubblewrap is not installed"):
        await build_walls("required")
    assert await build_walls("auto") is None
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho bwrap: no permission >&2\nexit 1\n")
    program.chmod(0o700)
    with pytest.raises(RunnerSettingsError, match="bwrap: no permission"):
        await build_walls("required")
    assert await build_walls("auto") is None
    assert await build_walls("off") is None


def test_what_is_writable_comes_after_what_is_hidden(tmp_path: Path) -> None:
    secret = tmp_path / ".env"
    secret.touch()
    command = Enclosure(
        "bwrap",
        hidden=(tmp_path, secret, tmp_path / "gone"),
        readable=(tmp_path / "datasets",),
        writable=(tmp_path / "scratch",),
    ).command(["python", "-c", "…"])
    told = " ".join(command)
    hidden = told.index(f"--tmpfs {tmp_path} --ro-bind /dev/null {secret}")
    assert hidden < told.index(f"--ro-bind-try {tmp_path}/datasets") < told.index(" --bind ")
    assert "gone" not in told
    assert told.endswith(f"/scratch --remount-ro {tmp_path} -- python -c …")
