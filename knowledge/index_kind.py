"""The kind of an index: which one a number of vectors calls for, and when it is worked over."""

import math
from dataclasses import dataclass
from typing import Final

SWITCH_AT: Final = 100_000
"""From how many vectors on they lie in lists of 8-bit codes instead of one flat matrix."""

FOLD_AT: Final = 1_000
"""After how many changes these are folded into the large part of an index."""

_LISTS_PER_ROOT: Final = 4


@dataclass(frozen=True, slots=True)
class Growth:
    """When an index changes its kind, and when its changes are folded in; both counts of vectors.

    FAISS's guidelines ask for 4 to 16 lists for each unit of the square root of the number of
    vectors (https://github.com/facebookresearch/faiss/wiki/Guidelines-to-choose-an-index).
    Powers of two of at least 4 make the lists follow a growing index in few steps: their number
    doubles whenever that of the vectors has grown fourfold, and only then are lists made anew.
    """

    switch_at: int = SWITCH_AT
    fold_at: int = FOLD_AT

    def __post_init__(self) -> None:
        """Refuse what would make more lists than there are vectors."""
        if self.lists_for(self.switch_at) > self.switch_at:
            raise ValueError(f"{self.switch_at} vectors are too few to lie in lists")

    def lists_for(self, size: int) -> int:
        """Into how many lists ``size`` vectors go; 0 stands for a flat index."""
        if size < self.switch_at:
            return 0
        return 1 << math.ceil(math.log2(_LISTS_PER_ROOT * math.sqrt(size)))

    def folds(self, changes: int, lists: int, size: int) -> bool:
        """Whether an index of ``lists`` folds in its ``changes``, which give it ``size`` vectors.

        It does when they are many or when it has outgrown its lists. What has shrunk keeps them.
        """
        return changes > self.fold_at or self.lists_for(size) > lists
