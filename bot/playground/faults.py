"""Faults on demand: what the playground does wrong, for how often, on which routes."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class RateLimited:
    """429 with `retry_after` seconds; without ``via`` as the edge network sends it."""

    retry_after: float = 0.2
    via: bool = True
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class ServerError:
    """A status from 500 on, without doing what was asked."""

    status: int = 500


@dataclass(frozen=True, slots=True)
class Slow:
    """The answer comes this many seconds later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Dropped:
    """The connection is cut; where ``after`` is set, only once it was done what was asked."""

    after: bool = False


Fault: TypeAlias = RateLimited | ServerError | Slow | Dropped


@dataclass(slots=True)
class _Armed:
    fault: Fault
    route: str
    left: int


class Faults:
    """What goes wrong from now on; each fault strikes a number of times and is gone.

    A route is a pattern of method and path below the API's root, such as
    `POST /channels/*/messages`.
    """

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._refused_resumes = 0
        self._refused_intents = 0
        self.heartbeats_muted = False

    def add(self, fault: Fault, route: str = "*", times: int = 1) -> None:
        """Let ``fault`` strike the next ``times`` requests that match ``route``."""
        self._armed.append(_Armed(fault, route, times))

    def refuse_resumes(self, times: int = 1) -> None:
        """Answer the next RESUMEs with an invalid session."""
        self._refused_resumes = times

    def refuse_intents(self, times: int = 1) -> None:
        """Close the next IDENTIFYs with 4014."""
        self._refused_intents = times

    def mute_heartbeats(self) -> None:
        """Acknowledge no heartbeat any more."""
        self.heartbeats_muted = True

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._armed.clear()
        self._refused_resumes = self._refused_intents = 0
        self.heartbeats_muted = False

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, counted as used."""
        for armed in self._armed:
            if fnmatchcase(f"{method} {path}", armed.route):
                armed.left -= 1
                if armed.left <= 0:
                    self._armed.remove(armed)
                return armed.fault
        return None

    def take_refused_resume(self) -> bool:
        """Whether this RESUME is refused."""
        refused = self._refused_resumes > 0
        self._refused_resumes = max(0, self._refused_resumes - 1)
        return refused

    def take_refused_intents(self) -> bool:
        """Whether this IDENTIFY is refused."""
        refused = self._refused_intents > 0
        self._refused_intents = max(0, self._refused_intents - 1)
        return refused
