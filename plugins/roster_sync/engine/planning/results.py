"""What the stages of a plan find out, as they hand it on: each is one row of a file in include/sql/plan."""

from __future__ import annotations

from dataclasses import dataclass

from roster_sync.engine.planning.context import PlanContext


@dataclass(frozen=True)
class FeedSizes:
    """How many rows came that are active and not rejected (plan/sizes.sql)."""

    schools: int
    users: int
    classes: int
    enrollments: int
    """By the row checks' count: the enrollments are still being joined."""
    seen: dict[str, int]
    """By counted entity (vocabulary.ENTITIES), how many of them this run looks at; enrollments are not among them."""


@dataclass(frozen=True)
class JoinedEnrollments:
    """How many lines came out of the join of the feed's and the portal's enrollments (plan/join_enrollments.sql)."""

    adding: int
    """Only in the feed, and active there."""
    differing: int
    """On both sides and not the same, or only in the portal."""
    repeated: int
    """Name an enrollment that another line names, too."""

    def binds(self) -> dict[str, int]:
        """The counts as binds: what is 0 need not be looked for."""
        return {f"joined_{name}": count for name, count in vars(self).items()}


@dataclass(frozen=True)
class PlanSummary:
    """What people are shown of a plan: numbers and names of schools, never a person (plan/summary.sql)."""

    counts: dict[str, dict[str, int]]
    """Kind of row -> action -> how many."""
    schools_added: list[str]
    schools_removed: list[str]
    schools_offered: list[str]
    """New in the feed and not selected: for people to choose."""
    licenses_to_free: int
    """Would fall with the rows that a Reset deletes."""
    books_to_free: int
    """The same, of books that students were given."""
    manual_rows: int
    """Rows made by hand that would be deleted."""
    schools_selected: int
    """Schools of the feed that are selected."""
    schools_chosen: int
    """Schools that people have selected, whether they came or not."""
    classes_in_feed: int
    enrollments_in_feed: bool
    """Whether any active enrollment came."""
    enrollments_seen: int
    """Enrollments of the feed that are in the portal as they came, or will be."""
    reviews: int
    """New people who may be someone whom the portal has: asked as match reviews."""
    digest: str
    """One word for all rows that the plan takes away."""


@dataclass(frozen=True)
class Comparison:
    """What feed and portal differ in: its rows are in staging.plan, and this is what is known of them."""

    context: PlanContext
    """With the proof as the sizes of the feed allow it."""
    sizes: FeedSizes
    summary: PlanSummary
    to_free_digest: str
    """One word for the licenses and books that would be freed."""

    @property
    def seen(self) -> dict[str, int]:
        """By counted entity, how many rows of the feed this run looked at."""
        return self.sizes.seen | {"enrollments": self.summary.enrollments_seen}
