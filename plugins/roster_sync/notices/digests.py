"""The digest: everything that a district's subscribers are notified of, as one email."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from roster_sync.core.text import table
from roster_sync.core.vocabulary import COUNTS, KINDS, MODES, PLAN_KINDS, TRIGGERS, UNDO_COUNTS
from roster_sync.database import db
from roster_sync.engine.freshen import PARAMETER as EVENTS
from roster_sync.notices.alerts import ALERTS
from roster_sync.notices.mails import Digest
from roster_sync.notices.news import News
from roster_sync.notices.sections import SECTIONS

_COUNTED: Final = ("added", "updated", "restored", "unshared", "deleted")


def make(news: News) -> Digest:
    """The digest of these notices; what is no longer true is left out."""
    needing = news.run_ids("books_without_teacher", "students_need_books")
    db.run(news.cursor, "notices/book_news", {"district_id": news.district_id, "run_ids": needing})
    newest = news.runs[max(news.runs)] if news.runs else None
    return Digest(
        intro=_intro(news, newest) if newest else "",
        alerts=[alert for alerts in ALERTS for alert in alerts(news)],
        table=_changes(newest) if newest else [],
        sections=[section for sections in SECTIONS for section in sections(news)],
        href=news.links.run(newest["id"]) if newest else news.links.settings(news.district.key),
        unsubscribe=news.links.emails(news.district.key),
    )


def _intro(news: News, run: Mapping[str, Any]) -> str:
    trigger = "hourly" if run["trigger"] == "nightly" and run["parameters"].get(EVENTS) else run["trigger"]
    return f"{TRIGGERS[trigger]} {MODES[run['mode']]} of {news.moment(run['started_at'])}"


def _changes(run: Mapping[str, Any]) -> list[list[str]]:
    """What the run changed in the portal, by kind of row; empty where it changed nothing."""
    if run["status"] in ("failed", "previewed"):
        return []
    labels = UNDO_COUNTS if run["mode"] == "undo" else COUNTS
    rows = [(KINDS[kind], run["counts"][kind]) for kind in PLAN_KINDS if kind in run["counts"]]
    return table(rows, {code: labels[code] for code in _COUNTED})
