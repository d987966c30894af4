"""Made-up districts in the database, of any size, for the pages' tests and benchmark: no name is anyone's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg2.extensions import cursor as Cursor

FILL = Path(__file__).with_name("madeup.sql")
GIVEN = [
    "Ada",
    "Bo",
    "Caz",
    "Dara",
    "Eno",
    "Fen",
    "Gia",
    "Hal",
    "Ivo",
    "Juno",
    "Kit",
    "Lux",
    "Mio",
    "Nell",
    "Odo",
    "Pia",
]
FAMILY = [
    "Amberley", "Brindle", "Castor", "Dunmore", "Eastley", "Farrow", "Glenholt", "Hartwell", "Iverson-Ray", "Juniper",
    "Kestrel", "Larkspur", "Merrow", "Northway", "Okonedo-Vale", "Pemberly", "Quillon", "Rosendale",
]  # fmt: skip
SCHOOL = [
    "Alder",
    "Birch",
    "Cedar",
    "Dogwood",
    "Elm",
    "Fir",
    "Ginkgo",
    "Hazel",
    "Ironwood",
    "Juniper",
    "Laurel",
    "Maple",
]
SUBJECTS = ["Mathematics", "Science", "English", "Social Studies", "Art", "Music"]
GRADES = ["06", "07", "08", "09", "10", "11", "12"]


@dataclass(frozen=True)
class Size:
    """How large a district is."""

    schools: int = 3
    teachers: int = 12
    students: int = 120
    classes: int = 24
    per_class: int = 20


def district(cursor: Cursor, key: str, name: str, size: Size | None = None, *, source: str = "oneroster") -> int:
    """A district as an Edit would have left it, its people, classes and enrollments included; returns its id."""
    cursor.execute("insert into portal.districts (key, name) values (%s, %s) returning id", (key, name))
    district_id = int(cursor.fetchone()[0])  # type: ignore[index]
    cursor.execute("insert into sync.settings (district_id) values (%s)", (district_id,))
    size = size or Size()
    first_run = run(cursor, district_id, "launched", days_ago=30, counts=shared_counts(size, added=True))
    params = {
        "district": district_id, "run": first_run, "issuer": f"{source}:{key}.example.org", "key": key,
        "given": GIVEN, "family": FAMILY, "school": SCHOOL, "subjects": SUBJECTS, "grades": GRADES,
        "schools": size.schools, "teachers": size.teachers, "students": size.students, "classes": size.classes,
        "per_class": size.per_class,
    }  # fmt: skip
    cursor.execute(FILL.read_text(encoding="utf-8"), params)
    return district_id


def shared_counts(size: Size, *, added: bool = False) -> dict[str, dict[str, int]]:
    """The counts of a run that adds everything, or changes nothing."""
    totals = {
        "schools": size.schools, "teachers": size.teachers, "students": size.students, "admins": 0,
        "classes": size.classes, "enrollments": size.classes * (size.per_class + 1),
    }  # fmt: skip
    return {kind: {"received": n, "added" if added else "unchanged": n} for kind, n in totals.items()}


def run(
    cursor: Cursor, district_id: int, status: str, *, days_ago: float = 0, mode: str = "edit", seconds: float = 40,
    counts: dict[str, dict[str, int]] | None = None, **columns: Any,
) -> int:  # fmt: skip
    """One run with its counts; returns its id."""
    steps = [
        {"name": name, "started_at": f"2026-01-05T02:15:{second:02d}+00:00",
         "finished_at": f"2026-01-05T02:15:{second + 5:02d}+00:00", "counts": made}
        for name, second, made in (
            ("start", 0, {}), ("extract", 6, {"users": 132, "classes": 24, "enrollments": 504}), ("validate", 12, {}),
            ("plan", 18, {"add": 12, "update": 4}), ("apply", 24, {"rows": 16}), ("notify", 30, {"mails": 2}),
        )
    ]  # fmt: skip
    is_open = status == "in_progress"
    wrote = status in ("launched", "undone") or columns.pop("wrote", False)
    values = {
        "district_id": district_id, "mode": mode, "status": status, "issuer": "oneroster:made-up.example.org",
        "trigger": "nightly" if mode == "edit" else "manual", "steps": json.dumps(steps[:1] if is_open else steps),
        "step": "extract" if is_open else None, "plan": json.dumps(columns.pop("plan", {})), **columns,
    }  # fmt: skip
    names = ", ".join(values)
    binds = ", ".join(f"%({name})s" for name in values)
    cursor.execute(
        f"insert into sync.runs ({names}, started_at, finished_at, wrote_at) values ({binds},"  # noqa: S608
        " now() - make_interval(secs => %(ago)s),"
        " case when %(open)s then null else now() - make_interval(secs => %(ago)s - %(took)s) end,"
        " case when %(wrote)s then now() - make_interval(secs => %(ago)s - %(took)s) end) returning id",
        {**values, "ago": days_ago * 86400, "took": seconds, "open": is_open, "wrote": wrote},
    )
    run_id = int(cursor.fetchone()[0])  # type: ignore[index]
    for entity, made in (counts or {}).items():
        cursor.execute(
            f"insert into sync.run_counts (run_id, entity, {', '.join(made)})"  # noqa: S608
            f" values (%(run)s, %(entity)s, {', '.join(f'%({name})s' for name in made)})",
            {"run": run_id, "entity": entity, **made},
        )
    return run_id


def person(cursor: Cursor, district_id: int, role: str, *, position: int = 1) -> int:
    """The id of one of the district's people."""
    cursor.execute(
        "select id from portal.users where district_id = %s and role = %s order by id limit 1 offset %s",
        (district_id, role, position - 1),
    )
    return int(cursor.fetchone()[0])  # type: ignore[index]


def item(cursor: Cursor, district_id: int, kind: str, subject: int, second: int | None = None, **detail: Any) -> int:
    """One open worklist item; returns its id."""
    cursor.execute(
        "insert into sync.worklist (district_id, kind, subject_type, subject_id, second_subject_id, detail)"
        " values (%s, %s, %s, %s, %s, %s) returning id",
        (district_id, kind, "school" if kind == "school_needs_admin" else "user", subject, second, json.dumps(detail)),
    )
    return int(cursor.fetchone()[0])  # type: ignore[index]


def hold(cursor: Cursor, run_id: int, scope: str = "removals") -> int:
    """An open question of a run; returns its id."""
    cursor.execute(
        "insert into sync.holds (run_id, plan_digest, scope, due_at)"
        " values (%s, 'made-up', %s, now() + interval '17 hours') returning id",
        (run_id, scope),
    )
    return int(cursor.fetchone()[0])  # type: ignore[index]
