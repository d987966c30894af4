"""Roster: schools, classes and people as the portal holds them; a search never puts a name into an address."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse
from psycopg2.extensions import cursor as Cursor

from roster_sync.core import vocabulary
from roster_sync.core.vocabulary import ROLES_OF_KIND
from roster_sync.database import db
from roster_sync.ui.views import search, words
from roster_sync.ui.views.render import is_part, page
from roster_sync.ui.web.pool import reading
from roster_sync.ui.web.rights import Here, ViewerDep

PAGE_SIZE: Final = 50
FOUND: Final = 50
KINDS: Final = {kind: vocabulary.KINDS[kind] for kind in ("schools", "classes", "teachers", "students", "admins")}
PEOPLE: Final = [role for roles in ROLES_OF_KIND.values() for role in roles]
Kind = Literal["schools", "classes", "teachers", "students", "admins"]
router = APIRouter(prefix="/districts/{key}")


@router.get("/roster/{kind}")
def roster(
    request: Request, here: ViewerDep, kind: Kind, after: Annotated[int, Query(ge=0)] = 0,
    school: Annotated[int, Query(ge=0)] = 0,
) -> HTMLResponse:  # fmt: skip
    """One kind, page by page."""
    with reading() as cursor:
        found = listed(cursor, here, kind, after=after, school=school, limit=PAGE_SIZE + 1)
    template = "roster_rows.html" if after and is_part(request) else "roster.html"
    return page(
        request, template, title=KINDS[kind], here=here, kind=kind, kinds=KINDS, rows=found[:PAGE_SIZE],
        more=len(found) > PAGE_SIZE, q="", school=school, elsewhere=[],
    )  # fmt: skip


@router.post("/roster/{kind}")
def search_roster(
    request: Request, here: ViewerDep, kind: Kind, q: Annotated[str, Form(max_length=100)] = ""
) -> HTMLResponse:
    """The same, searched. A POST, because a name must not appear in an address."""
    with reading() as cursor:
        found = found_by(cursor, here, kind, q, FOUND + 1) if q.strip() else listed(cursor, here, kind, limit=FOUND + 1)
        elsewhere = [] if found or kind not in ROLES_OF_KIND else find(cursor, here, q, PEOPLE, FOUND)
    return page(
        request, "roster.html", title=KINDS[kind], here=here, kind=kind, kinds=KINDS, rows=found[:FOUND],
        more=len(found) > FOUND, q=q, school=0, elsewhere=elsewhere,
    )  # fmt: skip


@router.post("/why")
def why_not(request: Request, here: ViewerDep, q: Annotated[str, Form(max_length=100)] = "") -> HTMLResponse:
    """Someone is not in the roster: what the source said of them in the last run, and what the run did with it."""
    with reading() as cursor:
        found = explained(cursor, here, q)
    return page(request, "why.html", title="Why someone is missing", here=here, q=q, **found)


def listed(
    cursor: Cursor, here: Here, kind: str, *, after: int = 0, school: int = 0, limit: int = PAGE_SIZE
) -> list[dict[str, Any]]:
    """One page of a kind, in the order of names."""
    params: dict[str, Any] = {"district": here.id, "after": after, "limit": limit, "search": "", "school": school}
    if kind == "schools":
        return db.rows(cursor, "ui/roster_schools", params)
    if kind == "classes":
        return db.rows(cursor, "ui/roster_classes", {**params, "from_title": "", "to_title": search.LAST})
    # District admins come first; there are few admins, so they have one page.
    after = 0 if kind == "admins" else after
    found = [
        row
        for role in reversed(ROLES_OF_KIND[kind])
        for row in db.rows(cursor, "ui/roster_people", {**params, "after": after, "role": role})
    ]
    return found[:limit]


def found_by(cursor: Cursor, here: Here, kind: str, text: str, limit: int) -> list[dict[str, Any]]:
    """The first rows of a kind that fit."""
    wanted = text.strip().lower()
    params: dict[str, Any] = {"district": here.id, "after": 0, "limit": limit, "search": wanted, "school": 0}
    if kind == "schools":
        return db.rows(cursor, "ui/roster_schools", params)
    if kind == "classes":
        return db.rows(cursor, "ui/roster_classes", {**params, "from_title": wanted, "to_title": wanted + search.LAST})
    return find(cursor, here, text, ROLES_OF_KIND[kind], limit)


def find(cursor: Cursor, here: Here, text: str, roles: list[str], limit: int) -> list[dict[str, Any]]:
    """People by name, email or id; nobody where nothing is asked."""
    if not text.strip():
        return []
    return db.rows(
        cursor, "ui/find_people", {"district": here.id, "roles": roles, "limit": limit, **search.binds(text)}
    )


def explained(cursor: Cursor, here: Here, text: str) -> dict[str, Any]:
    """What the last staged feed and the last Resets know of someone who is not in the portal."""
    staged = db.one(cursor, "ui/last_staged", {"district": here.id})
    if not text.strip():
        return {"staged": staged, "rows": [], "deleted": []}
    params = {"district": here.id, **search.binds(text)}
    rows = []
    if staged:
        run = db.one(cursor, "ui/run", {"run": staged["id"], "district": here.id}) or {}
        rows = db.rows(cursor, "ui/why_not", {**params, "run": staged["id"], "issuer": run.get("issuer")})
    for row in rows:
        row["why"] = reason(row, staged or {})
    return {"staged": staged, "rows": rows, "deleted": db.rows(cursor, "ui/deleted_people", params)}


def reason(row: dict[str, Any], staged: dict[str, Any]) -> str:
    """Why the portal does not hold, or does not show as shared, a person whom the source listed."""
    if row["errors"] or row["is_rejected"]:
        findings = " ".join(f"{words.rule(one['rule'])}: {one['message']}" for one in row["errors"] or [])
        return f"The row was rejected. {findings}".strip()
    if row["status"] == "tobedeleted":
        return "The source marks this person for deletion."
    schools = row["schools"] or []
    if schools and not any(school["is_selected"] for school in schools):
        return "None of this person's schools is selected in the settings."
    if row["user_id"] and row["is_shared"]:
        return ""
    if not row["roles"]:
        given = ", ".join(row["source_roles"]) or "none"
        return f"The sync does not add people with the source's role ({given})."
    if row["role_refused"]:
        return str(row["role_refused"])
    if not schools:
        return "The source lists no school for this person."
    if staged.get("wrote_at") is None and staged.get("status") != "launched":
        return f"The run that read this person changed nothing in the portal: {words.status(staged.get('status'))}."
    return "The run that read this person did not add them. See what it held back on its page."
