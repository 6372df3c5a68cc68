from datetime import UTC, datetime

from benchmarks.example_run import ExampleRun
from benchmarks.gpu import well
from benchmarks.gpu_examples import Ran
from benchmarks.gpu_memory import CardMemory
from benchmarks.gpu_report import examples_section, table, training_section
from benchmarks.gpu_training import Load, Rates, example_network, reference_network
from runners.catalogue import load_catalogue
from runners.protocol.events import Failed, Measured
from runners.protocol.jobs import JobView
from runners.protocol.words import FailureReason, Framework, JobId, JobState

EXAMPLES = load_catalogue()
AT = datetime(2026, 5, 1, tzinfo=UTC)
MEASURED = Measured(elapsed_s=12.34, peak_memory_mb=2345.6)
LOST = Failed(
    sequence=3, at=AT, reason=FailureReason.MEMORY, message="out of memory; lower `batch_size`"
)


def job(example: str, state: JobState, **known: object) -> ExampleRun:
    first = JobView(
        id=JobId("0" * 32),
        example=example,
        framework=Framework.PYTORCH,
        parameters={},
        seed=0,
        submitted_at=AT,
    )
    view = first.model_copy(update={"state": state, "device": "NVIDIA H100", **known})
    return ExampleRun(EXAMPLES[example].info, view)


def cells(section: str, first: str) -> list[str]:
    """The row of a table that begins with ``first``, without its first cell."""
    row = next(line for line in section.splitlines() if line.startswith(f"| {first} "))
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


def test_a_table_is_aligned() -> None:
    assert table(("", "rate"), [("one", "1,234"), ("eleven", "5")]) == (
        "|        | rate  |\n| ------ | ----- |\n| one    | 1,234 |\n| eleven | 5     |"
    )


def test_a_run_is_told_with_its_time_its_device_and_its_memory() -> None:
    ran = Ran(
        job(
            "pytorch-resnet",
            JobState.SUCCEEDED,
            measured=MEASURED,
            metrics={"test_accuracy": 0.95},
        ),
        CardMemory(1536, of_job=True),
    )
    section = examples_section([ran])
    assert cells(section, "pytorch-resnet") == [
        "succeeded",
        "1 of 1",
        "12.3 s",
        "NVIDIA H100",
        "1,536 MiB",
        "2,346 MiB",
    ]
    assert "\\*" not in section


def test_a_number_that_is_the_cards_own_is_marked_and_a_failure_says_why() -> None:
    section = examples_section(
        [
            Ran(job("pytorch-ddp", JobState.FAILED, failure=LOST), CardMemory(7, of_job=False)),
            Ran(job("pytorch-attention", JobState.CANCELLED, device=None), None),
        ]
    )
    assert cells(section, "pytorch-ddp") == [
        "failed (memory)",
        "0 of 2",
        "–",
        "NVIDIA H100",
        "7 MiB \\*",
        "–",
    ]
    assert cells(section, "pytorch-attention") == ["cancelled", "0 of 3", "–", "–", "–", "–"]
    assert "\n\\* nvidia-smi lists no process" in section
    assert section.endswith("- pytorch-ddp: out of memory; lower `batch_size`")


def test_what_was_not_shown_is_told_with_its_numbers() -> None:
    results = {"test_accuracy": 0.4}
    ran = Ran(job("pytorch-resnet", JobState.SUCCEEDED, metrics=results), None)
    section = examples_section([ran])
    assert section.endswith("- pytorch-resnet: ✘ test accuracy 0.4 < 0.9")
    assert not well([ran], [])


def test_rates_are_told_with_their_spread_and_their_ratio() -> None:
    section = training_section(
        Load(batch_size=64),
        (example_network(), reference_network()),
        [
            Rates("fp32", ours=(1100.0, 1000.0, 1200.0), reference=(1000.0, 1000.0, 1000.0)),
            Rates("compiled", fault="RuntimeError: no compiler"),
        ],
    )
    assert cells(section, "fp32") == [
        "1,100.0 (1,000.0 to 1,200.0)",
        "1,000.0 (1,000.0 to 1,000.0)",
        "1.100",
    ]
    assert cells(section, "compiled") == ["–", "–", "–"]
    assert section.endswith("- compiled: RuntimeError: no compiler")
    assert "Batches of 64 synthetic images of 224 × 224" in section
