"""What a preview or a hold would do, and why someone is not here: listed and found by indexes of the run's parts."""

from __future__ import annotations

import html
import re

import pytest

from tests.ui import madeup

HARBOR = "/roster/districts/harbor"


@pytest.fixture
def preview(pages):
    """A previewed run: every student changes, four come new, one class and one school come new, two enrollments end."""
    run = madeup.run(pages.cursor, pages.harbor, "previewed")
    cursor, params = pages.cursor, {"run": run, "district": pages.harbor}
    cursor.execute("select staging.open_run(%(run)s)", params)
    cursor.execute(
        "insert into staging.users (run_id, n, source_id, status, source_roles, roles, school_source_ids, email,"
        "  given_name, family_name, sis_id)"
        " select %(run)s, u.id, u.source_id, 'active', array[u.role], array[u.role], array['harbor-s1'], u.email,"
        "  u.given_name, u.family_name, u.sis_id from portal.users u where u.district_id = %(district)s"
        " union all select %(run)s, 9000 + n, 'new' || n, 'active', array['student'], array['student'], '{harbor-s1}',"
        "  'New' || n || '@Example.org', 'Nova', 'O''Newly' || n, 'N' || n from generate_series(1, 4) n", params,
    )  # fmt: skip
    cursor.execute(
        "insert into staging.classes (run_id, n, source_id, status, title)"
        " values (%(run)s, 1, 'c-new', 'active', 'Zoology');"
        "insert into staging.schools (run_id, source_id, status, name)"
        " values (%(run)s, 's-new', 'active', 'Zenith School')",
        params,
    )
    cursor.execute(
        "insert into staging.plan (run_id, entity, kind, action, phase, row_id, source_id, role, changed)"
        " select %(run)s, 'users', 'students', 'update', 'updates', u.id, u.source_id, 'student', array['grade']"
        " from portal.users u where u.district_id = %(district)s and u.role = 'student'"
        " union all select %(run)s, 'users', 'students', 'add', 'adds', 90000 + n, 'new' || n, 'student', null"
        " from generate_series(1, 4) n"
        " union all values (%(run)s, 'classes', 'classes', 'add', 'adds', 90010, 'c-new', null, null::text[]),"
        "  (%(run)s, 'schools', 'schools', 'add', 'adds', 90011, 's-new', null, null)", params,
    )  # fmt: skip
    cursor.execute(
        "insert into staging.plan (run_id, entity, kind, action, phase, class_id, user_id, role)"
        " select %(run)s, 'enrollments', 'enrollments', 'end', 'removals', e.class_id, e.user_id, e.role"
        " from portal.enrollments e where e.district_id = %(district)s and e.role = 'student' order by 6, 7 limit 60",
        params,
    )
    cursor.execute("select staging.index_run(%(run)s)", params)
    return run


def changes(pages, run, kind, what, search=None, after=""):
    path = f"{HARBOR}/runs/{run}/changes"
    visitor = pages.client("vera")
    if search is None:
        text = visitor.get(f"{path}?kind={kind}&what={what}&after={after}").text
    else:
        text = visitor.post(path, data={"kind": kind, "what": what, "q": search}).text
    rows = re.findall(r'<th scope="row">(.*?)(?:<span|</th>)', text)
    return [html.unescape(re.sub("<[^>]+>", "", row)).strip() for row in rows], text


def cursor_of(text: str) -> str:
    """Where the next page begins, from the link to it."""
    found = re.search(r"after=(\d+(?:\.\d+)?)", text)
    assert found
    return found[1]


def test_a_plan_is_listed_in_pages_and_new_rows_bear_the_feeds_names(pages, preview):
    first, text = changes(pages, preview, "students", "updated")
    assert len(first) == 50
    second, text = changes(pages, preview, "students", "updated", after=cursor_of(text))
    third, _ = changes(pages, preview, "students", "updated", after=cursor_of(text))
    assert len(first + second + third) == 120
    assert changes(pages, preview, "students", "added")[0] == [f"O'Newly{n}, Nova" for n in range(1, 5)]
    assert changes(pages, preview, "classes", "added")[0] == ["Zoology"]
    assert changes(pages, preview, "schools", "added")[0] == ["Zenith School"]


def test_enrollments_that_would_end_are_listed_in_pages(pages, preview):
    first, text = changes(pages, preview, "enrollments", "unshared")
    assert len(first) == 50
    second, _ = changes(pages, preview, "enrollments", "unshared", after=cursor_of(text))
    assert len(second) == 10


@pytest.mark.parametrize(
    ("what", "search", "found"),
    [
        ("added", "o'newly", 4),
        ("added", "o'newly3, nova", 1),
        ("added", "nova o'newly3", 1),
        ("added", "new2@example.org", 1),
        ("added", "new2", 1),
        ("added", "zzz", 0),
        ("added", "%", 0),
        ("updated", "o'newly", 0),
        ("updated", "harbor50@example.org", 1),
        ("held", "harbor50@example.org", 1),
    ],
)
def test_a_plan_is_searched_by_the_beginning_of_a_name_an_email_or_an_id(pages, preview, what, search, found):
    assert len(changes(pages, preview, "students", what, search)[0]) == found


def test_a_plan_is_searched_by_the_names_of_people_in_the_portal(pages, preview):
    student = madeup.person(pages.cursor, pages.harbor, "student", position=9)
    family = pages.one("select family_name from portal.users where id = %s", student)
    given = pages.one("select given_name from portal.users where id = %s", student)
    for text in (f"{family} {given}", f"{given} {family}", f"{family}, {given}", family.upper()):
        found, _ = changes(pages, preview, "students", "updated", text)
        assert f"{family}, {given}" in found
        assert all(family in label for label in found)


def test_new_classes_and_schools_of_a_plan_are_searched_too(pages, preview):
    assert changes(pages, preview, "classes", "added", "zoo")[0] == ["Zoology"]
    assert changes(pages, preview, "classes", "added", "biology")[0] == []
    assert changes(pages, preview, "schools", "added", "nith")[0] == ["Zenith School"]


@pytest.mark.parametrize("search", ["o'newly3", "nova o'newly3", "NEW3@example.org", "new3", "n3"])
def test_why_someone_is_not_here_is_found_by_name_email_or_id(pages, preview, search):
    text = pages.client("vera").post(f"{HARBOR}/why", data={"q": search}).text
    assert "O&#39;Newly3, Nova" in text
    assert "O&#39;Newly2" not in text


def test_a_runs_parts_are_indexed_once_however_often_it_ends(pages, preview):
    indexes = "select count(*) from pg_indexes where schemaname = 'staging' and indexname ~ %s"
    before = pages.one(indexes, f"_{preview}_")
    assert before == 9
    pages.cursor.execute("select staging.index_run(%s)", (preview,))
    assert pages.one(indexes, f"_{preview}_") == before


def test_a_run_that_was_written_or_read_nothing_is_not_indexed_for_its_plan(pages):
    nothing, written = (madeup.run(pages.cursor, pages.harbor, "launched") for _ in range(2))
    pages.cursor.execute("select staging.open_run(%s)", (written,))
    for run in (nothing, written):
        pages.cursor.execute("select staging.index_run(%s)", (run,))
    assert pages.one("select count(*) from pg_indexes where indexname ~ %s", f"^users_{written}_") == 4
    assert pages.one("select count(*) from pg_indexes where indexname ~ %s", f"^plan_{written}_") == 0
