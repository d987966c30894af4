"""Deterministic numbers and identifiers: the same from one seed in every process, whatever PYTHONHASHSEED."""

from __future__ import annotations

from hashlib import blake2b

_MASK = 0xFFFFFFFFFFFFFFFF
CLEVER_EPOCH = 1_700_000_000
"""Unix time of the first Clever id; a day of the made-up district adds 86,400."""


def mix(*parts: int) -> int:
    """64 pseudo-random bits from the given numbers."""
    state = 0x243F6A8885A308D3
    for part in parts:
        state = ((state ^ part) * 0x9E3779B97F4A7C15) & _MASK
        state ^= state >> 31
        state = (state * 0xBF58476D1CE4E5B9) & _MASK
        state ^= state >> 28
    return state


def share(*parts: int) -> float:
    """A pseudo-random fraction in [0, 1) from the given numbers."""
    return (mix(*parts) >> 11) / 9007199254740992.0


class Identifiers:
    """Makes the two systems' ids of a district's records."""

    def __init__(self, seed: int) -> None:
        """One seed, one set of ids."""
        self._key = f"district-{seed}".encode()
        self._machine = f"{mix(seed, 77) & 0xFFFFFF:06x}"

    def sourced(self, kind: str, *parts: int) -> str:
        """A OneRoster sourcedId that looks like a UUID."""
        text = blake2b(repr((kind, *parts)).encode(), digest_size=16, key=self._key).hexdigest()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def clever(self, created_day: int, order: int, index: int) -> str:
        """24 hex digits that ascend by day of creation, then by the kind's order, then by index."""
        return f"{CLEVER_EPOCH + created_day * 86_400:08x}{self._machine}{order:02x}{index:08x}"
