"""A budget of requests a minute, shared by every thread of this process that uses the same token."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from typing import Final

_BURST_SHARE: Final = 1 / 12


class Budget:
    """A token bucket: over any minute at most `per_minute` requests begin, the first burst included."""

    def __init__(
        self,
        per_minute: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._burst = max(1.0, per_minute * _BURST_SHARE)
        self._per_second = (per_minute - self._burst) / 60 if per_minute > 1 else 1 / 60
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._left = self._burst
        self._at = clock()

    def take(self) -> None:
        """Waits until one more request may begin."""
        with self._lock:
            now = self._clock()
            self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
            self._at = now
            # Below zero means: taken, and to be waited for; later callers queue behind.
            self._left -= 1
            wait = max(0.0, -self._left / self._per_second)
        if wait:
            self._sleep(wait)


_budgets: dict[str, Budget] = {}
_budgets_lock = threading.Lock()


def shared_budget(token: str, per_minute: int) -> Budget:
    """The budget of a token in this process; the token itself is not kept."""
    key = hashlib.sha256(token.encode()).hexdigest()
    with _budgets_lock:
        return _budgets.setdefault(key, Budget(per_minute))
