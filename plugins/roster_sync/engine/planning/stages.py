"""The stages of a plan: each a file of include/sql/plan, with what it reads of others and what it leaves for them.

The one list of them drives comparison.py and the picture in docs/architecture.md; a test holds it against the SQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from roster_sync.engine.planning.context import PlanContext

Part = Literal["resolve", "sort", "view", "add", "join", "enroll", "remove", "count", "decide"]
PARTS: Final[dict[Part, str]] = {
    "resolve": "Which portal rows the feed's ids mean",
    "sort": "Second connection: order of a first load",
    "view": "What this run looks at, and how much came",
    "add": "Adds, updates, reviews",
    "join": "Second connection: join of the enrollments",
    "enroll": "Enrollments",
    "remove": "Removals",
    "count": "What the plan comes to",
    "decide": "Limits, the source's word, the question",
}
"""The parts of a plan in their order, and what each is about. `sort` runs in parallel with `resolve`, `join` with
`view` and `add`."""


class When(Enum):
    """For which runs a stage is there."""

    ALWAYS = "always"
    RESET = "in a Reset"
    EDIT = "in an Edit that may remove"
    EVENTS = "of events"
    ON_DEMAND = "where the decision needs it"
    """A limit was passed, or an approval is carried out."""

    def fits(self, context: PlanContext) -> bool:
        """Whether the stage is there in this run; the decision itself calls the ON_DEMAND ones."""
        if self is When.RESET:
            return context.is_reset
        if self is When.EDIT:  # paused, kept moving, only events: nothing goes, not even what the feed calls gone
            return not context.is_reset and not context.proof.adds_only
        return context.events if self is When.EVENTS else True


@dataclass(frozen=True)
class Stage:
    """One file of include/sql/plan.

    Args:
        name: the file's name, without .sql.
        part: where in the plan it runs.
        reads: the temporary tables of earlier stages, and the tables of schema staging, that it reads.
        leaves: what it makes or changes and others read; a temporary table of its own use only is not named.
        when: for which runs it is there.
        is_read: its last statement gives a row (or rows) that comparison.py or decision.py reads, so they call it.
    """

    name: str
    part: Part
    reads: tuple[str, ...]
    leaves: tuple[str, ...]
    when: When = When.ALWAYS
    is_read: bool = False

    @property
    def file(self) -> str:
        """The name by which db.run knows the file."""
        return f"plan/{self.name}"


def _stage(
    name: str, part: Part, *, reads: str = "", leaves: str = "", when: When = When.ALWAYS, is_read: bool = False
) -> Stage:
    """A line of the list; the tables are separated by blanks."""
    return Stage(name, part, tuple(reads.split()), tuple(leaves.split()), when, is_read)


STAGES: Final = (
    _stage(
        "resolve_schools",
        "resolve",
        reads="staging.resolved staging.schools staging.classes staging.users",
        leaves="school_view school_ids staging.resolved staging.plan",
    ),
    _stage("still_live_schools", "resolve", reads="school_view", leaves="school_view", when=When.RESET),
    _stage(
        "events_wait",
        "resolve",
        reads="school_view school_ids staging.users staging.classes",
        leaves="school_view staging.users staging.classes",
        when=When.EVENTS,
    ),
    _stage(
        "resolve_users",
        "resolve",
        reads="school_view school_ids staging.resolved staging.users",
        leaves="unknown_users unclaimed_users user_pairs new_memberships staging.resolved",
    ),
    _stage(
        "resolve_classes",
        "resolve",
        reads="school_ids staging.resolved staging.classes staging.enrollments",
        leaves="staging.resolved",
    ),
    _stage("sort_enrollments", "sort", reads="staging.enrollments", leaves="staging.sorted_enrollments"),
    _stage(
        "class_view",
        "view",
        reads="school_view school_ids staging.classes staging.resolved staging.unusual_enrollments",
        leaves="class_view school_view",
    ),
    _stage(
        "unusual",
        "view",
        reads="staging.unusual_enrollments staging.resolved",
        leaves="resolved_unusual protected_enrollments simple_counts staging.resolved",
    ),
    _stage(
        "memberships",
        "view",
        reads=(
            "school_view school_ids class_view resolved_unusual protected_enrollments staging.users "
            "staging.resolved staging.unusual_enrollments"
        ),
        leaves="simple_users feed_memberships user_view",
    ),
    _stage("still_live_users", "view", reads="user_view", leaves="user_view", when=When.RESET),
    _stage("sizes", "view", reads="school_view unknown_users class_view simple_counts user_view", is_read=True),
    _stage(
        "adds",
        "add",
        reads=(
            "school_view new_memberships class_view simple_users feed_memberships user_view staging.plan "
            "staging.school_values staging.class_values staging.resolved staging.user_values"
        ),
        leaves="present_users present_classes staging.plan",
    ),
    _stage(
        "reviews",
        "add",
        reads=(
            "unknown_users unclaimed_users user_pairs new_memberships feed_memberships user_view "
            "staging.plan staging.users staging.resolved"
        ),
        leaves="review_pairs staging.plan",
    ),
    _stage("needs_bulk", "add", reads="staging.resolved"),
    _stage("portal_enrollments", "add", reads="class_view", leaves="portal_enrollment_counts"),
    _stage(
        "join_enrollments",
        "join",
        reads="staging.enrollments staging.resolved staging.sorted_enrollments",
        leaves="staging.made_plan",
        is_read=True,
    ),
    _stage(
        "enrollments",
        "enroll",
        reads=(
            "class_view resolved_unusual protected_enrollments present_users present_classes "
            "portal_enrollment_counts staging.plan staging.resolved_enrollments staging.resolved "
            "staging.made_plan"
        ),
        leaves="enrollment_diff enrollment_sizes staging.plan",
    ),
    _stage(
        "removals_reset",
        "remove",
        reads="school_view class_view feed_memberships user_view review_pairs enrollment_diff staging.plan",
        leaves="staging.plan",
        when=When.RESET,
    ),
    _stage(
        "removals_edit",
        "remove",
        reads="school_view class_view feed_memberships user_view enrollment_diff",
        leaves="staging.plan",
        when=When.EDIT,
    ),
    _stage("analyze", "count"),
    _stage("to_free", "count", reads="staging.plan", leaves="to_free", is_read=True),
    _stage(
        "summary",
        "count",
        reads="school_view class_view review_pairs enrollment_sizes to_free staging.plan staging.schools",
        leaves="plan_counts",
        is_read=True,
    ),
    _stage(
        "missing",
        "decide",
        reads="school_view staging.plan staging.users staging.schools",
        when=When.RESET,
        is_read=True,
    ),
    _stage(
        "limits",
        "decide",
        reads="school_view class_view simple_counts user_view enrollment_sizes plan_counts staging.plan",
        is_read=True,
    ),
    _stage("only_approved", "decide", leaves="staging.plan", when=When.ON_DEMAND, is_read=True),
    _stage("beyond_approval", "decide", reads="to_free staging.plan", when=When.ON_DEMAND, is_read=True),
    _stage("ask", "decide", reads="to_free staging.plan", when=When.ON_DEMAND, is_read=True),
)
"""The stages of a plan, in their order within each part."""


def stages_of(part: Part, context: PlanContext) -> Iterator[Stage]:
    """The stages of a part that are there in this run and give no row, in their order."""
    return (stage for stage in STAGES if stage.part == part and not stage.is_read and stage.when.fits(context))
