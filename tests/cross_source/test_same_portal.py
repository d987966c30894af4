"""The same made-up district ends in the same portal, whichever way it shares, but for ids and what a source lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.simulator.district import MadeUpDistrict
from tests.cross_source.everywhere import WAYS, Everywhere
from tests.cross_source.portal_image import Image, Meanings, differences, image

LACKED_BY_CLEVER = {
    ("users", "is_enabled"): "Clever has no enabledUser: everyone is enabled",
    ("classes", "sis_id"): "a section's sis_id is the SIS's own number; OneRoster gives the classCode",
    ("enrollments", "begins_on"): "Clever's enrollments are made from sections, which have no dates",
    ("enrollments", "ends_on"): "Clever's enrollments are made from sections, which have no dates",
}
LACKED_BY_DISTRICT_ADMINS_OF_CLEVER = ("sis_id", "username", "state_id")
"""roles.district_admin holds a title and nothing else."""
ROLES = ("teacher", "student", "district_admin")


@pytest.mark.parametrize(
    ("seed", "ways", "days"),
    [
        (5, WAYS, (1, 2, 3, 5)),  # a school opens on day 3; one closes and a term gets another name and id on day 5
        (6, ("clever", "rest11", "csv12"), (1, 4, 6)),
        (9, ("clever", "rest12", "csv11"), (1, 2, 7)),
    ],
)
def test_the_same_district_ends_in_the_same_portal(
    everywhere: Callable[..., Everywhere], seed: int, ways: tuple[str, ...], days: tuple[int, ...]
) -> None:
    made_up = everywhere(MadeUpDistrict(seed, 150, 3, many_terms=False, churn=0.05))
    made_up.world.registry(roles=ROLES)
    meanings = Meanings()
    for day in days:
        made_up.set_day(day)
        meanings.learn(made_up.district.day(day))
        for way in ways:
            ran = made_up.sync(way, max_deleted_percent=100)
            assert (ran.status, ran.message) == ("launched", ""), (day, way)
        portals = {way: image(made_up.portal_of(way), meanings) for way in ways}
        check_is_what_is_shared(portals[ways[-1]], made_up, has_district_admins="11" not in ways[-1])
        for way in ways[:-1]:
            found = differences(portals[way], portals[ways[-1]])
            left = [one for one in found if not is_lacked(one, way, ways[-1], portals[way])]
            assert left == [], (day, way)
        check_who_has_no_proof_is_put_up_for_review(made_up, portals["clever"])
    assert any(row["is_shared"] is False for row in portals["clever"].tables["users"].values())


def is_lacked(difference: tuple[str, Any, str, Any, Any], way: str, other: str, ours: Image) -> bool:
    """Whether a difference is one that a source cannot help."""
    table, key, name, mine, theirs = difference
    is_admin = table == "users" and key[0] == "admin"
    if is_admin and name == "" and ("11" in way) != ("11" in other):
        return True  # OneRoster 1.1 has one word for the administrators of schools and of districts
    if way != "clever":
        return False
    if is_admin and name in LACKED_BY_DISTRICT_ADMINS_OF_CLEVER:
        return mine is None
    if table == "users" and name == "is_enabled":
        return mine is True
    if table == "enrollments" and name in ("begins_on", "ends_on"):
        return mine is None
    if table in ("enrollments", "memberships") and key[1] in ours.earlier:
        # what they were in before stands on the earlier row until a person says that both are one
        is_class_gone = table == "enrollments" and not ours.tables["classes"][key[0]]["is_shared"]
        is_over = is_class_gone or not theirs["is_active"]
        return name == "" and mine is None and is_over
    return (table, name) in LACKED_BY_CLEVER


def check_is_what_is_shared(portal: Image, made_up: Everywhere, *, has_district_admins: bool) -> None:
    """The portals are not only alike: they hold what the district shares."""
    day = made_up.district.day(made_up.day)
    shared = {name for table in ("schools", "users", "classes") for name, row in portal.tables[table].items()
              if row["is_shared"]}  # fmt: skip
    kinds = ("teacher", "student", "admin") if has_district_admins else ("teacher", "student")
    people = {(person.kind, person.key) for person in day.users(*kinds) if set(ROLES_OF[person.kind]) & words(person)}
    known = {("teacher", person.key) for person in day.users("teacher")} & portal.tables["users"].keys()
    assert shared == (
        {("school", school.key) for school in day.schools()}
        | {("class", class_.key) for class_ in day.classes()} | people | known
    )  # fmt: skip
    classes = portal.tables["classes"]
    active = {
        key
        for key, row in portal.tables["enrollments"].items()
        if row["is_active"] and classes[key[0]]["is_shared"]  # what stood in a class that is gone stays as it was
    }
    assert active == {
        (("class", line.class_index), (line.kind, line.person), line.kind)
        for line in day.enrollments()
    }  # fmt: skip


ROLES_OF = {"teacher": ("teacher",), "student": ("student",), "admin": ("districtAdministrator",)}


def words(person: Any) -> set[str]:
    return {held.role for held in person.roles}


def check_who_has_no_proof_is_put_up_for_review(made_up: Everywhere, portal: Image) -> None:
    """Whose SIS id changed, and who has no email, a relative's, or a new family name, comes as someone new."""
    reviews = made_up.portal_of("clever").reviews()
    for name, row_id in portal.earlier.items():
        assert (portal.ids[name], row_id) in reviews
