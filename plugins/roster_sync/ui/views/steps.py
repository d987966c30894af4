"""A run's steps as people follow them: what is done, what is in progress and how far, what comes next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from psycopg2.extensions import cursor as Cursor

from roster_sync.core.vocabulary import OPEN, ORDER, STEPS
from roster_sync.database import db

_RATED: Final = ("extract", "apply")
_NOT_ROWS: Final = ("requests", "mails", "worklist_opened", "worklist_closed")
_WORTH_A_RATE: Final = 100


State = Literal["done", "now", "next", "later", "stopped"]


@dataclass(frozen=True)
class Step:
    """One step of a run."""

    name: str
    state: State
    seconds: float | None
    """How long it took, or has taken so far."""
    counts: dict[str, int]
    """What it counted, by the names of vocabulary.STEP_COUNTS."""
    rows: int
    rate: float | None
    """Rows per second, where that says something."""
    before_seconds: float | None
    """How long it took last time; only while that is still to come."""
    before_rows: int
    share: float | None = None
    """How long it took, as a share of the longest step."""

    @property
    def label(self) -> str:
        """What people call it."""
        return STEPS[self.name]


def last_time(cursor: Cursor, run: dict[str, Any]) -> dict[str, Any]:
    """The steps of the last run of this mode that succeeded, by name; empty if this run is not in progress."""
    if run["status"] != OPEN:
        return {}
    params = {"district": run["district_id"], "mode": run["mode"], "run": run["id"]}
    found = db.one(cursor, "ui/last_steps", params) or {"steps": []}
    return {step["name"]: step for step in found["steps"]}


def of(run: dict[str, Any], before: dict[str, Any] | None = None) -> list[Step]:
    """Every step of the run in order: those that ended, the one in progress, those to come."""
    known = {step["name"]: step for step in run["steps"]}
    # an approved run does some of them again
    names = sorted(known, key=lambda name: known[name].get("started_at") or "")
    if run["step"] and run["step"] not in known and run["status"] == OPEN:
        names.append(run["step"])
    if run["status"] == OPEN:
        names += [name for name in ORDER[run["mode"]] if name not in names]
    states = {name: _state(name, known.get(name), run) for name in names}
    if run["status"] == OPEN and "now" not in states.values():
        waiting = next((name for name, state in states.items() if state == "later"), None)
        states |= {waiting: "next"} if waiting else {}
    shown = [_step(name, state, known.get(name), run, (before or {}).get(name)) for name, state in states.items()]
    longest = max((step.seconds or 0 for step in shown), default=0)
    return [replace(step, share=step.seconds / longest) if longest and step.seconds is not None else step
            for step in shown]  # fmt: skip


def _state(name: str, known: dict[str, Any] | None, run: dict[str, Any]) -> State:
    if known and known.get("finished_at"):
        return "done"
    if known is None and name != run["step"]:
        return "later"
    return "now" if run["status"] == OPEN else "stopped"


def _step(
    name: str, state: State, known: dict[str, Any] | None, run: dict[str, Any], before: dict[str, Any] | None
) -> Step:
    seconds = seconds_of(known) if state != "now" else _since(known, run)
    counts = {key: value for key, value in ((known or {}).get("counts") or {}).items() if isinstance(value, int)}
    rows = _rows(counts)
    return Step(
        name=name,
        state=state,
        seconds=seconds,
        counts=counts,
        rows=rows,
        rate=rows / seconds if seconds and name in _RATED and rows > _WORTH_A_RATE else None,
        before_seconds=seconds_of(before) if state in ("now", "next") else None,
        before_rows=_rows((before or {}).get("counts") or {}) if name == "extract" else 0,
    )


def _rows(counts: dict[str, Any]) -> int:
    return sum(value for name, value in counts.items() if isinstance(value, int) and name not in _NOT_ROWS)


def _since(known: dict[str, Any] | None, run: dict[str, Any]) -> float | None:
    """How long the step has been in progress, by the database's clock."""
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
