"""What can be wrong between the entries and the examples that run."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from knowledge.entry_file import EntryFile
from knowledge.fault import Fault


def example_faults(
    folder: Path, files: Sequence[EntryFile], known_examples: Collection[str]
) -> Iterator[Fault]:
    """Names of examples that do not exist, and examples that are not named where they belong.

    An entry must name the example that bears its name, as `names_entry` reads it. Other words of
    an entry decide nothing: every entry on training speaks of networks and of TensorFlow. An
    example that no entry names at all is a fault too, of the folder where none bears its name.
    """
    for file in files:
        for reference in file.examples:
            if reference.name not in known_examples:
                yield Fault(file.path, reference.line, f"there is no example {reference.name}")
    named = {reference.name for file in files for reference in file.examples}
    for example in sorted(known_examples):
        lacking = list(_lacking(example, files))
        for file in lacking:
            yield Fault(file.path, _examples_line(file.path), f"the example {example} is not named")
        if example not in named and not lacking:
            yield Fault(folder, 1, f"no entry names the example {example}")


def names_entry(example: str, entry: str) -> bool:
    """Whether the id ``example`` says that it belongs to the entry of the id ``entry``.

    It does when it is that id, or that id after the framework's name, where the one may shorten
    words of the other: ``tensorflow-data-parallel`` belongs to ``data-parallelism``.
    """
    words = example.split("-")
    return _same_words(words, entry.split("-")) or _same_words(words[1:], entry.split("-"))


def _same_words(words: Sequence[str], others: Sequence[str]) -> bool:
    return len(words) == len(others) and all(
        word.startswith(other) or other.startswith(word)
        for word, other in zip(words, others, strict=True)
    )


def _lacking(example: str, files: Iterable[EntryFile]) -> Iterator[EntryFile]:
    for file in files:
        named = any(reference.name == example for reference in file.examples)
        if names_entry(example, file.path.stem) and not named:
            yield file


def _examples_line(path: Path) -> int:
    lines = path.read_text("utf-8").split("\n")
    return next((at for at, line in enumerate(lines, 1) if line.startswith("examples:")), 1)
