"""How much PyTorch keeps for the backward pass, counted by its own hooks.

``with torch.autograd.graph.saved_tensors_hooks(saved.pack, saved.unpack):`` around a forward
pass. A storage counts once however often it is saved, for as long as any node keeps it; the
weights, which are there anyway, do not count.
"""

import weakref
from collections import Counter
from collections.abc import Iterable
from typing import Any


class _Kept:
    """What a node keeps in place of a tensor: it goes when the node lets go of it."""

    __slots__ = ("__weakref__", "tensor")

    def __init__(self, tensor: Any) -> None:  # noqa: ANN401 - PyTorch is not imported here
        self.tensor = tensor


class SavedBytes:
    """Bytes that are saved for the backward pass: ``now``, and the most there were: ``peak``."""

    def __init__(self, weights: Iterable[Any]) -> None:
        self.now = self.peak = 0
        self._weights = {weight.untyped_storage().data_ptr() for weight in weights}
        self._uses = Counter[int]()

    def pack(self, tensor: Any) -> _Kept:  # noqa: ANN401 - PyTorch is not imported here
        """Count ``tensor`` until the graph lets go of what is returned."""
        kept, storage = _Kept(tensor), tensor.untyped_storage()
        place, size = storage.data_ptr(), storage.nbytes()
        if place not in self._weights:
            if not self._uses[place]:
                self.now += size
                self.peak = max(self.peak, self.now)
            self._uses[place] += 1
            weakref.finalize(kept, self._release, place, size).atexit = False
        return kept

    @staticmethod
    def unpack(kept: _Kept) -> Any:  # noqa: ANN401 - PyTorch is not imported here
        """The tensor that ``kept`` stands for."""
        return kept.tensor

    def _release(self, place: int, size: int) -> None:
        self._uses[place] -= 1
        if not self._uses[place]:
            self.now -= size
