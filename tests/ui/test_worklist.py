"""The worklist's buttons: each does its work once, is kept with who and when, and touches no other district."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from roster_sync.ui.pages import settings_pages
from tests.ui import madeup

WORKLIST = "/roster/districts/harbor/worklist"


@pytest.fixture
def product(pages):
    pages.cursor.execute("insert into portal.products (code, title) values ('SCI', 'Science Library') returning id")
    return pages.cursor.fetchone()[0]


def closed(pages, item):
    pages.cursor.execute(
        "select resolution, resolved_by from sync.worklist where id = %s and resolved_at is not null", (item,)
    )
    return pages.cursor.fetchone()


def test_ticked_teachers_get_a_license_and_only_they(pages, product):
    teachers = [madeup.person(pages.cursor, pages.harbor, "teacher", position=n) for n in (1, 2, 3)]
    items = [madeup.item(pages.cursor, pages.harbor, "teacher_needs_license", teacher) for teacher in teachers]
    form = {"product": product, "selected": items[:2], "expires_on": "2099-06-30"}
    assert pages.client().post(f"{WORKLIST}/licenses", data=form).headers["location"].endswith("done=2")
    pages.cursor.execute(
        "select user_id, assigned_by, expires_on::text from portal.license_assignments order by user_id"
    )
    assert pages.cursor.fetchall() == [(teachers[0], "dana", "2099-06-30"), (teachers[1], "dana", "2099-06-30")]
    assert closed(pages, items[0]) == ("licensed", "dana")
    assert closed(pages, items[2]) is None


def test_a_licenses_last_day_is_a_day_of_the_district(pages, product, monkeypatch):
    class LateEvening:
        """10 in the evening of the 4th in Chicago, the 5th everywhere further east."""

        @staticmethod
        def now(zone):
            return datetime(2026, 3, 5, 4, tzinfo=timezone.utc).astimezone(zone)

    monkeypatch.setattr(settings_pages, "datetime", LateEvening)
    teacher = madeup.person(pages.cursor, pages.harbor, "teacher")
    item = madeup.item(pages.cursor, pages.harbor, "teacher_needs_license", teacher)
    assert 'min="2026-03-04"' in pages.client().get(f"{WORKLIST}?kind=teacher_needs_license").text
    form = {"product": product, "selected": [item]}
    past = pages.client().post(f"{WORKLIST}/licenses", data={**form, "expires_on": "2026-03-03"})
    assert (past.status_code, "is in the past" in past.text) == (409, True)
    assert pages.client().post(f"{WORKLIST}/licenses", data={**form, "expires_on": "2026-03-04"}).status_code == 303


def test_a_second_click_gives_no_second_license(pages, product):
    item = madeup.item(
        pages.cursor, pages.harbor, "teacher_needs_license", madeup.person(pages.cursor, pages.harbor, "teacher")
    )
    for _ in range(2):
        pages.client().post(f"{WORKLIST}/licenses", data={"product": product, "selected": [item]})
    assert pages.one("select count(*) from portal.license_assignments") == 1


def test_an_item_of_another_district_is_not_touched(pages, product):
    theirs = madeup.item(
        pages.cursor, pages.orchard, "teacher_needs_license", madeup.person(pages.cursor, pages.orchard, "teacher")
    )
    pages.client("staff").post(f"{WORKLIST}/licenses", data={"product": product, "selected": [theirs]})
    assert closed(pages, theirs) is None
    assert pages.one("select count(*) from portal.license_assignments") == 0


def test_a_product_that_does_not_exist_closes_nothing(pages):
    item = madeup.item(
        pages.cursor, pages.harbor, "teacher_needs_license", madeup.person(pages.cursor, pages.harbor, "teacher")
    )
    pages.client().post(f"{WORKLIST}/licenses", data={"product": 12345, "selected": [item]})
    assert closed(pages, item) is None


def test_students_get_what_their_class_has(pages):
    pages.cursor.execute(
        "select class_id, user_id from portal.enrollments where role = 'student' and district_id = %s limit 1",
        (pages.harbor,),
    )
    school_class, student = pages.cursor.fetchone()
    pages.cursor.execute("insert into portal.books (code, title) values ('B1', 'River Readers'), ('B2', 'Earth Lab')")
    pages.cursor.execute("insert into portal.class_books select %s, id from portal.books", (school_class,))
    pages.cursor.execute(
        "insert into portal.student_books select %s, %s, min(id) from portal.books", (student, school_class)
    )
    item = madeup.item(pages.cursor, pages.harbor, "student_needs_books", student, school_class)
    assert "River Readers" in pages.client().get(f"{WORKLIST}?kind=student_needs_books").text
    pages.client().post(f"{WORKLIST}/books", data={"selected": [item]})
    assert pages.one("select count(*) from portal.student_books where user_id = %s", student) == 2
    assert closed(pages, item) == ("has_books", "dana")


def test_a_school_gets_a_real_admin(pages):
    school = pages.one("select min(id) from portal.schools where district_id = %s", pages.harbor)
    item = madeup.item(pages.cursor, pages.harbor, "school_needs_admin", school)
    form = {"item": item, "given": "Ada", "family": "Admin", "email": "ada.admin@example.org"}
    assert pages.client().post(f"{WORKLIST}/admin", data={**form, "email": "ada"}).status_code == 409
    assert pages.client().post(f"{WORKLIST}/admin", data=form).status_code == 303
    pages.cursor.execute(
        "select u.role, u.origin, u.is_dummy, us.school_id, us.origin from portal.users u"
        " join portal.user_schools us on us.user_id = u.id where u.email = 'ada.admin@example.org'"
    )
    assert pages.cursor.fetchall() == [("school_admin", "manual", False, school, "manual")]
    assert closed(pages, item) == ("has_admin", "dana")
    assert pages.client().post(f"{WORKLIST}/admin", data=form).status_code == 409


def test_an_admin_of_the_district_becomes_this_schools_too_and_a_teacher_does_not(pages):
    pages.cursor.execute("select id from portal.schools where district_id = %s order by id limit 2", (pages.harbor,))
    schools = [row[0] for row in pages.cursor.fetchall()]
    items = [madeup.item(pages.cursor, pages.harbor, "school_needs_admin", school) for school in schools]
    form = {"given": "Ada", "family": "Admin", "email": "Ada.Admin@example.org"}
    for item in items:
        assert pages.client().post(f"{WORKLIST}/admin", data={**form, "item": item}).status_code == 303
    assert pages.one("select count(*) from portal.users where role = 'school_admin'") == 1
    third = madeup.item(pages.cursor, pages.harbor, "school_needs_admin", schools[0])
    refused = pages.client().post(f"{WORKLIST}/admin", data={**form, "item": third, "email": "harbor1@example.org"})
    assert refused.status_code == 409
    assert "another role" in refused.text
    assert pages.one("select role from portal.users where email = 'harbor1@example.org'") == "teacher"


def test_a_dummy_admin_has_the_publishers_own_mail_domain(pages, monkeypatch):
    monkeypatch.delenv("ROSTER_DUMMY_ADMIN_DOMAIN", raising=False)
    school = pages.one("select min(id) from portal.schools where district_id = %s", pages.harbor)
    item = madeup.item(pages.cursor, pages.harbor, "school_needs_admin", school)
    assert pages.client().post(f"{WORKLIST}/admin", data={"item": item, "dummy": "true"}).status_code == 409
    monkeypatch.setenv("ROSTER_DUMMY_ADMIN_DOMAIN", "dummy.publisher.example")
    assert "Add Dummy Admin" in pages.client().get(WORKLIST).text
    assert pages.client().post(f"{WORKLIST}/admin", data={"item": item, "dummy": "true"}).status_code == 303
    assert pages.one("select is_dummy from portal.users where email like '%%@dummy.publisher.example'")


def test_a_role_is_taken_over_by_a_person_and_the_old_one_is_kept(pages):
    teacher = madeup.person(pages.cursor, pages.harbor, "teacher")
    item = madeup.item(pages.cursor, pages.harbor, "role_drift", teacher, source_roles=["school_admin"])
    second = madeup.person(pages.cursor, pages.harbor, "teacher", position=2)
    other = madeup.item(pages.cursor, pages.harbor, "role_drift", second, source_roles=["owner"])
    pages.client().post(f"{WORKLIST}/roles", data={"selected": [item, other]})
    assert pages.one("select role from portal.users where id = %s", teacher) == "school_admin"
    assert pages.one("select detail from sync.worklist where id = %s", item) == {
        "source_roles": ["school_admin"], "from": "teacher", "to": "school_admin",
    }  # fmt: skip
    assert closed(pages, item) == ("role_taken", "dana")
    assert closed(pages, other) is None


def test_two_people_who_are_not_the_same_stay_two(pages):
    one, two = (madeup.person(pages.cursor, pages.harbor, "teacher", position=n) for n in (1, 2))
    item = madeup.item(pages.cursor, pages.harbor, "match_review", two, one)
    assert "Same Person" in pages.client().get(f"{WORKLIST}?kind=match_review").text
    assert pages.client().post(f"{WORKLIST}/match", data={"item": item, "choice": "other"}).status_code == 303
    assert closed(pages, item) == ("not_same", "dana")
    assert pages.one("select count(*) from portal.users where id in (%s, %s)", one, two) == 2


def test_nothing_ticked_is_reported(pages):
    answer = pages.client().post(f"{WORKLIST}/books", data={})
    assert answer.status_code == 409
    assert "Nothing is selected" in answer.text


def test_the_same_person_becomes_one_with_the_older_id_and_all_that_both_had(pages, product):
    old, new = (madeup.person(pages.cursor, pages.harbor, "teacher", position=n) for n in (1, 2))
    pages.cursor.execute("update portal.users set is_shared = false where id = %s", (old,))
    for person in (old, new):
        pages.cursor.execute(
            "insert into portal.license_assignments (district_id, product_id, user_id) values (%s, %s, %s)",
            (pages.harbor, product, person),
        )
    theirs = "select count(distinct class_id) from portal.enrollments where user_id = any(%s)"
    classes = pages.one(theirs, [old, new])
    item = madeup.item(pages.cursor, pages.harbor, "match_review", new, old)
    answer = pages.client().post(f"{WORKLIST}/match", data={"item": item, "choice": "same"})
    assert answer.headers["location"].endswith("kind=match_review&done=1")
    assert pages.one("select array_agg(id) from portal.users where id = any(%s)", [old, new]) == [old]
    assert pages.one("select is_shared from portal.users where id = %s", old) is True
    assert pages.one(theirs, [old]) == classes
    assert pages.one("select count(*) from portal.license_assignments where user_id = %s", old) >= 1
    assert closed(pages, item) == ("same", "dana")
    assert "same person" in pages.client().get(f"{WORKLIST}?kind=match_review").text
    again = pages.client().post(f"{WORKLIST}/match", data={"item": item, "choice": "same"})
    assert again.status_code == 409
    assert "already decided" in again.text


def test_the_api_does_the_same(pages, product):
    program = pages.client(by="bearer", site=None)
    madeup.item(
        pages.cursor, pages.harbor, "teacher_needs_license", madeup.person(pages.cursor, pages.harbor, "teacher")
    )
    path = "/roster/api/v1/districts/harbor/worklist"
    items = program.get(f"{path}?kind=teacher_needs_license").json()
    given = program.post(f"{path}/licenses", json={"items": [one["id"] for one in items], "product_id": product})
    assert given.json() == {"closed": 1}
    assert program.get(f"{path}?kind=teacher_needs_license").json() == []
