"""Mails: what one is, and how news become one; calm HTML and plain text from include/templates/mails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from roster_sync.config.templates import render

SHOWN: Final = 40
"""Rows of a list that a mail shows; the rest is a number and a link."""


@dataclass(frozen=True)
class Mail:
    """One mail, ready to be posted. Its repr shows nobody's address and nothing of its content."""

    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


@dataclass
class Row:
    """One line of a list: what it is, and a quieter word on it."""

    what: str
    note: str = ""


@dataclass
class Section:
    """One part of a mail: a number, what it counts, what to do, and the list."""

    count: int
    title: str
    advice: str = ""
    rows: list[Row] = field(default_factory=list)
    href: str = ""
    label: str = ""
    total: int | None = None
    """How long the whole list is, where `rows` holds its beginning only."""

    @property
    def shown(self) -> list[Row]:
        """The rows that the mail shows."""
        return self.rows[:SHOWN]

    @property
    def hidden(self) -> int:
        """How many it only counts."""
        return (len(self.rows) if self.total is None else self.total) - len(self.shown)


@dataclass
class Alert:
    """What must be seen first."""

    tone: str
    """bad | warn | good | note"""
    title: str
    text: list[str]
    href: str = ""
    label: str = ""
    table: list[list[str]] = field(default_factory=list)
    """Kinds of rows by what happens to them; the first line is the head."""


@dataclass
class Digest:
    """All that one mail to a subscriber says."""

    headline: str
    intro: str
    alerts: list[Alert] = field(default_factory=list)
    table: list[list[str]] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    href: str = ""
    unsubscribe: str = ""

    @property
    def is_empty(self) -> bool:
        """Nothing to tell: no mail."""
        return not (self.alerts or self.sections)


@dataclass
class ClassNews:
    """A teacher's class, its new students and the books that they lack."""

    title: str
    note: str
    books: str
    students: list[str] = field(default_factory=list)


def digest_mail(to: str, district_name: str, digest: Digest) -> Mail:
    """The digest of a run for one subscriber."""
    values: dict[str, Any] = {"district": district_name, "digest": digest}
    return Mail(
        to=to,
        subject=_one_line(f"{district_name}: {digest.headline}"),
        text=_tidy(render("mails/digest.txt", **values)),
        html=render("mails/digest.html", **values),
    )


def teacher_mail(to: str, district_name: str, classes: list[ClassNews]) -> Mail:
    """One mail a run to a teacher, with their own new students; the subject names nobody."""
    students = sum(len(one.students) for one in classes)
    values: dict[str, Any] = {"district": district_name, "classes": classes, "students": students}
    return Mail(
        to=to,
        subject=f"{students} new {'student needs' if students == 1 else 'students need'} books in your classes",
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
