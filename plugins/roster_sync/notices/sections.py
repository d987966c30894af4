"""The lists of a digest: who and what is new, what needs a person, what was freed, offered, rejected or missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from roster_sync.core.text import NO_NAME, full_name, noun, number, plural
from roster_sync.core.vocabulary import NOUNS, ROLES, WORKLIST, Noun
from roster_sync.notices.mails import Headline, Rank, Row, Section
from roster_sync.notices.news import News

FIXES: Final = {
    "missing_id": ("without an ID", "Give each an ID at the source."),
    "class_without_school": (
        "without a shared school",
        "Give each class its school at the source, or share the school.",
    ),
    "nul_byte": ("with an unreadable character", "Type the value again at the source."),
    "bad_utf8": ("with letters in the wrong encoding", "Export the file as UTF-8."),
    "ragged_line": ("with too few or too many columns", "Export the file again; put quotes around values with commas."),
    "not_an_object": ("that could not be read", "Ask the operator of the source to correct them."),
}
"""Rule of a rejected row -> what is wrong with it, and how to fix it at the source; never a value."""
MOST_FINDINGS: Final = 1000
"""The most findings of one rule that a run keeps."""


def new_people(news: News) -> Iterator[Section]:
    """Teachers and other staff whom the runs added, by name."""
    found = news.rows_of("new_people", "new_people")
    if teachers := [row for row in found if row["is_teacher"]]:
        total, needing = teachers[0]["total"], teachers[0]["needing"]
        advice = f"{plural(needing, 'needs a license', 'need a license')}: assign it in the portal."
        yield Section(
            count=total,
            title=noun(total, "new teacher"),
            headline=Headline(Rank.TO_DO, plural(total, "new teacher")),
            advice=advice if needing else "",
            rows=[Row(full_name(row), _school(row)) for row in teachers],
            total=total,
            href=news.links.worklist(news.district.key, "teacher_needs_license"),
            label=_items("teacher_needs_license"),
        )
    if staff := [row for row in found if not row["is_teacher"]]:
        total = staff[0]["total"]
        yield Section(
            count=total,
            title=noun(total, "new staff member"),
            headline=Headline(Rank.NEW, plural(total, "new staff member")),
            advice="Check in the portal what they need.",
            rows=[Row(full_name(row), _note(ROLES[row["role"]], _school(row))) for row in staff],
            total=total,
        )


def new_schools(news: News) -> Iterator[Section]:
    """Schools that the runs added."""
    if found := news.rows_of("new_schools", "new_schools"):
        needing = sum(row["needs_admin"] for row in found)
        advice = f"{plural(needing, 'needs a school admin', 'need a school admin')}: add one in the portal."
        yield Section(
            count=len(found),
            title=noun(len(found), "new school"),
            headline=Headline(Rank.TO_DO, plural(len(found), "new school")),
            advice=advice if needing else "",
            rows=[Row(row["name"]) for row in found],
            href=news.links.worklist(news.district.key, "school_needs_admin"),
            label=_items("school_needs_admin"),
        )


def new_students(news: News) -> Iterator[Section]:
    """How many students the runs added; their names are on the run's page only."""
    runs = news.runs_with("new_students")
    added = sum(run["counts"].get("students", {}).get("added", 0) for run in runs)
    if added:
        yield Section(
            count=added,
            title=noun(added, "new student"),
            headline=Headline(Rank.COUNTED, plural(added, "new student")),
            href=news.links.changes(runs[-1]["id"], "students"),
            label="See the new students",
        )


def students_who_need_books(news: News) -> Iterator[Section]:
    """Students who came into a class with books: everyone after a Reset, else those whose teachers get no email."""
    numbers = news.numbers
    if news.keys("students_need_books"):
        students, classes = numbers["students_without_books"], numbers["classes_with_such"]
        advice = (
            f"New in {plural(classes, 'class', 'classes')} with books. Teachers with an email address are notified."
        )
    elif news.keys("books_without_teacher"):
        students, classes = numbers["students_without_teacher"], numbers["classes_without_teacher"]
        advice = (
            f"New in {plural(classes, 'class', 'classes')} whose teachers have no usable email address: "
            "assign the books of the class in the portal."
        )
    else:
        return
    if students:
        yield Section(
            count=students,
            title=noun(students, "student needs books", "students need books"),
            headline=Headline(Rank.COUNTED, plural(students, "student needs books", "students need books")),
            advice=advice,
            href=news.links.worklist(news.district.key, "student_needs_books"),
            label=_items("student_needs_books"),
        )


def role_drift(news: News) -> Iterator[Section]:
    """People whose role at the source is not their role in the portal."""
    if found := news.rows_of("role_drift", "role_drift"):
        total = len(found)
        yield Section(
            count=total,
            title=noun(total, "role differs from the source", "roles differ from the source"),
            headline=Headline(Rank.COUNTED, plural(total, "role that differs", "roles that differ")),
            advice="The sync never changes a role. If the source is right, change the role in the portal.",
            rows=[Row(full_name(row), _two_roles(row)) for row in found],
            href=news.links.worklist(news.district.key, "role_drift"),
            label=_items("role_drift"),
        )


def match_reviews(news: News) -> Iterator[Section]:
    """Pairs of people who may be the same person."""
    found = news.numbers["match_reviews"]
    if news.keys("match_review") and found:
        yield Section(
            count=found,
            title=noun(found, "new person may already be in the portal", "new people may already be in the portal"),
            headline=Headline(Rank.COUNTED, WORKLIST["match_review"].of(found)),
            advice="They were added as new people. Please decide whether they are the same person as before.",
            href=news.links.worklist(news.district.key, "match_review"),
            label="Review the matches",
        )


def licenses_freed(news: News) -> Iterator[Section]:
    """Licenses that Resets freed, with who held them."""
    if found := news.rows_of("licenses_freed", "licenses_freed"):
        total = found[0]["total"]
        yield Section(
            count=total,
            title=noun(total, "license was freed", "licenses were freed"),
            headline=Headline(Rank.TO_DO, plural(total, "license freed", "licenses freed")),
            advice="Their holders are no longer in the portal.",
            rows=_holders(found),
            total=total,
        )
    books = news.numbers["books_freed"]
    if news.keys("licenses_freed") and books:
        yield Section(count=books, title=noun(books, "student book was taken back", "student books were taken back"))


def licenses_at_stake(news: News) -> Iterator[Section]:
    """Licenses that a previewed or held Reset would free, with who holds them."""
    run_ids = [run["id"] for run in news.runs_with("preview")]
    run_ids += [run["id"] for run in news.runs_with("hold") if run["mode"] == "reset"]
    found = news.rows("licenses_planned", run_ids=run_ids) if run_ids else []
    if found:
        total = found[0]["total"]
        yield Section(
            count=total,
            title=noun(total, "license would be freed", "licenses would be freed"),
            rows=_holders(found),
            total=total,
            href=news.links.run(run_ids[-1]),
            label="Open the run",
        )


def offered_schools(news: News) -> Iterator[Section]:
    """Schools that are new at the source and not selected."""
    keys = news.keys("offered_school")
    found = news.rows("offered_schools", keys=keys) if keys else []
    if found:
        total = len(found)
        yield Section(
            count=total,
            title=noun(total, "new school is not selected", "new schools are not selected"),
            headline=Headline(Rank.NEW, plural(total, "new school to select", "new schools to select")),
            advice="The district shares them. They are synced once you select them.",
            rows=[Row(row["name"]) for row in found],
            href=news.links.settings(news.district.key, "schools"),
            label="Select schools",
        )


def rejected_rows(news: News) -> Iterator[Section]:
    """Rows that the rules rejected, by rule, with how to fix them."""
    counts: dict[tuple[str, str], int] = {}
    for key in news.keys("rejected"):
        entity, rule, count = key.rsplit(":", 2)
        counts[entity, rule] = int(count)  # the newest notice of a rule has the number that counts
    if counts:
        total = sum(counts.values())
        most_first = sorted(counts.items(), key=lambda one: -one[1])
        yield Section(
            count=total,
            title=noun(total, "row was rejected", "rows were rejected"),
            headline=Headline(Rank.REJECTED, plural(total, "row rejected", "rows rejected")),
            advice="They were left out, and the portal keeps what it has of them. Fix them at the source:",
            rows=[_rejected(entity, rule, count) for (entity, rule), count in most_first],
            href=news.links.rejected(news.run_ids("rejected")[-1]),
            label="See every rejected row",
        )


def incomplete_collections(news: News) -> Iterator[Section]:
    """Why rows that are missing in the roster were not taken for gone."""
    reasons = {}
    for notice in news.of("not_complete"):
        collection = notice["subject_key"].partition(":")[0]
        reason = (news.runs[notice["run_id"]]["proof"].get("not_complete") or {}).get(collection)
        if reason:
            reasons[reason] = Row(reason)
    if reasons:
        yield Section(
            count=len(reasons),
            title=noun(len(reasons), "sign that the roster is incomplete", "signs that the roster is incomplete"),
            headline=Headline(Rank.NEW, "the roster looks incomplete"),
            advice="Nothing that is missing in it was removed from the portal.",
            rows=list(reasons.values()),
        )


def _school(row: dict[str, Any]) -> str:
    """The first of a person's schools, and how many more."""
    if not row["school"]:
        return ""
    return str(row["school"]) + (f" and {row['schools'] - 1} more" if row["schools"] > 1 else "")


def _note(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _two_roles(row: dict[str, Any]) -> str:
    given = ", ".join(ROLES[role].lower() for role in row["source_roles"] or []) or "another role"
    return f"{ROLES[row['role']].lower()} in the portal, {given} at the source"


def _holders(found: list[dict[str, Any]]) -> list[Row]:
    """Who holds which license: a teacher, another person, or a school."""
    return [Row(row["holder"] or NO_NAME, _note(row["product"], ROLES[row["holder_kind"]].lower())) for row in found]


def _rejected(entity: str, rule: str, count: int) -> Row:
    rows = NOUNS.get(entity, Noun("row", "rows"))
    problem, fix = FIXES.get(rule, ("that could not be used", "The run's page says what is wrong with each."))
    shown = f"{number(MOST_FINDINGS)} or more {rows.many}" if count >= MOST_FINDINGS else rows.of(count)
    return Row(f"{shown} {problem}", fix)


def _items(kind: str) -> str:
    """The link to the worklist's items of one kind."""
    return WORKLIST[kind].many.capitalize()


SECTIONS = (
    new_people, new_schools, new_students, students_who_need_books, role_drift, match_reviews,
    licenses_freed, licenses_at_stake, offered_schools, rejected_rows, incomplete_collections,
)  # fmt: skip
"""In the order in which a digest shows them."""
