"""Bubblewrap for the tests of what stands behind walls."""

import os
import shutil
import subprocess

import pytest


def need_walls() -> None:
    """Where no walls can be built, the test is reported as not run.

    Where ``XUEBAN_WALL_TESTS`` is ``required``, as before a change lands, it fails instead.
    """
    command = ["bwrap", "--ro-bind", "/", "/", "--unshare-net", "true"]
    if shutil.which("bwrap") and not subprocess.run(command, check=False).returncode:  # noqa: S603
        return
    missing = "jobs are walled in by bubblewrap, which does not work here: install bubblewrap"
    if os.environ.get("XUEBAN_WALL_TESTS") == "required":
        pytest.fail(missing)
    pytest.skip(missing)
