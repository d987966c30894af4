"""Emails: the parts that one is made of, and how they become calm HTML and plain text (include/templates/mails)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from roster_sync.config.templates import render
from roster_sync.core.text import noun

SHOWN: Final = 40
"""Rows of a list that an email shows; the rest is a number and a link."""
HEADLINES: Final = 3
"""Pieces of lesser news that a subject names."""


@dataclass(frozen=True)
class Mail:
    """One email, ready to be posted. Its repr shows nobody's address and nothing of its content."""

    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


class Rank(IntEnum):
    """How much a piece of news matters; the most important one makes the subject."""

    FAILED = 0
    WAITING = 1
    EXPIRING = 2
    DONE = 3
    """The last one that makes the subject alone."""
    TO_DO = 4
    NEW = 5
    COUNTED = 6
    REJECTED = 7


@dataclass(frozen=True)
class Headline:
    """What the subject may say of a part of the email; never a name."""

    rank: Rank
    text: str


@dataclass(frozen=True)
class Row:
    """One line of a list: what it is, and a quieter note."""

    what: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of a digest: a number, what it counts, what to do, and the list."""

    count: int
    title: str
    headline: Headline | None = None
    advice: str = ""
    rows: list[Row] = field(default_factory=list)
    href: str = ""
    label: str = ""
    total: int | None = None
    """How long the whole list is, where `rows` holds its beginning only."""

    @property
    def shown(self) -> list[Row]:
        """The rows that the email shows."""
        return self.rows[:SHOWN]

    @property
    def hidden(self) -> int:
        """How many it only counts."""
        return (len(self.rows) if self.total is None else self.total) - len(self.shown)


@dataclass(frozen=True, kw_only=True)
class Alert:
    """What must be seen first."""

    tone: str
    """bad | warn | good | note"""
    title: str
    headline: Headline
    text: list[str]
    href: str
    label: str
    table: list[list[str]] = field(default_factory=list)
    """Kinds of rows by what happens to them; the first line is the head."""


@dataclass(frozen=True, kw_only=True)
class Digest:
    """Everything that one email to a subscriber says."""

    intro: str = ""
    alerts: list[Alert] = field(default_factory=list)
    table: list[list[str]] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    href: str = ""
    unsubscribe: str = ""

    @property
    def is_empty(self) -> bool:
        """No news: no email."""
        return not (self.alerts or self.sections)

    @property
    def headline(self) -> str:
        """The most important news, or up to three lesser pieces; never a name."""
        parts: list[Alert | Section] = [*self.alerts, *self.sections]
        found = [part.headline for part in parts if part.headline]
        ranked = sorted(found, key=lambda one: one.rank)
        if ranked and ranked[0].rank <= Rank.DONE:
            return ranked[0].text
        return ", ".join(_once(one.text for one in ranked)[:HEADLINES]) or "roster sync news"


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


@dataclass(frozen=True)
class ClassNews:
    """A teacher's class, its new students and the books that they need."""

    title: str
    note: str
    books: str
    students: list[str]


def digest_mail(to: str, district_name: str, digest: Digest) -> Mail:
    """The digest for one subscriber."""
    values: dict[str, Any] = {"district": district_name, "digest": digest}
    return Mail(
        to=to,
        subject=_one_line(f"{district_name}: {digest.headline}"),
        text=_tidy(render("mails/digest.txt", **values)),
        html=render("mails/digest.html", **values),
    )


def teacher_mail(to: str, district_name: str, classes: list[ClassNews]) -> Mail:
    """One email to a teacher, with their own new students; the subject names nobody."""
    students = sum(len(one.students) for one in classes)
    values: dict[str, Any] = {"district": district_name, "classes": classes, "students": students}
    return Mail(
        to=to,
        subject=f"{students} new {noun(students, 'student needs', 'students need')} books in your classes",
        text=_tidy(render("mails/teacher.txt", **values)),
        html=render("mails/teacher.html", **values),
    )


def _one_line(text: str) -> str:
    """A header's text: a name from the feed with a line break in it must not become a header of its own."""
    return " ".join(text.split())


def _tidy(text: str) -> str:
    """Plain text without runs of blank lines, which optional parts leave behind."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.strip() or (lines and lines[-1]):
            lines.append(line.rstrip())
    return "\n".join(lines).strip() + "\n"
