"""The checks of a whole feed, before anything is written: one profile by SQL, judged by Great Expectations.

Errors stop the run. Warnings take from a collection the power to prove an absence, and are reported in the digest.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roster_sync.config.districts import District
from roster_sync.config.expectations import STOP
from roster_sync.core.errors import FeedRejected
from roster_sync.core.limits import Limits, for_run
from roster_sync.core.text import noun, percent
from roster_sync.database import db
from roster_sync.feed import data_docs, suites
from roster_sync.feed.suites import Judged

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

log = logging.getLogger(__name__)

Profile = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Verdict:
    """What the checks say of a feed."""

    is_ok: bool
    message: str
    not_complete: dict[str, str] = field(default_factory=dict)
    """Staged collection -> why a row that is missing in it proves nothing in this run."""


def validate(connection: Connection, run_id: int, district: District, docs: Path) -> Verdict:
    """Judges the staged feed of a run, and keeps the judgment in sync.runs and in the district's Data Docs.

    Raises:
        FeedRejected: a check stopped the run; nothing was written to the portal.
    """
    with db.acting_as(connection, "roster_edit") as cursor:
        run = db.one(cursor, "checks/profile_run", {"run_id": run_id})
        assert run is not None, "the run's row is made by its first task"  # noqa: S101
        limits = for_run(district.limits, run["parameters"].get("max_deleted_percent"))
        profile = _profile(cursor, run_id, limits)
    judged, results = suites.judge(profile, suites.checks_for(limits, district.thresholds))
    verdict = _verdict(profile, judged)
    log.info("%s of %s checks of the feed are met", sum(one.is_met for one in judged), len(judged))
    page = data_docs.write(docs, district, run, profile, judged, results, verdict.message, _sentences(profile, judged))
    with db.acting_as(connection, "roster_edit") as cursor:
        db.run(
            cursor,
            "checks/profile_keep",
            {"run_id": run_id, "data_docs": page, "not_complete": json.dumps(verdict.not_complete)},
        )
    if not verdict.is_ok:
        raise FeedRejected(verdict.message)
    return verdict


def _profile(cursor: Any, run_id: int, limits: Limits) -> Profile:
    asked = {"run_id": run_id, "role_words": list(suites.ROLE_WORDS)}
    profile = {row["entity"]: row for row in db.rows(cursor, "checks/profile", asked)}
    for row in db.rows(cursor, "checks/volumes", {"run_id": run_id, "floor": limits.floor}):
        kind = row["kind"]
        profile[row["entity"]].update(
            {
                f"percent_fewer_{kind}": row["percent_fewer"],
                f"now_{kind}": row["now_came"],
                f"before_{kind}": row["before_came"],
            }
        )
    return profile


def _verdict(profile: Profile, judged: list[Judged]) -> Verdict:
    sentences = _sentences(profile, judged)
    stops = [one for one in judged if not one.is_met and one.check.effect == STOP]
    not_complete: dict[str, str] = {}
    for one in judged:
        if not one.is_met:
            for collection in one.check.collections:
                not_complete.setdefault(collection, sentences[one.check.key])
    if stops:
        # a collection without ids is also rejected as a whole: the cause is said, not its consequence
        first = min(stops, key=lambda one: one.check.column == "percent_rejected")
        return Verdict(False, sentences[first.check.key] + _and_more(len(stops) - 1, "more failed check"), not_complete)
    warnings = sorted({one.check.column: sentences[one.check.key] for one in judged if not one.is_met}.items())
    if not warnings:
        return Verdict(True, f"All {len(judged)} checks are met.", not_complete)
    return Verdict(True, warnings[0][1] + _and_more(len(warnings) - 1, "more warning"), not_complete)


def _and_more(count: int, what: str) -> str:
    return f" ({count} {noun(count, what)}.)" if count else ""


def _sentences(profile: Profile, judged: list[Judged]) -> dict[str, str]:
    return {one.check.key: _sentence(profile[one.check.entity], one) for one in judged if not one.is_met}


def _sentence(numbers: Mapping[str, Any], one: Judged) -> str:
    shown = {name: percent(float(value)) if name.startswith("percent_") and value is not None else value
             for name, value in numbers.items()}  # fmt: skip
    most = {} if one.check.most is None else {"most": percent(one.check.most)}
    text = one.check.sentence.format_map(shown | most)
    return text[0].upper() + text[1:]
