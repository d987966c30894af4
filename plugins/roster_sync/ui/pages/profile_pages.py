"""One person, school or class: what the portal holds of it, since when, from which run, and what changed since."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse
from psycopg2.extensions import cursor as Cursor

from roster_sync.database import db
from roster_sync.ui.views.changes import history
from roster_sync.ui.views.render import page
from roster_sync.ui.web.pool import reading
from roster_sync.ui.web.rights import Here, ViewerDep

router = APIRouter(prefix="/districts/{key}")


@router.get("/people/{row_id}")
def person_page(request: Request, here: ViewerDep, row_id: int) -> HTMLResponse:
    """Is this person here, in which classes, with which licenses, since when, from which run; and if not, why."""
    with reading() as cursor:
        found = person(cursor, here, row_id)
    return page(request, "person.html", title="Person", here=here, **found)


@router.get("/schools/{row_id}")
def school_page(request: Request, here: ViewerDep, row_id: int) -> HTMLResponse:
    """One school: its admins, licenses and history."""
    params = {"id": row_id, "district": here.id, "type": "school"}
    with reading() as cursor:
        school = _found_or_404(db.one(cursor, "ui/school", params), "school")
        admins = db.rows(cursor, "ui/school_admins", params)
        licenses = db.rows(cursor, "ui/school_licenses", params)
        changes = history(cursor, here.id, "schools", row_id)
        items = db.rows(cursor, "ui/row_items", params)
    return page(
        request, "school.html", title=school["name"], here=here, school=school, admins=admins, licenses=licenses,
        changes=changes, items=items,
    )  # fmt: skip


@router.get("/classes/{row_id}")
def class_page(request: Request, here: ViewerDep, row_id: int) -> HTMLResponse:
    """One class: who is in it, and its history."""
    params = {"id": row_id, "district": here.id}
    with reading() as cursor:
        found = _found_or_404(db.one(cursor, "ui/class", params), "class")
        members = db.rows(cursor, "ui/class_people", params)
        changes = history(cursor, here.id, "classes", row_id)
    return page(request, "class.html", title="Class", here=here, found=found, members=members, changes=changes)


def person(cursor: Cursor, here: Here, row_id: int) -> dict[str, Any]:
    """Everything about one person.

    Raises:
        HTTPException: 404, also for a person of another district.
    """
    params: dict[str, Any] = {"id": row_id, "district": here.id, "type": "user"}
    found = _found_or_404(db.one(cursor, "ui/person", params), "person")
    params["role"], params["source_id"] = found["role"], found["source_id"]
    schools = db.rows(cursor, "ui/person_schools", params)
    return {
        "person": found,
        "schools": schools,
        "classes": db.rows(cursor, "ui/person_classes", params),
        "licenses": db.rows(cursor, "ui/person_licenses", params),
        "changes": history(cursor, here.id, "users", row_id),
        "items": db.rows(cursor, "ui/row_items", params),
        "findings": db.rows(cursor, "ui/row_findings", params) if found["source_id"] else [],
        "is_deselected": found["origin"] == "sync" and _is_deselected(schools),
        "why": _why(found, schools),
    }


def _why(found: dict[str, Any], schools: list[dict[str, Any]]) -> str:
    """Why the person is not synced now; empty where all is well."""
    if found["origin"] == "manual":
        return "Added manually in the portal. The sync never changes this person."
    if _is_deselected(schools):
        return "None of this person's schools is selected in the settings, so the sync leaves the person as they are."
    if not found["is_shared"]:
        return "The source no longer shares this person. Licenses and books stay until a Reset."
    if not found["is_enabled"]:
        by_hand = found["is_enabled_at_source"] is not False
        return "Disabled in the portal." if by_hand else "Disabled at the source."
    return ""


def _is_deselected(schools: list[dict[str, Any]]) -> bool:
    active = [school for school in schools if school["is_active"]]
    return bool(active) and not any(school["is_selected"] for school in active)


def _found_or_404(found: dict[str, Any] | None, what: str) -> dict[str, Any]:
    if found is None:
        raise HTTPException(404, f"This district has no such {what}. A Reset may have deleted it.")
    return found
