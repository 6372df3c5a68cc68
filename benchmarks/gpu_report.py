"""What was measured on a graphics card, as tables that read in a terminal and as Markdown."""

from collections.abc import Sequence
from statistics import median, quantiles

from benchmarks.example_run import ExampleRun
from benchmarks.gpu_examples import Ran
from benchmarks.gpu_memory import CardMemory
from benchmarks.gpu_training import PARAMETERS, Load, Network, Rates

_WATCHED = (
    "Each at its default, through the runner. What a job holds on the card is what nvidia-smi "
    "says, "
    "asked a few times a second; CUDA's own part and what PyTorch keeps in reserve are in it."
)
_NOT_LISTED = (
    "\\* nvidia-smi lists no process of this job: how much more of the card was used than before it"
)


def examples_section(every: Sequence[Ran]) -> str:
    """One row an example; below, what went wrong."""
    rows = [_row(ran) for ran in every]
    head = (
        "example",
        "state",
        "claims shown",
        "time",
        "device",
        "peak on the card",
        "peak of the processor side",
    )
    paragraphs = [
        "## PyTorch examples",
        _WATCHED,
        table(head, rows),
    ]
    if any(ran.card is not None and not ran.card.of_job for ran in every):
        paragraphs.append(_NOT_LISTED)
    failures = [f"- {ran.run.info.id}: {fault}" for ran in every for fault in _faults(ran.run)]
    return "\n\n".join([*paragraphs, "\n".join(failures)] if failures else paragraphs)


def training_section(load: Load, networks: tuple[Network, Network], every: Sequence[Rates]) -> str:
    """One row a way: ours, the reference, and how many times as fast we are."""
    ours, reference = networks
    told = (
        f"Images a second. Ours is {ours.name}, the reference {reference.name}, both of "
        f"{PARAMETERS:,} parameters. Batches of {load.batch_size} synthetic images of "
        f"{load.side} × {load.side} that lie on the card; SGD with momentum; cuDNN in benchmark "
        f"mode; {load.warm_up} steps to warm up, then {load.repeats} times {load.steps} timed "
        "steps, ours and the reference by turns. Medians, with the quartiles in brackets; the "
        "ratio is that of the medians."
    )
    faults = [f"- {rates.way}: {rates.fault}" for rates in every if rates.fault]
    return "\n\n".join(
        [
            "## Training ResNet-50",
            told,
            table(("", "ours", "reference", "ratio"), [_rates(rates) for rates in every]),
            *(["\n".join(faults)] if faults else []),
        ]
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, its columns aligned."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [head, ["-" * max(width, 3) for width in widths], *rows]
    return "\n".join(
        f"| {' | '.join(cell.ljust(max(width, 3)) for cell, width in pairs)} |"
        for pairs in (zip(line, widths, strict=True) for line in lines)
    )


def _faults(run: ExampleRun) -> list[str]:
    if run.view.failure:
        return [run.view.failure.message]
    return [f"{each.mark} {each.text('en')}" for each in run.found if not each.holds]


def _row(ran: Ran) -> tuple[str, ...]:
    view = ran.run.view
    state = view.state if view.failure is None else f"{view.state} ({view.failure.reason})"
    measured = view.measured
    return (
        view.example,
        state,
        ran.run.share_shown,
        "–" if measured is None else f"{measured.elapsed_s:.1f} s",
        view.device or "–",
        _on_card(ran.card),
        "–" if measured is None else f"{measured.peak_memory_mb:,.0f} MiB",
    )


def _on_card(memory: CardMemory | None) -> str:
    if memory is None:
        return "–"
    mark = "" if memory.of_job else " \\*"
    return f"{memory.mib:,} MiB{mark}"


def _rates(rates: Rates) -> tuple[str, ...]:
    if rates.fault:
        return (rates.way, "–", "–", "–")
    ratio = median(rates.ours) / median(rates.reference)
    return (rates.way, _spread(rates.ours), _spread(rates.reference), f"{ratio:.3f}")


def _spread(rates: Sequence[float]) -> str:
    low, _, high = quantiles(rates, n=4)
    return f"{median(rates):,.1f} ({low:,.1f} to {high:,.1f})"
