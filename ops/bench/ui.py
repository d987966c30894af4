"""How long the pages take at 2,000 districts and a district of 900,000 students: the median of five, 200 ms at most."""

from __future__ import annotations

import argparse
import io
import os
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from psycopg2.extensions import cursor as Cursor

from ops.airflow.environment import portal_connection
from ops.bench.databases import portal
from ops.bench.report import Line, Report
from ops.console import progress, say
from ops.home import REPOSITORY, Home
from ops.postgres.cluster import Server
from ops.postgres.control import SUPERUSER

LIMIT_SECONDS = 0.2
TRIES = 5
DATABASE = "roster_bench_ui"
SIZE = "select pg_database_size(current_database()) / 1000000"
INDEXES = """
select format('%I.%I', n.nspname, c.relname), pg_get_indexdef(c.oid)
from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('portal', 'sync') and not exists (select from pg_constraint k where k.conindid = c.oid)
"""
_HARBOR = "/roster/districts/harbor"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `bin/bench ui`."""
    parser.add_argument("--districts", type=int, default=2000, help="how many (default: %(default)s)")
    parser.add_argument("--students", type=int, default=900_000, help="of the large district (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="leave the database for another look")


def main(home: Home, server: Server, options: argparse.Namespace) -> int:
    """Fills a database of its own, asks for every page, and drops the database again."""
    report = Report("ui", {"districts": options.districts, "students": options.students, "tries": TRIES})
    with _database(server, keep=options.keep) as cursor, tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        with progress("filling the database", every=15):
            marks = _fill(cursor, options.districts, options.students)
        say(f"filled in {time.perf_counter() - began:.0f} s, {_one(cursor, SIZE):,} MB")
        visit = _visitor(server, Path(folder), options.districts)
        floor = _median(visit, ("GET", "/roster/static/icon.svg", {}))
        report.lines.append(Line("a file, behind login (the floor)", floor))
        for name, request in _pages(marks).items():
            line = Line(name, _median(visit, request), floor_seconds=floor)
            late = line.seconds > LIMIT_SECONDS
            line.note = f"{line.seconds * 1000:.0f} ms" + (f", over {LIMIT_SECONDS * 1000:.0f} ms" if late else "")
            report.lines.append(line)
    code = report.finish(home)
    return code or (1 if any(line.seconds > LIMIT_SECONDS for line in report.lines) else 0)


@contextmanager
def _database(server: Server, *, keep: bool) -> Iterator[Cursor]:
    with portal(server, DATABASE, keep=keep), closing(server.connect(SUPERUSER, DATABASE)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


def _fill(cursor: Cursor, districts: int, students: int) -> dict[str, int]:
    from tests.ui import madeup

    size = madeup.Size(max(3, students // 565), max(12, students // 17), students, max(24, students // 4), 25)
    # replica: without triggers and foreign keys, because loading is measured elsewhere
    for setting in ("synchronous_commit = off", "session_replication_role = replica", "work_mem = '256MB'",
                    "maintenance_work_mem = '512MB'"):  # fmt: skip
        cursor.execute(f"set {setting}")
    with _without_indexes(cursor):
        harbor = madeup.district(cursor, "harbor", "Harbor Unified School District", size)
        for days in range(60, 0, -1):
            run = madeup.run(cursor, harbor, "launched", days_ago=days * 0.9, counts=madeup.shared_counts(size))
        preview = madeup.run(cursor, harbor, "previewed")
        cursor.execute((REPOSITORY / "ops" / "sql" / "bench_ui.sql").read_text(encoding="utf-8"),
                       {"harbor": harbor, "run": run, "preview": preview, "districts": districts})  # fmt: skip
    cursor.execute("vacuum (analyze)")
    return {
        "run": run,
        "preview": preview,
        "first": _one(cursor, "select min(id) from sync.runs where district_id = %s", harbor),
        "finding": _one(cursor, "select percentile_disc(0.5) within group (order by id) from sync.findings"),
        "student": _one(cursor, "select max(id) - 1000 from portal.users where district_id = %s", harbor),
        "teacher": _one(cursor, "select min(id) from portal.users where district_id = %s", harbor),
        "school": _one(cursor, "select min(id) from portal.schools where district_id = %s", harbor),
        "class": _one(cursor, "select max(id) - 10 from portal.classes where district_id = %s", harbor),
        "schools": size.schools,
    }


@contextmanager
def _without_indexes(cursor: Cursor) -> Iterator[None]:
    """Drops the indexes that no constraint needs, and makes them again from the filled tables, which is faster."""
    cursor.execute(INDEXES)
    found = cursor.fetchall()
    cursor.execute("drop index " + ", ".join(name for name, _ in found))
    yield
    for _, definition in found:
        cursor.execute(definition)


def _one(cursor: Cursor, text: str, *values: Any) -> int:
    cursor.execute(text, values)
    row = cursor.fetchone()
    return int(row[0]) if row else 0


Request = tuple[str, str, dict[str, Any]]


def _pages(marks: dict[str, int]) -> dict[str, Request]:
    run, first, preview = (f"{_HARBOR}/runs/{marks[name]}" for name in ("run", "first", "preview"))
    half = [f"harbor-s{n}" for n in range(1, marks["schools"] // 2)]
    found: dict[str, Request] = {
        "Districts": ("GET", "/roster/", {}),
        "Districts, those with a worklist": ("GET", "/roster/?view=worklist", {}),
        "Districts, searched": ("GET", "/roster/?q=district+19", {}),
        "Districts, the next page": ("GET", "/roster/?after=d0100", {}),
        "District": ("GET", _HARBOR, {}),
        "Run": ("GET", run, {}),
        "Run: students updated": ("GET", f"{run}/changes?kind=students&what=updated", {}),
        "Run: searched": ("POST", f"{run}/changes", {"kind": "students", "what": "updated", "q": "brindle b"}),
        "Run: students added": ("GET", f"{first}/changes?kind=students&what=added", {}),
        "Run: enrollments added": ("GET", f"{first}/changes?kind=enrollments&what=added", {}),
        "Run: rejected": ("GET", f"{run}/rejected", {}),
        "Run: rejected, by rule": ("GET", f"{run}/rejected?rule=bad_email&entity=users", {}),
        "Run: warnings, far down": ("GET", f"{run}/rejected?severity=warning&after={marks['finding']}", {}),
        "Preview": ("GET", preview, {}),
        "Preview: students updated": ("GET", f"{preview}/changes?kind=students&what=updated", {}),
        "Preview: far down": ("GET", f"{preview}/changes?kind=students&what=updated&after={marks['student']}", {}),
        "Preview: students added": ("GET", f"{preview}/changes?kind=students&what=added", {}),
        "Preview: searched": ("POST", f"{preview}/changes", {"kind": "students", "what": "updated", "q": "brindle b"}),
        "Preview: new ones found": ("POST", f"{preview}/changes", {"kind": "students", "what": "added", "q": "nova"}),
        "Preview: nobody found": ("POST", f"{preview}/changes", {"kind": "students", "what": "added", "q": "zzz"}),
        "Preview: enrollments ended": ("GET", f"{preview}/changes?kind=enrollments&what=unshared", {}),
        "Settings: connection": ("GET", f"{_HARBOR}/sync/connection", {}),
        "Settings: expiration": ("GET", f"{_HARBOR}/sync/expiration", {}),
        "Settings: emails": ("GET", f"{_HARBOR}/sync/emails", {}),
        "Settings: mode": ("GET", f"{_HARBOR}/sync/mode", {}),
        "Settings: schools": ("GET", f"{_HARBOR}/sync/schools", {}),
        "Settings: half deselected": (
            "POST", f"{_HARBOR}/sync/schools/effect", {"school_mode": "listed", "chosen": half}
        ),
        "Settings: review": ("GET", f"{_HARBOR}/sync/review", {}),
        "Person": ("GET", f"{_HARBOR}/people/{marks['student']}", {}),
        "School": ("GET", f"{_HARBOR}/schools/{marks['school']}", {}),
        "Class": ("GET", f"{_HARBOR}/classes/{marks['class']}", {}),
        "Worklist": ("GET", f"{_HARBOR}/worklist", {}),
        "Worklist: students' books": ("GET", f"{_HARBOR}/worklist?kind=student_needs_books", {}),
        "Classes of a school": ("GET", f"{_HARBOR}/roster/classes?school={marks['school']}", {}),
        "HTTP API": ("GET", "/roster/docs", {}),
        "API: districts": ("GET", "/roster/api/v1/districts?limit=500", {}),
        "API: runs": ("GET", f"/roster/api/v1{_HARBOR[7:]}/runs?limit=500", {}),
        "API: a run's changes": ("GET", f"/roster/api/v1{run[7:]}/changes?kind=students&what=updated&limit=500", {}),
        "API: rejected rows": ("GET", f"/roster/api/v1{run[7:]}/findings?limit=500", {}),
        "API: worklist": ("GET", f"/roster/api/v1{_HARBOR[7:]}/worklist?kind=student_needs_books&limit=500", {}),
        "API: trends": ("GET", f"/roster/api/v1{_HARBOR[7:]}/trends?runs=365", {}),
        "Trends": ("GET", f"{_HARBOR}/trends", {}),
        "Students, far down": ("GET", f"{_HARBOR}/roster/students?after={marks['student']}", {}),
    }  # fmt: skip
    for kind in ("schools", "classes", "teachers", "students"):
        found[f"Roster: {kind}"] = ("GET", f"{_HARBOR}/roster/{kind}", {})
    names = ("amberley", "ada", "ada brindle", "ada mio de la brindle", "zz")
    for text in (*names, "harbor5000@example.org", "P5000", "harbor-u5000"):
        found[f"Students: {text}"] = ("POST", f"{_HARBOR}/roster/students", {"q": text})
        found[f"Why not: {text}"] = ("POST", f"{_HARBOR}/why", {"q": text})
    return found


def _visitor(server: Server, folder: Path, districts: int) -> Any:
    """An HTTP client that is logged in to Airflow and can see every district."""
    registry = folder / "registry.yaml"
    entry = "  - {{key: {}, name: District {}, timezone: America/Chicago, source: {{kind: clever, conn_id: c}}}}\n"
    registry.write_text("districts:\n" + "".join(entry.format(f"d{n:04}", n) for n in range(1, districts)))
    os.environ |= portal_connection(server, DATABASE) | {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__API_AUTH__JWT_SECRET": "made-up-secret-of-the-benchmark-" * 2,
        "ROSTER_DISTRICTS": str(registry),
    }
    from airflow.api_fastapi.app import get_auth_manager, init_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.utils.db import initdb
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from roster_sync.ui.app import PREFIX, app

    initdb()
    root = FastAPI()
    with redirect_stdout(io.StringIO()):  # it prints the passwords that it generates
        init_auth_manager(root)
    root.mount(PREFIX, app())
    client = TestClient(root, base_url="http://localhost")
    client.cookies.set("_token", get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="bench", role="ADMIN")))
    client.headers.update({"sec-fetch-site": "same-origin", "accept": "text/html"})
    return client


def _median(client: Any, request: Request) -> float:
    method, path, form = request
    times = []
    for _ in range(TRIES + 1):  # the first one fills the caches
        began = time.perf_counter()
        answer = client.request(method, path, data=form)
        times.append(time.perf_counter() - began)
        if answer.status_code != 200:
            body = re.sub(r"\s+", " ", answer.text)[:200]
            raise RuntimeError(f"{method} {path} was answered with {answer.status_code}: {body}")
    return statistics.median(times[1:])
