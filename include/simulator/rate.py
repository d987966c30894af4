"""A limit of requests per window of time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class RateLimit:
    """The number of requests that each caller has in each window of seconds; None = no limit."""

    requests: int | None = None
    seconds: float = 60.0
    clock: Callable[[], float] = field(default=time.time, repr=False)
    """Unix time; a test sets its own, so that it does not wait."""
    _windows: dict[str, tuple[float, int]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self, caller: str) -> tuple[bool, int, float]:
        """Takes one request: whether it is allowed, how many are left, and when (Unix time) the window ends."""
        now = self.clock()
        with self._lock:
            ends, used = self._windows.get(caller, (0.0, 0))
            if now >= ends:
                ends, used = now + self.seconds, 0
            used += 1
            self._windows[caller] = (ends, used)
        if self.requests is None:
            return True, 0, ends
        return used <= self.requests, max(0, self.requests - used), ends
