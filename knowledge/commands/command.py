"""What a command is, and what several of them need."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from knowledge.prepare import prepare
from knowledge.progress import terminal_progress
from knowledge.retriever import Retriever, open_retriever
from knowledge.settings import read_settings

FAULTS_FOUND: Final = 1
"""The exit code when a bank has faults."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command. ``run`` gives the exit code; what goes wrong is a `KnowledgeError`."""

    name: str
    help: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def prepared_retriever() -> Retriever:
    """The retriever; what is missing or merely out of date is prepared first."""
    settings = read_settings()
    prepare(settings, terminal_progress, mend=False)
    return open_retriever(settings, terminal_progress)
