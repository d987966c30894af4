"""The table of situations (docs/rules.md, R1): what an Edit does with each."""

from __future__ import annotations

from datetime import date

import pytest

from tests.dsl.csv_files import csv_files
from tests.dsl.roster import MemorySource, Roster, town
from tests.dsl.world import World


def test_a_new_school_that_is_selected_is_added_with_all_below_it(world: World) -> None:
    ran = world.run(town())
    assert ran.status == "launched"
    assert world.shared("schools") == {"S1", "S2"}
    assert world.ids("users", "role = 'teacher'") == {"t1", "t2", "t3", "t4"}
    assert world.ids("users", "role = 'student'") == {"a1", "a2", "a3", "a4", "b1", "b2", "b3", "b4"}
    assert world.shared("classes") == {"c-t1", "c-t2", "c-t3", "c-t4"}
    assert world.enrolled("c-t1") == {"t1": True, "a1": True, "a2": True}
    assert world.schools_of("a1") == {"S1": True}
    assert world.counts(ran, "schools") == {"received": 2, "added": 2}
    assert world.value("select count(*) from portal.users where origin <> 'sync'") == 0


def test_a_feed_of_files_and_one_of_records_make_the_same_portal(world: World) -> None:
    other = world.elsewhere("glen")
    world.run(town())
    assert other.run(csv_files(town())).status == "launched"
    for table in ("schools", "users", "classes"):
        assert other.shared(table) == world.shared(table)
    assert other.enrolled("c-t3") == world.enrolled("c-t3")


def test_a_known_school_is_updated_and_its_licenses_admins_and_books_are_untouched(world: World) -> None:
    world.run(town())
    license = world.license(school="S1")
    world.give_book("c-t1", "a1")
    world.do("insert into portal.users (district_id, role, email) values (%s, 'school_admin', 'a@admins.example')",
             world.district_id)  # fmt: skip
    world.do("insert into portal.user_schools (user_id, school_id) select max(u.id), %s from portal.users u",
             world.school("S1")["id"])  # fmt: skip
    before = world.versions()
    ran = world.run(town().with_("S1", name="Renamed School"))
    assert world.school("S1")["name"] == "Renamed School"
    assert world.counts(ran, "schools")["updated"] == 1
    after = world.versions()
    for table in ("license_assignments", "user_schools", "class_books", "student_books", "users"):
        assert after[table] == before[table]
    assert world.value("select school_id from portal.license_assignments where id = %s", license)


def test_a_selected_school_no_longer_in_the_feed_stays_and_is_not_shared(world: World) -> None:
    world.run(town())
    license = world.license(school="S2")
    ran = world.run(town().without("S2", "c-t3", "c-t4", "t3", "t4", "b1", "b2", "b3", "b4"))
    assert ran.status == "launched"
    assert world.unshared("schools") == {"S2"}
    assert world.school("S2")["last_shared_at"] is not None
    assert world.school("S1")["last_shared_at"] is None
    assert world.value("select count(*) from portal.license_assignments where id = %s", license) == 1
    assert world.unshared("classes") == {"c-t3", "c-t4"}


def test_a_deselected_school_is_not_touched_at_all_nor_are_its_classes(world: World) -> None:
    world.run(town())
    world.select_schools("S1")
    before = world.versions()
    changed = town().with_("S2", name="Another name").with_("c-t3", title="Another title").without_rows("c-t4")
    changed = changed.with_("b1", family_name="Newname").without("b2").student("b9", "S2")
    changed.enroll("c-t3", "b9")
    ran = world.run(changed)
    assert ran.status == "launched"
    assert world.versions() == before
    ended = changed.with_("S2", status="tobedeleted").with_("c-t3", status="tobedeleted")
    world.run(ended.with_("b1", status="tobedeleted"))
    assert world.versions() == before
    gone = changed.without("S2", "c-t3", "t3", "t4", "b1", "b3", "b4", "b9")
    world.run(gone)
    assert world.versions() == before


def test_a_new_teacher_is_added_as_teacher_without_a_license(world: World) -> None:
    world.run(town())
    world.license(user="t1")
    ran = world.run(town().teacher("t9", "S1"))
    assert world.person("t9")["role"] == "teacher"
    assert world.counts(ran, "teachers")["added"] == 1
    assert world.value("select count(*) from portal.license_assignments where user_id = %s",
                       world.person("t9")["id"]) == 0  # fmt: skip


def test_a_known_teacher_is_updated_in_name_email_schools_and_classes_and_keeps_role_and_licenses(world: World) -> None:
    world.run(town())
    world.license(user="t1")
    licenses = world.versions()["license_assignments"]
    changed = town().with_("t1", family_name="Married", email="new@people.example", org_source_ids="S1,S2")
    changed.enroll("c-t3", "t1", "teacher")
    world.run(changed)
    person = world.person("t1")
    assert (person["family_name"], person["email"], person["role"]) == ("Married", "new@people.example", "teacher")
    assert world.schools_of("t1") == {"S1": True, "S2": True}
    assert world.enrolled("c-t3")["t1"] is True
    assert world.versions()["license_assignments"] == licenses


def test_a_teacher_no_longer_shared_stays_and_keeps_the_licenses(world: World) -> None:
    world.run(town())
    license = world.license(user="t2")
    person = world.person("t2")
    ran = world.run(town().without("t2"))
    assert ran.status == "launched"
    after = world.person("t2")
    assert (after["id"], after["is_shared"], after["role"]) == (person["id"], False, "teacher")
    assert after["last_shared_at"] is not None
    assert world.value("select user_id from portal.license_assignments where id = %s", license) == person["id"]
    assert world.schools_of("t2") == {"S1": False}
    assert world.enrolled("c-t2")["t2"] is False
    assert world.counts(ran, "teachers")["unshared"] == 1


def test_a_new_student_in_a_class_with_books_gets_no_books(world: World) -> None:
    world.run(town())
    world.give_book("c-t1", "a1", "a2")
    before = world.versions()
    roster = town().student("a9", "S1").enroll("c-t1", "a9").enroll("c-t1", "a3")
    world.run(roster)
    assert world.enrolled("c-t1") == dict.fromkeys(("t1", "a1", "a2", "a3", "a9"), True)
    assert world.versions()["student_books"] == before["student_books"]


def test_a_known_student_is_updated_and_the_books_stay(world: World) -> None:
    world.run(town())
    world.give_book("c-t1", "a1")
    before = world.versions()
    world.run(town().with_("a1", grades="08", username="other"))
    person = world.person("a1")
    assert (person["grade"], person["username"]) == ("08", "other")
    assert world.versions()["student_books"] == before["student_books"]


def test_a_student_no_longer_shared_stays_and_their_enrollments_end_with_the_rows_kept(world: World) -> None:
    world.run(town())
    world.give_book("c-t1", "a1")
    ran = world.run(town().without("a1"))
    assert world.unshared("users") == {"a1"}
    ended = world.enrollment("c-t1", "a1")
    assert ended["is_active"] is False
    assert ended["ended_at"] is not None
    assert world.value("select count(*) from portal.student_books") == 1
    assert world.counts(ran, "students") == {"received": 7, "unchanged": 7, "unshared": 1}


def test_a_person_who_left_a_class_that_is_still_shared_keeps_the_row_which_is_no_longer_active(world: World) -> None:
    world.run(town())
    left = town()
    left.collections["enrollments"] = [e for e in left.collections["enrollments"] if e["source_id"] != "e-c-t1-a1"]
    ran = world.run(left)
    assert world.enrolled("c-t1") == {"t1": True, "a1": False, "a2": True}
    assert world.enrollment("c-t1", "a1")["ended_at"] is not None
    assert world.person("a1")["is_shared"] is True
    assert world.counts(ran, "enrollments")["unshared"] == 1


@pytest.mark.parametrize("status", ["tobedeleted", "inactive"])
def test_is_active_means_that_the_feed_holds_the_enrollment_with_status_active(world: World, status: str) -> None:
    world.run(town())
    world.run(town().with_("e-c-t1-a1", status=status))
    assert world.enrolled("c-t1")["a1"] is False
    world.run(town())
    again = world.enrollment("c-t1", "a1")
    assert again["is_active"] is True
    assert again["ended_at"] is None


def test_dates_of_an_enrollment_are_stored_and_decide_nothing(world: World) -> None:
    world.run(town().with_("e-c-t1-a1", begins_on="2019-08-20", ends_on="2020-06-01"))
    enrollment = world.enrollment("c-t1", "a1")
    assert (enrollment["begins_on"], enrollment["ends_on"]) == (date(2019, 8, 20), date(2020, 6, 1))
    assert enrollment["is_active"] is True


def test_an_enrollment_that_was_never_active_is_not_added(world: World) -> None:
    world.run(town().with_("e-c-t1-a1", status="tobedeleted"))
    assert world.enrolled("c-t1") == {"t1": True, "a2": True}


def test_a_class_that_changed_is_updated_and_one_that_is_gone_stays_and_is_not_shared(world: World) -> None:
    world.run(town())
    world.give_book("c-t2", "a3")
    ran = world.run(town().with_("c-t1", title="Algebra", periods="4", subjects="math,science").without_rows("c-t2"))
    class_ = world.class_("c-t1")
    assert (class_["title"], class_["period"], class_["subject"]) == ("Algebra", "4", "math")
    assert world.unshared("classes") == {"c-t2"}
    assert world.counts(ran, "classes") == {"received": 3, "updated": 1, "unchanged": 2, "unshared": 1}
    assert world.value("select count(*) from portal.class_books") == 1


def test_the_enrollments_of_a_class_that_is_gone_stay_as_they_are(world: World) -> None:
    world.run(town())
    world.run(town().without("c-t2"))
    assert world.enrolled("c-t2") == {"t2": True, "a3": True, "a4": True}
    world.run(town().without("a3", "c-t2"))  # gone as a whole, and one of its people later
    assert world.enrolled("c-t2") == {"t2": True, "a3": True, "a4": True}


@pytest.mark.parametrize(("gone", "table"), [("S2", "schools"), ("t1", "users"), ("a1", "users"), ("c-t1", "classes")])
def test_something_unshared_that_comes_back_is_the_same_row_restored(world: World, gone: str, table: str) -> None:
    world.run(town())
    world.license(user="t1")
    world.license(school="S2")
    world.give_book("c-t1", "a1")
    kept = world.versions()
    row = world._one(table, gone)
    world.run(town().without(gone, *(("c-t3", "c-t4") if gone == "S2" else ())))
    assert gone in world.unshared(table)
    ran = world.run(town())
    again = world._one(table, gone)
    assert (again["id"], again["is_shared"]) == (row["id"], True)
    assert world.unshared(table) == set()
    assert world.value("select count(*) from portal.enrollments where not is_active") == 0
    assert world.value("select count(*) from portal.user_schools where not is_active") == 0
    for name in ("license_assignments", "class_books", "student_books"):
        assert world.versions()[name] == kept[name]
    assert ran.status == "launched"


def test_an_edit_never_deletes_a_row(world: World) -> None:
    world.run(town())
    before = {table: len(rows) for table, rows in world.versions().items()}
    ran = world.run(MemorySource(town().without("S2", "c-t1", "t1", "a1", "c-t3", "b1")))
    assert ran.status == "launched"
    assert {table: len(rows) for table, rows in world.versions().items()} == before
    assert world.value("select sum(deleted) from sync.run_counts") == 0


def test_synced_columns_follow_the_feed_a_hand_changed_name_goes_back(world: World) -> None:
    world.run(town())
    world.do("update portal.users set family_name = 'Typo', grade = '01' where source_id = 'a1'")
    world.do("update portal.schools set name = 'Typo' where source_id = 'S1'")
    world.do("update portal.classes set title = 'Typo' where source_id = 'c-t1'")
    world.run(town())
    assert (world.person("a1")["family_name"], world.person("a1")["grade"]) == ("Family-a1", "07")
    assert world.school("S1")["name"] == "School S1"
    assert world.class_("c-t1")["title"] == "Class c-t1"


def test_a_hand_set_is_enabled_false_stays_whatever_the_source_says(world: World) -> None:
    world.run(town())
    world.do("update portal.users set is_enabled = false where source_id in ('a1', 'a2')")
    for roster in (town(), town().with_("a1", is_enabled="false"), town()):
        world.run(roster)
        assert world.person("a1")["is_enabled"] is False
        assert world.person("a2")["is_enabled"] is False


def test_is_enabled_follows_the_source_where_no_hand_disabled_the_person(world: World) -> None:
    world.run(town())
    world.run(town().with_("a1", is_enabled="false"))
    assert world.person("a1")["is_enabled"] is False
    world.do("update portal.users set is_enabled = true where source_id = 'a1'")
    world.run(town().with_("a1", is_enabled="false"))
    assert world.person("a1")["is_enabled"] is False
    world.run(town())
    assert world.person("a1")["is_enabled"] is True


def test_a_source_that_does_not_say_whether_someone_is_enabled_changes_nothing(world: World) -> None:
    world.run(town().with_("a1", is_enabled="false"))
    world.run(town().with_("a1", is_enabled="").with_("a2", is_enabled=""))
    assert world.person("a1")["is_enabled"] is False
    assert world.person("a2")["is_enabled"] is True


def test_last_shared_at_is_set_only_when_a_row_stops_being_shared(world: World) -> None:
    world.run(town())
    world.run(town().without("a1"))
    stopped = world.person("a1")["last_shared_at"]
    world.run(town().without("a1").with_("a2", family_name="Other"))
    assert world.person("a1")["last_shared_at"] == stopped
    world.run(town())
    assert world.person("a1")["last_shared_at"] == stopped
    assert world.person("a2")["last_shared_at"] is None


def test_the_same_day_twice_writes_no_row_of_the_portal(world: World) -> None:
    files = csv_files(town())
    world.run(files)
    before = world.versions()
    again = world.run(csv_files(town().reversed()))
    assert again.status == "launched"
    assert world.versions() == before
    assert world.value("select wrote_at from sync.runs where id = %s", again.id) is None
    assert world.counts(again, "students") == {"received": 8, "unchanged": 8}
    assert world.value("select count(*) from sync.changes where run_id = %s", again.id) == 0


def test_a_night_with_one_change_writes_that_row_alone(world: World) -> None:
    world.run(town())
    before = world.versions()
    world.run(town().with_("a1", family_name="Other"))
    after = world.versions()
    assert len(set(after["users"]) - set(before["users"])) == 1
    assert all(after[table] == before[table] for table in before if table != "users")


def test_a_class_that_moves_to_another_school_keeps_its_id_and_books(world: World) -> None:
    world.run(town())
    world.give_book("c-t1", "a1")
    class_ = world.class_("c-t1")
    world.run(town().with_("c-t1", school_source_id="S2"))
    moved = world.class_("c-t1")
    assert (moved["id"], moved["school_id"]) == (class_["id"], world.school("S2")["id"])
    assert world.value("select count(*) from portal.class_books where class_id = %s", class_["id"]) == 1
    assert world.schools_of("a1") == {"S1": True, "S2": True}


def _messy() -> Roster:
    """A roster with something of everything that a source can get wrong."""
    roster = town().term("T1", "Autumn", "2026-08-20", "soon").school("D1", type="district").school("S3", name="")
    roster = roster.with_("a1", email="bad", grades="99", given_name="").with_(
        "a2", is_enabled="", org_source_ids="S1,X"
    )
    roster = roster.with_("c-t1", title="", term_source_ids="T1,T9", grades="99", course_source_id="K9")
    roster = roster.with_("c-t2", school_source_id="").with_("e-c-t3-b1", begins_on="01/02/2026", status="")
    roster.student("a1", "S2", family_name="Another").teacher("t1", "S2", status="tobedeleted").school(
        "S1", name="Twin"
    )
    roster.class_("c-t1", "S2", title="Twin").enroll("c-t3", "b1", source_id="e9", ends_on="2027-01-01")
    roster.enroll("c-t4", "b3", source_id="e10", status="tobedeleted").enroll("nowhere", "a1").enroll("c-t1", "nobody")
    roster.enroll("c-t4", "b1", "aide").user("z1", "aide", "S1").user("z2", "administrator", "S1").user("z3", "", "")
    roster.add("users", {"source_id": "", "role": "student", "email": "a3@people.example"})
    roster.add("classes", {"source_id": "", "title": "Class c-t4"}).add(
        "enrollments", {"source_id": "", "role": "student"}
    )
    return roster.student("n1", "", email="n1@people.example").student("n2", "S9").teacher("n3", "D1")


@pytest.mark.parametrize("kind", ["memory", "files"])
def test_the_same_messy_day_twice_writes_no_row_either(world: World, kind: str) -> None:
    def feed(roster: Roster) -> Roster | dict[str, str]:
        return roster if kind == "memory" else csv_files(roster)

    for first in (town(), _messy()):
        assert world.run(feed(first), max_deleted_percent=100).status == "launched"
    before = world.versions()
    worklist = world.rows("select * from sync.worklist order by id")
    for again in (_messy(), _messy().reversed()):
        assert world.run(feed(again), max_deleted_percent=100).status == "launched"
        assert world.versions() == before
        assert world.rows("select * from sync.worklist order by id") == worklist
