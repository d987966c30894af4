"""A run's pages: its steps as they happen, what it counted, changed and rejected, its question, and the way back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from psycopg2.extensions import cursor as Cursor

from roster_sync.config.paths import docs_folder
from roster_sync.core import vocabulary
from roster_sync.core.vocabulary import ENTITIES, OPEN
from roster_sync.database import db
from roster_sync.engine import plan_text
from roster_sync.engine.freshen import PARAMETER as EVENTS
from roster_sync.engine.undo import days as undo_days
from roster_sync.feed.data_docs import KEPT_RUNS
from roster_sync.ui.views import changes, expired, exports, steps, words
from roster_sync.ui.views.render import is_part, page
from roster_sync.ui.web import dag_runs
from roster_sync.ui.web.pool import reading
from roster_sync.ui.web.rights import ChangerDep, Here, ViewerDep

PAGE_SIZE: Final = 50
HOLDERS_SHOWN: Final = 20
RESUMES_WITHIN: Final = timedelta(minutes=3)
"""How long a page follows an approved run that does not resume: it may have been refused, as expired for example."""
ASKED_WITHIN: Final = timedelta(minutes=10)
"""How long a page waits for Airflow to ask a question; its DAG may be paused."""
router = APIRouter(prefix="/districts/{key}")
Severity = Literal["error", "warning", "info"]


def load_run(cursor: Cursor, here: Here, run_id: int) -> dict[str, Any]:
    """The run, if it is this district's.

    Raises:
        HTTPException: 404, also for a run of another district.
    """
    run = db.one(cursor, "ui/run", {"run": run_id, "district": here.id})
    if run is None:
        raise HTTPException(404, "This district has no such run.")
    return run


@router.get("/runs/{run_id}")
def run_page(
    request: Request, here: ViewerDep, run_id: int, part: Literal["", "live"] = "",
    answered: Annotated[int, Query(ge=0)] = 0,
) -> HTMLResponse:  # fmt: skip
    """The run; while it is in progress or an answer is being processed, the page keeps asking for its live part."""
    with reading() as cursor:
        run = load_run(cursor, here, run_id)
        counts = changes.counts_of(cursor, run)
        holds = db.rows(cursor, "ui/run_holds", {"run": run_id})
        rules = db.rows(cursor, "ui/run_rules", {"run": run_id}) if run["status"] != OPEN else []
        undoable = can_undo(cursor, here, run)
        before = steps.last_time(cursor, run)
        freed = freed_licenses(cursor, run, counts)
    waiting = waiting_of(holds) if run["status"] == "held" else None
    question = dag_runs.question(here.key, run_id, waiting["asked_at"]) if waiting else "open"
    is_answered = run["status"] == "held" and (question == "answered" or is_being_taken(holds, answered))
    is_coming = question == "coming" and is_recent(waiting)
    template = "run_live.html" if part and is_part(request) else "run.html"
    return page(
        request, template, title=words.title(run), here=here, run=run, counts=counts, holds=holds, waiting=waiting,
        rules=rules, question=question, is_answered=is_answered, answered=answered,
        is_followed=run["status"] == OPEN or is_answered or is_coming,
        steps=steps.of(run, before), freed=freed, doubts=doubts(run),
        entities=_entities(counts), can_undo=undoable, columns=_columns(counts, run["mode"]),
        has_audit=any(c["after"] is not None for c in counts.values()), is_open=run["status"] == OPEN,
        planned=changes.is_planned(run), has_docs=has_docs(run), undo_days=undo_days(),
        losses=plan_text.losses(run["plan"], run["mode"]),
    )  # fmt: skip


def freed_licenses(cursor: Cursor, run: dict[str, Any], counts: dict[str, dict[str, Any]]) -> list[changes.Change]:
    """The first licenses that the run freed, or would free, with who holds them; nobody else reads them by name."""
    if not counts.get("licenses", {}).get("deleted"):
        return []
    return changes.rows(cursor, run, changes.Query("licenses", "deleted"), HOLDERS_SHOWN)


def doubts(run: dict[str, Any]) -> list[str]:
    """Why nothing was removed that is missing in the roster, in sentences; each once."""
    proof = {} if run["parameters"].get(EVENTS) else run["proof"]  # events are no whole roster, and never meant to be
    reasons = [
        proof.get("adds_only"),
        *(proof.get("reasons") or {}).values(),
        *(proof.get("not_complete") or {}).values(),
    ]
    return list(dict.fromkeys(reason for reason in reasons if reason))


def _columns(counts: dict[str, dict[str, Any]], mode: str) -> dict[str, str]:
    """The counts that have something to say; what was added always has."""
    found = {"rejected": "Rejected", **(vocabulary.UNDO_COUNTS if mode == "undo" else vocabulary.COUNTS)}
    return {code: label for code, label in found.items() if code == "added" or any(c[code] for c in counts.values())}


def _entities(counts: dict[str, dict[str, Any]]) -> list[str]:
    """The kinds that were counted, in the order in which people read them."""
    return [name for name in (*ENTITIES, *sorted(set(counts) - set(ENTITIES))) if name in counts]


def waiting_of(holds: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The question that is waiting for an answer, if there is one."""
    return next((hold for hold in holds if hold["answer"] is None and hold["superseded_by"] is None), None)


def is_recent(hold: dict[str, Any] | None) -> bool:
    """Whether Airflow may still be about to ask this question."""
    return hold is not None and datetime.now(timezone.utc) - hold["asked_at"] < ASKED_WITHIN


def is_being_taken(holds: list[dict[str, Any]], answered: int) -> bool:
    """Whether the visitor just answered and Airflow has not changed the run yet."""
    hold = next((hold for hold in holds if hold["id"] == answered), None)
    if hold is None or hold["superseded_by"] is not None or hold["applied_at"] is not None:
        return False
    if hold["answer"] is None:
        return True
    age: timedelta = datetime.now(timezone.utc) - hold["answered_at"]
    return bool(hold["answer"] == "approved") and age < RESUMES_WITHIN


def can_undo(cursor: Cursor, here: Here, run: dict[str, Any]) -> bool:
    """Whether an undo would be taken now: the undo's own rule decides."""
    found = db.one(cursor, "undo/choose", {"key": here.key, "target": run["id"], "days": undo_days()})
    return found is not None and found["why_not"] is None


@router.get("/runs/{run_id}/changes")
def changes_page(
    request: Request, here: ViewerDep, run_id: int, kind: changes.Kind = "teachers", what: changes.What = "added",
    after: Annotated[str, Query(pattern=changes.CURSOR, max_length=50)] = "",
) -> HTMLResponse:  # fmt: skip
    """What the run changed, one kind and one way at a time."""
    return _changes(request, here, run_id, changes.Query(kind, what, "", after))


@router.post("/runs/{run_id}/changes")
def search_changes(
    request: Request, here: ViewerDep, run_id: int, kind: Annotated[changes.Kind, Form()],
    what: Annotated[changes.What, Form()], q: Annotated[str, Form(max_length=100)] = "",
) -> HTMLResponse:  # fmt: skip
    """The same, searched. A POST, because a name must not appear in an address."""
    return _changes(request, here, run_id, changes.Query(kind, what, q))


def _changes(request: Request, here: Here, run_id: int, query: changes.Query) -> HTMLResponse:
    with reading() as cursor:
        run = load_run(cursor, here, run_id)
        counts = changes.counts_of(cursor, run)
        found = changes.rows(cursor, run, query, PAGE_SIZE + 1)
    template = "changes_rows.html" if query.after and is_part(request) else "changes.html"
    return page(
        request, template, title=f"What {words.title(run)} changed", here=here, run=run, counts=counts, query=query,
        rows=found[:PAGE_SIZE], more=len(found) > PAGE_SIZE,
        gone="" if found else expired.why_no_changes(run, counts, query),
        what=vocabulary.UNDO_COUNTS if run["mode"] == "undo" else vocabulary.COUNTS,
        entities=_entities(counts), planned=changes.is_planned(run),
    )  # fmt: skip


@router.get("/runs/{run_id}/changes.csv")
def export_changes(
    here: ViewerDep, run_id: int, kind: changes.Kind = "teachers", what: changes.What = "added"
) -> Response:
    """The same as a file."""
    with reading() as cursor:
        run = load_run(cursor, here, run_id)
        if not changes.rows(cursor, run, changes.Query(kind, what), 1):
            expired.refuse_expired_changes(cursor, run, changes.Query(kind, what))
    return exports.csv(
        f"run-{run_id}-{kind}-{what}.csv",
        ("what", "kind", "name", "detail", "source_id", "field", "before", "after"),
        lambda cursor: exports.change_lines(changes.every(cursor, run, changes.Query(kind, what)), kind),
    )


@router.get("/runs/{run_id}/rejected")
def findings_page(
    request: Request, here: ViewerDep, run_id: int, severity: Severity = "error",
    rule: Annotated[str, Query(max_length=100)] = "", entity: Annotated[str, Query(max_length=40)] = "",
    after: Annotated[int, Query(ge=0)] = 0,
) -> HTMLResponse:  # fmt: skip
    """Rows that were rejected or have a warning, with the rule and how to fix them."""
    filters = {"severity": severity, "rule": rule, "entity": entity}
    with reading() as cursor:
        run = load_run(cursor, here, run_id)
        rules = db.rows(cursor, "ui/run_rules", {"run": run_id})
        found = db.rows(cursor, "ui/findings", {**filters, "run": run_id, "after": after, "limit": PAGE_SIZE + 1})
        gone = expired.why_no_findings(cursor, run, rules, severity)
    template = "findings_rows.html" if after and is_part(request) else "findings.html"
    return page(
        request, template, title=f"Rejected rows of {words.title(run)}", here=here, run=run, rules=rules,
        rows=found[:PAGE_SIZE], more=len(found) > PAGE_SIZE, severity=severity, rule=rule, entity=entity, gone=gone,
    )  # fmt: skip


@router.get("/runs/{run_id}/rejected.csv")
def export_findings(here: ViewerDep, run_id: int, severity: Severity = "error") -> Response:
    """The same as a file."""
    with reading() as cursor:
        run = load_run(cursor, here, run_id)
        expired.refuse_expired_findings(cursor, run, severity)
    return exports.csv(
        f"run-{run_id}-{severity}s.csv",
        ("kind", "source_id", "line", "rule", "field", "what_to_do"),
        lambda cursor: exports.finding_lines(cursor, run_id, severity),
    )


@router.post("/runs/{run_id}/answer")
def answer(
    request: Request, here: ChangerDep, run_id: int, hold: Annotated[int, Form(ge=1)],
    choice: Annotated[Literal["approve", "reject"], Form()], reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:  # fmt: skip
    """Answers the question that the page shows through Airflow itself, so that Required Actions and this page agree."""
    answer_run(here, run_id, hold, is_approved=choice == "approve", reason=reason)
    return RedirectResponse(_here(request, here, f"/runs/{run_id}?answered={hold}"), status_code=303)


def answer_run(here: Here, run_id: int, hold_id: int, *, is_approved: bool, reason: str) -> None:
    """Answers this question of a held run; a page that was open for a while may still show an earlier one.

    Raises:
        HTTPException: 409 where nothing waits, or another question.
    """
    with reading() as cursor:
        load_run(cursor, here, run_id)
        waiting = waiting_of(db.rows(cursor, "ui/run_holds", {"run": run_id}))
    if waiting is None:
        raise HTTPException(409, "This run is not waiting for an answer. It was answered, or a later run replaced it.")
    if waiting["id"] != hold_id:
        raise HTTPException(409, "This question was answered or replaced. Reload the page: another one is waiting.")
    dag_runs.answer(
        here.key, run_id, waiting["asked_at"], is_approved=is_approved, reason=reason.strip(), user=here.user
    )


@router.post("/runs/{run_id}/undo")
def undo(request: Request, here: ChangerDep, run_id: int, preview: Annotated[bool, Form()] = False) -> Response:
    """Starts the DAG that takes the run back, in the visitor's name."""
    with reading() as cursor:
        load_run(cursor, here, run_id)
    started = dag_runs.start(
        "roster_undo", {"district": here.key, "run_id": run_id, "preview_only": preview}, here.user
    )
    return RedirectResponse(_here(request, here, f"/following/roster_undo/{started}"), status_code=303)


@router.get("/following/{dag_id}/{airflow_run_id}")
def following(request: Request, here: ViewerDep, dag_id: str, airflow_run_id: str) -> Response:
    """Waits until the run that was just started is recorded, then goes to its page."""
    if dag_id not in (here.dag_id, "roster_reset", "roster_undo", "roster_approve"):
        raise HTTPException(404, "This is not a DAG of the district.")
    with reading() as cursor:
        found = db.one(cursor, "ui/run_by_airflow", {"dag": dag_id, "airflow_run": airflow_run_id, "district": here.id})
        other = db.one(cursor, "ui/open_run", {"district": here.id})
    if found:
        target = _here(request, here, f"/runs/{found['id']}")
        if is_part(request):
            return Response(headers={"HX-Redirect": target})
        return RedirectResponse(target, status_code=302)
    state = dag_runs.state_of(dag_id, airflow_run_id)
    template = "following_part.html" if is_part(request) else "following.html"
    return page(
        request, template, title="Starting", here=here, state=state, other=other,
        dag_id=dag_id, airflow_run_id=airflow_run_id,
    )  # fmt: skip


@router.get("/runs/{run_id}/data-docs")
def data_docs(request: Request, here: ViewerDep, run_id: int) -> HTMLResponse:
    """The run's page of the Data Docs, in a frame below our own head."""
    with reading() as cursor:
        run = load_run(cursor, here, run_id)
    if not run["data_docs"]:
        raise HTTPException(404, "This run has no Data Docs: it ended before the checks.")
    if not has_docs(run):
        raise HTTPException(410, f"Data Docs are kept for the last {KEPT_RUNS} runs. This run's have been deleted.")
    _, _, rest = str(run["data_docs"]).partition("/")
    return page(request, "data_docs.html", title=f"Checks of {words.title(run)}", here=here, run=run, file=rest)


def has_docs(run: dict[str, Any]) -> bool:
    """Whether the run's page of the Data Docs is there: those of older runs are deleted."""
    return bool(run["data_docs"]) and (docs_folder() / run["data_docs"]).is_file()


@router.get("/docs-files/{path:path}")
def data_docs_file(here: ViewerDep, path: str) -> Response:
    """One file of the district's own Data Docs; pages there reach the shared assets by ../../assets."""
    return _file(docs_folder() / here.key, path)


@router.get("/assets/{path:path}")
def data_docs_asset(here: ViewerDep, path: str) -> Response:
    """The style and pictures that all Data Docs share."""
    return _file(docs_folder() / "assets", path)


def _file(folder: Path, path: str) -> Response:
    root = folder.resolve()
    found = (root / path).resolve()
    if not found.is_relative_to(root) or not found.is_file():
        raise HTTPException(404, "This page of the Data Docs does not exist.")
    return FileResponse(found)


def _here(request: Request, here: Here, path: str) -> str:
    return f"{request.scope.get('root_path', '')}/districts/{here.key}{path}"
