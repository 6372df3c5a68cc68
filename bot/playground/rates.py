"""Rate limits by route, with the headers that tell of them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha1

Limit = tuple[int, float]
"""Requests, and the seconds in which they may come."""

_DEFAULT: Limit = (50, 1.0)
_GLOBAL: Limit = (50, 1.0)
_LIMITS: Mapping[tuple[str, str], Limit] = {
    ("POST", "/channels/{channel_id}/messages"): (5, 5.0),
    ("PATCH", "/channels/{channel_id}/messages/{message_id}"): (5, 5.0),
    ("DELETE", "/channels/{channel_id}/messages/{message_id}"): (5, 1.0),
    ("POST", "/channels/{channel_id}/typing"): (5, 5.0),
    ("POST", "/webhooks/{application_id}/{token}"): (5, 2.0),
    ("PATCH", "/webhooks/{application_id}/{token}/messages/{message_id}"): (5, 2.0),
}
"""What discord.com was seen to answer with in its headers; it documents no numbers."""

_MAJOR = ("channel_id", "guild_id", "application_id", "token")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, and what its headers say; `reset_after` in seconds."""

    allowed: bool
    limit: int
    remaining: int
    reset_after: float
    bucket: str
    everywhere: bool = False

    def headers(self) -> dict[str, str]:
        """The headers of the answer."""
        told = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{time.time() + self.reset_after:.3f}",
            "X-RateLimit-Reset-After": f"{self.reset_after:.3f}",
            "X-RateLimit-Bucket": self.bucket,
        }
        return told | {"X-RateLimit-Global": "true"} if self.everywhere else told


@dataclass(slots=True)
class _Window:
    ends: float
    used: int


class Rates:
    """Counts requests in windows; ``now`` gives seconds that only rise."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._windows: dict[tuple[str, ...], _Window] = {}

    def take(self, method: str, template: str, parts: Mapping[str, str]) -> Verdict:
        """Count a request to a route, such as `/channels/{channel_id}/messages`."""
        bucket = sha1(f"{method} {template}".encode(), usedforsecurity=False).hexdigest()
        key = (bucket, *(parts[name] for name in _MAJOR if name in parts))
        everywhere = self._count(("everywhere",), _GLOBAL, "global")
        if not everywhere.allowed:
            return Verdict(
                allowed=False,
                limit=everywhere.limit,
                remaining=0,
                reset_after=everywhere.reset_after,
                bucket=bucket,
                everywhere=True,
            )
        return self._count(key, _LIMITS.get((method, template), _DEFAULT), bucket)

    def _count(self, key: tuple[str, ...], limit: Limit, bucket: str) -> Verdict:
        requests, seconds = limit
        now = self._now()
        window = self._windows.get(key)
        if window is None or window.ends <= now:
            window = self._windows[key] = _Window(now + seconds, 0)
        allowed = window.used < requests
        window.used += allowed
        return Verdict(allowed, requests, requests - window.used, window.ends - now, bucket)
