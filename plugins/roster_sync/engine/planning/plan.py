"""The plan: what a run would do, row by row, before it does it; and whether a person has to be asked first."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from psycopg2.extras import Json

from roster_sync.core import limits
from roster_sync.core.errors import SyncRefused
from roster_sync.core.text import plural
from roster_sync.database import db
from roster_sync.database.parallel import Beside, may_wait
from roster_sync.engine import holds, runs
from roster_sync.engine.planning import comparison
from roster_sync.engine.planning.absences import Absences

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.config.districts import District
    from roster_sync.sources.base import Askable

log = logging.getLogger(__name__)

_TAKE_LOCK: Final = (
    "select pg_advisory_lock(hashtextextended('roster district', district_id)) from sync.runs where id = %s"
)
_LEAVE_LOCK: Final = (
    "select pg_advisory_unlock(hashtextextended('roster district', district_id)) from sync.runs where id = %s"
)
ALL_PHASES: Final = ("adds", "updates", "removals")


@dataclass(frozen=True)
class Decision:
    """What a plan leads to."""

    status: str
    """apply | held | previewed"""
    phases: tuple[str, ...]
    """Which parts of the plan may be written now."""
    scope: str | None
    """What waits for a person: removals | updates | everything | reset."""
    sentence: str


def lock(cursor: Cursor, district_id: int) -> None:
    """The district's advisory lock, shared by Edit, Reset and Undo, until the transaction ends."""
    cursor.execute("select pg_advisory_xact_lock(hashtextextended('roster district', %s))", (district_id,))


def make(connection: Connection, run_id: int, district: District, source: Askable | None = None) -> str:
    """Plans a run and decides: 'apply', 'held' or 'previewed'. Writes staging.plan and the run's record, nothing else.

    Raises:
        errors.SyncRefused: nothing is shared, no school is selected, a Reset without a complete feed.
    """
    absences = Absences(source)
    status = runs.status_of(connection, run_id)
    while True:
        decided, missing = _plan_once(connection, run_id, district, absences, status)
        if not missing:
            log.info("run %s: %s", run_id, decided)
            return decided
        absences.ask(connection, run_id, missing)


def _plan_once(
    connection: Connection, run_id: int, district: District, absences: Absences, status: str
) -> tuple[str, list[dict[str, Any]]]:
    """The decision; or, undecided, the absences that the source is to be asked for before.

    Two transactions: beside the first a second connection sorts the enrollments, beside the second it joins them with
    what the first has resolved.
    """
    started = time.monotonic()
    refusal: SyncRefused | None = None
    decided, missing = "", []
    with _locked(connection, run_id):
        with db.acting_as(connection, "roster_edit") as cursor:
            run = run_params(cursor, run_id, district)
            _refuse_where_closed(cursor, run_id, status)
        binds = dict(run)  # `judge` adds to its own
        joining = Beside(
            connection, partial(comparison.join, run=binds), before=partial(comparison.sort, run=binds), workers=1
        )
        with joining:
            with db.acting_as(connection, "roster_edit") as cursor:
                db.tune(cursor)
                comparison.resolve(cursor, run)
            joining.go_on()
            with db.acting_as(connection, "roster_edit") as cursor:
                db.tune(cursor)
                may_wait(cursor)
                _refuse_where_closed(cursor, run_id, status)
                try:
                    summary = comparison.judge(cursor, run, joining.wait)
                    log.info("compared in %.1f s", time.monotonic() - started)
                    missing = absences.still_to_ask(cursor, run)
                    if not missing:
                        decided = _close(cursor, run, decide(cursor, run, district, summary))
                except SyncRefused as refused:
                    refusal = refused  # the schools that were listed meanwhile are kept, so that they can be selected
    if refusal is not None:
        raise refusal
    return decided, missing


@contextmanager
def _locked(connection: Connection, run_id: int) -> Iterator[None]:
    """The district's lock over several transactions of this session, which ends without a temporary table."""
    with db.acting_as(connection, "roster_edit") as cursor:
        cursor.execute(_TAKE_LOCK, (run_id,))
    try:
        yield
    finally:
        if not connection.closed:
            with db.acting_as(connection, "roster_edit") as cursor:
                cursor.execute(_LEAVE_LOCK, (run_id,))
                cursor.execute("discard temp")


def _refuse_where_closed(cursor: Cursor, run_id: int, status: str) -> None:
    """While the source was asked, no lock was held: the run may have been declared dead."""
    cursor.execute("select status from sync.runs where id = %s", (run_id,))
    now = str((cursor.fetchone() or [status])[0])
    if now != status:
        raise SyncRefused(f"Run {run_id} was closed while it was planned ({now}), so it does nothing.", status=now)


def _close(cursor: Cursor, run: dict[str, Any], decision: Decision) -> str:
    """Ends a run that writes nothing; what waits of it is counted."""
    if decision.status == "held" and not decision.phases:
        db.run(cursor, "apply/counts", run | {"phases": [], "seen": Json(run["sizes"]["seen"])})
    if decision.status == "previewed" or (decision.status == "held" and not decision.phases):
        runs.close_as(cursor, run["run_id"], decision.status, decision.sentence)
    return decision.status


def run_params(cursor: Cursor, run_id: int, district: District) -> dict[str, Any]:
    """Everything that the plan's SQL binds: the run's record, the district's settings and what the feed proves."""
    found = db.one(cursor, "plan/run", {"run_id": run_id})
    if found is None:
        raise SyncRefused(f"Run {run_id} is not known. Start the sync again.")
    if found["issuer"] is None or not found["is_staged"]:
        raise SyncRefused("The feed of this run is no longer kept. Run the sync again.")
    parameters = found["parameters"] or {}
    proof = found["proof"] or {}
    return found | {
        "run_id": run_id,
        "roles": list(district.roles),
        "include_manual": bool(parameters.get("include_manual")),
        "preview_only": bool(parameters.get("preview_only")),
        "events": bool(parameters.get("events")),
        "max_deleted_percent": parameters.get("max_deleted_percent"),
        **{f"{table}_proved": _is_proved(proof, table) for table in ("schools", "users", "classes", "enrollments")},
    }


def _is_proved(proof: dict[str, Any], table: str) -> bool:
    return bool(proof.get(table)) and table not in (proof.get("not_complete") or {})


def decide(cursor: Cursor, run: dict[str, Any], district: District, summary: dict[str, Any]) -> Decision:
    """Records what staging.plan says, and decides what of it may be written."""
    counts = [limits.KindCount(**row) for row in db.rows(cursor, "plan/limits", run)]
    allowed = limits.for_run(district.limits, run["max_deleted_percent"])
    found = [] if _is_unlimited(run) else limits.breaches(counts, allowed, is_first_of_issuer=run["is_first_of_issuer"])
    approved = holds.approved(cursor, run["run_id"])
    decision = _after_approval(cursor, run, approved, summary) if approved else _decision(run, found, summary)
    run["settings"] = _settings(run, district, summary)
    _record(cursor, run, decision, summary, counts, found)
    return decision


def _is_unlimited(run: dict[str, Any]) -> bool:
    percent = run["max_deleted_percent"]
    return percent is not None and percent >= limits.UNLIMITED


def _decision(run: dict[str, Any], found: list[limits.Breach], summary: dict[str, Any]) -> Decision:
    reasons = [breach.sentence() for breach in found]
    if run["mode"] == "reset":
        status, scope, phases, more = _judge_reset(run, found, summary)
        reasons += more
    else:
        status, scope, phases = _judge_edit(found)
    if run["events"] and status == "held":
        raise SyncRefused(f"{' '.join(reasons)} So the events wait for the nightly full read.", status="skipped")
    if run["preview_only"]:
        return Decision("previewed", (), None, " ".join(reasons) or "A preview: nothing was written.")
    return Decision(status, phases, scope, " ".join(reasons))


def _judge_edit(found: list[limits.Breach]) -> tuple[str, str | None, tuple[str, ...]]:
    kinds = {breach.what for breach in found}
    if kinds & {"issuer", "turnover"}:
        return "held", "everything", ()
    if "updates" in kinds:
        return "held", "updates", ("adds",)
    if "removals" in kinds:
        return "held", "removals", ("adds", "updates")
    return "apply", None, ALL_PHASES


def _judge_reset(
    run: dict[str, Any], found: list[limits.Breach], summary: dict[str, Any]
) -> tuple[str, str | None, tuple[str, ...], list[str]]:
    reasons: list[str] = []
    is_between_terms = not summary["classes_in_feed"] or not summary["enrollments_in_feed"]
    if is_between_terms:
        reasons.append("No classes or no enrollments are shared at all: every one in the portal would be deleted.")
    if not _is_unlimited(run):
        if summary["schools_removed"]:
            reasons.append(f"{plural(len(summary['schools_removed']), 'school')} would be deleted.")
        if summary["licenses_freed"]:
            reasons.append(f"{plural(summary['licenses_freed'], 'license')} would be freed.")
    if reasons or found:
        return "held", "reset", (), reasons
    return "apply", None, ALL_PHASES, reasons


def _after_approval(cursor: Cursor, run: dict[str, Any], hold: dict[str, Any], summary: dict[str, Any]) -> Decision:
    """An approval lets go of the rows that were asked about, and of no others."""
    params = run | {"hold_id": hold["id"]}
    if run["mode"] == "edit":
        db.run(cursor, "plan/only_approved", params)
        return Decision("apply", ALL_PHASES, None, "Approved.")
    beyond = db.one(cursor, "plan/beyond_approval", params) or {}
    if beyond["rows"]:
        return Decision(
            "held", (), "reset",
            f"Since the approval {plural(beyond['rows'], 'more row')} would be deleted or freed: it is asked again.",
        )  # fmt: skip
    return Decision("apply", ALL_PHASES, None, "Approved.")


def _settings(run: dict[str, Any], district: District, summary: dict[str, Any]) -> dict[str, Any]:
    """What the run went by, kept for the audit: settings may be others tomorrow."""
    return {
        "school_mode": run["school_mode"],
        "schools_selected": summary["schools_selected"],
        "expires_on": run["expires_on"].isoformat() if run["expires_on"] else None,
        "roles": run["roles"],
        "limits": asdict(district.limits),
        "max_deleted_percent": run["max_deleted_percent"],
        "include_manual": run["include_manual"],
    }


def _record(
    cursor: Cursor,
    run: dict[str, Any],
    decision: Decision,
    summary: dict[str, Any],
    counts: list[limits.KindCount],
    found: list[limits.Breach],
) -> None:
    plan = {
        "counts": summary["counts"],
        "bases": {count.kind: count.base for count in counts},
        "seen": run["sizes"]["seen"],
        "breaches": [breach.as_dict() for breach in found],
        "schools": {
            "added": summary["schools_added"],
            "removed": summary["schools_removed"],
            "offered": summary["schools_offered"],
        },
        "licenses_freed": summary["licenses_freed"] if run["mode"] == "reset" else 0,
        "books_freed": summary["books_freed"] if run["mode"] == "reset" else 0,
        "freed_digest": run["freed_digest"],
        "manual": summary["manual"],
        "reviews": summary["reviews"],
        "phases": list(decision.phases),
        "scope": decision.scope,
        "sentence": decision.sentence,
        "settings": run["settings"],
    }
    db.run(
        cursor,
        "plan/record",
        {
            "run_id": run["run_id"],
            "plan": Json(plan),
            "digest": summary["digest"],
            "is_complete_feed": all(run[f"{table}_proved"] for table in ("schools", "users", "classes", "enrollments")),
        },
    )
    if decision.status == "held":
        holds.ask(cursor, run, decision.scope or "removals", plan, summary["digest"])
