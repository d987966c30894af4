"""The worklist: what people still have to do after a run, and the buttons that do it; who did what is recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg2.extensions import cursor as Cursor

from roster_sync.core.errors import RosterError
from roster_sync.core.text import capitalized, is_email
from roster_sync.core.vocabulary import ROLES, WORKLIST
from roster_sync.database import db
from roster_sync.engine import matching
from roster_sync.ui.pages.settings_pages import today
from roster_sync.ui.views import exports
from roster_sync.ui.views.render import page
from roster_sync.ui.web.pool import POOL, reading, writing
from roster_sync.ui.web.rights import ChangerDep, Here, ViewerDep

PAGE_SIZE: Final = 100
MAX_ITEMS: Final = 5000
DUMMY_DOMAIN_VARIABLE: Final = "ROSTER_DUMMY_ADMIN_DOMAIN"
Kind = Literal["teacher_needs_license", "school_needs_admin", "student_needs_books", "role_drift", "match_review"]
Items = Annotated[list[int] | None, Form()]
router = APIRouter(prefix="/districts/{key}/worklist")


class NotDone(RosterError):
    """The action cannot be done with what was entered."""


@router.get("")
def worklist(
    request: Request, here: ViewerDep, kind: Kind | None = None, after: Annotated[int, Query(ge=0)] = 0,
    done: Annotated[int | None, Query(ge=0)] = None,
) -> HTMLResponse:  # fmt: skip
    """Open items of one kind; the first kind that has any where none is asked for."""
    with reading() as cursor:
        counted = db.rows(cursor, "ui/worklist_totals", {"district": here.id})
        totals = {row["kind"]: row["open_items"] for row in counted}
        first = next((name for name in WORKLIST if totals.get(name)), "teacher_needs_license")
        shown: str = kind or first
        found = items(cursor, here, shown, after=after, limit=PAGE_SIZE + 1)
        closed = db.rows(cursor, "ui/worklist_done", {"district": here.id, "kind": shown})
        products = db.rows(cursor, "ui/products") if shown == "teacher_needs_license" else []
    return page(
        request, "worklist.html", title="Worklist", here=here, kind=shown, totals=totals, rows=found[:PAGE_SIZE],
        more=len(found) > PAGE_SIZE, closed=closed, products=products, dummy_domain=dummy_domain(), done=done,
        today=today(here),
    )  # fmt: skip


def items(cursor: Cursor, here: Here, kind: str, *, after: int = 0, limit: int = PAGE_SIZE) -> list[dict[str, Any]]:
    """Open items in the order in which they were opened."""
    return db.rows(cursor, "ui/worklist", {"district": here.id, "kind": kind, "after": after, "limit": limit})


def dummy_domain() -> str:
    """The publisher's own email domain for dummy admins; empty where none is set."""
    return os.environ.get(DUMMY_DOMAIN_VARIABLE, "").strip().lstrip("@").lower()


@router.get(".csv")
def export(here: ViewerDep, kind: Kind = "teacher_needs_license") -> Response:
    """The open items of one kind as a file."""
    return exports.csv(
        f"worklist-{here.key}-{kind}.csv",
        ("what", "who", "email", "schools", "class", "books", "role", "source_role", "other", "open_since"),
        lambda cursor: _lines(cursor, here, kind),
    )


def _lines(cursor: Cursor, here: Here, kind: str) -> Iterator[Sequence[Any]]:
    after = 0
    while found := items(cursor, here, kind, after=after, limit=1000):
        for row in found:
            roles = ", ".join(ROLES[role] for role in (row["detail"] or {}).get("source_roles") or [])
            yield (
                capitalized(WORKLIST[kind].one), row["label"], row["email"], row["schools"], row["class_title"],
                row["books"], ROLES[row["role"]], roles, row["other_label"], row["opened_at"].date(),
            )  # fmt: skip
        after = found[-1]["id"]


@router.post("/licenses")
def licenses(
    request: Request, here: ChangerDep, product: Annotated[int, Form()], selected: Items = None,
    expires_on: Annotated[str, Form(max_length=10)] = "",
) -> RedirectResponse:  # fmt: skip
    """Assigns a license to the selected teachers."""
    return _done(request, here, "teacher_needs_license", give_licenses(here, _some(selected), product, expires_on))


def give_licenses(here: Here, selected: list[int], product: int, expires_on: str) -> int:
    """Assigns a license to everyone of these items who still needs one; returns how many."""
    try:
        until = date.fromisoformat(expires_on) if expires_on else None
    except ValueError:
        raise NotDone("Enter the last day as a date, or leave it empty.") from None
    if until is not None and until < today(here):
        raise NotDone("The last day is in the past. Choose a later date, or leave it empty.")
    with writing() as cursor:
        return db.run(
            cursor, "ui/give_licenses",
            {"district": here.id, "items": selected, "product": product, "expires_on": until, "who": here.who},
        )  # fmt: skip


@router.post("/books")
def books(request: Request, here: ChangerDep, selected: Items = None) -> RedirectResponse:
    """Assigns the books of their class to the selected students."""
    return _done(request, here, "student_needs_books", give_books(here, _some(selected)))


def give_books(here: Here, selected: list[int]) -> int:
    """Assigns their class's books to every student of these items who still needs them; returns the items closed."""
    with writing() as cursor:
        found = db.one(cursor, "ui/give_books", {"district": here.id, "items": selected, "who": here.who})
    return int((found or {"items": 0})["items"])


@router.post("/roles")
def roles(request: Request, here: ChangerDep, selected: Items = None) -> RedirectResponse:
    """Gives the selected people the source's role: a person's decision, never the sync's."""
    return _done(request, here, "role_drift", take_roles(here, _some(selected)))


def take_roles(here: Here, selected: list[int]) -> int:
    """Gives the people of these items the source's role; returns how many."""
    with writing() as cursor:
        return db.run(cursor, "ui/take_roles", {"district": here.id, "items": selected, "who": here.who})


@router.post("/admin")
def admin(
    request: Request, here: ChangerDep, item: Annotated[int, Form()], email: Annotated[str, Form(max_length=254)] = "",
    given: Annotated[str, Form(max_length=100)] = "", family: Annotated[str, Form(max_length=100)] = "",
    dummy: Annotated[bool, Form()] = False,
) -> RedirectResponse:  # fmt: skip
    """Gives a school its admin: a real one, or a dummy of the publisher's own mail domain."""
    add_admin(here, item, email, given, family, is_dummy=dummy)
    return _done(request, here, "school_needs_admin", 1)


def add_admin(here: Here, item: int, email: str, given: str, family: str, *, is_dummy: bool) -> None:
    """Adds the admin, or makes an admin of the district with this email the school's too, and closes the item."""
    if is_dummy and not dummy_domain():
        raise NotDone(
            f"No email domain for dummy admins is configured. Ask the data team to set {DUMMY_DOMAIN_VARIABLE}."
        )
    with writing() as cursor:
        params = {"district": here.id, "kind": "school_needs_admin", "item": item, "who": here.who}
        found = db.one(cursor, "ui/open_item", params)
        if found is None:
            raise NotDone("This school already has an admin. Reload the page.")
        school = int(found["subject_id"])
        if is_dummy:
            email, given, family = f"admin-{here.key}-{school}@{dummy_domain()}", "Dummy", "Admin"
        person = _admin(cursor, here, email.strip(), given.strip(), family.strip(), is_dummy=is_dummy)
        db.run(cursor, "ui/join_school", {"user": person, "school": school, "district": here.id})
        db.run(cursor, "ui/close_item", {**params, "resolution": "has_admin"})


def _admin(cursor: Cursor, here: Here, email: str, given: str, family: str, *, is_dummy: bool) -> int:
    if not is_email(email):
        raise NotDone("Enter an email address such as name@school.org.")
    if not is_dummy and not (given and family):
        raise NotDone("Enter the admin's first and last name.")
    found = db.rows(cursor, "ui/admin_by_email", {"district": here.id, "email": email})
    if len(found) > 1 or any(row["role"] != "school_admin" for row in found):
        raise NotDone(
            "Someone else in this district has this email and another role. Use another address, or change the role."
        )
    if found:
        if not found[0]["is_enabled"]:
            raise NotDone("The school admin with this email is disabled. Enable the account in the portal first.")
        return int(found[0]["id"])
    params = {"district": here.id, "email": email, "given": given, "family": family, "dummy": is_dummy}
    return int((db.one(cursor, "ui/add_admin", params) or {})["id"])


@router.post("/match")
def match(
    request: Request, here: ChangerDep, item: Annotated[int, Form()],
    choice: Annotated[Literal["same", "other"], Form()],
) -> RedirectResponse:  # fmt: skip
    """The same person, or two people."""
    decide_match(here, item, is_same=choice == "same")
    return _done(request, here, "match_review", 1)


def decide_match(here: Here, item: int, *, is_same: bool) -> None:
    """Records the decision; 'same' merges the two rows and keeps the older one's ID."""
    with writing() as cursor:
        if db.one(cursor, "ui/open_item", {"district": here.id, "kind": "match_review", "item": item}) is None:
            raise NotDone("This match was already decided. Reload the page.")
    decide = matching.same_person if is_same else matching.not_the_same
    with POOL.connection() as connection:
        decide(connection, item, here.who)


def _some(selected: list[int] | None) -> list[int]:
    if not selected:
        raise NotDone("Nothing is selected.")
    if len(selected) > MAX_ITEMS:
        raise HTTPException(413, f"At most {MAX_ITEMS} items at once.")
    return selected


def _done(request: Request, here: Here, kind: str, count: int) -> RedirectResponse:
    base = request.scope.get("root_path", "")
    return RedirectResponse(f"{base}/districts/{here.key}/worklist?kind={kind}&done={count}", status_code=303)
