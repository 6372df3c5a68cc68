"""Debian's Chromium for the tests of the playground's page."""

import os
import shutil

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """The browser's path; without one the test is reported as not run.

    Where ``XUEBAN_BROWSER_TESTS`` is ``required``, as before a change lands, it fails instead.
    """
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is not None:
        return found
    missing = "the page is tested in Chromium, which is not installed: apt-get install chromium"
    if os.environ.get("XUEBAN_BROWSER_TESTS") == "required":
        pytest.fail(missing)
    pytest.skip(missing)
