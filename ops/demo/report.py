"""What the demo prints, and what `bin/demo --check` compares with the simulated districts."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from include.simulator.serving import sites_from_file
from ops.demo.districts import SERVED, DemoDistrict
from ops.home import REPOSITORY
from ops.postgres.cluster import OWNER, PORTAL_DATABASE, Server

_COLUMNS = ("received", "rejected", "added", "updated", "unchanged", "unshared", "restored")


def changes(server: Server, runs: dict[str, str]) -> list[tuple[Any, ...]]:
    """What the runs (DAG id to Airflow run id) did: key, run, status, message, entity and its counts."""
    return _rows(server, "demo_changes", {"run_ids": list(runs.values()), "dag_ids": list(runs)})


def changes_in_words(rows: list[tuple[Any, ...]]) -> list[str]:
    """The changes as a table."""
    lines: list[str] = []
    last = None
    for key, run_id, status, message, entity, *counts in rows:
        if run_id != last:
            last = run_id
            lines.append(f"\n  {key}: run {run_id} {status}" + (f" - {message}" if message else ""))
            lines.append("    " + " " * 12 + "".join(f"{name:>10}" for name in _COLUMNS))
        if entity is not None:
            lines.append(f"    {entity:<12}" + "".join(f"{count:>10,}" for count in counts))
    return lines


def portal(server: Server, district: DemoDistrict) -> dict[str, int]:
    """What the portal has of a district."""
    names = ("schools", "students", "classes", "licenses", "books")
    (row,) = _rows(server, "demo_portal", {"key": district.key})
    return dict(zip(names, row, strict=True))


def truth(district: DemoDistrict, day: int) -> dict[str, int]:
    """What the simulated district shares on a day."""
    if district.kind == "clever":
        clever: Any = next(site for site in sites_from_file(SERVED) if hasattr(site, "districts"))
        view = clever.of(district.name).view(day, "v3.1")  # at Clever a class without students is not a section
        shared, classes = view.day, sum(1 for _ in view.sections())
    else:
        site: Any = next(site for site in sites_from_file(SERVED) if site.prefix == f"/{district.key}")
        shared = site.district.day(day)
        classes = sum(1 for _ in shared.classes())
    return {
        "schools": sum(1 for _ in shared.schools()),
        "students": sum(1 for _ in shared.users("student")),
        "classes": classes,
    }


def _rows(server: Server, name: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with closing(server.connect(OWNER, PORTAL_DATABASE)) as connection, connection.cursor() as cursor:
        cursor.execute((REPOSITORY / "ops" / "sql" / f"{name}.sql").read_text(encoding="utf-8"), values)
        return cursor.fetchall()
