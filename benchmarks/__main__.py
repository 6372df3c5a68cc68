"""``make bench``: every comparison in one run, printed as ratios of medians with their spread."""

import asyncio
import tempfile
from pathlib import Path

from benchmarks.answering import answer_against_bare_encoding, answer_on_busy_cores
from benchmarks.launching import jobs_against_cold_scripts, jobs_on_a_cluster_against_here
from benchmarks.retrieving import (
    concurrent_questions_against_one_batch,
    one_question_against_bare_encoding,
    retrieval_against_bare_encoding,
)
from benchmarks.running import run_against_plain_script
from benchmarks.starting import first_answer_from_cold, ready_from_cold
from bot.settings import load_settings


def main() -> None:
    """Measure and print."""
    prepared = load_settings()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("encoder", "index"):
            (Path(folder) / name).symlink_to(prepared.data_dir / name)
        settings = load_settings(data_dir=Path(folder), progress_seconds=0.5)
        for measure in (
            retrieval_against_bare_encoding,
            one_question_against_bare_encoding,
            concurrent_questions_against_one_batch,
            answer_against_bare_encoding,
            answer_on_busy_cores,
            run_against_plain_script,
            ready_from_cold,
            first_answer_from_cold,
        ):
            comparison = asyncio.run(measure(settings))
            print(comparison.report(), flush=True)
        for measure in (jobs_against_cold_scripts, jobs_on_a_cluster_against_here):
            for comparison in asyncio.run(measure(settings)):
                print(comparison.report(), flush=True)


main()
