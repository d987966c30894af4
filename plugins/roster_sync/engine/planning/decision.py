"""The decision: what of a plan may be written now, and what waits for a person."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg2.extras import Json

from roster_sync.core import limits
from roster_sync.core.errors import SyncRefused
from roster_sync.core.text import plural
from roster_sync.database import db
from roster_sync.engine import holds

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.config.districts import District
    from roster_sync.engine.planning.context import PlanContext
    from roster_sync.engine.planning.results import Comparison, PlanSummary

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
    """Why, in words for people; empty where all is written."""


def decide(cursor: Cursor, district: District, compared: Comparison) -> Decision:
    """Records what staging.plan says, and decides what of it may be written.

    Args:
        cursor: the transaction in which the plan was made.
        district: whose limits count.
        compared: what is known of the plan.

    Raises:
        errors.SyncRefused: events that go beyond a limit, which wait for the nightly full read.
    """
    context = compared.context
    counts = [limits.KindCount(**row) for row in db.rows(cursor, "plan/limits", context.binds())]
    breaches: list[limits.Breach] = []
    if not context.is_unlimited:
        allowed = limits.for_run(district.limits, context.max_deleted_percent)
        breaches = limits.breaches(counts, allowed, is_first_of_issuer=context.is_first_of_issuer)
    hold_id = holds.approved(cursor, context.run_id)
    if hold_id is None:
        decision = _weigh(context, breaches, compared.summary)
    else:
        decision = _after_approval(cursor, context, hold_id)
    plan = _as_stored(compared, decision, district, counts, breaches)
    digest = compared.summary.digest
    is_complete = not context.proof.missing_for()
    record = {"run_id": context.run_id, "plan": Json(plan), "digest": digest, "is_complete_feed": is_complete}
    db.run(cursor, "plan/record", record)
    if decision.status == "held":
        holds.ask(cursor, context.run_id, scope=decision.scope or "removals", plan=plan, digest=digest)
    return decision


def _weigh(context: PlanContext, breaches: list[limits.Breach], summary: PlanSummary) -> Decision:
    decision = _weigh_reset(context, breaches, summary) if context.is_reset else _weigh_edit(breaches)
    if context.events and decision.status == "held":
        raise SyncRefused(f"{decision.sentence} The events wait for the nightly full read.", status="skipped")
    if context.preview_only:
        return Decision("previewed", (), None, decision.sentence or "This was a preview: nothing was written.")
    return decision


def _weigh_edit(breaches: list[limits.Breach]) -> Decision:
    kinds = {breach.what for breach in breaches}
    sentence = " ".join(breach.sentence() for breach in breaches)
    if kinds & {"issuer", "turnover"}:
        return Decision("held", (), "everything", sentence)
    if "updates" in kinds:
        return Decision("held", ("adds",), "updates", sentence)
    if "removals" in kinds:
        return Decision("held", ("adds", "updates"), "removals", sentence)
    return Decision("apply", ALL_PHASES, None, sentence)


def _weigh_reset(context: PlanContext, breaches: list[limits.Breach], summary: PlanSummary) -> Decision:
    reasons = [breach.sentence() for breach in breaches]
    is_between_terms = not summary.classes_in_feed or not summary.enrollments_in_feed
    if is_between_terms:
        reasons.append("No classes or no enrollments are shared: all of them would be deleted from the portal.")
    if not context.is_unlimited:
        if summary.schools_removed:
            reasons.append(f"{plural(len(summary.schools_removed), 'school')} would be deleted.")
        if summary.licenses_to_free:
            reasons.append(f"{plural(summary.licenses_to_free, 'license')} would be freed.")
    if reasons:
        return Decision("held", (), "reset", " ".join(reasons))
    return Decision("apply", ALL_PHASES, None, "")


def _after_approval(cursor: Cursor, context: PlanContext, hold_id: int) -> Decision:
    """An approval lets go of the rows that were asked about, and of no others."""
    if not context.is_reset:
        db.run(cursor, "plan/only_approved", context.binds(hold_id=hold_id))
        return Decision("apply", ALL_PHASES, None, "Approved.")
    beyond = db.exactly_one(cursor, "plan/beyond_approval", context.binds(hold_id=hold_id))["rows"]
    if beyond:
        return Decision(
            "held",
            (),
            "reset",
            f"Since the approval, {plural(beyond, 'more row')} would be deleted or freed, so it needs a new approval.",
        )
    return Decision("apply", ALL_PHASES, None, "Approved.")


def _as_stored(
    compared: Comparison,
    decision: Decision,
    district: District,
    counts: list[limits.KindCount],
    breaches: list[limits.Breach],
) -> dict[str, Any]:
    """The plan as sync.runs.plan and the question keep it, for the pages and mails."""
    context, summary = compared.context, compared.summary
    return {
        "counts": summary.counts,
        "bases": {count.kind: count.base for count in counts},
        "seen": compared.seen,
        "breaches": [breach.as_dict() for breach in breaches],
        "schools": {
            "added": summary.schools_added,
            "removed": summary.schools_removed,
            # of events, those that wait for the full read are not for people to choose
            "offered": [] if context.events else summary.schools_offered,
        },
        "licenses_to_free": summary.licenses_to_free if context.is_reset else 0,
        "books_to_free": summary.books_to_free if context.is_reset else 0,
        "to_free_digest": compared.to_free_digest,
        "manual": summary.manual_rows,
        "reviews": summary.reviews,
        "phases": list(decision.phases),
        "scope": decision.scope,
        "sentence": decision.sentence,
        # what the run went by, kept for the audit: settings may be others tomorrow
        "settings": {
            "school_mode": context.school_mode,
            "schools_selected": summary.schools_selected,
            "expires_on": context.expires_on.isoformat() if context.expires_on else None,
            "roles": list(context.roles),
            "limits": asdict(district.limits),
            "max_deleted_percent": context.max_deleted_percent,
            "include_manual": context.include_manual,
        },
    }
