"""The worklist: what people still have to do after a run, and the buttons that do it, each kept with who and when."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg2.extensions import cursor as Cursor

from roster_sync.core.errors import RosterError
from roster_sync.database import db
from roster_sync.engine import matching
from roster_sync.ui.pages.settings import EMAIL, today
from roster_sync.ui.views import exports, words
from roster_sync.ui.views.render import page
from roster_sync.ui.web.pool import POOL, desk, reading
from roster_sync.ui.web.rights import ChangerDep, Here, ViewerDep

PAGE_SIZE: Final = 100
MAX_ITEMS: Final = 5000
DUMMY_DOMAIN_VARIABLE: Final = "ROSTER_DUMMY_ADMIN_DOMAIN"
Kind = Literal["teacher_needs_license", "school_needs_admin", "student_needs_books", "role_drift", "match_review"]
Items = Annotated[list[int] | None, Form()]
router = APIRouter(prefix="/districts/{key}/worklist")


class NotDone(RosterError):
    """What was asked for cannot be done as it was filled in."""


@router.get("")
def worklist(
    request: Request, here: ViewerDep, kind: Kind | None = None, after: Annotated[int, Query(ge=0)] = 0,
    done: Annotated[int | None, Query(ge=0)] = None,
) -> HTMLResponse:  # fmt: skip
    """Open items of one kind; the first kind that has any where none is asked for."""
    with reading() as cursor:
        counted = db.rows(cursor, "ui/worklist_totals", {"district": here.id})
        totals = {row["kind"]: row["open_items"] for row in counted}
        first = next((name for name in words.WORKLIST if totals.get(name)), "teacher_needs_license")
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
    """The publisher's own mail domain for dummy admins; empty where none is set."""
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
            roles = ", ".join(words.of(words.ROLES, role) for role in (row["detail"] or {}).get("source_roles") or [])
            yield (
                words.of(words.WORKLIST, kind), row["label"], row["email"], row["schools"], row["class_title"],
                row["books"], words.of(words.ROLES, row["role"]), roles, row["other_label"], row["opened_at"].date(),
            )  # fmt: skip
        after = found[-1]["id"]


@router.post("/licenses")
def licenses(
    request: Request, here: ChangerDep, product: Annotated[int, Form()], ticked: Items = None,
    expires_on: Annotated[str, Form(max_length=10)] = "",
) -> RedirectResponse:  # fmt: skip
    """Gives the ticked teachers a license."""
    return _done(request, here, "teacher_needs_license", give_licenses(here, _some(ticked), product, expires_on))


def give_licenses(here: Here, ticked: list[int], product: int, expires_on: str) -> int:
    """Gives a license to whoever of these items still needs one; returns how many."""
    try:
        until = date.fromisoformat(expires_on) if expires_on else None
    except ValueError:
        raise NotDone("The last day is not a date. Choose one from the calendar, or leave it empty.") from None
    if until is not None and until < today(here):
        raise NotDone("The last day has passed. Choose a later one, or leave it empty.")
    with desk() as cursor:
        return db.run(
            cursor, "ui/give_licenses",
            {"district": here.id, "items": ticked, "product": product, "expires_on": until, "who": here.who},
        )  # fmt: skip


@router.post("/books")
def books(request: Request, here: ChangerDep, ticked: Items = None) -> RedirectResponse:
    """Gives the ticked students what their class has."""
    return _done(request, here, "student_needs_books", give_books(here, _some(ticked)))


def give_books(here: Here, ticked: list[int]) -> int:
    """Gives their class's books to whoever of these items still needs them; returns how many items that closed."""
    with desk() as cursor:
        found = db.one(cursor, "ui/give_books", {"district": here.id, "items": ticked, "who": here.who})
    return int((found or {"items": 0})["items"])


@router.post("/roles")
def roles(request: Request, here: ChangerDep, ticked: Items = None) -> RedirectResponse:
    """Takes over the source's role for the ticked people: a person's decision, never the sync's."""
    return _done(request, here, "role_drift", take_roles(here, _some(ticked)))


def take_roles(here: Here, ticked: list[int]) -> int:
    """Takes over the source's role for these items; returns how many."""
    with desk() as cursor:
        return db.run(cursor, "ui/take_roles", {"district": here.id, "items": ticked, "who": here.who})


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
        raise NotDone(f"No mail domain for dummy admins is set: ask the data team for {DUMMY_DOMAIN_VARIABLE}.")
    with desk() as cursor:
        params = {"district": here.id, "kind": "school_needs_admin", "item": item, "who": here.who}
        found = db.one(cursor, "ui/open_item", params)
        if found is None:
            raise NotDone("This school has got its admin already. Reload the page.")
        school = int(found["subject_id"])
        if is_dummy:
            email, given, family = f"admin-{here.key}-{school}@{dummy_domain()}", "Dummy", "Admin"
        person = _admin(cursor, here, email.strip(), given.strip(), family.strip(), is_dummy=is_dummy)
        db.run(cursor, "ui/join_school", {"user": person, "school": school, "district": here.id})
        db.run(cursor, "ui/close_item", {**params, "resolution": "has_admin"})


def _admin(cursor: Cursor, here: Here, email: str, given: str, family: str, *, is_dummy: bool) -> int:
    if not EMAIL.fullmatch(email):
        raise NotDone("This is not an email address. It looks like name@school.org.")
    if not is_dummy and not (given and family):
        raise NotDone("Fill in the admin's given and family name.")
    found = db.rows(cursor, "ui/admin_by_email", {"district": here.id, "email": email})
    if len(found) > 1 or any(row["role"] != "school_admin" for row in found):
        raise NotDone(
            "Someone in this district has this email, with another role. Use another address, or change the role first."
        )
    if found:
        if not found[0]["is_enabled"]:
            raise NotDone("The school admin with this email is switched off. Switch the person on in the portal first.")
        return int(found[0]["id"])
    params = {"district": here.id, "email": email, "given": given, "family": family, "dummy": is_dummy}
    return int((db.one(cursor, "ui/add_admin", params) or {})["id"])


@router.post("/match")
def match(
    request: Request, here: ChangerDep, item: Annotated[int, Form()],
    choice: Annotated[Literal["same", "other"], Form()],
) -> RedirectResponse:  # fmt: skip
    """Same person, or not the same."""
    settle_match(here, item, is_same=choice == "same")
    return _done(request, here, "match_review", 1)


def settle_match(here: Here, item: int, *, is_same: bool) -> None:
    """Records the decision; 'same' puts the two rows together, keeping the older one's id."""
    with desk() as cursor:
        if db.one(cursor, "ui/open_item", {"district": here.id, "kind": "match_review", "item": item}) is None:
            raise NotDone("This was settled already. Reload the page.")
    settle = matching.same_person if is_same else matching.not_the_same
    with POOL.connection() as connection:
        settle(connection, item, here.who)


def _some(ticked: list[int] | None) -> list[int]:
    if not ticked:
        raise NotDone("Nothing is ticked.")
    if len(ticked) > MAX_ITEMS:
        raise HTTPException(413, f"At most {MAX_ITEMS} items at once.")
    return ticked


def _done(request: Request, here: Here, kind: str, count: int) -> RedirectResponse:
    base = request.scope.get("root_path", "")
    return RedirectResponse(f"{base}/districts/{here.key}/worklist?kind={kind}&done={count}", status_code=303)
