"""A district that moves from ClassLink (OneRoster) to Clever: held once as a whole, then nothing is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.simulator.district import MadeUpDistrict
from roster_sync.config.districts import SourceSettings
from tests.cross_source.everywhere import Everywhere, run
from tests.cross_source.portal_image import Image, Meanings, differences, image
from tests.dsl.handwork import Kept, kept, work
from tests.dsl.world import Ran

ROLES = ("teacher", "school_admin", "district_admin", "student")
CHANGES_WITH_THE_SOURCE = {
    ("classes", "sis_id"), ("users", "is_enabled"), ("enrollments", "begins_on"), ("enrollments", "ends_on"),
}  # fmt: skip
DISTRICT_ADMINS_LOSE = {("users", "sis_id"), ("users", "username")}
"""Clever tells of them their name and email, and nothing else."""


class Moving:
    """One portal; its district comes from OneRoster first and from Clever later."""

    def __init__(self, made_up: Everywhere) -> None:
        self.made_up, self.meanings = made_up, Meanings()
        self.world = made_up.world.registry(roles=ROLES)
        self.set_day(1)

    def set_day(self, day: int) -> None:
        self.made_up.set_day(day)
        self.meanings.learn(self.made_up.district.day(day))

    def sync(self, way: str) -> Ran:
        self.world.registry(source=SourceSettings("clever" if way == "clever" else "oneroster"))
        return run(self.world, self.made_up.source(way))

    def image(self) -> Image:
        return image(self.world, self.meanings)

    def ids_of(self, kind: str, count: int, every: int = 1) -> list[int]:
        names = sorted(name for name in self.image().ids if name[0] == kind)
        return [self.image().ids[name] for name in names[: count * every : every]]

    def work(self) -> None:
        work(self.world)

    def kept(self) -> Kept:
        return kept(self.world)

    def drift(self) -> list[int]:
        """Whose role is another at the source."""
        return sorted(item["subject_id"] for item in self.world.worklist("role_drift"))


CHANGES = {2: [("student_leaves", 5), ("student_joins", 0), ("student_gets_new_sis_id", 9), ("student_marries", 4),
               ("teacher_joins", 1), ("class_closes", 7)]}  # fmt: skip


@pytest.fixture
def moving(everywhere: Callable[..., Everywhere]) -> Moving:
    return Moving(everywhere(MadeUpDistrict(31, 200, 3, many_terms=False, churn=0.04)))


def held_as_a_whole(moving: Moving) -> Ran:
    before, kept = moving.world.versions(), moving.kept()
    ran = moving.sync("clever")
    assert ran.status == "held"
    assert moving.world.plan_of(ran.id)["scope"] == "everything"
    assert "another source" in ran.message
    assert moving.world.versions() == before, "a district that moves is held with its adds too"
    assert moving.kept() == kept
    return ran


@pytest.mark.parametrize("way", ["rest11", "rest12"])
def test_a_district_that_moves_to_clever_is_held_once_and_then_keeps_everything(moving: Moving, way: str) -> None:
    assert moving.sync(way).status == "launched"
    moving.work()
    moving.set_day(2)
    assert moving.sync(way).status == "launched"
    before, kept, drift = moving.image(), moving.kept(), moving.drift()
    ran = held_as_a_whole(moving)
    assert moving.world.approve(ran.id).status == "launched"

    after = moving.image()
    assert after.ids == before.ids, "every row is the row that it was"
    assert after.earlier == {}
    assert moving.kept() == kept
    assert moving.world.reviews() == set()
    # OneRoster 1.1 calls those of the district's office administrators of schools; Clever knows better
    office = {after.ids[name] for name in after.ids if name[0] == "admin"} if way == "rest11" else set()
    assert moving.drift() == sorted({*drift, *office}), "Clever's staff are the school admins that they were"
    changed = {(table, name) for table, key, name, _, _ in differences(before, after)}
    assert changed <= CHANGES_WITH_THE_SOURCE | DISTRICT_ADMINS_LOSE
    assert all(key[0] == "admin" for table, key, name, _, _ in differences(before, after)
               if (table, name) in DISTRICT_ADMINS_LOSE)  # fmt: skip
    issuers = moving.world.rows("select distinct issuer from portal.users where origin = 'sync' and is_shared")
    assert issuers == [{"issuer": f"clever:{moving.made_up.at_clever.id}"}]

    quiet = moving.world.versions()
    again = moving.sync("clever")
    assert (again.status, moving.world.versions() == quiet) == ("launched", True), "held once, then never again"
    moving.set_day(3)
    assert moving.sync("clever").status == "launched"


def test_a_move_with_changes_in_between_adds_and_removes_what_changed_and_no_more(
    everywhere: Callable[..., Everywhere],
) -> None:
    moving = Moving(everywhere(MadeUpDistrict(32, 200, 3, many_terms=False, churn=0, script=CHANGES)))
    moving.sync("rest12")
    moving.work()
    before, kept = moving.image(), moving.kept()
    moving.set_day(2)
    ran = held_as_a_whole(moving)
    assert moving.world.approve(ran.id).status == "launched"
    after = moving.image()
    assert {name: after.ids[name] for name in before.ids} == before.ids
    for name in ("licenses", "class books", "books", "by hand"):
        assert moving.kept()[name] == kept[name]
    day = moving.made_up.district.day(2)
    shared = {name for name, row in after.tables["users"].items() if row["is_shared"] and name[0] == "student"}
    assert shared == {("student", student.key) for student in day.users("student")}


def test_a_move_keeps_the_selection_of_schools_and_leaves_the_others_alone(moving: Moving) -> None:
    assert moving.sync("rest11").status == "launched"
    moving.work()
    world, names = moving.world, moving.meanings.names
    school_ids = sorted(moving.world.ids("schools"), key=lambda source_id: names[source_id])
    world.select_schools(*school_ids[:2])
    assert moving.sync("rest11").status == "launched"
    before, kept = moving.image(), moving.kept()
    left_alone = world.rows("select * from portal.classes where school_id = %s", world.school(school_ids[2])["id"])
    left_alone += world.rows("select * from portal.schools where id = %s", world.school(school_ids[2])["id"])

    assert world.approve(held_as_a_whole(moving).id).status == "launched"
    selected = world.rows("select source_id, is_selected from sync.school_selection")
    assert {names[row["source_id"]]: row["is_selected"] for row in selected} == {
        ("school", 0): True, ("school", 1): True, ("school", 2): False,
    }  # fmt: skip
    assert not {row["source_id"] for row in selected} & set(school_ids), "the selection has followed the schools"
    assert moving.image().ids == before.ids
    assert moving.kept() == kept
    school = left_alone[-1]["id"]
    assert world.rows("select * from portal.classes where school_id = %s", school) == left_alone[:-1]
    assert world.rows("select * from portal.schools where id = %s", school) == left_alone[-1:]
    quiet = world.versions()
    assert moving.sync("clever").status == "launched"
    assert world.versions() == quiet


def test_a_move_that_nobody_approves_changes_nothing_and_is_asked_again(moving: Moving) -> None:
    moving.sync("rest11")
    moving.work()
    ran = held_as_a_whole(moving)
    assert moving.world.answer("rejected", run=ran.id)
    held_as_a_whole(moving)
