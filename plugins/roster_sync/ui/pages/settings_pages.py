"""A district's sync settings, step by step, ending with Start Sync; none has to be changed."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from psycopg2.extensions import cursor as Cursor

from roster_sync.core.errors import RosterError
from roster_sync.core.text import is_email
from roster_sync.database import db
from roster_sync.engine.undo import days as undo_days
from roster_sync.ui.pages.run_pages import load_run
from roster_sync.ui.views.render import is_part, page
from roster_sync.ui.web import dag_runs, probe, registry_cache
from roster_sync.ui.web.pool import reading, writing
from roster_sync.ui.web.rights import ChangerDep, Here, ViewerDep

STEPS: Final = (
    ("connection", "Test Connection"), ("schools", "Select Schools"), ("expiration", "Sync Expiration"),
    ("emails", "Sync Emails"), ("mode", "Edit or Reset"), ("review", "Start Sync"),
)  # fmt: skip
PREVIEW_HOURS: Final = 24
MOST_SCHOOLS: Final = 20_000
NO_SCHOOL: Final = "Select at least one school. Without one, neither Edit nor Reset can run."
router = APIRouter(prefix="/districts/{key}")
Mode = Literal["edit", "reset"]


class InvalidSetting(RosterError):
    """What was entered cannot be saved or started."""


@router.get("/sync")
def begin(request: Request, here: ViewerDep) -> RedirectResponse:
    """The wizard begins with the connection."""
    return _next(request, here, "connection")


@router.get("/sync/connection")
def connection(request: Request, here: ViewerDep) -> HTMLResponse:
    """Where the roster comes from, and a button that tries it."""
    return _page(request, here, "connection", report=None, **_source(here))


@router.post("/sync/connection")
def test_connection(request: Request, here: ChangerDep) -> HTMLResponse:
    """Tests the source and shows each step; the schools that it lists can then be selected."""
    report = probe.run(here)
    if is_part(request):
        return page(request, "probe_part.html", here=here, report=report)
    return _page(request, here, "connection", report=report, **_source(here))


def _source(here: Here) -> dict[str, Any]:
    entry = here.entry
    return {
        "source": registry_cache.source_name(entry),
        "conn_id": entry.source.conn_id if entry else None,
        "is_file": bool(entry and entry.source.path),
    }


@router.get("/sync/schools")
def schools(request: Request, here: ViewerDep) -> HTMLResponse:
    """All schools, or selected ones."""
    with reading() as cursor:
        saved = saved_settings(cursor, here)
        known = db.rows(cursor, "ui/school_selection", {"district": here.id})
    return _page(request, here, "schools", saved=saved, schools=known, is_saved="saved" in request.query_params)


async def selected_schools(request: Request) -> tuple[Literal["all", "listed"], list[str]]:
    """The form of the schools: the mode and the selection. Read here, since FastAPI's forms end at 1,000 fields."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=MOST_SCHOOLS)
    mode = form.get("school_mode", [""])[0]
    if mode not in ("all", "listed"):
        raise HTTPException(422, "Select 'All schools' or 'Selected schools'.")
    return "all" if mode == "all" else "listed", form.get("chosen", [])


SelectionDep = Annotated[tuple[Literal["all", "listed"], list[str]], Depends(selected_schools)]


@router.post("/sync/schools/effect")
def deselect_effect(request: Request, here: ViewerDep, form: SelectionDep) -> HTMLResponse:
    """What it means that schools are not selected: what stays as it is, and what only a Reset would do."""
    school_mode, selected = form[0], set(form[1])
    effect = None
    if school_mode == "listed":
        with reading() as cursor:
            effect = effect_of(cursor, here, selected)
    return page(request, "effect_part.html", here=here, effect=effect, selected=len(selected), school_mode=school_mode)


def effect_of(cursor: Cursor, here: Here, chosen: set[str]) -> dict[str, Any]:
    """What belongs to the known schools that are not selected, counted."""
    known = db.rows(cursor, "ui/school_selection", {"district": here.id})
    out = [row["source_id"] for row in known if row["source_id"] not in chosen]
    found = db.one(cursor, "ui/deselect_effect", {"district": here.id, "ids": out})
    return found or {"schools": 0, "people": 0, "classes": 0, "licenses": 0}


@router.post("/sync/schools")
def save_schools(request: Request, here: ChangerDep, form: SelectionDep) -> RedirectResponse:
    """Saves the selection, with who made it."""
    named = {"school_mode": form[0]}
    selected = form[1] if form[0] == "listed" else None
    check(here, named, selected)
    here = known_district(here)
    with writing() as cursor:
        save(cursor, here, named, selected)
    return _next(request, here, "expiration")


@router.get("/sync/expiration")
def expiration(request: Request, here: ViewerDep) -> HTMLResponse:
    """When the sync expires."""
    with reading() as cursor:
        saved = saved_settings(cursor, here)
    return _page(request, here, "expiration", saved=saved, today=today(here))


@router.post("/sync/expiration")
def save_expiration(
    request: Request, here: ChangerDep, expires: Annotated[Literal["never", "on"], Form()],
    expires_on: Annotated[str, Form(max_length=10)] = "",
) -> RedirectResponse:  # fmt: skip
    """Saves the date, with who set it."""
    day = _date(expires_on) if expires == "on" else None
    check(here, {"expires_on": day}, None)
    here = known_district(here)
    with writing() as cursor:
        save(cursor, here, {"expires_on": day}, None)
    return _next(request, here, "emails")


@router.get("/sync/emails")
def emails(request: Request, here: ViewerDep) -> HTMLResponse:
    """Who is notified of what a sync did."""
    with reading() as cursor:
        found = db.rows(cursor, "ui/subscriptions", {"district": here.id})
    return _page(request, here, "emails", subscriptions=found)


@router.post("/sync/emails")
def change_emails(
    request: Request, here: ChangerDep, add: Annotated[str, Form(max_length=254)] = "",
    remove: Annotated[int | None, Form()] = None,
) -> RedirectResponse:  # fmt: skip
    """Adds or removes one address."""
    if remove is not None:
        unsubscribe(here, remove)
    else:
        subscribe(here, add)
    return _next(request, here, "emails")


def subscribe(here: Here, address: str) -> None:
    """Adds an address to those who get the sync emails.

    Raises:
        InvalidSetting: it is not an email address.
    """
    email = address.strip().lower()
    if not is_email(email):
        raise InvalidSetting("Enter an email address such as name@school.org.")
    here = known_district(here)
    with writing() as cursor:
        db.run(cursor, "ui/subscribe", {"district": here.id, "email": email, "who": here.who})


def unsubscribe(here: Here, subscription_id: int) -> None:
    """Removes an address; one of another district stays."""
    with writing() as cursor:
        db.run(cursor, "ui/unsubscribe", {"district": here.id, "id": subscription_id, "who": here.who})


@router.get("/sync/mode")
def mode(request: Request, here: ViewerDep, mode: Mode = "edit") -> HTMLResponse:
    """Edit or Reset, and what each does."""
    return _page(request, here, "mode", mode=mode, undo_days=undo_days())


@router.get("/sync/review")
def review(request: Request, here: ViewerDep, mode: Mode = "edit", manual: bool = False) -> HTMLResponse:
    """A summary, and Start Sync."""
    with reading() as cursor:
        saved = saved_settings(cursor, here)
        state = db.one(cursor, "ui/district_state", {"district": here.id}) or {}
        history = db.rows(cursor, "ui/settings_history", {"district": here.id, "limit": 5})
        people = db.rows(cursor, "ui/subscriptions", {"district": here.id})
    expired = saved["expires_on"] is not None and saved["expires_on"] < today(here)
    return _page(
        request, here, "review", saved=saved, state=state, history=history, subscribers=len(people), mode=mode,
        manual=manual, is_expired=expired, is_paused=dag_runs.is_paused(here.dag_id),
        source=registry_cache.source_name(here.entry),
    )  # fmt: skip


@router.post("/sync/start")
def start(
    request: Request, here: ChangerDep, mode: Annotated[Mode, Form()], preview: Annotated[bool, Form()] = False,
    manual: Annotated[bool, Form()] = False,
) -> RedirectResponse:  # fmt: skip
    """Starts the Edit, or the preview of a Reset: a Reset itself is started from its preview."""
    expect_startable(here)
    if mode == "edit":
        return follow(request, here, here.dag_id, {"preview_only": preview})
    return follow(request, here, "roster_reset", {"district": here.key, "preview_only": True, "include_manual": manual})


@router.post("/runs/{run_id}/reset")
def start_reset(
    request: Request, here: ChangerDep, run_id: int, typed: Annotated[str, Form(max_length=300)],
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> RedirectResponse:  # fmt: skip
    """Starts the Reset that this preview showed, once the district's name was typed."""
    expect_startable(here)
    with reading() as cursor:
        run = load_run(cursor, here, run_id)
    if run["mode"] != "reset" or run["status"] != "previewed":
        raise HTTPException(404, "This run is not the preview of a Reset.")
    if run["age_days"] * 24 > PREVIEW_HOURS:
        raise InvalidSetting("This preview is more than a day old, and the roster may have changed. Make a new one.")
    if typed.strip() != here.name:
        raise InvalidSetting("The name does not match this district's. Nothing was started.")
    conf = {
        "district": here.key, "preview_only": False, "reason": reason.strip(),
        "include_manual": bool(run["parameters"].get("include_manual")),
    }  # fmt: skip
    return follow(request, here, "roster_reset", conf)


def expect_startable(here: Here) -> None:
    """Refuses to start a run that could not be carried out.

    Raises:
        InvalidSetting: the district is not in the registry, or is disabled there.
    """
    if here.why_no_sync:
        raise InvalidSetting(here.why_no_sync)


def follow(request: Request, here: Here, dag_id: str, conf: dict[str, Any]) -> RedirectResponse:
    """Starts the DAG in the visitor's name, and leads to the page that follows it."""
    started = dag_runs.start(dag_id, conf, here.user)
    base = request.scope.get("root_path", "")
    return RedirectResponse(f"{base}/districts/{here.key}/following/{dag_id}/{started}", status_code=303)


def known_district(here: Here) -> Here:
    """The district with its rows in the database, made where it was never synced."""
    if here.id:
        return here
    if here.entry is None:
        raise InvalidSetting("This district is not in the registry, so it has no settings.")
    return probe.with_rows(here)


def _page(request: Request, here: Here, step: str, **values: Any) -> HTMLResponse:
    names = [name for name, _ in STEPS]
    return page(
        request, f"sync_{step}.html", title=dict(STEPS)[step], here=here, step=step, steps=STEPS,
        position=names.index(step), sync_name=registry_cache.sync_name(here.entry), **values,
    )  # fmt: skip


def _next(request: Request, here: Here, step: str) -> RedirectResponse:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/districts/{here.key}/sync/{step}", status_code=303)


def saved_settings(cursor: Cursor, here: Here) -> dict[str, Any]:
    """The settings as they are, or as they are before the first sync."""
    found = db.one(cursor, "ui/settings", {"district": here.id})
    return found or {"school_mode": "all", "expires_on": None, "updated_at": None, "updated_by": None}


def check(here: Here, named: dict[str, Any], chosen: list[str] | None) -> None:
    """Refuses settings with which no run could start.

    Raises:
        InvalidSetting: no school would be selected, or the date has passed.
    """
    if chosen is not None and not chosen:
        raise InvalidSetting(NO_SCHOOL)
    if "school_mode" in named and named["school_mode"] is None:
        raise InvalidSetting("`school_mode` must be all or listed.")
    if named.get("expires_on") is not None and named["expires_on"] < today(here):
        raise InvalidSetting("This date is in the past. Choose today or a later date, or 'Never'.")


def save(cursor: Cursor, here: Here, named: dict[str, Any], chosen: list[str] | None) -> None:
    """Writes the named settings, and the selection of schools where one is given, with who did it.

    Raises:
        InvalidSetting: a school is not this district's, or none would be selected.
    """
    saved = saved_settings(cursor, here)
    values = {"school_mode": saved["school_mode"], "expires_on": saved["expires_on"], **named}
    db.run(cursor, "ui/save_settings", {**values, "district": here.id, "who": here.who})
    if chosen is not None:
        known = {row["source_id"] for row in db.rows(cursor, "ui/school_selection", {"district": here.id})}
        if not known.issuperset(chosen):
            raise InvalidSetting(
                "One of these schools is not in this district. Test the connection, then select again."
            )
        db.run(cursor, "ui/save_selection", {"district": here.id, "chosen": chosen, "who": here.who})
    if values["school_mode"] == "listed" and db.one(cursor, "ui/no_school", {"district": here.id}):
        raise InvalidSetting(NO_SCHOOL)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidSetting("Enter a date, or choose 'Never'.") from None


def today(here: Here) -> date:
    """Today in the district's time zone, in which an expiration date ends."""
    zone = ZoneInfo(here.entry.timezone) if here.entry else timezone.utc
    return datetime.now(zone).date()
