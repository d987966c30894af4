"""What a digest is made from: the notices of one district that wait to be sent, and the runs that they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from roster_sync.core.links import Links
from roster_sync.core.text import moment
from roster_sync.database import db
from roster_sync.notices.mails import SHOWN

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.config.districts import District


@dataclass(frozen=True)
class News:
    """The notices of one digest, and access to what they are about in the database."""

    cursor: Cursor
    district_id: int
    district: District
    links: Links
    notices: Sequence[Mapping[str, Any]]
    """Rows of notices/pending.sql: run_id, kind, subject_key."""

    @cached_property
    def runs(self) -> dict[int, dict[str, Any]]:
        """The runs of the notices, by id: rows of notices/runs.sql."""
        return {run["id"]: run for run in self.rows("runs", run_ids=self.run_ids())}

    @cached_property
    def numbers(self) -> dict[str, Any]:
        """What the digest counts without listing it: the row of notices/numbers.sql."""
        return self.rows("numbers", run_ids=self.run_ids())[0]

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        """The notices of one kind."""
        return [notice for notice in self.notices if notice["kind"] == kind]

    def keys(self, kind: str) -> list[str]:
        """What the notices of one kind are about (sync.notices.subject_key)."""
        return [notice["subject_key"] for notice in self.of(kind)]

    def run_ids(self, *kinds: str) -> list[int]:
        """The runs of the notices, or of those of these kinds, oldest first."""
        chosen = (notice for notice in self.notices if not kinds or notice["kind"] in kinds)
        return sorted({notice["run_id"] for notice in chosen if notice["run_id"] is not None})

    def runs_with(self, kind: str) -> list[dict[str, Any]]:
        """The runs of the notices of one kind, oldest first."""
        return [self.runs[run_id] for run_id in self.run_ids(kind)]

    def rows(self, name: str, **binds: Any) -> list[dict[str, Any]]:
        """The rows of one file of include/sql/notices."""
        return db.rows(self.cursor, f"notices/{name}", {"district_id": self.district_id, "shown": SHOWN, **binds})

    def rows_of(self, name: str, kind: str) -> list[dict[str, Any]]:
        """The same, for the runs of the notices of one kind; none where there is no such notice."""
        run_ids = self.run_ids(kind)
        return self.rows(name, run_ids=run_ids) if run_ids else []

    def moment(self, value: datetime) -> str:
        """A time in the district's time zone."""
        return moment(value, self.district.timezone)
