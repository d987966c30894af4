"""The same person under a new Clever id keeps row, role, licenses and books where it is proved; else people decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.simulator.district import MadeUpDistrict
from roster_sync.engine import matching
from tests.cross_source.everywhere import Everywhere
from tests.dsl.roster import MemorySource, Roster
from tests.dsl.world import World

GONE_300_DAYS = {2: [("student_leaves", 5)], 303: [("student_returns", 5)]}
NEW_SIS_ID = {2: [("student_gets_new_sis_id", 5)]}
NEW_SIS_ID_NO_EMAIL = {2: [("student_gets_new_sis_id", 13)]}
"""Student 13 of a made-up district has no email."""
ISSUER = "clever:d1"


class Nights:
    """A made-up district at Clever, night by night, and one student of it."""

    def __init__(self, made_up: Everywhere, student: int) -> None:
        self.made_up, self.student = made_up, student
        self.world = made_up.portal_of("clever")
        self.sync(1)

    def sync(self, day: int) -> None:
        self.made_up.set_day(day)
        ran = self.made_up.sync("clever")
        assert (ran.status, ran.message) == ("launched", "")

    @property
    def clever_id(self) -> str:
        return self.made_up.district.day(self.made_up.day).person_clever_id("student", self.student)

    def person(self) -> dict[str, Any]:
        return self.world.person(self.clever_id)

    def give_books_and_a_license(self) -> None:
        world, person = self.world, self.person()["id"]
        world.license(user=self.clever_id)
        world.do("insert into portal.books (code, title) values ('b1', 'Book')")
        world.do("insert into portal.class_books select e.class_id, b.id from portal.enrollments e, portal.books b"
                 " where e.user_id = %s", person)  # fmt: skip
        world.do("insert into portal.student_books (user_id, class_id, book_id) select e.user_id, e.class_id, b.id"
                 " from portal.enrollments e, portal.books b where e.user_id = %s", person)  # fmt: skip

    def belongings(self) -> list[tuple[str, int]]:
        found = self.world.rows(
            "select 'license' as what, user_id from portal.license_assignments where user_id is not null"
            " union all select 'book', user_id from portal.student_books order by 1, 2"
        )
        return [(row["what"], row["user_id"]) for row in found]


@pytest.mark.parametrize(("script", "back_on"), [(GONE_300_DAYS, 303), (NEW_SIS_ID, 2)])
def test_a_new_id_of_the_same_person_is_followed_on_proof(
    everywhere: Callable[..., Everywhere], script: Any, back_on: int
) -> None:
    nights = Nights(everywhere(MadeUpDistrict(41, 60, 2, many_terms=False, churn=0, script=script)), 5)
    nights.give_books_and_a_license()
    before, before_id, belongings = nights.person(), nights.clever_id, nights.belongings()
    if back_on > 2:
        nights.sync(2)
        assert not nights.person()["is_shared"]
        assert nights.belongings() == belongings
    nights.sync(back_on)
    after = nights.person()
    assert nights.clever_id != before_id
    assert (after["id"], after["role"], after["is_shared"]) == (before["id"], "student", True)
    assert nights.belongings() == belongings
    assert nights.world.reviews() == set()
    assert nights.world.value("select bool_and(is_active) from portal.enrollments where user_id = %s", after["id"])
    query = "select source_id from sync.source_ids where entity = 'users' and row_id = %s"
    known = nights.world.rows(query, after["id"])
    assert {row["source_id"] for row in known} == {before_id, nights.clever_id}


def test_a_new_id_without_proof_is_someone_new_and_put_up_for_review(everywhere: Callable[..., Everywhere]) -> None:
    made_up = everywhere(MadeUpDistrict(41, 60, 2, many_terms=False, churn=0, script=NEW_SIS_ID_NO_EMAIL))
    nights = Nights(made_up, 13)
    nights.give_books_and_a_license()
    before, belongings = nights.person(), nights.belongings()
    nights.sync(2)
    after = nights.person()
    assert after["id"] != before["id"]
    assert nights.world.reviews() == {(after["id"], before["id"])}
    assert nights.belongings() == belongings, "what the earlier row has stays with it"
    ran = made_up.sync("clever", mode="reset", max_deleted_percent=100)
    assert ran.status == "launched"
    assert nights.belongings() == belongings, "no Reset deletes the candidate of an open review"

    (item,) = nights.world.worklist("match_review")
    matching.same_person(nights.world.app, item["id"], "Pat Decider")
    assert nights.person()["id"] == before["id"]
    assert nights.belongings() == belongings
    quiet = nights.world.versions()
    nights.sync(2)
    assert nights.world.versions() == quiet


def test_a_teacher_who_is_promoted_is_not_gone_and_keeps_role_and_licenses(
    everywhere: Callable[..., Everywhere],
) -> None:
    script = {2: [("teacher_is_promoted", 3)]}
    made_up = everywhere(MadeUpDistrict(41, 60, 2, many_terms=False, churn=0, script=script))
    world = made_up.portal_of("clever")
    assert made_up.sync("clever").status == "launched"
    clever_id = made_up.district.day(1).person_clever_id("teacher", 3)
    before = world.person(clever_id)
    world.license(user=clever_id)
    made_up.set_day(2)
    for parameters in ({}, {"mode": "reset", "max_deleted_percent": 100}):
        ran = made_up.sync("clever", **parameters)
        assert (ran.status, ran.message) == ("launched", "")
        after = world.person(clever_id)
        assert (after["id"], after["role"], after["is_shared"]) == (before["id"], "teacher", True)
        assert world.value("select user_id from portal.license_assignments") == before["id"]
    assert [item["subject_id"] for item in world.worklist("role_drift")] == [before["id"]]


# -- a merged user that Clever splits ----------------------------------------------------------------------------------


def merged() -> Roster:
    """One Clever user who teaches and is staff."""
    roster = Roster().school("S1").user("u1", "teacher,staff", "S1", identifier="T-1", email="kim@people.example",
                                        given_name="Kim", family_name="Kestrel")  # fmt: skip
    roster.students("p", 6, "S1")
    return roster.class_("k1", "S1", teachers="u1", students=["p1", "p2"])


def split(*, teaches: str, staff: str, **teacher: str) -> Roster:
    """The same person as two users; `teaches` has the class."""
    names = {"given_name": "Kim", "family_name": "Kestrel", "identifier": "T-1"}
    roster = merged().without("u1")
    roster.user(teaches, "teacher", "S1", **{**names, "email": "kim@people.example", **teacher})
    roster.user(staff, "staff", "S1", **{**names, "email": "kim@people.example", "identifier": "S-9"})
    roster.enroll("k1", teaches, "teacher", is_primary="true")
    return roster


@pytest.fixture
def kim(world: World) -> World:
    assert world.run(MemorySource(merged(), ISSUER)).status == "launched"
    world.license(user="u1")
    return world


def test_the_half_that_keeps_id_and_role_stays_who_it_is(kim: World) -> None:
    before = kim.person("u1")
    assert kim.run(MemorySource(split(teaches="u1", staff="u2"), ISSUER)).status == "launched"
    assert kim.person("u1")["id"] == before["id"]
    assert (kim.reviews(), kim.worklist("role_drift")) == (set(), [])
    assert "u2" not in kim.ids("users"), "Clever's staff creates no one"


@pytest.mark.parametrize("teacher", [{}, {"identifier": "T-2"}, {"email": "kim.kestrel@people.example"}])
def test_the_half_that_teaches_under_a_new_id_is_put_up_for_review(kim: World, teacher: dict[str, str]) -> None:
    before = kim.person("u1")
    feed = split(teaches="u2", staff="u1", **teacher)
    assert kim.run(MemorySource(feed, ISSUER)).status == "launched"
    new = kim.person("u2")
    assert kim.reviews() == {(new["id"], before["id"])}
    assert kim.person("u1")["role"] == "teacher", "a role is given once"
    assert kim.value("select user_id from portal.license_assignments") == before["id"]

    (item,) = kim.worklist("match_review")
    matching.same_person(kim.app, item["id"], "Pat Decider")
    assert kim.person("u2")["id"] == before["id"]
    assert kim.value("select user_id from portal.license_assignments") == before["id"]
    assert kim.run(MemorySource(feed, ISSUER)).status == "launched"
    assert kim.ids("users", "role = 'teacher'") == {"u2"}
    assert kim.enrolled("k1")["u2"]
    assert kim.reviews() == set()


def test_someone_new_of_the_same_name_next_to_a_teacher_who_became_staff_is_nobody_else(kim: World) -> None:
    feed = split(teaches="u2", staff="u1", identifier="T-2", email="another.kim@people.example")
    assert kim.run(MemorySource(feed, ISSUER)).status == "launched"
    assert kim.reviews() == set()
    assert len(kim.ids("users", "role = 'teacher'")) == 2
