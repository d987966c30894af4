"""Made-up staged feeds for the tests of the checks: written straight into staging, as feed/staging.py leaves them."""

from __future__ import annotations

import json
from typing import Any

from psycopg2.extensions import connection as Connection

from roster_sync.config.districts import District, SourceSettings
from roster_sync.core.limits import Limits

ORGS = ("orgs", "users", "classes", "enrollments")


def district(**limits: Any) -> District:
    return District(
        key="harbor",
        name="Harbor Unified School District",
        timezone="America/Chicago",
        source=SourceSettings(kind="oneroster_csv"),
        schedule="15 2 * * *",
        limits=Limits(**limits),
    )


def open_run(
    owner: Connection,
    *,
    schools: int = 4,
    students: int = 300,
    teachers: int = 20,
    classes: int = 40,
    enrollments: int = 900,
    strangers: int = 0,
    collections: tuple[str, ...] = ORGS,
    is_complete: bool = True,
    parameters: dict[str, Any] | None = None,
    issuer: str = "oneroster:example.org",
) -> int:
    """A run in progress with a sound feed of that size, staged and counted; `strangers` enrollments name nobody."""
    counts = {"schools": schools, "students": students, "teachers": teachers, "classes": classes,
              "enrollments": enrollments}  # fmt: skip
    received = {"orgs": schools + 1, "users": students + teachers, "classes": classes, "enrollments": enrollments}
    feed = {"collections": {name: {"received": received[name], "is_complete": is_complete} for name in collections}}
    with owner.cursor() as cursor:
        cursor.execute(
            "insert into portal.districts (key, name) values ('harbor', 'Harbor') on conflict (key) do nothing"
        )
        cursor.execute(
            "insert into sync.runs (district_id, mode, trigger, feed, parameters, issuer)"
            " select id, 'edit', 'nightly', %(feed)s, %(parameters)s, %(issuer)s from portal.districts returning id",
            {"feed": json.dumps(feed), "parameters": json.dumps(parameters or {}), "issuer": issuer},
        )
        run_id = int(cursor.fetchall()[0][0])
        cursor.execute("select staging.open_run(%(run)s), staging.open_raw(%(run)s)", {"run": run_id})
        for entity, count in counts.items():
            cursor.execute(
                "insert into sync.run_counts (run_id, entity, received) values (%(run)s, %(entity)s, %(count)s)",
                {"run": run_id, "entity": entity, "count": count},
            )
        cursor.execute(_STAGE, {"run": run_id, "strangers": strangers, **counts})
        cursor.execute(_ENROLL.format(run=run_id), {"run": run_id, "strangers": strangers, **counts})
    return run_id


def finish(owner: Connection, run_id: int, status: str = "launched") -> None:
    """Ends a run, so that it can be the last good one."""
    with owner.cursor() as cursor:
        cursor.execute(
            "update sync.runs set status = %(status)s, finished_at = clock_timestamp() where id = %(run)s",
            {"run": run_id, "status": status},
        )


def find(
    owner: Connection, run_id: int, entity: str, rule: str, count: int, severity: str = "warning", named: bool = True
) -> None:
    """Findings of one rule, one row each."""
    with owner.cursor() as cursor:
        cursor.execute(
            "insert into sync.findings (run_id, entity, source_id, severity, rule, message)"
            " select %(run)s, %(entity)s, case when %(named)s then 'x-' || n end, %(severity)s, %(rule)s,"
            " 'Mend it at the source.'"
            " from generate_series(1, %(count)s) n",
            {"run": run_id, "entity": entity, "rule": rule, "count": count, "severity": severity, "named": named},
        )


def unite(owner: Connection, run_id: int, table: str, rows: int) -> None:
    """The last so many of 100 rows repeated the id of another: what staging leaves of them."""
    with owner.cursor() as cursor:
        cursor.execute(f"delete from staging.{table} where n > 100 - %s", (rows,))  # noqa: S608
        cursor.execute("update sync.runs set feed = feed || jsonb_build_object('repeated', jsonb_build_object(%s, %s))"
                       " where id = %s", (table, rows, run_id))  # fmt: skip


_STAGE = """
insert into staging.schools (run_id, source_id, status, name)
select %(run)s, 's' || n, 'active', 'School ' || n from generate_series(1, %(schools)s) n;
insert into staging.users (run_id, n, source_id, status, source_roles, roles, school_source_ids, given_name,
  family_name)
select %(run)s, n, 'u' || n, 'active', array[role], array[role], array['s1'], 'Given', 'Family'
from (select n, case when n <= %(students)s then 'student' else 'teacher' end as role
      from generate_series(1, %(students)s + %(teachers)s) n) people;
insert into staging.classes (run_id, n, source_id, status, school_source_id, title)
select %(run)s, n, 'c' || n, 'active', 's1', 'Class' from generate_series(1, %(classes)s) n;
"""
_ENROLL = """
insert into staging.raw_enrollments_{run} (source_id, class_source_id, user_source_id, role)
select 'e' || n, 'c' || 1 + n %% greatest(%(classes)s, 1),
  case when n <= %(strangers)s then 'x' else 'u' || 1 + n %% greatest(%(students)s, 1) end, 'student'
from generate_series(1, %(enrollments)s) n;
select staging.stage_enrollments(%(run)s), staging.close_raw(%(run)s);
"""
