"""Trends: how the roster grows and shrinks over the runs, how long the steps take, what the rules reject."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse
from psycopg2.extensions import cursor as Cursor

from roster_sync.core.vocabulary import KINDS, ORDER, STEPS
from roster_sync.database import db
from roster_sync.ui.views import words
from roster_sync.ui.views.render import page
from roster_sync.ui.views.steps import seconds_of
from roster_sync.ui.web.pool import reading
from roster_sync.ui.web.rights import Here, ViewerDep

RUNS: Final = 90
COUNTED: Final = ("students", "teachers", "classes", "enrollments", "schools")
RULES: Final = 6
router = APIRouter(prefix="/districts/{key}/trends")


@router.get("")
def trends_page(request: Request, here: ViewerDep, runs: Annotated[int, Query(ge=7, le=365)] = RUNS) -> HTMLResponse:
    """Charts over the last runs, and the same as a table."""
    with reading() as cursor:
        data = series(cursor, here, runs)
    return page(request, "trends.html", title="Trends", here=here, data=data, shown=runs, counted=COUNTED)


@router.get("/data")
def data(here: ViewerDep, runs: Annotated[int, Query(ge=7, le=365)] = RUNS) -> JSONResponse:
    """What the charts draw."""
    with reading() as cursor:
        return JSONResponse(series(cursor, here, runs))


def series(cursor: Cursor, here: Here, limit: int) -> dict[str, Any]:
    """Parallel lists over the runs, oldest first."""
    runs = db.rows(cursor, "ui/trends", {"district": here.id, "limit": limit})
    found = db.rows(cursor, "ui/trend_rules", {"runs": [run["id"] for run in runs]})
    return {
        "roster": roster(runs),
        "durations": _durations(runs),
        "rejects": _rejects(runs, found),
    }


def roster(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """What the portal showed as shared after each run that says so."""
    good = [run for run in runs if _is_good(run)]
    return {
        "runs": [run["id"] for run in good],
        "at": [run["started_at"].timestamp() for run in good],
        "lines": {KINDS[kind]: [(run["counts"].get(kind) or {}).get("shared") for run in good] for kind in COUNTED},
    }


def _is_good(run: dict[str, Any]) -> bool:
    """Whether the run says what the portal shows: a Reset that waits for its answer has changed nothing yet."""
    return bool(run["counts"]) and (
        run["status"] == "launched" or (run["status"] in ("held", "rejected") and run["wrote_at"] is not None)
    )


def _durations(runs: list[dict[str, Any]]) -> dict[str, Any]:
    timed = [(run, {step["name"]: seconds_of(step) for step in run["steps"]}) for run in runs if run["steps"]]
    names = [name for name in ORDER["edit"] if any(name in steps for _, steps in timed)]
    return {
        "runs": [run["id"] for run, _ in timed],
        "at": [run["started_at"].timestamp() for run, _ in timed],
        "lines": {STEPS[name]: [steps.get(name) for _, steps in timed] for name in names},
    }


def _rejects(runs: list[dict[str, Any]], found: list[dict[str, Any]]) -> dict[str, Any]:
    totals: dict[str, int] = {}
    counts: dict[tuple[int, str], int] = {}
    for row in found:
        totals[row["rule"]] = totals.get(row["rule"], 0) + row["found"]
        counts[row["run_id"], row["rule"]] = row["found"]
    rules = sorted(totals, key=lambda rule: (-totals[rule], rule))[:RULES]
    return {
        "runs": [run["id"] for run in runs],
        "at": [run["started_at"].timestamp() for run in runs],
        "lines": {words.rule(rule): [counts.get((run["id"], rule), 0) for run in runs] for rule in rules},
    }
