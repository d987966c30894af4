"""The Districts page, and the tab that Airflow shows at each DAG."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Annotated, Any, Final, Literal, get_args
from urllib.parse import urlencode

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg2.extensions import cursor as Cursor

from roster_sync.core import vocabulary
from roster_sync.database import db
from roster_sync.ui.pages import trend_pages
from roster_sync.ui.views import changes
from roster_sync.ui.views.render import is_part, page
from roster_sync.ui.web import dag_runs, registry_cache, rights
from roster_sync.ui.web.pool import reading
from roster_sync.ui.web.rights import ViewerDep

PAGE_SIZE: Final = 50
RUNS_SHOWN: Final = 20
RUNS_IN_LINE: Final = 30
View = Literal["all", "person", "failed", "held", "stale", "skipped", "running", "worklist"]
VIEWS: Final = (
    ("all", "All", "all_districts"), ("person", "Need attention", "person"), ("failed", "Failed", "failed"),
    ("held", "Waiting for approval", "held"), ("stale", "No good sync for 2 days", "stale"),
    ("skipped", "Expired or skipped", "skipped"), ("running", "In progress", "running"),
    ("worklist", "Open worklist", "worklist"),
)  # fmt: skip
router = APIRouter()


@router.get("/")
def overview(
    request: Request, user: GetUserDep, view: View = "all",
    q: Annotated[str, Query(max_length=100)] = "", source: Annotated[str, Query(max_length=50)] = "",
    after: Annotated[str, Query(max_length=60)] = "",
) -> HTMLResponse:  # fmt: skip
    """Every district that the visitor may see; those that need attention come first."""
    found = listed(user, view=view, search=q.strip(), source=source, after=after)
    filters = {"view": view, "q": q, "source": source}
    template = "districts_rows.html" if after and is_part(request) else "districts.html"
    return page(
        request, template, title="Districts", views=VIEWS, view=view, q=q, source=source,
        query=lambda **changed: _query({**filters, **changed}), **found,
    )  # fmt: skip


def listed(user: Any, *, view: str, search: str, source: str, after: str, limit: int = PAGE_SIZE) -> dict[str, Any]:
    """One page of districts: rows, totals, the sources to filter by, and whether there is more."""
    with reading() as cursor:
        asked = _visible(cursor, user)
        found = db.rows(
            cursor, "ui/districts",
            {"asked": json.dumps(asked), "view": view, "search": search, "source": source, "after": after,
             "limit": limit + 1},
        )  # fmt: skip
        rows = [row for row in found if row["key"] is not None]
        more, rows = len(rows) > limit, rows[:limit]
        ids = [row["district_id"] for row in rows if row["district_id"]]
        runs = _by(db.rows(cursor, "ui/last_runs", {"districts": ids}), "district_id")
        good = [row["good_id"] for row in rows if row["good_id"]]
        shared = _by(db.rows(cursor, "ui/shared_now", {"runs": good}), "run_id")
    for row in rows:
        row["runs"] = runs.get(row["district_id"], [])
        row["shared"] = {line["entity"]: line["shared"] for line in shared.get(row["good_id"], [])}
    return {"rows": rows, "totals": found[0], "more": more, "sources": sorted({one["source"] for one in asked})}


def _visible(cursor: Cursor, user: Any) -> list[dict[str, Any]]:
    """The districts of the registry and of the portal that the user may see."""
    entries = registry_cache.all_districts()
    names = {row["key"]: row["name"] for row in db.rows(cursor, "ui/district_keys")}
    names = {**{key: entry.name for key, entry in entries.items()}, **names}
    return [
        {"key": key, "name": names[key], "source": registry_cache.source_name(entries.get(key)),
         "is_enabled": key in entries and entries[key].enabled}
        for key in rights.visible(user, names)
    ]  # fmt: skip


def _by(rows: list[dict[str, Any]], column: str) -> dict[Any, list[dict[str, Any]]]:
    grouped: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row[column]].append(row)
    return grouped


def _query(values: dict[str, str]) -> str:
    """The query of an address; what its page would show anyway is left out."""
    asked = {name: value for name, value in values.items() if value and (name, value) != ("view", "all")}
    return "?" + urlencode(asked)


@router.get("/runs/{run_id}")
def run_by_number(
    request: Request, run_id: int, user: GetUserDep, part: Literal["", "changes", "rejected"] = "", kind: str = "",
    what: str = "",
) -> Response:  # fmt: skip
    """The addresses in emails and questions: they lead to the run below its district, for whoever may see it.

    `kind` and `what` choose a list among its changes; an unknown word leads to the first one.
    """
    with reading() as cursor:
        found = db.one(cursor, "ui/run_district", {"run": run_id})
    if found is None or not rights.may_view(user, found["key"]):
        raise HTTPException(404, "This run does not exist, or you may not see its district.")
    base = request.scope.get("root_path", "")
    below = f"/{part}" if part else ""
    if part == "changes":
        chosen = {
            "kind": kind if kind in get_args(changes.Kind) else "",
            "what": what if what in vocabulary.COUNTS else "",
        }
        below += _query(chosen).rstrip("?")
    return RedirectResponse(f"{base}/districts/{found['key']}/runs/{run_id}{below}", status_code=302)


@router.get("/dags/{dag_id}")
def tab(request: Request, dag_id: str, user: GetUserDep) -> Response:
    """Airflow's tab on a DAG: the district's page, or a note on DAGs that are for every district."""
    key = dag_id.removeprefix(rights.DAG_PREFIX).removeprefix("roster_freshen__")
    if key == dag_id:
        return page(request, "tab_other.html", title="Roster sync", dag_id=dag_id)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/districts/{key}", status_code=302)


@router.get("/districts/{key}")
def district(request: Request, here: ViewerDep, before: Annotated[int | None, Query(ge=1)] = None) -> HTMLResponse:
    """One district at a glance: its status, what is open, and its runs."""
    with reading() as cursor:
        runs = db.rows(cursor, "ui/runs", {"district": here.id, "before": before, "limit": RUNS_SHOWN + 1})
        more, runs = len(runs) > RUNS_SHOWN, runs[:RUNS_SHOWN]
        if before and is_part(request):
            return page(request, "runs_rows.html", here=here, runs=runs, more=more)
        state = db.one(cursor, "ui/district_state", {"district": here.id}) or {}
        items = {row["kind"]: row["open_items"] for row in db.rows(cursor, "ui/worklist_totals", {"district": here.id})}
        good = [state["good_id"]] if state["good_id"] else []
        shared = {row["entity"]: row["shared"] for row in db.rows(cursor, "ui/shared_now", {"runs": good})}
        last = db.rows(cursor, "ui/last_runs", {"districts": [here.id]})
        course = trend_pages.roster(db.rows(cursor, "ui/trends", {"district": here.id, "limit": RUNS_IN_LINE}))["lines"]
    return page(
        request, "district.html", title=here.name, here=here, runs=runs, more=more, state=state, items=items,
        shared=shared, last=last, course=course, source=registry_cache.source_name(here.entry, state["issuer"]),
        is_paused=dag_runs.is_paused(here.dag_id),
    )  # fmt: skip
