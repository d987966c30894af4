"""The small chart of the last runs, as SVG made on the server: colours by class, so that light and dark both read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup

from roster_sync.ui import words

BAR: Final = 7
GAP: Final = 3
HEIGHT: Final = 28


def runs(last_runs: Sequence[dict[str, Any]], slots: int = 14) -> Markup:
    """The last runs as bars, oldest first: colour says how a run ended, height how much it changed."""
    shown = list(last_runs)[:slots][::-1]
    width = slots * (BAR + GAP) - GAP
    bars = []
    for position, run in enumerate(shown, start=slots - len(shown)):
        height = min(HEIGHT, 5 + 3.3 * math.log10(1 + int(run.get("changes") or 0)))
        title = f"{words.status(run['status'])}, {run['started_at']:%Y-%m-%d}, {int(run.get('changes') or 0):,} changes"
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


def _in_words(shown: Sequence[dict[str, Any]]) -> str:
    if not shown:
        return "No run yet"
    counts: dict[str, int] = {}
    for run in shown:
        word = words.status(run["status"]).lower()
        counts[word] = counts.get(word, 0) + 1
    return f"Last {len(shown)} runs: " + ", ".join(f"{count} {word}" for word, count in counts.items())
