"""``benchmarks/INDEX.md``: the figures of the index as tables, and what they grow like."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from knowledge.index_kind import FOLD_AT, SWITCH_AT


@dataclass(frozen=True, slots=True)
class Probe:
    """What looking at ``probed`` of the lists finds, and the seconds it computes."""

    probed: int
    recall: float
    computed: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What one index costs: times in seconds, sizes in bytes, recalls as shares of 1.

    ``build`` is by the clock, ``build_computed`` the time on all processors together.
    ``recall`` is of the ten nearest and ``deep_recall`` of the 200 nearest that a flat index
    finds. ``error`` is how far vectors given back lie from those put in, half of them and at most.
    ``p50`` and ``p99`` are by the clock, ``computed`` is half of the queries' time on a processor.
    ``change`` is what removing one vector and adding another takes, half of the changes and 99 in
    100; ``fold`` that of the one which folds, and ``pending`` is ``computed`` just before.
    """

    size: int
    lists: int
    probed: int
    build: float
    build_computed: float
    memory: int
    disk: int
    save: float
    load: float
    asked: int
    p50: float
    p99: float
    computed: float
    recall: float
    deep_recall: float
    error: tuple[float, float]
    change: tuple[float, float]
    fold: float
    pending: float
    probes: tuple[Probe, ...]

    @property
    def name(self) -> str:
        """The size and the kind."""
        kind = f"{self.lists:,} lists, {self.probed:,} looked at" if self.lists else "flat"
        return f"{self.size:,}, {kind}"


@dataclass(frozen=True, slots=True)
class Closeness:
    """The median inner products with the nearest and the tenth nearest other vector."""

    nearest: float
    tenth: float


@dataclass(frozen=True, slots=True)
class Measured:
    """All of it. ``sizes`` are made in one go, ``grown`` from the smallest of these by tenths.

    ``real`` are the bank's own lines in lists, asked lines that were kept out of it. The closeness
    is that of as many made vectors as there are lines.
    """

    machine: str
    lines: int
    lines_lie: Closeness
    made_lie: Closeness
    sizes: Sequence[Figures]
    grown: Figures
    real: Figures


_INTRODUCTION: Final = f"""# What the index costs as it grows

Written by `make bench-index`. Up to {SWITCH_AT:,} vectors the index is flat, from there on it has \
lists; here both are measured at each size beyond the smallest. Latency is that of one query for \
its ten nearest, from Python, one after the other; recall is against the flat index of the same \
vectors, on queries that are not among them. Memory is what the process holds more than before, \
names included, vectors in files not. Other work shares the machine, so a query often waits for \
it; "computing" is the median of a query's time on a processor, which other work hardly enters, \
and that of building is the time of both processors together."""

_STATED: Final = (1_000, 100_000, 1_000_000)


def write_report(path: Path, measured: Measured) -> None:
    """Write the whole file."""
    every = [*measured.sizes, measured.grown, measured.real]
    sections = (
        _INTRODUCTION,
        _made_of(measured),
        "## Cost\n\n" + _costs(measured),
        "## Growth\n\n" + _growth(measured.sizes),
        "## Changes and storage\n\n" + _changes(every),
        "## What looking at fewer lists would find\n\n" + _probes(every),
    )
    path.write_text("\n\n".join(sections) + "\n", "utf-8")


def _made_of(measured: Measured) -> str:
    lines, made = measured.lines_lie, measured.made_lie
    return (
        f"Machine: {measured.machine}. The vectors are made from the encoder's of "
        f"{measured.lines:,} lines of the bank (`benchmarks/index_vectors.py`: points between near "
        "lines, plus noise of the lines' covariance). The nearest other line has an inner product "
        f"of {lines.nearest:.3f} in the median, the tenth nearest {lines.tenth:.3f}; among as many "
        f"made vectors it is {made.nearest:.3f} and {made.tenth:.3f}. Beyond that size the made "
        "ones are a guess at what a bank of that many lines would be like."
    )


def _costs(measured: Measured) -> str:
    named = [(one.name, one) for one in measured.sizes]
    named.append((f"{measured.grown.name}, grown by tenths", measured.grown))
    named.append((f"{measured.real.name}, the bank's lines", measured.real))
    return _table(
        (
            "vectors",
            "build",
            "computing of it",
            "memory",
            "computing",
            "p50",
            "p99",
            "queries",
            "recall@10",
            "recall@200",
        ),
        [
            (
                name,
                f"{one.build:.2f} s",
                f"{one.build_computed:.2f} s",
                _megabytes(one.memory),
                _milliseconds(one.computed),
                _milliseconds(one.p50),
                _milliseconds(one.p99),
                f"{one.asked:,}",
                f"{one.recall:.4f}",
                f"{one.deep_recall:.4f}",
            )
            for name, one in named
        ],
    )


def _growth(sizes: Sequence[Figures]) -> str:
    stated = [one for one in sizes if one.size in _STATED]
    chosen = [one for one in stated if bool(one.lists) == (one.size >= SWITCH_AT)]
    flat = [one for one in stated if not one.lists]
    parts = (
        ("the index as it picks its kind", chosen),
        ("flat throughout", flat),
    )
    asked: tuple[tuple[str, Callable[[Figures], float]], ...] = (
        ("computing of the build", lambda one: one.build_computed),
        ("memory", lambda one: one.memory),
        ("computing", lambda one: one.computed),
        ("p50", lambda one: one.p50),
        ("p99", lambda one: one.p99),
    )
    rows = [
        (
            f"{few.size:,} to {many.size:,} (× {many.size / few.size:.3g})",
            title,
            *(f"× {figure(many) / figure(few):.3g}" for _, figure in asked),
        )
        for title, ones in parts
        for few, many in itertools.pairwise(ones)
    ]
    return _table(("vectors", "kind", *(name for name, _ in asked)), rows)


def _changes(every: Sequence[Figures]) -> str:
    return (
        "A change removes one vector and adds another. The change after which more than "
        f"{FOLD_AT:,} lie loose folds all of them in; just before, a query is slowest. The error "
        "is the length of the difference between a vector and what the index gives back.\n\n"
    ) + _table(
        (
            "vectors",
            "change p50",
            "change p99",
            "folding",
            "computing just before",
            "save",
            "load",
            "on disk",
            "error, median",
            "error, largest",
        ),
        [
            (
                one.name,
                _milliseconds(one.change[0]),
                _milliseconds(one.change[1]),
                _milliseconds(one.fold),
                _milliseconds(one.pending),
                f"{one.save:.2f} s",
                f"{one.load:.2f} s",
                _megabytes(one.disk),
                f"{one.error[0]:.4f}",
                f"{one.error[1]:.4f}",
            )
            for one in every
        ],
    )


def _probes(every: Sequence[Figures]) -> str:
    return _table(
        ("vectors", "lists looked at", "recall@10", "computing"),
        [
            (one.name, f"{probe.probed:,}", f"{probe.recall:.4f}", _milliseconds(probe.computed))
            for one in every
            for probe in one.probes
        ],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
