"""What opens an item of the worklist, what closes it, and what opens it again."""

from __future__ import annotations

import pytest
from psycopg2.extensions import connection as Connection

from roster_sync.core.errors import SyncRefused
from roster_sync.engine import worklist
from tests.dsl.rows_by_hand import World


def refresh(world: World, app: Connection) -> dict[str, int]:
    return worklist.refresh(app, world.run_id)


def test_a_new_teacher_needs_a_license_and_a_refresh_twice_opens_one_item(world: World, app: Connection) -> None:
    teacher = world.person("teacher")
    assert refresh(world, app) == {"worklist_closed": 0, "worklist_opened": 1}
    assert refresh(world, app) == {"worklist_closed": 0, "worklist_opened": 0}
    assert world.open_items() == {("teacher_needs_license", teacher, None)}


def test_a_teacher_made_by_hand_is_nobodys_work(world: World, app: Connection) -> None:
    world.person("teacher", origin="manual")
    refresh(world, app)
    assert world.open_items() == set()


def test_an_unexpired_license_of_the_person_closes_the_item(world: World, app: Connection) -> None:
    teacher = world.person("teacher")
    refresh(world, app)
    world.license(user=teacher, expires_on="0 days")
    assert refresh(world, app)["worklist_closed"] == 1
    assert world.open_items() == set()
    assert world.resolution("teacher_needs_license") == "licensed"


def test_a_schools_license_and_an_expired_one_do_not_close_it(world: World, app: Connection) -> None:
    school = world.school()
    world.license(school=school)
    teacher = world.person("teacher", school)
    world.license(user=teacher, expires_on="-1 day")
    refresh(world, app)
    world.begin()
    refresh(world, app)
    assert ("teacher_needs_license", teacher, None) in world.open_items()


def test_a_license_that_runs_out_later_is_no_new_teacher(world: World, app: Connection) -> None:
    teacher = world.person("teacher")
    refresh(world, app)
    world.license(user=teacher)
    refresh(world, app)
    world.rows("update portal.license_assignments set expires_on = current_date - 1")
    world.begin()
    refresh(world, app)
    assert world.open_items() == set()


def test_a_run_that_died_before_its_worklist_is_caught_up_by_the_next(world: World, app: Connection) -> None:
    teacher = world.person("teacher")
    world.begin()
    refresh(world, app)
    assert world.open_items() == {("teacher_needs_license", teacher, None)}


def test_a_synced_school_without_an_admin_needs_one(world: World, app: Connection) -> None:
    school = world.school()
    world.school("Made By Hand", origin="manual")
    refresh(world, app)
    assert world.open_items() == {("school_needs_admin", school, None)}


def test_an_enabled_school_admin_of_that_school_closes_the_item(world: World, app: Connection) -> None:
    school, other = world.school(), world.school("Oak School")
    refresh(world, app)
    world.person("school_admin", other, origin="manual")
    world.person("school_admin", school, origin="manual", is_enabled=False)
    world.person("teacher", school, origin="manual")
    refresh(world, app)
    assert world.open_items() == {("school_needs_admin", school, None)}
    world.person("school_admin", school, origin="manual", is_dummy=True)
    refresh(world, app)
    assert world.open_items() == set()


def test_an_admin_who_left_opens_the_school_again(world: World, app: Connection) -> None:
    school = world.school()
    admin = world.person("school_admin", school, origin="manual")
    refresh(world, app)
    assert world.open_items() == set()
    world.rows("update portal.user_schools set is_active = false where user_id = %(admin)s", admin=admin)
    refresh(world, app)
    assert world.open_items() == {("school_needs_admin", school, None)}


def test_a_new_student_in_a_class_with_books_needs_them_and_the_books_close_it(world: World, app: Connection) -> None:
    school = world.school()
    world.person("school_admin", school, origin="manual")
    reading, math = world.school_class(school, books=2), world.school_class(school, "Math 5")
    student = world.person("student", school)
    world.enroll(reading, student)
    world.enroll(math, student)
    refresh(world, app)
    assert world.open_items() == {("student_needs_books", student, reading)}
    world.rows("insert into portal.student_books select %(user)s, %(class)s, id from portal.books where code = 'b1'",
               **{"user": student, "class": reading})  # fmt: skip
    refresh(world, app)
    assert world.open_items() == {("student_needs_books", student, reading)}, "one of two books is not all of them"
    world.rows("delete from portal.student_books")
    world.give_books(reading, student)
    refresh(world, app)
    assert world.open_items() == set()


def test_students_who_were_there_before_the_class_got_books_are_left_alone(world: World, app: Connection) -> None:
    school = world.school()
    reading = world.school_class(school, books=1)
    world.enroll(reading, world.person("student", school))
    world.begin()
    newcomer = world.person("student", school)
    world.enroll(reading, newcomer)
    refresh(world, app)
    assert {item for item in world.open_items() if item[0] == "student_needs_books"} == {
        ("student_needs_books", newcomer, reading)
    }


def test_a_student_who_comes_back_to_a_class_without_books_of_it_needs_them(world: World, app: Connection) -> None:
    school = world.school()
    reading = world.school_class(school, books=1)
    student = world.person("student", school)
    world.enroll(reading, student)
    world.begin()
    world.rows(
        "insert into sync.changes (run_id, table_name, key, action) values (%(run)s, 'enrollments',"
        " jsonb_build_object('class_id', %(class)s, 'user_id', %(user)s, 'role', 'student'), 'restore')",
        **{"user": student, "class": reading},
    )
    refresh(world, app)
    assert ("student_needs_books", student, reading) in world.open_items()


@pytest.mark.parametrize("table", ["users", "classes"])
def test_a_student_or_class_that_is_unshared_closes_the_item_and_its_return_opens_it_again(
    world: World, app: Connection, table: str
) -> None:
    school = world.school()
    world.person("school_admin", school, origin="manual")
    reading = world.school_class(school, books=1)
    student = world.person("student", school)
    world.enroll(reading, student)
    refresh(world, app)
    world.begin()
    world.unshare(table, {"users": student, "classes": reading}[table])
    refresh(world, app)
    assert world.open_items() == set()
    assert world.resolution("student_needs_books") == "unshared"
    world.begin()
    world.unshare(table, {"users": student, "classes": reading}[table], is_shared=True)
    refresh(world, app)
    assert world.open_items() == {("student_needs_books", student, reading)}


def test_a_student_who_left_the_class_needs_no_books_of_it(world: World, app: Connection) -> None:
    school = world.school()
    reading = world.school_class(school, books=1)
    student = world.person("student", school)
    world.enroll(reading, student)
    refresh(world, app)
    world.rows("update portal.enrollments set is_active = false, ended_at = now()")
    refresh(world, app)
    assert world.resolution("student_needs_books") == "ended"


def test_a_deleted_teacher_closes_the_item_and_an_undo_opens_it_again(world: World, app: Connection) -> None:
    teacher = world.person("teacher")
    refresh(world, app)
    world.begin("reset")
    world.rows("create temporary table kept as select * from portal.users")
    world.rows("delete from portal.users")
    refresh(world, app)
    assert world.open_items() == set()
    assert world.resolution("teacher_needs_license") == "deleted"
    world.begin("undo")
    world.rows("insert into portal.users select * from kept")
    refresh(world, app)
    assert world.open_items() == {("teacher_needs_license", teacher, None)}


def test_what_a_person_or_a_license_closed_is_not_opened_again(world: World, app: Connection) -> None:
    world.person("teacher")
    refresh(world, app)
    world.rows(
        "update sync.worklist set resolved_at = now(), resolved_by = 'desk@example.com', resolution = 'dismissed'"
    )
    world.begin()
    refresh(world, app)
    assert world.open_items() == set()


def test_deselecting_a_school_closes_its_items_and_those_of_people_who_are_in_no_other(
    world: World, app: Connection
) -> None:
    pine, oak = world.school(), world.school("Oak School")
    there, both = world.person("teacher", pine), world.person("teacher", pine, oak)
    refresh(world, app)
    world.mode("listed")
    world.select(pine, False)
    world.select(oak, True)
    refresh(world, app)
    assert world.open_items() == {("school_needs_admin", oak, None), ("teacher_needs_license", both, None)}
    world.select(pine, True)
    refresh(world, app)
    assert ("teacher_needs_license", there, None) in world.open_items()
    assert ("school_needs_admin", pine, None) in world.open_items()


def test_in_the_mode_all_schools_no_school_is_deselected(world: World, app: Connection) -> None:
    pine = world.school()
    world.mode("all")
    world.select(pine, False)
    refresh(world, app)
    assert world.open_items() == {("school_needs_admin", pine, None)}


def test_role_drift_closes_when_its_person_goes_or_the_drift_is_over(world: World, app: Connection) -> None:
    drifted, settled = world.person("student"), world.person("school_admin")
    for person in (drifted, settled):
        world.rows(
            "insert into sync.worklist (district_id, kind, subject_type, subject_id, detail) values (%(district)s,"
            """ 'role_drift', 'user', %(id)s, '{"source_roles": ["school_admin"]}')""",
            id=person,
        )
    refresh(world, app)
    assert world.open_items() == {("role_drift", drifted, None)}
    world.unshare("users", drifted)
    refresh(world, app)
    assert world.open_items() == set()


def test_a_match_review_stays_while_its_candidate_is_unshared_and_closes_when_it_is_deleted(
    world: World, app: Connection
) -> None:
    new, candidate = world.person("student"), world.person("student")
    world.unshare("users", candidate)
    world.rows(
        "insert into sync.worklist (district_id, kind, subject_type, subject_id, second_subject_id)"
        " values (%(district)s, 'match_review', 'user', %(new)s, %(candidate)s)",
        new=new,
        candidate=candidate,
    )
    refresh(world, app)
    assert world.open_items() == {("match_review", new, candidate)}
    world.rows("delete from portal.users where id = %(id)s", id=candidate)
    refresh(world, app)
    assert world.open_items() == set()


def test_another_districts_items_are_left_alone_by_a_run_and_closed_by_housekeeping(
    world: World, app: Connection
) -> None:
    world.person("teacher")
    refresh(world, app)
    world.rows("update portal.users set is_shared = false")
    world.rows("insert into portal.districts (key, name) values ('other', 'Other')")
    world.rows("update sync.runs set status = 'launched'")
    other = int(world.one("insert into sync.runs (district_id, mode) select id, 'edit' from portal.districts"
                          " where key = 'other' returning id"))  # fmt: skip
    assert worklist.refresh(app, other) == {"worklist_closed": 0, "worklist_opened": 0}
    assert worklist.refresh_all(app) == 1
    assert world.open_items() == set()


def test_an_unknown_run_is_refused(app: Connection) -> None:
    with pytest.raises(SyncRefused, match="Run 7 is not known"):
        worklist.refresh(app, 7)
