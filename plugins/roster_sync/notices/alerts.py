"""What a digest shows first: failures, questions, an expiration date, and runs that a person started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from roster_sync.core.text import day, plural, with_article
from roster_sync.core.vocabulary import MODES
from roster_sync.engine import plan_text, undo
from roster_sync.notices.mails import Alert, Headline, Rank
from roster_sync.notices.news import News


def failures(news: News) -> Iterator[Alert]:
    """Runs that failed."""
    for run in news.runs_with("failure"):
        yield Alert(
            tone="bad",
            title=f"The {MODES[run['mode']]} failed",
            headline=Headline(Rank.FAILED, "the roster sync failed"),
            text=[run["message"] or "The run stopped before it finished.", "The failed step changed nothing."],
            href=news.links.run(run["id"]),
            label="Open the run",
        )


def questions(news: News) -> Iterator[Alert]:
    """Questions that wait for an answer."""
    hold_ids = [int(key.partition(":")[2]) for key in news.keys("hold")]
    for hold in news.rows("holds", keys=hold_ids) if hold_ids else []:
        plan = hold["summary"]
        yield Alert(
            tone="warn",
            title=f"This {MODES[hold['mode']]} is waiting for your answer",
            headline=Headline(Rank.WAITING, "the roster sync is waiting for your answer"),
            text=[
                *(_facts(plan, hold["mode"]) or [plan.get("sentence") or "More would change than the limits allow."]),
                f"If nobody answers by {news.moment(hold['due_at'])}, nothing happens."
                " The question is also in Airflow under Required Actions.",
            ],
            table=plan_text.plan_table(plan),
            href=news.links.run(hold["run_id"]),
            label="Review and answer",
        )


def expiration(news: News) -> Iterator[Alert]:
    """An expiration date that is near."""
    keys = news.keys("expiry")
    if not keys:
        return
    expires_on = date.fromisoformat(max(keys).partition(":")[0])
    days = (expires_on - datetime.now(ZoneInfo(news.district.timezone)).date()).days
    if days < 0:
        return
    when = "today" if days == 0 else f"in {plural(days, 'day')}"
    yield Alert(
        tone="warn",
        title=f"The sync expires {when}",
        headline=Headline(Rank.EXPIRING, f"the roster sync expires {when}"),
        text=[f"The last day is {day(expires_on)}. After that no sync runs, and the portal stays as it is."],
        href=news.links.settings(news.district.key, "expiration"),
        label="Set a later date",
    )


def finished_resets(news: News) -> Iterator[Alert]:
    """Resets that were carried out."""
    for run in news.runs_with("reset"):
        yield Alert(
            tone="good",
            title="The Reset is done",
            headline=Headline(Rank.DONE, "the Reset is done"),
            text=[
                f"The portal now holds exactly what is shared. You can undo the Reset for {plural(undo.days(), 'day')}."
            ],
            href=news.links.run(run["id"]),
            label="Open the run",
        )


def finished_undos(news: News) -> Iterator[Alert]:
    """Undos that were carried out."""
    for run in news.runs_with("undo"):
        undone = "a sync"
        if run["undoes_mode"]:
            undone = f"the {MODES[run['undoes_mode']]} of {news.moment(run['undoes_started_at'])}"
        yield Alert(
            tone="good",
            title="A sync was undone",
            headline=Headline(Rank.DONE, "a sync was undone"),
            text=[f"The changes of {undone} were undone. The next nightly sync follows the source again."],
            href=news.links.run(run["id"]),
            label="Open the run",
        )


def previews(news: News) -> Iterator[Alert]:
    """Runs that only showed what they would do."""
    for run in news.runs_with("preview"):
        plan, mode = run["plan"], MODES[run["mode"]]
        yield Alert(
            tone="note",
            title=f"Preview of the {mode}",
            headline=Headline(Rank.DONE, f"preview of {with_article(mode)}"),
            text=["Nothing was changed. This is what it would do:", *_facts(plan, run["mode"])],
            table=plan_text.undo_table(plan) if run["mode"] == "undo" else plan_text.plan_table(plan),
            href=news.links.run(run["id"]),
            label="Open the preview",
        )


def _facts(plan: Mapping[str, Any], mode: str) -> list[str]:
    return [*plan_text.breaches(plan), *plan_text.losses(plan, mode).values()]


ALERTS = (failures, questions, expiration, finished_resets, finished_undos, previews)
"""In the order in which a digest shows them."""
