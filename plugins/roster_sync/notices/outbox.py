"""Notifies people of what a run did: one digest to the district's subscribers, one email to each teacher concerned.

Every notice is recorded first, once per recipient and subject (sync.notices); what could not be sent stays recorded and
goes with the next run. An email that fails never fails a run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from roster_sync.core.errors import RosterError
from roster_sync.core.links import Links
from roster_sync.core.text import full_name
from roster_sync.database import db
from roster_sync.engine import runs
from roster_sync.notices import digests
from roster_sync.notices.mails import ClassNews, Digest, Mail, digest_mail, teacher_mail
from roster_sync.notices.news import News

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.config.districts import District

__all__ = ["Mail", "send", "send_expiry"]

log = logging.getLogger(__name__)

Post = Callable[[Mail], None]

PATIENCE: Final = 3
"""Failures in a row after which the mail server counts as down, and the rest waits for the next run."""
RUNBOOK: Final = "docs/runbooks/mails-do-not-go-out.md"
TEACHER: Final = "teacher_books"
_NOTIFIED: Final = {
    "new_people": "teacher_needs_license", "new_schools": "school_needs_admin", "role_drift": "role_drift",
    "match_review": "match_review", "books_without_teacher": "student_needs_books",
    "students_need_books": "student_needs_books", TEACHER: "student_needs_books",
}  # fmt: skip


@dataclass(frozen=True)
class _Mailing:
    """The emails of one district: it, and what every one of them is made with."""

    connection: Connection
    district_id: int
    district: District
    links: Links


def send(connection: Connection, run_id: int, district: District, post: Post, links: Links) -> int:
    """Sends the news of this run, and what an earlier one could not record or send; returns the emails sent."""
    with db.acting_as(connection, "roster_edit") as cursor:
        run = db.one(cursor, "notices/run", {"run_id": run_id})
        if run is None:
            return 0
        params = {"district_id": run["district_id"], "today": _today(district)}
        for unreported in (*runs.unreported(cursor, run_id, run["district_id"]), run_id):
            _record(cursor, params | {"run_id": unreported, "run_ids": [unreported]})
        db.run(cursor, "notices/record_expiry", params | {"run_id": run_id})
    return _send_pending(_Mailing(connection, run["district_id"], district, links), post)


def _record(cursor: Cursor, params: dict[str, Any]) -> None:
    db.run(cursor, "notices/book_news", params)
    db.run(cursor, "notices/record_digest", params)
    db.run(cursor, "notices/record_teachers", params)


def send_expiry(connection: Connection, district: District, post: Post, links: Links) -> int:
    """Sends the warning that a sync expires soon, where no run has sent it; returns the emails sent."""
    with db.acting_as(connection, "roster_edit") as cursor:
        found = db.one(cursor, "notices/district", {"key": district.key})
        if found is None:
            return 0
        params = {"run_id": None, "district_id": found["id"], "today": _today(district)}
        db.run(cursor, "notices/record_expiry", params)
    return _send_pending(_Mailing(connection, found["id"], district, links), post)


def _today(district: District) -> str:
    return datetime.now(ZoneInfo(district.timezone)).date().isoformat()


def _send_pending(mailing: _Mailing, post: Post) -> int:
    sent = failed = failed_in_a_row = 0
    with _only_sender(mailing):
        with db.acting_as(mailing.connection, "roster_read") as cursor:
            pending = db.rows(cursor, "notices/pending", {"district_id": mailing.district_id})
        digests_made: dict[Any, Digest] = {}
        for recipient, is_teacher, rows in _by_mail(pending):
            mail = (
                _teacher_mail(mailing, recipient, rows)
                if is_teacher
                else _digest(mailing, recipient, rows, digests_made)
            )
            if mail is None:
                _mark_sent(mailing, rows)  # no longer true: a hold answered, a student who left again
                continue
            try:
                post(mail)
            except RosterError as error:  # of the connection, and so of every email
                failed += 1
                log.error("Emails stay unsent until this is fixed: %s See %s.", error, RUNBOOK)
                break
            except Exception as error:  # whatever the mail server or its client raises
                failed += 1
                failed_in_a_row += 1
                log.warning("an email could not be sent (%s); the next run tries again", type(error).__name__)
                if failed_in_a_row >= PATIENCE:
                    log.warning(
                        "the mail server takes no emails now; the rest waits for the next run. See %s.", RUNBOOK
                    )
                    break
                continue
            failed_in_a_row = 0
            sent += 1
            _mark_sent(mailing, rows)
    log.info("%s emails sent, %s failed", sent, failed)
    return sent


def _by_mail(pending: list[dict[str, Any]]) -> Iterator[tuple[str, bool, list[dict[str, Any]]]]:
    """Recipient, whether it is a teacher's email, and its notices; a subscriber who is a teacher too gets both."""

    def key(row: dict[str, Any]) -> tuple[str, bool]:
        return str(row["recipient"]), row["kind"] == TEACHER

    for (recipient, is_teacher), rows in groupby(sorted(pending, key=key), key=key):
        yield recipient, is_teacher, list(rows)


def _digest(mailing: _Mailing, recipient: str, rows: list[dict[str, Any]], made: dict[Any, Digest]) -> Mail | None:
    """A subscriber's email, or None where nothing in it is true any more; the same digest is made once."""
    news = tuple((row["run_id"], row["kind"], row["subject_key"]) for row in rows)
    if news not in made:
        with db.acting_as(mailing.connection, "roster_edit") as cursor:
            made[news] = digests.make(News(cursor, mailing.district_id, mailing.district, mailing.links, rows))
    return None if made[news].is_empty else digest_mail(recipient, mailing.district.name, made[news])


def _teacher_mail(mailing: _Mailing, recipient: str, rows: list[dict[str, Any]]) -> Mail | None:
    """A teacher's email, or None where none of the students needs books any more."""
    with db.acting_as(mailing.connection, "roster_edit") as cursor:
        db.run(cursor, "notices/book_news", {"district_id": mailing.district_id, "run_ids": _run_ids(rows)})
        found = db.rows(cursor, "notices/teacher_students", {"email": recipient})
    classes = [_class_news(list(students)) for _, students in groupby(found, key=lambda row: row["class_id"])]
    return teacher_mail(recipient, mailing.district.name, classes) if classes else None


def _class_news(students: list[dict[str, Any]]) -> ClassNews:
    first = students[0]
    note = ", ".join(part for part in (first["period"] and f"Period {first['period']}", first["school"]) if part)
    return ClassNews(first["title"], note, first["books"] or "", [full_name(row) for row in students])


def _mark_sent(mailing: _Mailing, rows: list[dict[str, Any]]) -> None:
    kinds = sorted({_NOTIFIED[row["kind"]] for row in rows if row["kind"] in _NOTIFIED})
    with db.acting_as(mailing.connection, "roster_edit") as cursor:
        db.run(cursor, "notices/sent", {"ids": [row["id"] for row in rows]})
        if kinds:
            notified = {"district_id": mailing.district_id, "run_ids": _run_ids(rows), "kinds": kinds}
            db.run(cursor, "notices/notified", notified)


def _run_ids(rows: list[dict[str, Any]]) -> list[int]:
    return sorted({row["run_id"] for row in rows if row["run_id"] is not None})


@contextmanager
def _only_sender(mailing: _Mailing) -> Iterator[None]:
    """One sender per district at a time: two at once would send the same email twice."""
    lock = {"id": mailing.district_id}
    with db.acting_as(mailing.connection, "roster_read") as cursor:
        cursor.execute("select pg_advisory_lock(hashtext('roster notices'), %(id)s)", lock)
    try:
        yield
    finally:
        if not mailing.connection.closed:
            with db.acting_as(mailing.connection, "roster_read") as cursor:
                cursor.execute("select pg_advisory_unlock(hashtext('roster notices'), %(id)s)", lock)
