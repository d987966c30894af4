"""What the HTTP API tells of schools, classes and people, as OpenAPI shows it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from roster_sync.ui.api.models import Model

PeopleKind = Literal["teachers", "students", "admins"]


class Search(Model):
    """Whom to find. In a body, because a name must not stand in an address."""

    text: str = Field(max_length=100, description="The beginning of a name or two, a whole email, or an id")
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


class Text(Model):
    """What to find. In a body, because a name must not stand in an address."""

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
    ids: list[dict[str, Any]] | None = Field(description="Ids at the source, with issuer and the run that first saw it")


class PersonSchool(BaseModel):
    """A school in which the person stands, or stood."""

    id: int
    name: str
    is_shared: bool
    is_active: bool
    is_primary: bool
    is_selected: bool
    origin: str
    ended_at: datetime | None


class PersonClass(BaseModel):
    """A class in which the person is, or was."""

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
    """What stands on the worklist about the row."""

    kind: str
    opened_at: datetime
    opened_run_id: int | None


class RowFinding(BaseModel):
    """What a rule found in the row lately."""

    run_id: int
    started_at: datetime
    severity: str
    rule: str
    field: str | None
    message: str


class Person(BaseModel):
    """Is this person here, in which classes, with which licenses, since when, from which run, and if not, why."""

    person: PersonFacts
    why: str = Field(description="Why the person is not synced now; empty where all is well")
    is_deselected: bool
    schools: list[PersonSchool]
    classes: list[PersonClass]
    licenses: list[License]
    changes: list[RowChange]
    items: list[OpenItem]
    findings: list[RowFinding]


class Sought(BaseModel):
    """Someone whom the source named in the last run that is still kept."""

    source_id: str
    label: str
    email: str | None
    schools: list[dict[str, Any]] | None
    user_id: int | None = Field(description="The person in the portal, if there")
    why: str = Field(description="Why the portal does not hold, or not show, the person; empty where it does")


class Deleted(BaseModel):
    """Someone whom a Reset deleted."""

    run_id: int
    started_at: datetime
    given_name: str | None
    family_name: str | None
    role: str | None


class Why(BaseModel):
    """What is known of someone who is not in the portal."""

    run_id: int | None = Field(description="The run whose roster was searched; null where none is kept any more")
    people: list[Sought]
    deleted: list[Deleted]
