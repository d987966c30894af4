"""How a run and a change of a setting read on the pages; the words themselves are in core/vocabulary.py."""

from __future__ import annotations

import re
from typing import Any, Final

from roster_sync.core.text import NOTHING, day, listing
from roster_sync.core.vocabulary import MODES, SCHOOL_MODES, STATUSES, STEP_COUNTS, TRIGGERS
from roster_sync.engine.freshen import PARAMETER as EVENTS

TONES: Final = {
    "in_progress": "info", "launched": "good", "held": "warn", "rejected": "quiet", "failed": "bad",
    "expired": "warn", "skipped": "warn", "previewed": "quiet", "undone": "quiet",
}  # fmt: skip
SCHOOLS_NAMED: Final = 5


def status(code: str | None) -> str:
    """'held' -> 'On Hold'."""
    return STATUSES[code] if code else "Never synced"


def tone(code: str | None) -> str:
    """The tone of a status: good, info, warn, bad or quiet."""
    return TONES[code] if code else "quiet"


def title(run: dict[str, Any]) -> str:
    """'Edit 123'."""
    return f"{MODES[run['mode']]} {run['id']}"


def rule(name: str) -> str:
    """'missing_id' -> 'Missing ID': the rules of a roster's rows have no list of labels."""
    return re.sub(r"\bid(s?)\b", r"ID\1", name.replace("_", " ").capitalize())


def counted(name: str, count: int) -> str:
    """What a step counted: (1, 'mails') -> '1 email'; a name that is no noun is shown as it is."""
    noun = STEP_COUNTS.get(name)
    return noun.of(count) if noun else f"{count:,} {name.replace('_', ' ')}"


def setting(change: dict[str, Any]) -> str:
    """A change of a setting: what it was and what it became."""
    name, before, after = change["setting"], change["before"], change["after"]
    if name == "expires_on":
        return f"Expiration date: {_expires(before)} → {_expires(after)}"
    if name == "school_mode":
        return f"Schools: {SCHOOL_MODES[before]} → {SCHOOL_MODES[after]}"
    if name == "sync_emails":
        return f"Sync emails: added {after}" if after else f"Sync emails: removed {before}"
    if name == "schools":
        off, on = (listing(names.get("chosen") or [], SCHOOLS_NAMED) for names in (before, after))
        return "Schools: " + "; ".join(part for part in (on and f"selected {on}", off and f"deselected {off}") if part)
    return rule(name)


def _expires(on: str | None) -> str:
    return day(on) if on else "Never"


def trigger(run: dict[str, Any]) -> str:
    """What started a run, and who: 'Manual, dana'. A reading of events is known by its parameter."""
    code = "hourly" if run["trigger"] == "nightly" and run["parameters"].get(EVENTS) else run["trigger"]
    who = run["started_by"] if run["started_by"] != "schedule" else None
    return ", ".join(part for part in (TRIGGERS[code], who) if part)


def value(content: Any) -> str:
    """A value of a before or after image as people read it."""
    if content is None or content == "":
        return NOTHING
    if isinstance(content, bool):
        return "Yes" if content else "No"
    return str(content)
