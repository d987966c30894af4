"""Small charts as SVG made on the server: colors by class, so that light and dark both read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup

from roster_sync.core.text import day, plural
from roster_sync.ui.views import words

BAR: Final = 7
GAP: Final = 3
HEIGHT: Final = 28
GAUGE: Final = 180
LINE: Final = 120
LEAST_REACH: Final = 0.02


def runs(last_runs: Sequence[dict[str, Any]], slots: int = 14) -> Markup:
    """The last runs as bars, oldest first: color says how a run ended, height how much it changed."""
    shown = list(last_runs)[:slots][::-1]
    width = slots * (BAR + GAP) - GAP
    bars = []
    for position, run in enumerate(shown, start=slots - len(shown)):
        height = min(HEIGHT, 5 + 3.3 * math.log10(1 + int(run.get("changes") or 0)))
        title = (
            f"{words.status(run['status'])}, {day(run['started_at'].date())}, {plural(run.get('changes'), 'change')}"
        )
        bars.append(
            Markup(
                '<rect class="bar {}" x="{}" y="{:.1f}" width="{}" height="{:.1f}" rx="1.5"><title>{}</title></rect>'
            ).format(words.tone(run["status"]), position * (BAR + GAP), HEIGHT - height, BAR, height, title)
        )  # fmt: skip
    empty = Markup("").join(
        Markup('<rect class="bar none" x="{}" y="{}" width="{}" height="2" rx="1"/>').format(
            i * (BAR + GAP), HEIGHT - 2, BAR
        )
        for i in range(slots - len(shown))
    )
    return Markup(
        '<svg class="spark" role="img" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">{}{}</svg>'
    ).format(_in_words(shown), width, HEIGHT, width, HEIGHT, empty, Markup("").join(bars))


def gauge(part: float, whole: float, limit: float | None = None) -> Markup:
    """A bar that shows part of the whole, with a mark at the limit (in percent); a text next to it says the same."""
    share = min(1.0, part / whole) if whole else 0.0
    mark = Markup("") if limit is None or limit >= 100 else Markup(
        '<rect class="mark" x="{:.1f}" width="2" height="14"/>'
    ).format(limit * GAUGE / 100)  # fmt: skip
    return Markup(
        '<svg class="gauge{}" aria-hidden="true" width="{}" height="14" viewBox="0 0 {} 14">'
        '<rect class="bar none" y="4" width="{}" height="6" rx="3"/>'
        '<rect class="bar" y="4" width="{:.1f}" height="6" rx="3"/>{}</svg>'
    ).format(" over" if limit is not None else "", GAUGE, GAUGE, GAUGE, max(2.0, share * GAUGE), mark)


def line(values: Sequence[float | None]) -> Markup:
    """How a number went over the last runs, as a small line; a text next to it says the same."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Markup("")
    low, high = min(known), max(known)
    # a change of one in a thousand must not look like a cliff
    reach = max(high - low, high * LEAST_REACH) or 1
    middle = (high + low) / 2
    points = " ".join(
        f"{1 + at * (LINE - 2) / (len(known) - 1):.1f},{HEIGHT / 2 - (value - middle) / reach * (HEIGHT - 4):.1f}"
        for at, value in enumerate(known)
    )
    return Markup(
        '<svg class="line" aria-hidden="true" width="{}" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">'
        '<polyline points="{}"/></svg>'
    ).format(LINE, HEIGHT, LINE, HEIGHT, points)


def trend(values: Sequence[float | None]) -> str:
    """[580, None, 600] -> +20 over these runs."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    change = known[-1] - known[0]
    return f"{change:+,.0f} over these runs" if change else "no change over these runs"


def _in_words(shown: Sequence[dict[str, Any]]) -> str:
    if not shown:
        return "No runs yet"
    counts: dict[str, int] = {}
    for run in shown:
        word = words.status(run["status"]).lower()
        counts[word] = counts.get(word, 0) + 1
    last = "Last run" if len(shown) == 1 else f"Last {len(shown)} runs"
    return f"{last}: " + ", ".join(f"{count} {word}" for word, count in counts.items())
