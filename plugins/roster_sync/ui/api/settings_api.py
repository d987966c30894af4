"""The HTTP API's settings: schools, expiration, emails, the connection test, and the start of a sync."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from roster_sync.database import db
from roster_sync.ui.api.base import OF_DISTRICT, Body, Limit, Started
from roster_sync.ui.pages import settings_pages
from roster_sync.ui.web import dag_runs, probe
from roster_sync.ui.web.pool import reading, writing
from roster_sync.ui.web.rights import ChangerDep, ViewerDep

router = APIRouter(prefix=OF_DISTRICT, tags=["Settings and sync"])


class Sync(Body):
    """What to start. A Reset that is not a preview needs the district's name."""

    mode: Literal["edit", "reset"] = "edit"
    preview: bool = False
    include_manual: bool = Field(False, description="Reset only: also delete what was added manually")
    confirm_name: str = Field("", description="Reset only: the district's name, spelled exactly")
    reason: str = Field("", max_length=2000)


class ProbeLine(BaseModel):
    """One step of the connection test."""

    name: str
    is_ok: bool
    message: str


class Probe(BaseModel):
    """What the connection test found."""

    is_ok: bool
    state: str
    reason: str
    steps: list[ProbeLine]
    schools: int
    data_as_of: str | None


class Settings(BaseModel):
    """A district's settings."""

    school_mode: Literal["all", "listed"]
    expires_on: date | None


class NewSettings(Body):
    """Settings to save. Fields that are left out stay as they are; a null date means never."""

    school_mode: Literal["all", "listed"] | None = None
    expires_on: date | None = None
    chosen_schools: list[str] | None = Field(
        None, description="Source IDs of the selected schools; all others are not synced"
    )


class Chosen(Body):
    """The schools that stay selected."""

    chosen_schools: list[str] = Field(description="Source IDs of the schools")


class Effect(BaseModel):
    """What belongs to the schools that are not selected. People and classes are counted up to 50,001."""

    schools: int
    people: int
    classes: int
    licenses: int = Field(description="Licenses of these schools, and of people who are in no other school")


class SettingChange(BaseModel):
    """One change of a setting."""

    changed_at: datetime
    changed_by: str | None
    setting: str
    before: Any
    after: Any


class Subscription(BaseModel):
    """An address that gets the sync emails."""

    id: int
    email: str
    created_at: datetime


class NewSubscription(Body):
    """An address to add."""

    email: str = Field(max_length=254)


class School(BaseModel):
    """A school that the source listed."""

    source_id: str
    name: str
    is_selected: bool
    first_seen_at: datetime
    is_new: bool


@router.post("/sync", status_code=202)
def start_sync(here: ChangerDep, body: Sync) -> Started:
    """Starts an Edit or a Reset. The run appears once Airflow has started it."""
    settings_pages.expect_startable(here)
    if body.mode == "edit":
        conf: dict[str, Any] = {"preview_only": body.preview}
        return Started(dag_id=here.dag_id, dag_run_id=dag_runs.start(here.dag_id, conf, here.user))
    if not body.preview and body.confirm_name != here.name:
        raise settings_pages.InvalidSetting("`confirm_name` is not this district's name. Nothing was started.")
    conf = {
        "district": here.key, "preview_only": body.preview, "include_manual": body.include_manual,
        "reason": body.reason.strip(),
    }  # fmt: skip
    return Started(dag_id="roster_reset", dag_run_id=dag_runs.start("roster_reset", conf, here.user))


@router.post("/test-connection")
def test_connection(here: ChangerDep) -> Probe:
    """Tests the connection to the source, step by step."""
    report = probe.run(here)
    steps = [ProbeLine(name=step.name, is_ok=step.is_ok, message=step.message) for step in report.steps]
    return Probe(
        is_ok=report.is_ok, state=report.state, reason=report.reason, steps=steps, schools=len(report.schools),
        data_as_of=report.data_as_of,
    )  # fmt: skip


@router.get("/settings")
def get_settings(here: ViewerDep) -> Settings:
    """The district's settings."""
    with reading() as cursor:
        return Settings.model_validate(settings_pages.saved_settings(cursor, here))


@router.patch("/settings")
def change_settings(here: ChangerDep, body: NewSettings) -> Settings:
    """Changes the settings that the body names, and records who did it."""
    here = settings_pages.known_district(here)
    named = body.model_dump(include=body.model_fields_set & {"school_mode", "expires_on"})
    settings_pages.check(here, named, body.chosen_schools)
    with writing() as cursor:
        settings_pages.save(cursor, here, named, body.chosen_schools)
        return Settings.model_validate(settings_pages.saved_settings(cursor, here))


@router.post("/settings/effect")
def deselect_effect(here: ViewerDep, body: Chosen) -> Effect:
    """What belongs to the schools that are not selected. It stays in the portal; only a Reset would delete it."""
    with reading() as cursor:
        return Effect.model_validate(settings_pages.effect_of(cursor, here, set(body.chosen_schools)))


@router.get("/settings/history")
def settings_history(here: ViewerDep, limit: Limit = 50) -> list[SettingChange]:
    """Who changed which setting, newest first."""
    with reading() as cursor:
        found = db.rows(cursor, "ui/settings_history", {"district": here.id, "limit": limit})
    return [SettingChange.model_validate(row) for row in found]


@router.get("/subscriptions")
def list_subscriptions(here: ViewerDep) -> list[Subscription]:
    """Who gets the district's sync emails."""
    with reading() as cursor:
        found = db.rows(cursor, "ui/subscriptions", {"district": here.id})
    return [Subscription.model_validate(row) for row in found]


@router.post("/subscriptions", status_code=204)
def subscribe(here: ChangerDep, body: NewSubscription) -> None:
    """Adds an address. Adding it again changes nothing."""
    settings_pages.subscribe(here, body.email)


@router.delete("/subscriptions/{subscription_id}", status_code=204)
def unsubscribe(here: ChangerDep, subscription_id: int) -> None:
    """Removes an address. Removing it again changes nothing."""
    settings_pages.unsubscribe(here, subscription_id)


@router.get("/schools")
def list_schools(here: ViewerDep) -> list[School]:
    """Every school that the source ever listed, and whether it is selected."""
    with reading() as cursor:
        rows = db.rows(cursor, "ui/school_selection", {"district": here.id})
    return [School.model_validate(row) for row in rows]
