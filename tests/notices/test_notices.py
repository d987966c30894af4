"""Who is notified of what, once; and what happens to a mail that fails."""

from __future__ import annotations

import email
import email.policy
import json
import logging
import re
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from psycopg2.extensions import connection as Connection
from starlette.routing import Match

from roster_sync.core.errors import ConfigError
from roster_sync.core.limits import Breach
from roster_sync.notices import outbox as notices
from roster_sync.notices.mails import Mail
from tests.dsl.rows_by_hand import World
from tests.notices.outbox import ADMIN, LINKS, Outbox, tell

TODAY = datetime.now(ZoneInfo("America/Chicago")).date()


def both(mail: Mail) -> Iterator[str]:
    """The two bodies say the same things."""
    yield mail.text
    yield mail.html


def test_a_run_with_nothing_to_report_sends_no_mail(world: World, app: Connection, outbox: Outbox) -> None:
    world.subscribe(ADMIN)
    world.count("students", updated=40)
    world.end("launched")
    assert tell(world, app, outbox) == 0


def test_new_teachers_are_reported_by_name_and_new_students_by_count(
    world: World, app: Connection, outbox: Outbox
) -> None:
    world.subscribe(ADMIN)
    pine = world.school()
    world.person("teacher", pine, given="Maria", family="Montfort")
    world.person("school_admin", pine, given="Sol", family="Staffman")
    world.person("student", pine, given="Kid", family="Hidden")
    world.count("students", added=31)
    world.end("launched")
    assert tell(world, app, outbox) == 1
    mail = outbox.only()
    assert mail.to == ADMIN
    assert mail.subject == "Harbor Unified School District: 1 new teacher, 1 new school, 1 new staff member"
    for body in both(mail):
        assert "Maria Montfort" in body
        assert "1 needs a license" in body
        assert "Sol Staffman" in body
        assert "31" in body
        page = f"https://airflow.example.org/roster/runs/{world.run_id}?part=changes&kind=students&what=added"
        assert page in unescape(body)
        assert "Hidden" not in body


def test_the_addresses_in_mails_are_those_of_pages() -> None:
    from roster_sync.ui.app import app
    from roster_sync.ui.views.changes import Kind, What

    addresses = [
        LINKS.run(7), LINKS.changes(7, "students"), LINKS.rejected(7), LINKS.worklist("bay", "role_drift"),
        LINKS.settings("bay"), LINKS.settings("bay", "expiration"), LINKS.settings("bay", "schools"),
        LINKS.emails("bay"),
    ]  # fmt: skip
    for address in addresses:
        path = address.removeprefix("https://airflow.example.org/roster").partition("?")[0]
        scope = {"type": "http", "method": "GET", "path": path}
        assert Match.FULL in [route.matches(scope)[0] for route in app().routes], address
    assert "students" in get_args(Kind)
    assert "added" in get_args(What)


def test_each_thing_is_reported_once(world: World, app: Connection, outbox: Outbox) -> None:
    world.subscribe(ADMIN)
    world.person("teacher", world.school())
    world.end("launched")
    assert tell(world, app, outbox) == 1
    assert tell(world, app, outbox) == 0
    world.begin()
    world.end("launched")
    assert tell(world, app, outbox) == 0


def test_a_subscriber_twice_in_other_letters_gets_one_mail_and_an_inactive_one_none(
    world: World, app: Connection, outbox: Outbox
) -> None:
    for address in (ADMIN, "Admin@District.example.com", "gone@example.com"):
        world.subscribe(address, is_active=address != "gone@example.com")
    world.end("failed", "The source did not answer.")
    assert tell(world, app, outbox) == 1


def test_a_dummy_admin_gets_no_mail_not_even_as_a_subscriber(world: World, app: Connection, outbox: Outbox) -> None:
    school = world.school()
    world.person("school_admin", school, email="Dummy@example.com", origin="manual", is_dummy=True)
    world.subscribe("dummy@example.com")
    reading = world.school_class(school, books=1)
    dummy = world.person("teacher", school, email="other@example.com", is_dummy=True)
    world.enroll(reading, dummy, "teacher")
    world.enroll(reading, world.person("student", school))
    world.end("failed", "The source did not answer.")
    assert tell(world, app, outbox) == 0


def test_a_failed_run_is_reported_with_its_sentence(world: World, app: Connection, outbox: Outbox) -> None:
    world.subscribe(ADMIN)
    world.end("failed", "The source refused our credentials: ask the district for new ones.")
    assert tell(world, app, outbox) == 1
    mail = outbox.only()
    assert mail.subject == "Harbor Unified School District: the roster sync failed"
    for body in both(mail):
        assert "The source refused our credentials: ask the district for new ones." in body


def test_schools_that_are_new_and_not_selected_are_offered_once(world: World, app: Connection, outbox: Outbox) -> None:
    world.subscribe(ADMIN)
    world.mode("listed")
    world.rows("insert into sync.school_selection (district_id, source_id, name, is_selected)"
               " values (%(district)s, 's9', 'Elm & Sons School', false)")  # fmt: skip
    world.end("launched")
    assert tell(world, app, outbox) == 1
    mail = outbox.only()
    assert "Elm & Sons School" in mail.text
    assert "Select schools: https://airflow.example.org/roster/districts/harbor/sync/schools\n" in mail.text
    assert "Elm &amp; Sons School" in mail.html
    world.begin()
    world.end("launched")
    assert tell(world, app, outbox) == 0


def test_a_hold_that_waits_is_reported_with_its_numbers_and_where_to_answer(
    world: World, app: Connection, outbox: Outbox
) -> None:
    world.subscribe(ADMIN)
    plan = {
        "counts": {"students": {"unshare": 180}, "schools": {"unshare": 1}},
        "bases": {"students": 1200, "schools": 8},
        "schools": {"removed": ["Pine School"]},
        "licenses_to_free": 0,
        "sentence": "180 of 1,200 students would be removed; the limit is 10%.",
        "breaches": [Breach("students", "removals", 180, 1200, 10.0).as_dict()],
    }
    world.rows("insert into sync.holds (run_id, plan_digest, summary, due_at)"
               " values (%(run)s, 'x', %(plan)s, now() + interval '1 day')", plan=json.dumps(plan))  # fmt: skip
    world.end("held")
    assert tell(world, app, outbox) == 1
    mail = outbox.only()
    assert mail.subject == "Harbor Unified School District: the roster sync is waiting for your answer"
    for body in both(mail):
        assert f"https://airflow.example.org/roster/runs/{world.run_id}" in body
        assert "https://airflow.example.org/roster/districts/harbor/sync/emails" in body
        assert body.count("180 of 1,200 students would be removed; the limit is 10%.") == 1
        assert re.search(r"by \w+ \d+, \d{4}, \d+:\d\d [AP]M C[SD]T, nothing happens", body), "a time without its zone"
        assert "1 school would no longer be shared: Pine School." in body
        assert "1,200" in body


def test_a_reset_that_would_free_licenses_says_all_of_it_once(world: World, app: Connection, outbox: Outbox) -> None:
    world.subscribe(ADMIN)
    plan = {
        "counts": {"teachers": {"delete": 2}}, "schools": {"removed": []}, "licenses_to_free": 1, "books_to_free": 3,
        "manual": 1, "sentence": "1 license would be freed.",
    }  # fmt: skip
    world.rows("update sync.runs set mode = 'reset' where id = %(run)s")
    world.rows(
        "insert into sync.holds (run_id, plan_digest, scope, summary, due_at)"
        " values (%(run)s, 'x', 'reset', %(plan)s, now() + interval '1 day')",
        plan=json.dumps(plan),
    )
    world.end("held")
    assert tell(world, app, outbox) == 1
    for body in both(outbox.only()):
        assert body.count("1 license would be freed.") == 1
        assert "3 student books would be taken back." in body
        assert "1 manually added row would be deleted too." in body


def test_a_reading_of_events_is_called_hourly(world: World, app: Connection, outbox: Outbox) -> None:
    world.subscribe(ADMIN)
    world.rows("update sync.runs set trigger = 'nightly', parameters = '{\"events\": true}' where id = %(run)s")
    world.person("teacher", world.school())
    world.end("launched")
    assert tell(world, app, outbox) == 1
    for body in both(outbox.only()):
        assert "Hourly Edit of" in body


def test_a_hold_that_was_answered_before_its_mail_went_is_not_reported(
    world: World, app: Connection, outbox: Outbox
) -> None:
    world.subscribe(ADMIN)
    world.rows("insert into sync.holds (run_id, plan_digest, due_at) values (%(run)s, 'x', now() + interval '1 day')")
    world.end("held")
    outbox.refused = {ADMIN}
    assert tell(world, app, outbox) == 0
    world.rows("update sync.holds set answer = 'rejected', answered_by = 'A Person'")
    outbox.refused = set()
    assert tell(world, app, outbox) == 0
    assert world.one("select count(*) from sync.notices where sent_at is null") == 0


def test_rejected_rows_are_reported_by_rule_with_how_to_fix_them_and_not_again_while_they_stay_as_many(
    world: World, app: Connection, outbox: Outbox
) -> None:
    world.subscribe(ADMIN)

    def reject(count: int) -> None:
        world.rows("insert into sync.findings (run_id, entity, source_id, severity, rule, message)"
                   " select %(run)s, 'classes', 'secret-' || n, 'error', 'class_without_school', 'secret'"
                   " from generate_series(1, %(count)s) n", count=count)  # fmt: skip
        world.end("launched")

    reject(12)
    assert tell(world, app, outbox) == 1
    for body in both(outbox.only()):
        assert "12 classes without a shared school" in body
        assert "Give each class its school at the source" in body
        assert "secret" not in body
    world.begin()
    reject(12)
    assert tell(world, app, outbox) == 0
    world.begin()
    reject(13)
    assert tell(world, app, outbox) == 1


def test_licenses_freed_by_a_reset_are_reported_with_who_held_them_and_how_long_it_can_be_undone(
    world: World, app: Connection, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROSTER_UNDO_DAYS", "7")
    world.subscribe(ADMIN)
    world.begin("reset")
    teacher = world.person("teacher", given="Gone", family="Teacher")
    world.license(user=teacher)
    world.rows(
        "insert into sync.changes (run_id, table_name, key, action, before, phase)"
        " select %(run)s, x.name, jsonb_build_object('id', x.image -> 'id'), 'delete', x.image, 'removals' from ("
        " select 'users' as name, to_jsonb(u) as image from portal.users u"
        " union all select 'license_assignments', to_jsonb(a) from portal.license_assignments a) x"
    )
    world.rows("delete from portal.users")
    world.end("launched")
    assert tell(world, app, outbox) == 1
    mail = outbox.only()
    assert mail.subject == "Harbor Unified School District: the Reset is done"
    for body in both(mail):
        assert "You can undo the Reset for 7 days." in body
        assert "Gone Teacher" in body
        assert "Grade 5 Math" in body


def test_role_drift_is_reported_with_both_roles(world: World, app: Connection, outbox: Outbox) -> None:
    world.subscribe(ADMIN)
    person = world.person("teacher", given="Ann", family="Drifter", origin="manual")
    world.rows("insert into sync.worklist (district_id, kind, subject_type, subject_id, detail, opened_run_id) values"
               """ (%(district)s, 'role_drift', 'user', %(id)s, '{"source_roles": ["school_admin"]}', %(run)s)""",
               id=person)  # fmt: skip
    world.end("launched")
    assert tell(world, app, outbox) == 1
    for body in both(outbox.only()):
        assert "Ann Drifter" in body
        assert "teacher in the portal, school admin at the source" in body


def test_a_preview_is_reported_with_its_table(world: World, app: Connection, outbox: Outbox) -> None:
    world.subscribe(ADMIN)
    world.begin("reset", plan={"counts": {"classes": {"add": 7, "delete": 1234}}, "bases": {"classes": 2000}})
    world.end("previewed")
    assert tell(world, app, outbox) == 1
    mail = outbox.only()
    assert mail.subject.endswith("preview of a Reset")
    for body in both(mail):
        assert "1,234" in body
        assert "2,000" in body


def test_an_undo_is_announced_and_says_that_the_next_nightly_sync_follows_the_source(
    world: World, app: Connection, outbox: Outbox
) -> None:
    world.subscribe(ADMIN)
    target = world.run_id
    world.begin("undo")
    world.rows(
        "update sync.runs set undoes_run_id = %(target)s, message = %(message)s where id = %(run)s",
        target=target,
        message="Run 1 was undone. The next nightly sync follows the source again.",
    )
    world.count("students", added=31)
    world.end("launched")
    assert tell(world, app, outbox) == 1
    for body in both(outbox.only()):
        assert body.count("The next nightly sync follows the source again.") == 1
        assert "new student" not in body
        assert "Put back" in body


def test_an_undo_reports_nothing_again_and_calls_no_book_freed_that_goes_along_with_its_student(
    world: World, app: Connection, outbox: Outbox
) -> None:
    world.subscribe(ADMIN)
    reading, school = classroom(world)
    student = world.person("student", school)
    world.enroll(reading, student)
    world.end("launched")
    tell(world, app, outbox)
    assert "teacher@example.com" in [mail.to for mail in outbox.take()]
    world.unshare("users", student)
    world.begin("reset")
    world.end("launched")
    tell(world, app, outbox)
    outbox.take()
    world.unshare("users", student, is_shared=True)  # the undo of it
    world.begin("undo")
    world.rows(
        "insert into sync.changes (run_id, table_name, key, action, before)"
        " values (%(run)s, 'student_books', '{}', 'delete', '{}')"  # moved from the row made anew to the old one
    )
    world.end("launched")
    tell(world, app, outbox)
    assert ("student_needs_books", student, reading) in world.open_items()
    mail = outbox.only()
    assert mail.to == ADMIN
    for body in both(mail):
        assert "freed" not in body


def test_the_preview_of_an_undo_says_what_would_come_back(world: World, app: Connection, outbox: Outbox) -> None:
    world.subscribe(ADMIN)
    world.begin("undo")
    plan = {"counts": {"students": {"put back": 1780, "changed back": 2}, "licenses": {"put back": 6}}}
    world.rows("update sync.runs set plan = %(plan)s where id = %(run)s", plan=json.dumps(plan))
    world.end("previewed")
    assert tell(world, app, outbox) == 1
    for body in both(outbox.only()):
        for words in ("Put back", "1,780", "Licenses"):
            assert words in body


@pytest.mark.parametrize(
    ("days", "headline"),
    [
        (30, "the roster sync expires in 30 days"),
        (8, "the roster sync expires in 8 days"),
        (7, "the roster sync expires in 7 days"),
        (1, "the roster sync expires in 1 day"),
        (0, "the roster sync expires today"),
        (31, None),
        (-1, None),
    ],
)
def test_an_expiry_is_reported_30_7_and_1_days_before_and_on_the_day(
    world: World, app: Connection, outbox: Outbox, days: int, headline: str | None
) -> None:
    world.subscribe(ADMIN)
    world.mode("all")
    world.rows("update sync.settings set expires_on = %(day)s", day=TODAY + timedelta(days=days))
    world.end("launched")
    tell(world, app, outbox)
    assert [mail.subject for mail in outbox.take()] == (
        [f"Harbor Unified School District: {headline}"] if headline else []
    )
    assert notices.send_expiry(app, world.district, outbox.post, LINKS) == 0, "told once"


def test_an_expiry_is_reported_without_a_run_too(world: World, app: Connection, outbox: Outbox) -> None:
    world.subscribe(ADMIN)
    world.mode("all")
    world.rows("update sync.settings set expires_on = %(day)s", day=TODAY + timedelta(days=6))
    assert notices.send_expiry(app, world.district, outbox.post, LINKS) == 1
    page = "https://airflow.example.org/roster/districts/harbor/sync/expiration"
    assert f"Set a later date: {page}\n" in outbox.only().text


def test_a_feed_that_looks_incomplete_is_reported_with_its_reason(
    world: World, app: Connection, outbox: Outbox
) -> None:
    world.subscribe(ADMIN)
    world.rows("""update sync.runs set proof = '{"not_complete": {"users": "60%% fewer students came."}}'""")
    world.end("launched")
    assert tell(world, app, outbox) == 1
    for body in both(outbox.only()):
        assert "60% fewer students came." in body


def classroom(world: World, teacher_email: str | None = "teacher@example.com", **teacher: Any) -> tuple[int, int]:
    """A class with books and its teacher, from an earlier run; returns the class and its school."""
    school = world.school()
    world.person("school_admin", school, origin="manual")
    reading = world.school_class(school, books=2)
    world.enroll(reading, world.person("teacher", school, email=teacher_email, origin="manual", **teacher), "teacher")
    world.begin()
    return reading, school


def test_teachers_of_a_class_with_books_get_one_mail_with_their_own_new_students(
    world: World, app: Connection, outbox: Outbox
) -> None:
    reading, school = classroom(world)
    teacher = world.one("select id from portal.users where email = 'teacher@example.com'")
    math, foreign = world.school_class(school, "Math 5", books=1), world.school_class(school, "Art 5", books=1)
    world.enroll(math, teacher, "teacher")
    for place, name in ((reading, "Ada"), (math, "Ben"), (foreign, "Cyd")):
        world.enroll(place, world.person("student", school, given=name, family="New"))
    world.end("launched")
    assert tell(world, app, outbox) == 1
    mail = outbox.only()
    assert mail.to == "teacher@example.com"
    assert mail.subject == "2 new students need books in your classes"
    for body in both(mail):
        assert "Ada New" in body
        assert "Ben New" in body
        assert "Cyd" not in body
        assert "Book 1, Book 2" in body
    assert tell(world, app, outbox) == 0


@pytest.mark.parametrize(
    "spoil",
    [
        "update portal.users set is_enabled = false where role = 'teacher'",
        "update portal.users set is_shared = false where role = 'teacher'",
        "update portal.users set email = 'no address' where role = 'teacher'",
        "update portal.enrollments set is_active = false where role = 'teacher'",
    ],
)
def test_where_a_class_has_no_teacher_to_write_to_the_subscribers_get_the_count(
    world: World, app: Connection, outbox: Outbox, spoil: str
) -> None:
    world.subscribe(ADMIN)
    reading, school = classroom(world)
    world.rows(spoil)
    for name in ("Ada", "Ben"):
        world.enroll(reading, world.person("student", school, given=name, family="Hidden"))
    world.end("launched")
    assert tell(world, app, outbox) == 1
    mail = outbox.only()
    assert mail.to == ADMIN
    for body in both(mail):
        assert "1 class whose teachers have no usable email address" in body
        assert "Hidden" not in body


def test_after_a_reset_the_subscribers_get_the_count_of_all_students_who_need_books(
    world: World, app: Connection, outbox: Outbox
) -> None:
    world.subscribe(ADMIN)
    reading, school = classroom(world)
    world.begin("reset")
    world.enroll(reading, world.person("student", school, family="Hidden"))
    world.end("launched")
    assert tell(world, app, outbox) == 2
    digest, teachers = sorted(outbox.take(), key=lambda mail: mail.to)
    assert teachers.to == "teacher@example.com"
    for body in both(digest):
        assert "New in 1 class with books. Teachers with an email address are notified." in body
        assert "Hidden" not in body


def test_a_student_who_got_the_books_in_the_meantime_is_in_no_mail(
    world: World, app: Connection, outbox: Outbox
) -> None:
    reading, school = classroom(world)
    student = world.person("student", school)
    world.enroll(reading, student)
    world.end("launched")
    outbox.refused = {"*"}
    assert tell(world, app, outbox) == 0
    world.give_books(reading, student)
    outbox.refused = set()
    assert tell(world, app, outbox) == 0
    assert world.one("select count(*) from sync.notices where sent_at is null") == 0


def test_a_mail_that_fails_fails_no_run_and_goes_with_the_next(
    world: World, app: Connection, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.subscribe(ADMIN)
    world.subscribe("second@example.com")
    world.person("teacher", world.school(), given="Maria", family="Montfort")
    world.end("launched")
    outbox.refused = {ADMIN}
    assert tell(world, app, outbox) == 1
    assert outbox.only().to == "second@example.com"
    assert world.one("select count(*) from sync.notices where sent_at is null and recipient = %(to)s", to=ADMIN) == 2
    world.begin()
    world.end("failed", "The source did not answer.")
    outbox.refused = set()
    assert tell(world, app, outbox) == 2
    first, second = sorted(outbox.take(), key=lambda mail: mail.to)
    assert "Maria Montfort" in first.text
    assert "The source did not answer." in first.text
    assert "Maria Montfort" not in second.text
    assert "@" not in caplog.text, "an address was logged"
    assert "Montfort" not in caplog.text


def test_a_mail_server_that_is_away_is_asked_three_times_and_not_for_every_mail(
    world: World, app: Connection, outbox: Outbox
) -> None:
    for number in range(10):
        world.subscribe(f"admin{number}@example.com")
    world.end("failed", "The source did not answer.")
    outbox.refused = {"*"}
    assert tell(world, app, outbox) == 0
    assert outbox.tries == 3
    outbox.refused = set()
    assert tell(world, app, outbox) == 10


def test_a_wrong_mail_connection_is_reported_once_in_its_own_sentence_and_the_mails_wait(
    world: World, app: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    def post(_: Mail) -> None:
        raise ConfigError("The connection 'smtp_default' lacks the extra 'from_email', the mails' sender.")

    world.subscribe(ADMIN)
    world.subscribe("second@example.com")
    world.end("failed", "The source did not answer.")
    assert notices.send(app, world.run_id, world.district, post, LINKS) == 0
    (told,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert told == (
        "Emails stay unsent until this is fixed: The connection 'smtp_default' lacks the extra 'from_email', the "
        "mails' sender. See docs/runbooks/mails-do-not-go-out.md."
    )
    assert world.one("select count(*) from sync.notices where sent_at is null") == 2


def test_the_items_that_a_mail_reported_are_marked_as_notified(world: World, app: Connection, outbox: Outbox) -> None:
    world.subscribe(ADMIN)
    world.person("teacher", world.school())
    world.end("launched")
    tell(world, app, outbox)
    assert world.rows("select kind from sync.worklist where notified_at is null") == []


def test_a_long_list_is_cut_and_counted(world: World, app: Connection, outbox: Outbox) -> None:
    world.subscribe(ADMIN)
    for number in range(45):
        world.person("teacher", given=f"Given{number:02}", family="Teacher")
    world.end("launched")
    tell(world, app, outbox)
    for body in both(outbox.only()):
        assert "and 5 more" in body
        assert body.count(" Teacher") >= 40
        assert "45" in body


def test_names_from_the_feed_are_escaped_and_make_no_header(world: World, app: Connection, outbox: Outbox) -> None:
    world.subscribe(ADMIN)
    world.person("teacher", world.school("<b>School</b>"), given="<script>alert(1)</script>", family="O'Neil & Co")
    world.end("launched")
    tell(world, app, outbox)
    mail = outbox.only()
    assert "<script" not in mail.html
    assert "<b>School" not in mail.html
    assert "&lt;script&gt;" in mail.html
    assert "<script>alert(1)</script> O'Neil & Co" in mail.text


def test_mails_load_nothing_from_anywhere(world: World, app: Connection, outbox: Outbox) -> None:
    world.subscribe(ADMIN)
    world.person("teacher", world.school())
    world.end("launched")
    tell(world, app, outbox)
    page = outbox.only().html
    assert not any(word in page for word in ("<img", "<script", "<link", "@import", "url("))


def test_a_mail_arrives_over_smtp_with_both_bodies(
    world: World, app: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aiosmtpd.controller import Controller

    received: list[bytes] = []

    class Catcher:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            received.append(envelope.content)
            return "250 OK"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    catcher = Controller(Catcher(), hostname="127.0.0.1", port=port)
    catcher.start()
    monkeypatch.setenv(
        "AIRFLOW_CONN_SMTP_DEFAULT",
        json.dumps(
            {"conn_type": "smtp", "host": "127.0.0.1", "port": port,
             "extra": {"from_email": "roster@example.com", "disable_ssl": True, "disable_tls": True}}
        ),
    )  # fmt: skip
    world.subscribe(ADMIN)
    world.person("teacher", world.school(), given="Zoë", family="Ångström")
    world.end("launched")
    try:
        from roster_sync.orchestration import hooks

        with hooks.mailer() as post:
            assert notices.send(app, world.run_id, world.district, post, LINKS) == 1
    finally:
        catcher.stop()
    message = email.message_from_bytes(received[0], policy=email.policy.default)
    assert message["To"] == ADMIN
    assert message["Subject"].startswith("Harbor Unified School District: 1 new teacher")
    parts = [part.get_content_type() for part in message.walk()]
    assert parts == ["multipart/alternative", "text/plain", "text/html"]
    for kind in ("plain", "html"):
        body = message.get_body(preferencelist=(kind,))
        assert body is not None
        assert "Zoë Ångström" in body.get_content()
