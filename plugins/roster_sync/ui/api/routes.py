"""The HTTP API: the same as the pages, for the publisher's own portal to call with an Airflow token."""

from __future__ import annotations

from typing import Annotated, Any, Final

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Query

from roster_sync.database import db
from roster_sync.ui.api import models as models
from roster_sync.ui.api import roster
from roster_sync.ui.pages import district_list, settings, trends, worklists
from roster_sync.ui.pages.run_page import Severity, answer_run, load_run, waiting_of
from roster_sync.ui.views import changes, kept
from roster_sync.ui.web import dag_runs, probe
from roster_sync.ui.web.pool import desk, reading
from roster_sync.ui.web.rights import ChangerDep, ViewerDep

MOST: Final = 500
Limit = Annotated[int, Query(ge=1, le=MOST)]
router = APIRouter(
    prefix="/api/v1",
    responses={
        401: {"description": "No Airflow login", "model": models.Told},
        403: {
            "description": "No right to view (reads) or to trigger (changes) the district's DAG",
            "model": models.Told,
        },
        404: {"description": "The district, run or row is not there", "model": models.Told},
        409: {"description": "Not possible now; `detail` says why", "model": models.Told},
        422: {"description": "The request was not understood; `detail` names what", "model": models.Told},
    },
)
_OF = "/districts/{key}"
_GONE: Final[dict[int | str, dict[str, Any]]] = {
    410: {"description": "What the run counted is no longer there; `detail` says why", "model": models.Told}
}


@router.get("/districts", tags=["Districts"])
def list_districts(
    user: GetUserDep, view: district_list.View = "all", q: Annotated[str, Query(max_length=100)] = "",
    after: Annotated[str, Query(max_length=60)] = "", limit: Limit = 50,
) -> models.DistrictPage:  # fmt: skip
    """Every district that the caller may see, those that need a person first."""
    found = district_list.listed(user, view=view, search=q.strip(), source="", after=after, limit=limit)
    lines = [
        models.DistrictLine(
            key=row["key"], name=row["name"], source=row["source"], is_enabled=row["is_enabled"],
            status=row["last_status"], last_run_id=row["last_id"], last_message=row["last_message"],
            last_good_sync=row["good_at"], answer_due_at=row["due_at"], open_worklist_items=row["open_items"],
            shared=row["shared"],
        )
        for row in found["rows"]
    ]  # fmt: skip
    return models.DistrictPage(districts=lines, next=lines[-1].key if found["more"] else None)


@router.get(_OF + "/runs", tags=["Runs"])
def list_runs(here: ViewerDep, before: Annotated[int | None, Query(ge=1)] = None, limit: Limit = 50) -> models.RunPage:
    """A district's runs, newest first."""
    with reading() as cursor:
        rows = db.rows(cursor, "ui/runs", {"district": here.id, "before": before, "limit": limit + 1})
    runs = [models.RunLine.model_validate(row) for row in rows[:limit]]
    return models.RunPage(runs=runs, next=runs[-1].id if len(rows) > limit else None)


@router.get(_OF + "/runs/{run_id}", tags=["Runs"])
def get_run(here: ViewerDep, run_id: int) -> models.Run:
    """One run: steps, counts, plan, and whether it waits for an answer."""
    with reading() as cursor:
        run = load_run(cursor, here, run_id)
        counts = db.rows(cursor, "ui/run_counts", {"run": run_id})
        hold = waiting_of(db.rows(cursor, "ui/run_holds", {"run": run_id})) if run["status"] == "held" else None
    return models.Run.model_validate(
        {**run, "counts": counts, "waits_for_answer": hold is not None, "hold_id": hold and hold["id"]}
    )


@router.get(_OF + "/runs/{run_id}/changes", tags=["Runs"], responses=_GONE)
def list_changes(
    here: ViewerDep, run_id: int, kind: changes.Kind, what: changes.What,
    after: Annotated[str, Query(pattern=changes.CURSOR, max_length=50)] = "", limit: Limit = 100,
) -> models.ChangePage:  # fmt: skip
    """Rows that the run changed, or would change, with before and after."""
    with reading() as cursor:
        run = load_run(cursor, here, run_id)
        query = changes.Query(kind, what, "", after)
        found = changes.rows(cursor, run, query, limit + 1)
        if not found:
            kept.refuse_gone_changes(cursor, run, query)
    lines = [
        models.ChangeLine(
            label=row.label, detail=row.detail, source_id=row.source_id, action=row.action,
            fields=[{"field": name, "before": before, "after": new} for name, before, new in row.fields],
        )
        for row in found[:limit]
    ]  # fmt: skip
    return models.ChangePage(changes=lines, next=found[limit - 1].cursor if len(found) > limit else None)


@router.get(_OF + "/runs/{run_id}/findings", tags=["Runs"], responses=_GONE)
def list_findings(
    here: ViewerDep, run_id: int, severity: Severity = "error", after: Annotated[int, Query(ge=0)] = 0,
    limit: Limit = 100,
) -> list[models.Finding]:  # fmt: skip
    """Rejected rows, warnings or notes, in the order of their ids."""
    params = {"run": run_id, "severity": severity, "rule": "", "entity": "", "after": after, "limit": limit}
    with reading() as cursor:
        run = load_run(cursor, here, run_id)
        found = db.rows(cursor, "ui/findings", params)
        if not found and not after:
            kept.refuse_gone_findings(cursor, run, severity)
    return [models.Finding.model_validate(row) for row in found]


@router.post(_OF + "/runs/{run_id}/answer", tags=["Runs"], status_code=204)
def answer(here: ChangerDep, run_id: int, body: models.Answer) -> None:
    """Approves or rejects what a held run asks, through Airflow's own Required Actions."""
    answer_run(here, run_id, body.hold_id, is_approved=body.choice == "approve", reason=body.reason)


@router.post(_OF + "/runs/{run_id}/undo", tags=["Runs"], status_code=202)
def undo(here: ChangerDep, run_id: int, body: models.Preview) -> models.Started:
    """Starts the DAG that takes the run back."""
    with reading() as cursor:
        load_run(cursor, here, run_id)
    return _started("roster_undo", {"district": here.key, "run_id": run_id, "preview_only": body.preview}, here.user)


@router.post(_OF + "/sync", tags=["Settings and sync"], status_code=202)
def start_sync(here: ChangerDep, body: models.Sync) -> models.Started:
    """Starts an Edit or a Reset; the run's row appears when Airflow has started it."""
    settings.expect_startable(here)
    if body.mode == "edit":
        return _started(here.dag_id, {"preview_only": body.preview}, here.user)
    if not body.preview and body.confirm_name != here.name:
        raise settings.Unfit("`confirm_name` is not this district's name. Nothing was started.")
    conf = {
        "district": here.key, "preview_only": body.preview, "include_manual": body.include_manual,
        "reason": body.reason.strip(),
    }  # fmt: skip
    return _started("roster_reset", conf, here.user)


def _started(dag_id: str, conf: dict[str, Any], user: Any) -> models.Started:
    return models.Started(dag_id=dag_id, dag_run_id=dag_runs.start(dag_id, conf, user))


@router.post(_OF + "/test-connection", tags=["Settings and sync"])
def test_connection(here: ChangerDep) -> models.Probe:
    """Asks the source, and tells step by step what it said."""
    report = probe.run(here)
    steps = [models.ProbeLine(name=step.name, is_ok=step.is_ok, message=step.message) for step in report.steps]
    return models.Probe(
        is_ok=report.is_ok, state=report.state, reason=report.reason, steps=steps, schools=len(report.schools),
        data_as_of=report.data_as_of,
    )  # fmt: skip


@router.get(_OF + "/settings", tags=["Settings and sync"])
def get_settings(here: ViewerDep) -> models.Settings:
    """The district's settings."""
    with reading() as cursor:
        return models.Settings.model_validate(settings.saved_settings(cursor, here))


@router.patch(_OF + "/settings", tags=["Settings and sync"])
def change_settings(here: ChangerDep, body: models.NewSettings) -> models.Settings:
    """Changes what the body names, and keeps who did it."""
    here = settings.known_district(here)
    named = body.model_dump(include=body.model_fields_set & {"school_mode", "expires_on"})
    settings.check(here, named, body.chosen_schools)
    with desk() as cursor:
        settings.save(cursor, here, named, body.chosen_schools)
        return models.Settings.model_validate(settings.saved_settings(cursor, here))


@router.post(_OF + "/settings/effect", tags=["Settings and sync"])
def deselect_effect(here: ViewerDep, body: models.Chosen) -> models.Effect:
    """What hangs on the schools that are not chosen: it stays when they are deselected; a Reset would delete it."""
    with reading() as cursor:
        return models.Effect.model_validate(settings.effect_of(cursor, here, set(body.chosen_schools)))


@router.get(_OF + "/settings/history", tags=["Settings and sync"])
def settings_history(here: ViewerDep, limit: Limit = 50) -> list[models.SettingChange]:
    """Who changed which setting, newest first."""
    with reading() as cursor:
        found = db.rows(cursor, "ui/settings_history", {"district": here.id, "limit": limit})
    return [models.SettingChange.model_validate(row) for row in found]


@router.get(_OF + "/subscriptions", tags=["Settings and sync"])
def list_subscriptions(here: ViewerDep) -> list[models.Subscription]:
    """Who gets the district's sync emails."""
    with reading() as cursor:
        found = db.rows(cursor, "ui/subscriptions", {"district": here.id})
    return [models.Subscription.model_validate(row) for row in found]


@router.post(_OF + "/subscriptions", tags=["Settings and sync"], status_code=204)
def subscribe(here: ChangerDep, body: models.NewSubscription) -> None:
    """Adds an address; one that is there already stays."""
    settings.subscribe(here, body.email)


@router.delete(_OF + "/subscriptions/{subscription_id}", tags=["Settings and sync"], status_code=204)
def unsubscribe(here: ChangerDep, subscription_id: int) -> None:
    """Takes an address off; one that is off already stays off."""
    settings.unsubscribe(here, subscription_id)


@router.get(_OF + "/schools", tags=["Settings and sync"])
def list_schools(here: ViewerDep) -> list[models.School]:
    """Every school that the source ever listed, and whether it is synced in the mode 'listed'."""
    with reading() as cursor:
        return [
            models.School.model_validate(row) for row in db.rows(cursor, "ui/school_selection", {"district": here.id})
        ]


router.include_router(roster.router)


@router.get(_OF + "/worklist", tags=["Worklist"])
def list_items(
    here: ViewerDep, kind: worklists.Kind, after: Annotated[int, Query(ge=0)] = 0, limit: Limit = 100
) -> list[models.Item]:
    """Open items of one kind, oldest first."""
    with reading() as cursor:
        return [
            models.Item.model_validate(row) for row in worklists.items(cursor, here, kind, after=after, limit=limit)
        ]


@router.post(_OF + "/worklist/licenses", tags=["Worklist"])
def give_licenses(here: ChangerDep, body: models.Licenses) -> models.Count:
    """Gives teachers a license."""
    until = body.expires_on.isoformat() if body.expires_on else ""
    return models.Count(closed=worklists.give_licenses(here, body.items, body.product_id, until))


@router.post(_OF + "/worklist/books", tags=["Worklist"])
def give_books(here: ChangerDep, body: models.Ticked) -> models.Count:
    """Gives students their class's books."""
    return models.Count(closed=worklists.give_books(here, body.items))


@router.post(_OF + "/worklist/roles", tags=["Worklist"])
def take_roles(here: ChangerDep, body: models.Ticked) -> models.Count:
    """Takes over the source's role."""
    return models.Count(closed=worklists.take_roles(here, body.items))


@router.post(_OF + "/worklist/admin", tags=["Worklist"])
def add_admin(here: ChangerDep, body: models.Admin) -> models.Count:
    """Gives a school its admin."""
    worklists.add_admin(here, body.item, body.email, body.given_name, body.family_name, is_dummy=body.dummy)
    return models.Count(closed=1)


@router.post(_OF + "/worklist/match", tags=["Worklist"])
def settle_match(here: ChangerDep, body: models.Match) -> models.Count:
    """Same person, or not the same."""
    worklists.settle_match(here, body.item, is_same=body.same_person)
    return models.Count(closed=1)


@router.get(_OF + "/trends", tags=["Trends"])
def get_trends(here: ViewerDep, runs: Annotated[int, Query(ge=1, le=365)] = 90) -> models.Trends:
    """Roster, durations and rejected rows over the last runs."""
    with reading() as cursor:
        return models.Trends.model_validate(trends.series(cursor, here, runs))


def operations(schema: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """OpenAPI's paths by tag, for the page that shows them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            name = body.get("$ref", "").rpartition("/")[2]
            fields = schema.get("components", {}).get("schemas", {}).get(name, {}).get("properties", {})
            found.setdefault(operation.get("tags", ["Other"])[0], []).append(
                {
                    "method": method.upper(), "path": path, "says": operation.get("description", ""),
                    "query": [one for one in operation.get("parameters", []) if one["in"] == "query"], "body": fields,
                }
            )  # fmt: skip
    return found
