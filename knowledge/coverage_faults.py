"""Whether an entry can be asked for in both languages, and by those who do not know its term."""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Final

from knowledge.entry import EntryId
from knowledge.entry_file import EntryFile
from knowledge.fault import Fault
from knowledge.language import Language, language_of
from knowledge.phrasing import PhrasingKind
from knowledge.phrasing_file import PhrasingFile

LEAST: Final = MappingProxyType({Language.ZH: 30, Language.EN: 15})
"""How many wordings an entry needs in each language, its questions among them.

Recall still rises up to some thirty lines an entry. Learners here mostly write Chinese, and a
question in either language finds lines in the other.
"""

TOLD: Final = (
    PhrasingKind.SITUATION,
    PhrasingKind.SYMPTOM,
    PhrasingKind.CONSEQUENCE,
    PhrasingKind.BELIEF,
    PhrasingKind.DECISION,
    PhrasingKind.ERROR,
    PhrasingKind.CODE,
)
"""The kinds that tell what somebody lives through, without the term."""

TOLD_SHARE: Final = Fraction(3, 5)
"""How many of the phrasings beside an entry must be `TOLD`.

Three such lines an entry lift recall on strangers' questions, most of which lack the term, from
.18 to .61; three that name the term lift it to .31. General subjects, such as what artificial
intelligence is, are asked for by name more than others; even they reach this share.
"""


def coverage_faults(
    files: Sequence[EntryFile], phrasing_files: Sequence[PhrasingFile]
) -> Iterator[Fault]:
    """The entries that have too few wordings in a language, or too few that tell a situation."""
    beside = {file.entry: file for file in phrasing_files}
    for file in files:
        more = beside.get(EntryId(file.path.stem))
        texts = [wording.name for each in (file, more) if each for wording in each.wordings]
        for language, least in LEAST.items():
            count = sum(language_of(text) is language for text in texts)
            if count < least:
                path, line = _place(file, more)
                yield Fault(
                    path, line, f"{count} wordings in {language} are too few, {least} are needed"
                )
        if more:
            told = sum(phrasing.kind in TOLD for phrasing in more.phrasings)
            least = math.ceil(TOLD_SHARE * len(more.phrasings))
            if told < least:
                yield Fault(
                    more.path,
                    1,
                    f"{told} of {len(more.phrasings)} phrasings tell what somebody lives through, "
                    f"{least} are needed: {', '.join(TOLD)}",
                )


def _place(file: EntryFile, beside: PhrasingFile | None) -> tuple[Path, int]:
    if beside:
        return beside.path, 1
    lines = file.path.read_text("utf-8").split("\n")
    return file.path, next((at for at, text in enumerate(lines, 1) if text == "phrasings:"), 1)
