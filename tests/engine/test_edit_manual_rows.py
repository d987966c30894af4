"""Rows that people made by hand in the portal are never touched by an Edit."""

# ruff: noqa: S608  (names of our own tables)
from __future__ import annotations

import pytest

from roster_sync.database import db
from tests.dsl.roster import town
from tests.dsl.world import World


def _manual_user(world: World, role: str, **values: str) -> int:
    columns = {"role": role, "given_name": "Hand", "family_name": "Made"} | values
    names = ", ".join(columns)
    marks = ", ".join(["%s"] * len(columns))
    return int(world.value(f"insert into portal.users (district_id, {names}) values (%s, {marks}) returning id",
                           world.district_id, *columns.values()))  # fmt: skip


def _id(world: World, source_id: str) -> int:
    return int(world.person(source_id)["id"])


def test_rows_made_by_hand_are_never_touched(world: World) -> None:
    world.run(town())
    admin = _manual_user(world, "school_admin", email="admin@admins.example")
    dummy = _manual_user(world, "school_admin", email="dummy@admins.example")
    world.do("update portal.users set is_dummy = true where id = %s", dummy)
    school = world.school("S1")["id"]
    world.do("insert into portal.user_schools (user_id, school_id) values (%s, %s), (%s, %s)",
             admin, school, dummy, school)  # fmt: skip
    class_ = world.value("insert into portal.classes (district_id, school_id, title) values (%s, %s, 'By hand')"
                        " returning id", world.district_id, school)  # fmt: skip
    world.do("insert into portal.enrollments (district_id, class_id, user_id, role) values (%s, %s, %s, 'student'),"
             " (%s, %s, %s, 'teacher')", world.district_id, class_, _id(world, "a1"),
             world.district_id, world.class_("c-t1")["id"], _id(world, "t2"))  # fmt: skip
    hand_made = {table: [row for row in rows if ",manual," in row[1]] for table, rows in world.versions().items()}
    assert sum(map(len, hand_made.values())) == 7
    for roster in (town(), town().without("a1", "t2"), town().without("S1", "c-t1", "c-t2"), town()):
        world.run(roster)
        now = {table: [row for row in rows if ",manual," in row[1]] for table, rows in world.versions().items()}
        assert now == hand_made


def test_a_feed_row_equal_to_a_manual_enrollment_leaves_it_manual(world: World) -> None:
    world.run(town())
    world.do("insert into portal.enrollments (district_id, class_id, user_id, role) values (%s, %s, %s, 'student')",
             world.district_id, world.class_("c-t1")["id"], _id(world, "b1"))  # fmt: skip
    world.run(town().enroll("c-t1", "b1", begins_on="2026-09-01"))
    row = world.enrollment("c-t1", "b1")
    assert (row["origin"], row["begins_on"], row["is_active"]) == ("manual", None, True)
    world.run(town())  # the source takes it back; the hand-made row stays
    assert world.enrollment("c-t1", "b1")["is_active"] is True


@pytest.mark.parametrize("was_ended", [True, False])
def test_who_is_put_back_into_a_school_by_hand_is_by_hand_from_then_on(world: World, was_ended: bool) -> None:
    world.registry(roles=("teacher", "student", "school_admin"))
    world.run(town().user("p1", "administrator", "S1", "S2"))
    if was_ended:
        world.run(town().user("p1", "administrator", "S2"))
        assert world.schools_of("p1") == {"S1": False, "S2": True}
    joined = {"user": _id(world, "p1"), "school": world.school("S1")["id"], "district": world.district_id}
    with db.acting_as(world.app, "roster_desk") as cursor:
        db.run(cursor, "ui/join_school", joined)
    world.run(town().user("p1", "administrator", "S2"))
    assert world.schools_of("p1") == {"S1": was_ended, "S2": True}  # who stood there by the feed leaves with it


def test_a_feed_row_equal_to_a_manual_school_tie_leaves_it_manual(world: World) -> None:
    world.run(town())
    world.do("insert into portal.user_schools (user_id, school_id) values (%s, %s)",
             _id(world, "t1"), world.school("S2")["id"])  # fmt: skip
    before = world.versions()["user_schools"]
    world.run(town().with_("t1", org_source_ids="S1,S2"))
    world.run(town())
    assert world.versions()["user_schools"] == before


def test_a_manual_row_that_bears_the_feeds_id_stays_manual_and_is_not_doubled(world: World) -> None:
    world.run(town().without("a1"))
    manual = _manual_user(world, "student", source_id="a1")
    before = world.versions()["users"]
    world.run(town())
    assert world.versions()["users"] == before
    assert world.enrolled("c-t1")["a1"] is True
    assert world.person("a1")["id"] == manual


def test_manual_rows_are_only_ever_offered_for_review(world: World) -> None:
    world.run(town())
    manual = _manual_user(world, "teacher", sis_id="sis-t9", email="t9@people.example", family_name="Family-t9")
    before = next(row for row in world.versions()["users"] if row[1].startswith(f"({manual},"))
    world.run(town().teacher("t9", "S1"))
    assert world.person("t9")["id"] != manual
    assert world.reviews() == {(_id(world, "t9"), manual)}
    assert before in world.versions()["users"]
    world.run(town().teacher("t9", "S1"))
    assert len(world.worklist("match_review")) == 1


def test_a_manual_person_of_the_same_name_in_the_same_school_is_offered_for_review(world: World) -> None:
    world.run(town())
    manual = _manual_user(world, "student", given_name="given-A9", family_name="FAMILY-a9")
    world.do("insert into portal.user_schools (user_id, school_id) values (%s, %s)", manual, world.school("S1")["id"])
    world.run(town().student("a9", "S1"))
    assert world.reviews() == {(_id(world, "a9"), manual)}


def test_a_license_of_a_manual_row_and_of_a_synced_one_survive_every_edit(world: World) -> None:
    world.run(town())
    for person in ("t1", "t2", "a1"):
        world.license(user=person)
    world.license(school="S1")
    licenses = world.versions()["license_assignments"]
    for roster in (town().without("t1"), town().without("S1"), town().all_renamed(), town()):
        world.run(roster, max_deleted_percent=100)
        assert world.versions()["license_assignments"] == licenses
