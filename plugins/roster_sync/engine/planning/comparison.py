"""The comparison: what feed and portal differ in, as rows of staging.plan. Walks the stages of stages.py."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from roster_sync.core.errors import SyncRefused
from roster_sync.database import db
from roster_sync.engine.planning.results import Comparison, FeedSizes, JoinedEnrollments, PlanSummary
from roster_sync.engine.planning.stages import stages_of

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.engine.planning.context import PlanContext
    from roster_sync.engine.planning.stages import Part

log = logging.getLogger(__name__)


def compare(cursor: Cursor, context: PlanContext) -> Comparison:
    """Fills staging.plan within the transaction at work.

    Raises:
        errors.SyncRefused: nothing is shared, no school is selected, a Reset without a complete feed.
    """
    started = time.monotonic()
    db.tune(cursor)
    resolve(cursor, context)
    compared = judge(cursor, context, lambda: join(cursor, context))
    log.info("compared in %.1f s", time.monotonic() - started)
    return compared


def resolve(cursor: Cursor, context: PlanContext) -> None:
    """Which portal rows the feed's ids mean: staging.resolved, and temporary tables that outlive the transaction."""
    cursor.execute("discard temp")
    _run(cursor, "resolve", context)


def sort(cursor: Cursor, context: PlanContext) -> None:
    """Puts the enrollments of a first load in order, which needs nothing of what `resolve` finds out."""
    _run(cursor, "sort", context)


def join(cursor: Cursor, context: PlanContext) -> JoinedEnrollments:
    """Joins the feed's enrollments with the portal's, half of a plan's work; reads committed tables only."""
    return db.exactly_one_as(cursor, "plan/join_enrollments", JoinedEnrollments, context.binds())


def judge(cursor: Cursor, context: PlanContext, joined: Callable[[], JoinedEnrollments]) -> Comparison:
    """Fills staging.plan from what is resolved.

    Args:
        cursor: the transaction at work.
        context: what the plan goes by.
        joined: waits for `join` and returns its result; until then, what needs no enrollment is done.

    Raises:
        errors.SyncRefused: nothing is shared, no school is selected, a Reset without a complete feed.
    """
    _run(cursor, "view", context)
    sizes = db.exactly_one_as(cursor, "plan/sizes", FeedSizes, context.binds())
    context = context.limited_by(sizes)
    _run(cursor, "add", context)
    enrollments = joined()
    _run(cursor, "enroll", context, enrollments)
    _run(cursor, "remove", context)
    _run(cursor, "count", context)
    digest = find_to_free(cursor, context)
    summary = db.exactly_one_as(cursor, "plan/summary", PlanSummary, context.binds())
    db.run(cursor, "apply/selection", context.binds(follow=False))
    _refuse_where_empty(context, sizes, summary)
    return Comparison(context, sizes, summary, digest)


def find_to_free(cursor: Cursor, context: PlanContext) -> str:
    """Sets aside the licenses and books that would fall with rows of staging.plan; returns one word for them all."""
    return str(db.exactly_one(cursor, "plan/to_free", context.binds())["digest"])


def _run(cursor: Cursor, part: Part, context: PlanContext, joined: JoinedEnrollments | None = None) -> None:
    binds = context.binds(**joined.binds() if joined else {})
    for stage in stages_of(part, context):
        db.run(cursor, stage.file, binds)


def _refuse_where_empty(context: PlanContext, sizes: FeedSizes, summary: PlanSummary) -> None:
    if not sizes.schools or not sizes.users:
        what = "schools" if not sizes.schools else "people"
        if context.is_reset:
            raise SyncRefused(
                f"No {what} came from the source, so a Reset would delete everything. Check what the district shares."
            )
        if not context.has_written_before:
            raise SyncRefused(
                f"Nothing is shared: no {what} came from the source. Ask the district to share its schools and people."
            )
    if context.school_mode == "listed" and not summary.schools_selected:
        if not summary.schools_chosen:
            raise SyncRefused("No school is selected for this district. Select at least one school, then start again.")
        if context.is_reset:
            raise SyncRefused(
                "None of the selected schools came from the source, so a Reset would delete everything. Check what the"
                " district shares, or select other schools."
            )
    if context.is_reset and context.proof.missing_for():
        raise SyncRefused(
            "A Reset needs the complete roster, and this one is incomplete: "
            + " ".join(context.proof.why_not())
            + " Nothing was changed. Run the Reset again when the source is complete."
        )
