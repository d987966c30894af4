"""The HTTP API's look-ups: schools, classes and people as the portal holds them, and why someone is missing."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from roster_sync.core.vocabulary import ROLES_OF_KIND
from roster_sync.ui.api.base import OF_DISTRICT, After, Body
from roster_sync.ui.pages import profile_pages, roster_pages
from roster_sync.ui.web.pool import reading
from roster_sync.ui.web.rights import ViewerDep

MOST: Final = 200
Limit = Annotated[int, Query(ge=1, le=MOST)]
router = APIRouter(prefix=OF_DISTRICT, tags=["Roster"])
PeopleKind = Literal["teachers", "students", "admins"]


class Search(Body):
    """Whom to find. In a body, because a name must not appear in an address."""

    text: str = Field(max_length=100, description="The beginning of one or two names, a whole email address, or an ID")
    kind: Literal["people", "teachers", "students", "admins"] = "people"


class PersonLine(BaseModel):
    """One person in a list."""

    id: int
    family_name: str | None
    given_name: str | None
    email: str | None
    role: str
    grade: str | None
    is_shared: bool
    is_enabled: bool
    origin: str
    schools: str | None
    licenses: int


class Text(Body):
    """What to find. In a body, because a name must not appear in an address."""

    text: str = Field("", max_length=100)


class SchoolLine(BaseModel):
    """One school in a list."""

    id: int
    name: str
    source_id: str | None
    sis_id: str | None
    is_shared: bool
    origin: str
    people: int
    classes: int
    licenses: int
    admins: int


class ClassLine(BaseModel):
    """One class in a list."""

    id: int
    title: str | None
    subject: str | None
    grade: str | None
    period: str | None
    term_name: str | None
    is_shared: bool
    origin: str
    school_id: int
    school: str
    teachers: int
    students: int


class PersonFacts(BaseModel):
    """What the portal holds of a person."""

    id: int
    role: str
    given_name: str | None
    family_name: str | None
    email: str | None
    username: str | None
    grade: str | None
    sis_id: str | None
    state_id: str | None
    origin: str
    is_shared: bool
    is_enabled: bool
    is_dummy: bool
    last_shared_at: datetime | None
    created_at: datetime
    updated_at: datetime
    created_run_id: int | None
    updated_run_id: int | None
    ids: list[dict[str, Any]] | None = Field(
        description="Source IDs, each with its issuer and the run that first saw it"
    )


class PersonSchool(BaseModel):
    """A school that the person is or was in."""

    id: int
    name: str
    is_shared: bool
    is_active: bool
    is_primary: bool
    is_selected: bool
    origin: str
    ended_at: datetime | None


class PersonClass(BaseModel):
    """A class that the person is or was in."""

    id: int
    title: str | None
    period: str | None
    term_name: str | None
    school: str
    role: str
    is_shared: bool
    is_active: bool
    is_primary: bool
    origin: str
    begins_on: date | None
    ends_on: date | None
    ended_at: datetime | None
    created_run_id: int | None
    since: datetime | None
    books: str | None
    class_has_books: bool


class License(BaseModel):
    """A license of the person, or of one of the person's schools."""

    title: str
    school: str | None = None
    assigned_by: str | None
    assigned_at: datetime
    expires_on: date | None
    is_valid: bool


class RowChange(BaseModel):
    """What a run did to the row."""

    run_id: int
    mode: str
    started_at: datetime
    action: str
    changed: list[str] | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class OpenItem(BaseModel):
    """An open worklist item about the row."""

    kind: str
    opened_at: datetime
    opened_run_id: int | None


class RowFinding(BaseModel):
    """What a rule recently found in the row."""

    run_id: int
    started_at: datetime
    severity: str
    rule: str
    field: str | None
    message: str


class Person(BaseModel):
    """One person: classes, licenses, since when, from which run, and why they are not synced if they are not."""

    person: PersonFacts
    why: str = Field(description="Why the person is not synced; empty if they are")
    is_deselected: bool
    schools: list[PersonSchool]
    classes: list[PersonClass]
    licenses: list[License]
    changes: list[RowChange]
    items: list[OpenItem]
    findings: list[RowFinding]


class Listed(BaseModel):
    """Someone whom the source listed in the last run whose roster is kept."""

    source_id: str
    label: str
    email: str | None
    schools: list[dict[str, Any]] | None
    user_id: int | None = Field(description="The person in the portal, if there is one")
    why: str = Field(description="Why the portal does not have or show the person; empty if it does")


class Deleted(BaseModel):
    """Someone whom a Reset deleted."""

    run_id: int
    started_at: datetime
    given_name: str | None
    family_name: str | None
    role: str | None


class Why(BaseModel):
    """What is known of someone who is not in the portal."""

    run_id: int | None = Field(description="The run whose roster was searched; null if none is kept")
    people: list[Listed]
    deleted: list[Deleted]


@router.get("/roster/schools")
def list_schools(here: ViewerDep, after: After = 0, limit: Limit = 50) -> list[SchoolLine]:
    """Schools by name."""
    with reading() as cursor:
        found = roster_pages.listed(cursor, here, "schools", after=after, limit=limit)
    return [SchoolLine.model_validate(row) for row in found]


@router.get("/roster/classes")
def list_classes(
    here: ViewerDep, after: After = 0, school: Annotated[int, Query(ge=0)] = 0, limit: Limit = 50
) -> list[ClassLine]:
    """Classes by title; of one school if its ID is given."""
    with reading() as cursor:
        found = roster_pages.listed(cursor, here, "classes", after=after, school=school, limit=limit)
    return [ClassLine.model_validate(row) for row in found]


@router.get("/roster/{kind}")
def list_people(here: ViewerDep, kind: PeopleKind, after: After = 0, limit: Limit = 50) -> list[PersonLine]:
    """Teachers, students or admins by name."""
    with reading() as cursor:
        found = roster_pages.listed(cursor, here, kind, after=after, limit=limit)
    return [PersonLine.model_validate(row) for row in found]


@router.post("/people/search")
def search_people(here: ViewerDep, body: Search) -> list[PersonLine]:
    """The first people who match, by name."""
    with reading() as cursor:
        found = roster_pages.find(
            cursor,
            here,
            body.text,
            roster_pages.PEOPLE if body.kind == "people" else ROLES_OF_KIND[body.kind],
            roster_pages.FOUND,
        )
    return [PersonLine.model_validate(row) for row in found]


@router.post("/people/why")
def why(here: ViewerDep, body: Text) -> Why:
    """Why someone is not in the portal: what the source listed in the last run, and what the last Resets deleted."""
    with reading() as cursor:
        found = roster_pages.explained(cursor, here, body.text)
    staged = found["staged"]
    return Why.model_validate(
        {"run_id": staged["id"] if staged else None, "people": found["rows"], "deleted": found["deleted"]}
    )


@router.get("/people/{row_id}")
def get_person(here: ViewerDep, row_id: int) -> Person:
    """One person: classes, licenses, since when, from which run, and why they are not synced if they are not."""
    with reading() as cursor:
        return Person.model_validate(profile_pages.person(cursor, here, row_id))
