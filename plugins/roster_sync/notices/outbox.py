"""Tells people what a run did: one digest to the district's subscribers, one mail to each teacher it concerns.

What is to be told is recorded first, once per recipient and thing (sync.notices); what could not be sent stays recorded
and goes with the next run. A mail that fails never fails a run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from roster_sync.core.errors import RosterError
from roster_sync.core.links import Links
from roster_sync.database import db
from roster_sync.engine import runs
from roster_sync.notices import digests
from roster_sync.notices.digest_words import full_name
from roster_sync.notices.mails import ClassNews, Digest, Mail, digest_mail, teacher_mail

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.config.districts import District

__all__ = ["Mail", "send", "send_expiry"]

log = logging.getLogger(__name__)

Post = Callable[[Mail], None]

PATIENCE: Final = 3
"""Failures in a row after which the mail server counts as away, and the rest waits for the next run."""
RUNBOOK: Final = "docs/runbooks/mails-do-not-go-out.md"
TEACHER: Final = "teacher_books"
_NOTIFIED: Final = {
    "new_people": "teacher_needs_license", "new_schools": "school_needs_admin", "role_drift": "role_drift",
    "match_review": "match_review", "books_without_teacher": "student_needs_books",
    "students_need_books": "student_needs_books", TEACHER: "student_needs_books",
}  # fmt: skip


def send(connection: Connection, run_id: int, district: District, post: Post, links: Links) -> int:
    """Tells what this run has to tell, and what an earlier one could not record or send; returns the mails sent."""
    with db.acting_as(connection, "roster_edit") as cursor:
        run = db.one(cursor, "notices/run", {"run_id": run_id})
        if run is None:
            return 0
        params = {"district_id": run["district_id"], "today": _today(district)}
        for told in (*runs.untold(cursor, run_id, run["district_id"]), run_id):
            _record(cursor, params | {"run_id": told, "run_ids": [told]})
        db.run(cursor, "notices/record_expiry", params | {"run_id": run_id})
    return _send_pending(connection, run["district_id"], district, post, links)


def _record(cursor: Cursor, params: dict[str, Any]) -> None:
    db.run(cursor, "notices/book_news", params)
    db.run(cursor, "notices/record_digest", params)
    db.run(cursor, "notices/record_teachers", params)


def send_expiry(connection: Connection, district: District, post: Post, links: Links) -> int:
    """Tells an expiration date that comes near, for a district that no run told of it; returns the mails sent."""
    with db.acting_as(connection, "roster_edit") as cursor:
        found = db.one(cursor, "notices/district", {"key": district.key})
        if found is None:
            return 0
        params = {"run_id": None, "district_id": found["id"], "today": _today(district)}
        db.run(cursor, "notices/record_expiry", params)
    return _send_pending(connection, found["id"], district, post, links)


def _today(district: District) -> str:
    return datetime.now(ZoneInfo(district.timezone)).date().isoformat()


def _send_pending(connection: Connection, district_id: int, district: District, post: Post, links: Links) -> int:
    sent = failed = failed_in_a_row = 0
    with _only_sender(connection, district_id):
        with db.acting_as(connection, "roster_read") as cursor:
            pending = db.rows(cursor, "notices/pending", {"district_id": district_id})
        made: dict[Any, Digest] = {}
        for (recipient, is_teacher), rows in _letters(pending):
            told = _told(connection, district_id, district, links, recipient, rows, is_teacher, made)
            if told is None:
                _mark(connection, district_id, rows)  # overtaken: a hold answered, a student who left again
                continue
            try:
                post(told)
            except RosterError as error:  # of the connection, and so of every mail
                failed += 1
                log.error("Mails stay unsent until this is mended: %s See %s.", error, RUNBOOK)
                break
            except Exception as error:  # whatever the mail server or its client raises
                failed += 1
                failed_in_a_row += 1
                log.warning("a mail could not be sent (%s); the next run tries again", type(error).__name__)
                if failed_in_a_row >= PATIENCE:
                    log.warning("the mail server takes no mails now; the rest waits for the next run. See %s.", RUNBOOK)
                    break
                continue
            failed_in_a_row = 0
            sent += 1
            _mark(connection, district_id, rows)
    log.info("%s mails sent, %s failed", sent, failed)
    return sent


def _letters(pending: list[dict[str, Any]]) -> Iterator[tuple[tuple[str, bool], list[dict[str, Any]]]]:
    """The pending notices by mail: a subscriber who is a teacher too gets one mail for each part."""

    def key(row: dict[str, Any]) -> tuple[str, bool]:
        return str(row["recipient"]), row["kind"] == TEACHER

    for recipient, rows in groupby(sorted(pending, key=key), key=key):
        yield recipient, list(rows)


def _told(
    connection: Connection,
    district_id: int,
    district: District,
    links: Links,
    recipient: str,
    rows: list[dict[str, Any]],
    is_teacher: bool,
    made: dict[Any, Digest],
) -> Mail | None:
    """The mail for these notices, or None where nothing of them still holds; equal news are put together once."""
    with db.acting_as(connection, "roster_edit") as cursor:
        if is_teacher:
            classes = _classes(cursor, district_id, recipient, _run_ids(rows))
            return teacher_mail(recipient, district.name, classes) if classes else None
        news = tuple((row["run_id"], row["kind"], row["subject_key"]) for row in rows)
        if news not in made:
            made[news] = digests.make(cursor, district_id, district, links, rows)
    digest = made[news]
    return None if digest.is_empty else digest_mail(recipient, district.name, digest)


def _classes(cursor: Any, district_id: int, email: str, run_ids: list[int]) -> list[ClassNews]:
    db.run(cursor, "notices/book_news", {"district_id": district_id, "run_ids": run_ids})
    found = db.rows(cursor, "notices/teacher_students", {"email": email})
    classes: list[ClassNews] = []
    for _, rows in groupby(found, key=lambda row: row["class_id"]):
        students = list(rows)
        first = students[0]
        note = ", ".join(part for part in (first["period"] and f"Period {first['period']}", first["school"]) if part)
        classes.append(ClassNews(first["title"], note, first["books"] or "", [full_name(row) for row in students]))
    return classes


def _mark(connection: Connection, district_id: int, rows: list[dict[str, Any]]) -> None:
    kinds = sorted({_NOTIFIED[row["kind"]] for row in rows if row["kind"] in _NOTIFIED})
    with db.acting_as(connection, "roster_edit") as cursor:
        db.run(cursor, "notices/sent", {"ids": [row["id"] for row in rows]})
        if kinds:
            told = {"district_id": district_id, "run_ids": _run_ids(rows), "kinds": kinds}
            db.run(cursor, "notices/notified", told)


def _run_ids(rows: list[dict[str, Any]]) -> list[int]:
    return sorted({row["run_id"] for row in rows if row["run_id"] is not None})


@contextmanager
def _only_sender(connection: Connection, district_id: int) -> Iterator[None]:
    """One sender per district at a time: two at once would tell the same thing twice."""
    with db.acting_as(connection, "roster_read") as cursor:
        cursor.execute("select pg_advisory_lock(hashtext('roster notices'), %(id)s)", {"id": district_id})
    try:
        yield
    finally:
        if not connection.closed:
            with db.acting_as(connection, "roster_read") as cursor:
                cursor.execute("select pg_advisory_unlock(hashtext('roster notices'), %(id)s)", {"id": district_id})
