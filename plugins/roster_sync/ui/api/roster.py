"""The HTTP API's look-ups: schools, classes and people as the portal holds them, and why someone is not there."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from roster_sync.ui.api import roster_models as models
from roster_sync.ui.pages import people, rosters
from roster_sync.ui.web.pool import reading
from roster_sync.ui.web.rights import ViewerDep

MOST = 200
Limit = Annotated[int, Query(ge=1, le=MOST)]
After = Annotated[int, Query(ge=0, description="The id of the last row of the page before")]
router = APIRouter(prefix="/districts/{key}", tags=["Roster"])


@router.get("/roster/schools")
def list_schools(here: ViewerDep, after: After = 0, limit: Limit = 50) -> list[models.SchoolLine]:
    """Schools by name."""
    with reading() as cursor:
        found = rosters.listed(cursor, here, "schools", after=after, limit=limit)
    return [models.SchoolLine.model_validate(row) for row in found]


@router.get("/roster/classes")
def list_classes(
    here: ViewerDep, after: After = 0, school: Annotated[int, Query(ge=0)] = 0, limit: Limit = 50
) -> list[models.ClassLine]:
    """Classes by title; of one school where its id is given."""
    with reading() as cursor:
        found = rosters.listed(cursor, here, "classes", after=after, school=school, limit=limit)
    return [models.ClassLine.model_validate(row) for row in found]


@router.get("/roster/{kind}")
def list_people(
    here: ViewerDep, kind: models.PeopleKind, after: After = 0, limit: Limit = 50
) -> list[models.PersonLine]:
    """Teachers, students or admins by name."""
    with reading() as cursor:
        found = rosters.listed(cursor, here, kind, after=after, limit=limit)
    return [models.PersonLine.model_validate(row) for row in found]


@router.post("/people/search")
def search_people(here: ViewerDep, body: models.Search) -> list[models.PersonLine]:
    """The first people that fit, by name."""
    with reading() as cursor:
        found = rosters.find(cursor, here, body.text, rosters.ROLES[body.kind], rosters.FOUND)
    return [models.PersonLine.model_validate(row) for row in found]


@router.post("/people/why")
def why(here: ViewerDep, body: models.Text) -> models.Why:
    """Why someone is not in the portal: what the source said in the last run, and what the last Resets deleted."""
    with reading() as cursor:
        found = rosters.explained(cursor, here, body.text)
    staged = found["staged"]
    return models.Why.model_validate(
        {"run_id": staged["id"] if staged else None, "people": found["rows"], "deleted": found["deleted"]}
    )


@router.get("/people/{row_id}")
def get_person(here: ViewerDep, row_id: int) -> models.Person:
    """One person: classes, licenses, since when, from which run, and why not synced if not."""
    with reading() as cursor:
        return models.Person.model_validate(people.person(cursor, here, row_id))
