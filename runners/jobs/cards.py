"""The graphics cards of this machine, and which frameworks can compute on them."""

import asyncio
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from runners.protocol.words import Framework

_ANSWER_S: Final = 30
_VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
_TELL: Final = (
    "import json, sys; from runners.jobs.cards import versions_of; "
    "print(json.dumps(versions_of(sys.argv[1:])))"
)


class Card(NamedTuple):
    """A card as the driver knows it: what it is asked for by, and its name for people."""

    id: str
    name: str


async def graphics_cards() -> tuple[Card, ...]:
    """The NVIDIA cards that jobs may use; asks nvidia-smi, never a framework.

    ``CUDA_VISIBLE_DEVICES``, where it is set, narrows them down.
    """
    visible = os.environ.get(_VISIBLE)
    if visible in ("", "-1"):
        return ()
    told = await output_of("nvidia-smi", "--query-gpu=uuid,name", "--format=csv,noheader")
    lines = [line.partition(",") for line in told.splitlines() if "," in line]
    cards = [Card(uuid.strip(), name.strip()) for uuid, _, name in lines]
    if visible is None:
        return tuple(cards)
    asked = [_asked_for(each.strip(), cards) for each in visible.split(",")]
    return tuple(card for card in asked if card is not None)


def _asked_for(word: str, cards: Sequence[Card]) -> Card | None:
    """The card that one word of ``CUDA_VISIBLE_DEVICES`` names: a number, or an id's beginning."""
    if word.isdigit():
        return cards[int(word)] if int(word) < len(cards) else None
    if word.startswith("MIG-"):
        return Card(word, "MIG")  # a part of a card, which the query does not list
    return next((card for card in cards if word and card.id.startswith(word)), None)


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """The versions of Python and of those ``packages`` that are installed here."""
    found = {"python": platform.python_version()}
    for package in packages:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


async def versions_for(python: Path, packages: Sequence[str]) -> dict[str, str]:
    """`versions_of` as the interpreter ``python`` has them; empty when it cannot say."""
    if python == Path(sys.executable):
        return versions_of(packages)
    told = await output_of(str(python), "-c", _TELL, *packages)
    return json.loads(told) if told else {}


def can_use_cards(framework: Framework, versions: Mapping[str, str]) -> bool:
    """Whether this build computes on a card where there is one.

    PyTorch's does unless its version says ``+cpu``, TensorFlow's where the CUDA libraries that
    it asks for are installed beside it.
    """
    match framework:
        case Framework.PYTORCH:
            return not versions.get("torch", "+cpu").endswith("+cpu")
        case Framework.TENSORFLOW:
            return any(name.startswith("nvidia-cudnn") for name in versions)


def device_name(cards: Sequence[Card], threads: int) -> str:
    """What a job that got ``cards`` computes on, for people."""
    if not cards:
        return f"cpu ({threads} core{'' if threads == 1 else 's'})"
    return cards[0].name if len(cards) == 1 else f"{len(cards)} × {cards[0].name}"


async def output_of(*command: str) -> str:
    """What ``command`` prints; nothing when it is not there, fails or takes too long."""
    try:
        asked = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return ""
    try:
        told, _ = await asyncio.wait_for(asked.communicate(), _ANSWER_S)
    except TimeoutError:
        asked.kill()
        await asked.wait()
        return ""
    return told.decode(errors="replace") if asked.returncode == 0 else ""
