"""A run's steps as people follow them: what is done, what is at work and how far it has come, what comes next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from psycopg2.extensions import cursor as Cursor

from roster_sync.core.vocabulary import OPEN, ORDER, STEPS
from roster_sync.database import db

_RATED: Final = ("extract", "apply")
_NOT_ROWS: Final = ("requests", "mails", "worklist_opened", "worklist_closed")
_WORTH_A_RATE: Final = 100


def last_time(cursor: Cursor, run: dict[str, Any]) -> dict[str, Any]:
    """The steps of the last run of this kind that went through, by name; empty where the run is not at work."""
    if run["status"] != OPEN:
        return {}
    params = {"district": run["district_id"], "mode": run["mode"], "run": run["id"]}
    found = db.one(cursor, "ui/last_steps", params) or {"steps": []}
    return {step["name"]: step for step in found["steps"]}


def of(run: dict[str, Any], before: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Every step of the run in order: those that ended, the one at work, those to come."""
    known = {step["name"]: step for step in run["steps"]}
    # an approved run does some of them again
    names = sorted(known, key=lambda name: known[name].get("started_at") or "")
    if run["step"] and run["step"] not in known and run["status"] == OPEN:
        names.append(run["step"])
    if run["status"] == OPEN:
        names += [name for name in ORDER[run["mode"]] if name not in names]
    shown = [_step(name, known.get(name), run, (before or {}).get(name)) for name in names]
    longest = max((step["seconds"] or 0 for step in shown), default=0)
    for step in shown:
        step["share"] = step["seconds"] / longest if longest and step["seconds"] is not None else None
    if run["status"] == OPEN and not any(step["state"] == "now" for step in shown):
        waiting = next((step for step in shown if step["state"] == "later"), None)
        if waiting:
            waiting["state"] = "next"
    return shown


def _step(
    name: str, known: dict[str, Any] | None, run: dict[str, Any], before: dict[str, Any] | None
) -> dict[str, Any]:
    has_ended = bool(known and known.get("finished_at"))
    is_begun = known is not None or name == run["step"]
    state = "done" if has_ended else "later" if not is_begun else "now" if run["status"] == OPEN else "stopped"
    seconds = seconds_of(known) if state != "now" else _since(known, run)
    numbers = {key: value for key, value in ((known or {}).get("counts") or {}).items() if isinstance(value, int)}
    rows = _rows(numbers)
    rate = rows / seconds if seconds and name in _RATED and rows > _WORTH_A_RATE else None
    return {
        "name": name, "label": STEPS[name], "state": state, "seconds": seconds, "counts": numbers,
        "rate": rate, "rows": rows,
        "before_seconds": seconds_of(before) if state in ("now", "next") else None,
        "before_rows": _rows((before or {}).get("counts") or {}) if name == "extract" else 0,
    }  # fmt: skip


def _rows(counts: dict[str, Any]) -> int:
    return sum(value for name, value in counts.items() if isinstance(value, int) and name not in _NOT_ROWS)


def _since(known: dict[str, Any] | None, run: dict[str, Any]) -> float | None:
    """How long the step has been at work, by the database's clock."""
    if not known or not known.get("started_at"):
        return None
    now: datetime = run["started_at"] + timedelta(seconds=run["seconds"])
    return max(0.0, (now - datetime.fromisoformat(known["started_at"])).total_seconds())


def seconds_of(step: dict[str, Any] | None) -> float | None:
    """How long a step that ended took; None where it has not."""
    if not step or not step.get("started_at") or not step.get("finished_at"):
        return None
    begun, ended = (datetime.fromisoformat(step[name]) for name in ("started_at", "finished_at"))
    return max(0.0, (ended - begun).total_seconds())
