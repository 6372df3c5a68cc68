"""``make bench-index``: what the index costs as it grows; writes ``benchmarks/INDEX.md``.

Linux only, where memory is read from ``/proc``. It takes about half an hour on two cores,
5 GB of memory, and 4 GB of disk.
"""

import ctypes
import gc
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.index_report import Closeness, Figures, Measured, Probe, write_report
from benchmarks.index_vectors import NEAREST, Likeness
from knowledge.background import load_background
from knowledge.bank import load_bank
from knowledge.corpus import build_corpus
from knowledge.encoder import Vectors, encoder_name
from knowledge.index import FaissIndex, text_hash
from knowledge.index_kind import FOLD_AT, Growth
from knowledge.settings import read_settings

_REPORT: Final = Path(__file__).parent / "INDEX.md"
_SIZES: Final = (1_000, 50_000, 100_000, 1_000_000)
_GROWN: Final = 200_000
"""To this size an index grows by tenths: from flat into lists, on the way."""

_QUERIES: Final = 1_000
_LATENCY_SECONDS: Final = 30.0
_DEEP: Final = 200
_SAMPLE: Final = 2_000
_PROBES: Final = (4, 16, 64, 256)
_PROBE_QUERIES: Final = 200

_FLAT: Final = Growth(switch_at=1 << 40)
_LISTS: Final = Growth(switch_at=64)


@dataclass(frozen=True, slots=True)
class _Case:
    """The first ``size`` of the vectors in a file, which grow from ``start`` on.

    The flat case of a file and size leaves what it finds in ``truth`` for those after it.
    """

    folder: Path
    vectors: str
    queries: str
    size: int
    growth: Growth
    start: int

    @property
    def truth(self) -> Path:
        """Where the rows that a flat index finds are kept; shape (queries, `_DEEP`)."""
        return self.folder / f"truth-{self.vectors}-{self.size}.npy"


def main() -> None:
    """Measure and write."""
    lines = _lines()
    likeness = Likeness(lines)
    shuffled = np.random.default_rng(0).permutation(lines)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        likeness.write(folder / "made.npy", _SIZES[-1], 1)
        np.save(folder / "asked.npy", likeness.made(_QUERIES, 2))
        np.save(folder / "real.npy", shuffled[_QUERIES:])
        np.save(folder / "kept-out.npy", shuffled[:_QUERIES])

        def made(size: int, growth: Growth, start: int | None = None) -> Figures:
            return _measured(_Case(folder, "made", "asked", size, growth, start or size))

        def real(growth: Growth) -> Figures:
            size = len(lines) - _QUERIES
            return _measured(_Case(folder, "real", "kept-out", size, growth, size))

        sizes = [made(_SIZES[0], _FLAT)]
        sizes += [made(size, growth) for size in _SIZES[1:] for growth in (_FLAT, _LISTS)]
        made(_GROWN, _FLAT)
        real(_FLAT)
        measured = Measured(
            machine=_machine(),
            lines=len(lines),
            lines_lie=_closeness(lines),
            made_lie=_closeness(likeness.made(len(lines), 3)),
            sizes=sizes,
            grown=made(_GROWN, Growth(), start=_SIZES[0]),
            real=real(_LISTS),
        )
    write_report(_REPORT, measured)


def _lines() -> Vectors:
    """The vectors of those of the bank's lines that are prepared."""
    settings = read_settings()
    index = FaissIndex.load(settings.index_dir, encoder_name(settings))
    lines = build_corpus(load_bank(), load_background()).lines
    return index.vectors([line.text for line in lines if index.holds([line.text])])


def _closeness(vectors: Vectors) -> Closeness:
    index = FaissIndex.of("", [str(row) for row in range(len(vectors))], vectors)
    scores = index.search(vectors[:_SAMPLE], NEAREST + 1).scores
    return Closeness(float(np.median(scores[:, 1])), float(np.median(scores[:, NEAREST])))


def _machine() -> str:
    import faiss

    cpu = next(
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        if line.startswith("model name")
    )
    load = os.getloadavg()[2]
    return (
        f"{cpu}, {os.cpu_count()} cores, FAISS {faiss.__version__}; "
        f"{load:.1f} processes wanted to run, the benchmark's own among them"
    )


def _measured(case: _Case) -> Figures:
    """Measure ``case`` in a process of its own, so that no case finds what another left behind."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        figures = process.submit(_measure, case).result()
    print(
        f"{figures.name}: {figures.build:.1f} s, {figures.memory / 1e6:.0f} MB, "
        f"p50 {figures.p50 * 1e3:.2f} ms, recall {figures.recall:.4f}",
        flush=True,
    )
    return figures


def _measure(case: _Case) -> Figures:
    vectors: Vectors = np.load(case.folder / f"{case.vectors}.npy", mmap_mode="r")[: case.size]
    queries: Vectors = np.load(case.folder / f"{case.queries}.npy")
    FaissIndex.empty("", vectors.shape[1])  # loads FAISS, which is not what an index costs
    _free()
    held = _memory()
    began, computed = time.perf_counter(), time.process_time()
    index = _built(case, vectors)
    build_computed = time.process_time() - computed
    build = time.perf_counter() - began
    _free()
    memory = _memory() - held
    latencies = _latencies(index, queries)
    found = index.search(queries, _DEEP).rows
    if not index.large.lists:
        np.save(case.truth, found)
    truth: npt.NDArray[np.int64] = np.load(case.truth)
    save, load, disk = _storage(index, case.folder / "saved")
    change, fold, pending = _changes(index, queries)
    return Figures(
        size=case.size,
        lists=index.large.lists,
        probed=_probed(index),
        build=build,
        build_computed=build_computed,
        memory=memory,
        disk=disk,
        save=save,
        load=load,
        asked=len(latencies.waited),
        p50=float(np.median(latencies.waited)),
        p99=float(np.quantile(latencies.waited, 0.99)),
        computed=float(np.median(latencies.computed)),
        recall=_recall(found, truth, NEAREST),
        deep_recall=_recall(found, truth, _DEEP),
        error=_error(index, vectors),
        change=change,
        fold=fold,
        pending=pending,
        probes=_probes(index, queries, truth) if index.large.lists else (),
    )


def _built(case: _Case, vectors: Vectors) -> FaissIndex:
    index = FaissIndex.of("", _names(0, case.start), vectors[: case.start], case.growth)
    while (start := len(index)) < case.size:
        stop = min(start + start // 10, case.size)
        index = index.changed([], _names(start, stop), vectors[start:stop])
    return index


def _names(start: int, stop: int) -> list[str]:
    return [text_hash(str(row)) for row in range(start, stop)]


@dataclass(frozen=True, slots=True)
class _Latencies:
    """Seconds of one search each, by the clock and on a processor."""

    waited: list[float]
    computed: list[float]


def _latencies(index: FaissIndex, queries: Vectors) -> _Latencies:
    for query in queries[:10]:  # warms up
        index.search(query[None], NEAREST)
    latencies = _Latencies([], [])
    began = time.perf_counter()
    for query in queries:
        start, computed = time.perf_counter(), time.thread_time()
        index.search(query[None], NEAREST)
        latencies.computed.append(time.thread_time() - computed)
        latencies.waited.append(time.perf_counter() - start)
        if start - began > _LATENCY_SECONDS:
            break
    return latencies


def _recall(found: npt.NDArray[np.int64], truth: npt.NDArray[np.int64], depth: int) -> float:
    pairs = zip(found[:, :depth].tolist(), truth[:, :depth].tolist(), strict=True)
    return sum(len(set(one) & set(other)) for one, other in pairs) / (len(truth) * depth)


def _storage(index: FaissIndex, folder: Path) -> tuple[float, float, int]:
    began = time.perf_counter()
    index.save(folder)
    saved = time.perf_counter()
    FaissIndex.load(folder, "")
    loaded = time.perf_counter()
    size = sum(path.stat().st_size for path in folder.iterdir())
    return saved - began, loaded - saved, size


def _changes(index: FaissIndex, queries: Vectors) -> tuple[tuple[float, float], float, float]:
    """Half of the changes and 99 in 100, the one that folds, and a query just before."""
    taken: list[float] = []
    pending = 0.0
    # Each change leaves two loose, one hidden and one recent.
    for number, name in enumerate(index.hashes[: FOLD_AT // 2 + 1]):
        if number == FOLD_AT // 2:
            pending = float(np.median(_latencies(index, queries[:_PROBE_QUERIES]).computed))
        added = queries[number : number + 1]
        start = time.perf_counter()
        index = index.changed([name], [text_hash(f"added {number}")], added)
        taken.append(time.perf_counter() - start)
    if index.recent.kept:
        raise RuntimeError("the last change should have folded")
    usual = taken[:-1]
    return (float(np.median(usual)), float(np.quantile(usual, 0.99))), taken[-1], pending


def _error(index: FaissIndex, vectors: Vectors) -> tuple[float, float]:
    rows = np.random.default_rng(0).permutation(len(vectors))[:_SAMPLE]
    given = index.vectors([str(row) for row in rows])
    lengths = np.linalg.norm(given - vectors[rows], axis=1)
    return float(np.median(lengths)), float(lengths.max())


def _probed(index: FaissIndex) -> int:
    return int(index.large.index.nprobe) if index.large.lists else 0


def _probes(index: FaissIndex, queries: Vectors, truth: npt.NDArray[np.int64]) -> tuple[Probe, ...]:
    faiss_index: Any = index.large.index
    probes: list[Probe] = []
    for probed in (*_PROBES, _probed(index)):
        faiss_index.nprobe = probed
        recall = _recall(index.search(queries, NEAREST).rows, truth, NEAREST)
        taken = _latencies(index, queries[:_PROBE_QUERIES]).computed
        probes.append(Probe(probed, recall, float(np.median(taken))))
    return tuple(probes)


def _memory() -> int:
    """Bytes that this process holds, what it maps from files left out."""
    status = Path("/proc/self/status").read_text("utf-8")
    line = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024


def _free() -> None:
    """Give what is no longer used back to the system, so that it does not count."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)


if __name__ == "__main__":
    main()
