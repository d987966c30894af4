"""What a plan is based on: the run, its district's settings, and what its feed proves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from roster_sync.core import limits
from roster_sync.core.errors import SyncRefused
from roster_sync.database import db

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.config.districts import District
    from roster_sync.engine.planning.results import FeedSizes

PROVABLE: Final = ("schools", "users", "classes", "enrollments")
"""The staged tables of which a feed can prove that a missing row is gone."""


@dataclass(frozen=True)
class FeedProof:
    """Of which tables a row that is missing from the feed is gone at the source (docs/rules.md, R7)."""

    schools: bool
    users: bool
    classes: bool
    enrollments: bool
    adds_only: bool
    """Nothing is removed at all, not even what the feed itself calls gone: the sync is paused, or these are events."""
    reasons: Mapping[str, str]
    """By table, why it proves nothing; one sentence each."""

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> FeedProof:
        """From sync.runs.proof, which the row checks and the checks of the whole feed write."""
        not_complete = stored.get("not_complete") or {}
        proved = {table: bool(stored.get(table)) and table not in not_complete for table in PROVABLE}
        reasons = {**(stored.get("reasons") or {}), **not_complete}
        return cls(**proved, adds_only=bool(stored.get("adds_only")), reasons=reasons)

    def limited_by(self, sizes: FeedSizes, mode: str) -> FeedProof:
        """No schools or no people at all prove nothing; nor, in an Edit, no classes or enrollments (between terms)."""
        has_some = sizes.schools > 0 and sizes.users > 0
        is_edit = mode == "edit"
        return replace(
            self,
            schools=self.schools and has_some,
            users=self.users and has_some,
            classes=self.classes and has_some and (not is_edit or sizes.classes > 0),
            enrollments=self.enrollments and has_some and (not is_edit or sizes.enrollments > 0),
        )

    def missing_for(self) -> tuple[str, ...]:
        """The tables of which nothing is proved."""
        return tuple(table for table in PROVABLE if not getattr(self, table))

    def why_not(self) -> list[str]:
        """Why not all is proved, a sentence each."""
        return sorted({str(self.reasons.get(table, f"{table} are not complete.")) for table in self.missing_for()})


@dataclass(frozen=True)
class PlanContext:
    """Everything that a plan goes by, but for the rows themselves."""

    run_id: int
    district_id: int
    mode: str
    """edit | reset"""
    issuer: str
    """Whose ids the feed uses: an id means the same row only under the same issuer."""
    school_mode: str
    """all | listed: whether new schools are selected by themselves."""
    expires_on: date | None
    """The last day of the district's sync, by its own time zone."""
    roles: tuple[str, ...]
    """The portal roles in which the sync may create people, the first one that fits counts."""
    include_manual: bool
    """A Reset deletes rows that were made by hand, too."""
    preview_only: bool
    """Nothing is written, whatever the plan says."""
    events: bool
    """The feed tells what happened since the last whole read; it is not a whole roster."""
    max_deleted_percent: float | None
    """The run's own limit in place of its district's, in percent; 100 lifts every limit."""
    has_written_before: bool
    """Another run of the district has written to the portal."""
    is_first_of_issuer: bool
    """Runs of the district have written, and none of them with this issuer's ids."""
    proof: FeedProof

    @classmethod
    def load(cls, cursor: Cursor, run_id: int, district: District) -> PlanContext:
        """The context of a run whose feed is staged.

        Raises:
            errors.SyncRefused: there is no such run, or its feed is no longer kept.
        """
        found = db.one(cursor, "plan/run", {"run_id": run_id})
        if found is None:
            raise SyncRefused(f"Run {run_id} is not known. Start the sync again.")
        if found["issuer"] is None or not found.pop("is_staged"):
            raise SyncRefused("The feed of this run is no longer kept. Run the sync again.")
        parameters = found.pop("parameters") or {}
        return cls(
            **found | {"proof": FeedProof.of(found["proof"] or {})},
            run_id=run_id,
            roles=tuple(district.roles),
            include_manual=bool(parameters.get("include_manual")),
            preview_only=bool(parameters.get("preview_only")),
            events=bool(parameters.get("events")),
            max_deleted_percent=parameters.get("max_deleted_percent"),
        )

    def limited_by(self, sizes: FeedSizes) -> PlanContext:
        """The same, with what a feed of these sizes proves."""
        return replace(self, proof=self.proof.limited_by(sizes, self.mode))

    @property
    def is_reset(self) -> bool:
        """Whether missing rows are deleted, and not only taken out of sight."""
        return self.mode == "reset"

    @property
    def is_unlimited(self) -> bool:
        """Whether the run's parameter lifts every limit."""
        return self.max_deleted_percent is not None and self.max_deleted_percent >= limits.UNLIMITED

    def binds(self, **more: Any) -> dict[str, Any]:
        """The binds that the SQL of include/sql/plan and include/sql/apply knows, and these."""
        return {
            "run_id": self.run_id,
            "district_id": self.district_id,
            "mode": self.mode,
            "issuer": self.issuer,
            "school_mode": self.school_mode,
            "roles": list(self.roles),
            "include_manual": self.include_manual,
            "events": self.events,
            **{f"{table}_proved": getattr(self.proof, table) for table in PROVABLE},
            **more,
        }
