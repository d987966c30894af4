"""The HTTP API's worklist: open items, and the actions that close them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from roster_sync.ui.api.base import OF_DISTRICT, Body, Limit
from roster_sync.ui.pages import worklist_pages
from roster_sync.ui.web.pool import reading
from roster_sync.ui.web.rights import ChangerDep, ViewerDep

router = APIRouter(prefix=OF_DISTRICT + "/worklist", tags=["Worklist"])


class Item(BaseModel):
    """One open item."""

    id: int
    kind: str
    subject_type: str
    subject_id: int
    second_subject_id: int | None
    label: str | None
    email: str | None
    schools: str | None
    opened_at: datetime
    opened_run_id: int | None
    detail: dict[str, Any]


class Items(Body):
    """Which items."""

    items: list[int] = Field(min_length=1, max_length=5000)


class Licenses(Items):
    """Which items, and which product."""

    product_id: int
    expires_on: date | None = None


class Admin(Body):
    """The admin that a school gets."""

    item: int
    given_name: str = Field("", max_length=100)
    family_name: str = Field("", max_length=100)
    email: str = Field("", max_length=254)
    dummy: bool = False


class Match(Body):
    """The decision on a possible match."""

    item: int
    same_person: bool


class Closed(BaseModel):
    """How many items the action closed."""

    closed: int


@router.get("")
def list_items(
    here: ViewerDep, kind: worklist_pages.Kind, after: Annotated[int, Query(ge=0)] = 0, limit: Limit = 100
) -> list[Item]:
    """Open items of one kind, oldest first."""
    with reading() as cursor:
        rows = worklist_pages.items(cursor, here, kind, after=after, limit=limit)
    return [Item.model_validate(row) for row in rows]


@router.post("/licenses")
def give_licenses(here: ChangerDep, body: Licenses) -> Closed:
    """Assigns a license to teachers."""
    until = body.expires_on.isoformat() if body.expires_on else ""
    return Closed(closed=worklist_pages.give_licenses(here, body.items, body.product_id, until))


@router.post("/books")
def give_books(here: ChangerDep, body: Items) -> Closed:
    """Assigns their class's books to students."""
    return Closed(closed=worklist_pages.give_books(here, body.items))


@router.post("/roles")
def take_roles(here: ChangerDep, body: Items) -> Closed:
    """Gives people the source's role."""
    return Closed(closed=worklist_pages.take_roles(here, body.items))


@router.post("/admin")
def add_admin(here: ChangerDep, body: Admin) -> Closed:
    """Adds an admin to a school."""
    worklist_pages.add_admin(here, body.item, body.email, body.given_name, body.family_name, is_dummy=body.dummy)
    return Closed(closed=1)


@router.post("/match")
def decide_match(here: ChangerDep, body: Match) -> Closed:
    """Decides a possible match: the same person, or two people."""
    worklist_pages.decide_match(here, body.item, is_same=body.same_person)
    return Closed(closed=1)
