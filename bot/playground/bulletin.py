"""Where happenings are told: whoever listens hears each, in order, at once."""

from collections.abc import Callable

from bot.playground.happenings import Happening


class Bulletin:
    """Tells every listener of what happens."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Happening], None]] = []

    def listen(self, listener: Callable[[Happening], None]) -> None:
        """Tell ``listener`` of all that happens from now on."""
        self._listeners.append(listener)

    def post(self, happening: Happening) -> None:
        """Tell everybody."""
        for listener in tuple(self._listeners):
            listener(happening)
