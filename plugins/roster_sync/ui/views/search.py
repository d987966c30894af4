"""What people type into a search, as the SQL files that search for names take it."""

from __future__ import annotations

from typing import Any, Final

LAST: Final = "\U0010ffff"
"""After every letter: a name begins with a text where it is between the text and the text with this."""
MOST_CUTS: Final = 5
"""Of a text of many words: after how many of them a name may end."""


def binds(text: str) -> dict[str, Any]:
    """The binds of a search: the text as every pair of names that it may be, and as a whole."""
    whole = " ".join(text.split())
    names = _names(whole.lower())
    return {
        "families": [family for family, _ in names], "givens": [given for _, given in names], "last": LAST,
        "exact": whole.lower(), "exact_end": whole.lower() + LAST, "as_typed": whole,
    }  # fmt: skip


def pattern(text: str) -> str:
    """The text as a pattern for LIKE that finds it anywhere; empty where nothing is searched."""
    wanted = text.strip().lower()
    return "%" + wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%" if wanted else ""


def _names(text: str) -> list[tuple[str, str]]:
    """(family, given) in either order: 'de la Cruz' is one name, 'Mary Kate Stone' may be cut after either word."""
    if not text:
        return []
    before, comma, after = text.partition(",")
    if comma:
        halves = [(before.strip(), after.strip())]
    else:
        parts = text.split(" ")
        cuts = range(1, min(len(parts), MOST_CUTS + 1))
        halves = [(text, ""), *((" ".join(parts[:cut]), " ".join(parts[cut:])) for cut in cuts)]
    found = [pair for one, other in halves for pair in ((one, other), (other, one))]
    return [(family, given) for family, given in dict.fromkeys(found) if family]
