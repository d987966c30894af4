"""The HTTP API's runs: what each did, the answer to its question, and its undo."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from roster_sync.database import db
from roster_sync.ui.api.base import OF_DISTRICT, Body, Limit, Started, responses
from roster_sync.ui.pages.run_pages import Severity, answer_run, load_run, waiting_of
from roster_sync.ui.views import changes, expired
from roster_sync.ui.web import dag_runs
from roster_sync.ui.web.pool import reading
from roster_sync.ui.web.rights import ChangerDep, ViewerDep

EXPIRED: Final = responses({410: "The list was deleted after its keep-by date; `detail` says why"})
router = APIRouter(prefix=OF_DISTRICT + "/runs", tags=["Runs"])


class RunLine(BaseModel):
    """One run in a list."""

    id: int
    mode: str
    trigger: str
    status: str
    started_at: datetime
    finished_at: datetime | None
    started_by: str | None
    message: str | None
    undoes_run_id: int | None


class RunPage(BaseModel):
    """A district's runs, newest first."""

    runs: list[RunLine]
    next: int | None = Field(description="Pass as `before` for the next page; null at the end")


class Counts(BaseModel):
    """What a run counted for one kind of row."""

    entity: str
    received: int
    rejected: int
    warned: int
    added: int
    updated: int
    unchanged: int
    unshared: int
    restored: int
    deleted: int
    held: int


class Run(RunLine):
    """One run with its steps, plan and counts."""

    step: str | None = Field(description="The step in progress")
    steps: list[dict[str, Any]]
    reason: str | None
    parameters: dict[str, Any]
    airflow_dag_id: str | None
    airflow_run_id: str | None
    plan: dict[str, Any]
    counts: list[Counts]
    waits_for_answer: bool
    hold_id: int | None = Field(description="The open question, which an answer has to name; null if there is none")


class ChangeLine(BaseModel):
    """One row that a run changed, or would change."""

    label: str
    detail: str
    source_id: str
    action: str
    fields: list[dict[str, Any]]


class ChangePage(BaseModel):
    """Changed rows in the order of their IDs."""

    changes: list[ChangeLine]
    next: str | None = Field(description="Pass as `after` for the next page; null at the end")


class Finding(BaseModel):
    """A row that a rule rejected, or a warning or note about it."""

    id: int
    entity: str
    source_id: str | None
    severity: str
    rule: str
    field: str | None
    message: str
    line: int | None


class Answer(Body):
    """The answer to a held run."""

    hold_id: int = Field(ge=1, description="The question that was read, as the run named it")
    choice: Literal["approve", "reject"]
    reason: str = Field("", max_length=2000)


class Preview(Body):
    """Whether to only show what the undo would do."""

    preview: bool = False


@router.get("")
def list_runs(here: ViewerDep, before: Annotated[int | None, Query(ge=1)] = None, limit: Limit = 50) -> RunPage:
    """A district's runs, newest first."""
    with reading() as cursor:
        rows = db.rows(cursor, "ui/runs", {"district": here.id, "before": before, "limit": limit + 1})
    runs = [RunLine.model_validate(row) for row in rows[:limit]]
    return RunPage(runs=runs, next=runs[-1].id if len(rows) > limit else None)


@router.get("/{run_id}")
def get_run(here: ViewerDep, run_id: int) -> Run:
    """One run: its steps, counts and plan, and whether it is waiting for an answer."""
    with reading() as cursor:
        run = load_run(cursor, here, run_id)
        counts = db.rows(cursor, "ui/run_counts", {"run": run_id})
        hold = waiting_of(db.rows(cursor, "ui/run_holds", {"run": run_id})) if run["status"] == "held" else None
    return Run.model_validate(
        {**run, "counts": counts, "waits_for_answer": hold is not None, "hold_id": hold and hold["id"]}
    )


@router.get("/{run_id}/changes", responses=EXPIRED)
def list_changes(
    here: ViewerDep, run_id: int, kind: changes.Kind, what: changes.What,
    after: Annotated[str, Query(pattern=changes.CURSOR, max_length=50)] = "", limit: Limit = 100,
) -> ChangePage:  # fmt: skip
    """Rows that the run changed, or would change, with the values before and after."""
    with reading() as cursor:
        run = load_run(cursor, here, run_id)
        query = changes.Query(kind, what, "", after)
        found = changes.rows(cursor, run, query, limit + 1)
        if not found:
            expired.refuse_expired_changes(cursor, run, query)
    lines = [
        ChangeLine(
            label=row.label, detail=row.detail, source_id=row.source_id, action=row.action,
            fields=[{"field": name, "before": before, "after": new} for name, before, new in row.fields],
        )
        for row in found[:limit]
    ]  # fmt: skip
    return ChangePage(changes=lines, next=found[limit - 1].cursor if len(found) > limit else None)


@router.get("/{run_id}/findings", responses=EXPIRED)
def list_findings(
    here: ViewerDep, run_id: int, severity: Severity = "error", after: Annotated[int, Query(ge=0)] = 0,
    limit: Limit = 100,
) -> list[Finding]:  # fmt: skip
    """Rejected rows, warnings or notes, in the order of their IDs."""
    params = {"run": run_id, "severity": severity, "rule": "", "entity": "", "after": after, "limit": limit}
    with reading() as cursor:
        run = load_run(cursor, here, run_id)
        found = db.rows(cursor, "ui/findings", params)
        if not found and not after:
            expired.refuse_expired_findings(cursor, run, severity)
    return [Finding.model_validate(row) for row in found]


@router.post("/{run_id}/answer", status_code=204)
def answer(here: ChangerDep, run_id: int, body: Answer) -> None:
    """Approves or rejects what a held run asks, through Airflow's own Required Actions."""
    answer_run(here, run_id, body.hold_id, is_approved=body.choice == "approve", reason=body.reason)


@router.post("/{run_id}/undo", status_code=202)
def undo(here: ChangerDep, run_id: int, body: Preview) -> Started:
    """Starts the DAG that undoes the run."""
    with reading() as cursor:
        load_run(cursor, here, run_id)
    conf = {"district": here.key, "run_id": run_id, "preview_only": body.preview}
    return Started(dag_id="roster_undo", dag_run_id=dag_runs.start("roster_undo", conf, here.user))
