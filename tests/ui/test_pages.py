"""What the pages say: districts in order of need, a run's numbers and rows, the answer to a support call."""

from __future__ import annotations

import re

import pytest
from psycopg2.extras import Json

from roster_sync import __version__
from roster_sync.ui.views import render
from tests.ui import madeup
from tests.ui.conftest import LONG_NAME

NASTY = "<script>alert('x')</script>\"&"


def shown(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="[^"]*">([^<]*)</a>', text)


def addresses(text: str) -> str:
    return "\n".join(re.findall(r'(?:href|src|action|hx-\w+)="([^"]*)"', text))


@pytest.mark.parametrize("path", ["/", "/docs", "/districts/harbor", "/districts/nothing"])
def test_every_page_shows_the_products_version_to_whoever_is_logged_in(pages, path):
    footer = f'<footer class="version">Roster Sync {__version__}</footer>'
    headers = {"Accept": "text/html"}
    assert footer in pages.client("staff").get(f"/roster{path}", headers=headers).text
    assert __version__ not in pages.client(None).get(f"/roster{path}", headers=headers).text


def test_the_district_that_needs_a_person_comes_first(pages):
    for days in (1, 0.2):
        madeup.run(pages.cursor, pages.harbor, "launched", days_ago=days)
    madeup.run(pages.cursor, pages.orchard, "failed", message="The key was refused.")
    text = pages.client("staff").get("/roster/").text
    assert shown(text) == ["Orchard Hill Schools", "Newtown Schools", "Harbor Unified School District"]
    assert "The key was refused." in text
    assert "Never synced" in text
    assert "Last 2 runs: 1 launched, 1 failed" in text


def test_districts_are_filtered_searched_and_paged_in_the_same_order(pages):
    for number in range(60):
        pages.cursor.execute(
            "insert into portal.districts (key, name) values (%s, %s)", (f"d{number:02}", f"District {number:02}")
        )
    visitor = pages.client("staff")
    first = visitor.get("/roster/").text
    after = re.search(r'\?after=(\w+)"', first)
    assert after
    second = visitor.get(f"/roster/?after={after[1]}", headers={"HX-Request": "true"}).text
    assert "<html" not in second
    assert not set(shown(first)) & set(shown(second))
    assert len(shown(first)) + len(shown(second)) == 63
    assert shown(visitor.get("/roster/?q=DISTRICT+42").text) == ["District 42"]
    assert shown(visitor.get("/roster/?q=orchard&source=Clever").text) == ["Orchard Hill Schools"]
    assert shown(visitor.get("/roster/?q=orchard&source=OneRoster+files").text) == []
    madeup.run(pages.cursor, pages.harbor, "in_progress")
    assert shown(visitor.get("/roster/?view=running").text) == ["Harbor Unified School District"]
    assert visitor.get("/roster/?view=nonsense").status_code == 422


def test_a_search_for_the_word_of_a_filter_is_kept_from_page_to_page(pages):
    text = pages.client("staff").get("/roster/?q=all&view=all").text
    assert 'href="?q=all"' in text
    assert 'href="?view=failed&amp;q=all"' in text


def test_one_run_is_reported_as_one(pages):
    assert 'aria-label="Last run: 1 launched"' in pages.client("olga").get("/roster/").text


def test_what_is_shared_comes_from_the_last_good_run(pages):
    counts = madeup.shared_counts(madeup.Size())
    counts["students"].update(added=5)
    madeup.run(pages.cursor, pages.harbor, "launched", counts=counts)
    madeup.run(pages.cursor, pages.harbor, "failed")
    madeup.run(pages.cursor, pages.harbor, "previewed")
    line = pages.client("dana", by="bearer").get("/roster/api/v1/districts").json()["districts"][0]
    assert line["shared"]["students"] == 125
    assert line["status"] == "failed"


def test_a_reading_of_events_does_not_count_as_what_is_shared(pages):
    madeup.run(pages.cursor, pages.harbor, "launched", days_ago=1, counts=madeup.shared_counts(madeup.Size()))
    hourly = {"students": {"received": 2, "updated": 2}}
    madeup.run(pages.cursor, pages.harbor, "launched", counts=hourly, parameters='{"events": true}')
    line = pages.client("dana", by="bearer").get("/roster/api/v1/districts").json()["districts"][0]
    assert line["shared"]["students"] == 120
    tiles = pages.client().get("/roster/districts/harbor").text.partition("<dt>Students</dt>")[2]
    assert tiles.startswith("<dd>120</dd>")


def test_a_run_shows_its_steps_counts_and_rules(pages):
    counts = madeup.shared_counts(madeup.Size())
    counts["teachers"].update(rejected=1)
    run = madeup.run(pages.cursor, pages.harbor, "launched", counts=counts)
    pages.cursor.execute(
        "insert into sync.findings (run_id, entity, source_id, severity, rule, field, message) values"
        " (%s, 'teachers', 'T-9', 'error', 'missing_name', 'familyName', 'Fill in the family name at the source.')",
        (run,),
    )  # fmt: skip
    text = pages.client().get(f"/roster/districts/harbor/runs/{run}").text
    for words in ("Reading the roster", "132 people", "rows per second", "Missing name", "Fill in the family name"):
        assert words in text
    listed = pages.client().get(f"/roster/districts/harbor/runs/{run}/rejected").text
    assert "T-9" in listed
    assert "Fill in the family name" in listed


def test_a_run_at_work_is_asked_for_again_and_a_finished_one_is_not(pages):
    run = madeup.run(pages.cursor, pages.harbor, "in_progress")
    path = f"/roster/districts/harbor/runs/{run}"
    text = pages.client().get(path).text
    assert 'hx-trigger="every' in text
    assert 'aria-current="step"' in text
    pages.cursor.execute("update sync.runs set status = 'launched', finished_at = now() where id = %s", (run,))
    part = pages.client().get(f"{path}?part=live", headers={"HX-Request": "true"}).text
    assert "hx-trigger" not in part
    assert "Launched" in part
    assert "<html" not in part
    assert "<html" in pages.client().get(f"{path}?part=live").text


def test_changes_show_before_and_after_and_are_found_by_name_without_it_in_an_address(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched", counts={"students": {"updated": 120, "added": 2}})
    pages.cursor.execute(
        "insert into sync.changes (run_id, table_name, key, action, before, after, changed)"
        " select %s, 'users', jsonb_build_object('id', id), 'update', '{\"grade\": \"05\"}', "
        " jsonb_build_object('grade', grade),"
        " array['grade'] from portal.users where district_id = %s order by id", (run, pages.harbor)
    )  # fmt: skip
    path = f"/roster/districts/harbor/runs/{run}/changes"
    first = pages.client().get(f"{path}?kind=students&what=updated").text
    assert "<del>05</del>" in first
    after = re.search(r"after=(c\d+)", first)
    assert after
    second = pages.client().get(f"{path}?kind=students&what=updated&after={after[1]}").text
    assert not set(shown(first)) & set(shown(second))
    name = pages.one("select family_name from portal.users where district_id = %s and role = 'student'", pages.harbor)
    found = pages.client().post(path, data={"kind": "students", "what": "updated", "q": name.upper()})
    assert found.status_code == 200
    assert shown(found.text)
    assert all(one.startswith(name) for one in shown(found.text))
    assert name not in addresses(found.text)
    teachers = pages.client().get(f"{path}?kind=teachers&what=updated").text
    assert len(shown(teachers)) == 12


def test_what_a_run_added_and_deleted_is_listed(pages):
    run = madeup.run(
        pages.cursor, pages.harbor, "launched", mode="reset", counts={"teachers": {"added": 3, "deleted": 1}}
    )
    pages.cursor.execute(
        "update portal.users set created_run_id = %s where id in"
        " (select id from portal.users where district_id = %s and role = 'teacher' order by id limit 3)",
        (run, pages.harbor),
    )  # fmt: skip
    image = '{"id": 99999, "role": "teacher", "family_name": "Gone", "given_name": "Ina", "source_id": "T-1"}'
    pages.cursor.execute(
        "insert into sync.changes (run_id, table_name, key, action, before, phase)"
        " values (%s, 'users', '{\"id\": 99999}', 'delete', %s, 'removals')", (run, image)
    )  # fmt: skip
    path = f"/roster/districts/harbor/runs/{run}/changes"
    assert len(shown(pages.client().get(f"{path}?kind=teachers&what=added").text)) == 3
    deleted = pages.client().get(f"{path}?kind=teachers&what=deleted").text
    assert "Gone, Ina" in deleted
    assert "/people/99999" not in deleted
    looked = pages.client().post("/roster/districts/harbor/why", data={"q": "gone"}).text
    assert "Gone, Ina" in looked


def test_the_rows_on_hold_are_listed_from_the_plan(pages):
    run = madeup.run(pages.cursor, pages.harbor, "held", wrote=True, counts={"students": {"held": 2}})
    pages.cursor.execute("select staging.open_run(%s)", (run,))
    pages.cursor.execute(
        "insert into staging.plan (run_id, entity, kind, action, phase, row_id)"
        " select %s, 'users', 'students', 'unshare', 'removals', id from portal.users"
        " where district_id = %s and role = 'student' order by id limit 2", (run, pages.harbor)
    )  # fmt: skip
    madeup.hold(pages.cursor, run)
    text = pages.client().get(f"/roster/districts/harbor/runs/{run}").text
    assert "Approve these removals?" in text
    held = pages.client().get(f"/roster/districts/harbor/runs/{run}/changes?kind=students&what=held").text
    assert len(shown(held)) == 2
    assert "No longer shared" in held


def test_a_support_call_is_answered_on_one_page(pages):
    person = madeup.person(pages.cursor, pages.harbor, "teacher", position=3)
    pages.cursor.execute("insert into portal.products (code, title) values ('SCI', 'Science Library') returning id")
    product = pages.cursor.fetchone()[0]
    pages.cursor.execute(
        "insert into portal.license_assignments (district_id, product_id, user_id, assigned_by)"
        " values (%s, %s, %s, 'staff')",
        (pages.harbor, product, person),
    )
    email = pages.one("select email from portal.users where id = %s", person)
    found = pages.client().post("/roster/districts/harbor/roster/teachers", data={"q": f" {email.upper()} "}).text
    assert f"/people/{person}" in found
    text = pages.client().get(f"/roster/districts/harbor/people/{person}").text
    for words in ("Science Library", "assigned by staff", "Edit 1", "Shared", "period"):
        assert words in text
    pages.cursor.execute("update portal.users set is_shared = false, last_shared_at = now() where id = %s", (person,))
    assert "no longer shares this person" in pages.client().get(f"/roster/districts/harbor/people/{person}").text


@pytest.mark.parametrize(
    "text", ["Ada Amberley", "amberley, ada", "amberley ada", "AMB ad", "harbor16@example.org", "P16", "harbor-u16"]
)
def test_people_are_found_by_name_in_any_order_email_or_id(pages, text):
    pages.cursor.execute(
        "update portal.users set family_name = 'Amberley', given_name = 'Ada' where source_id = 'harbor-u16'"
    )
    found = pages.client(by="bearer").post(
        "/roster/api/v1/districts/harbor/people/search", json={"text": text, "kind": "students"}
    )
    assert "harbor16@example.org" in [person["email"] for person in found.json()]
    nobody = pages.client("olga", by="bearer").post(
        "/roster/api/v1/districts/orchard/people/search", json={"text": "harbor-u16"}
    )
    assert nobody.json() == []


@pytest.mark.parametrize("sis_id", ["ZQX", "ZQ X"])
def test_a_sis_id_of_letters_only_is_found_where_no_name_begins_like_it(pages, sis_id):
    pages.cursor.execute("update portal.users set sis_id = %s where source_id = 'harbor-u16'", (sis_id,))
    search = pages.client(by="bearer").post
    found = search("/roster/api/v1/districts/harbor/people/search", json={"text": sis_id.lower()}).json()
    assert [person["email"] for person in found] == ["harbor16@example.org"]


@pytest.mark.parametrize(
    "text",
    ["de la Cruz", "Mary Kate de la Cruz", "de la Cruz Mary Kate", "mary kate", "de la cruz, mary", "Mary de la Cruz"],
)
def test_names_of_several_words_are_found(pages, text):
    pages.cursor.execute(
        "update portal.users set family_name = 'de la Cruz', given_name = 'Mary Kate' where source_id = 'harbor-u16'"
    )
    search = pages.client(by="bearer").post
    found = search("/roster/api/v1/districts/harbor/people/search", json={"text": text}).json()
    assert [person["family_name"] for person in found] == ["de la Cruz"]


def test_who_is_here_in_another_role_is_found_all_the_same(pages):
    student = madeup.person(pages.cursor, pages.harbor, "student")
    email = pages.one("select email from portal.users where id = %s", student)
    text = pages.client().post("/roster/districts/harbor/roster/teachers", data={"q": email}).text
    assert "No match among the teachers." in text
    assert f"/people/{student}" in text


def test_whoever_is_not_in_the_portal_is_explained_from_what_the_source_shared(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched")
    pages.cursor.execute("select staging.open_run(%s)", (run,))
    pages.cursor.execute("update sync.school_selection set is_selected = false where source_id = 'harbor-s1'")
    pages.cursor.execute("update sync.settings set school_mode = 'listed' where district_id = %s", (pages.harbor,))
    pages.cursor.execute(
        "insert into staging.users (run_id, n, source_id, status, source_roles, roles, school_source_ids, family_name,"
        " given_name, is_rejected) values"
        " (%(run)s, 1, 'x1', 'active', '{teacher}', '{teacher}', '{harbor-s2}', 'Wanted', 'Una', true),"
        " (%(run)s, 2, 'x2', 'active', '{teacher}', '{teacher}', '{harbor-s1}', 'Wanted', 'Dua', false),"
        " (%(run)s, 3, 'x3', 'active', '{aide}', '{}', '{harbor-s2}', 'Wanted', 'Tria', false)", {"run": run}
    )  # fmt: skip
    pages.cursor.execute(
        "insert into sync.findings (run_id, entity, source_id, severity, rule, message)"
        " values (%s, 'users', 'x1', 'error', 'no_email', 'Give this person an email at the source.')",
        (run,),
    )  # fmt: skip
    text = pages.client().post("/roster/districts/harbor/why", data={"q": "wanted"}).text
    assert "Give this person an email at the source." in text
    assert "No email: " in text
    assert "schools is selected in the settings" in text
    assert "The sync does not add people with the source&#39;s role (aide)." in text
    assert "did not share this person" in pages.client().post("/roster/districts/harbor/why", data={"q": "zz"}).text


@pytest.mark.parametrize(
    ("columns", "found", "status", "told"),
    [
        ({"status": "tobedeleted"}, None, "launched", "marks this person for deletion"),
        ({"school_source_ids": []}, None, "launched", "lists no school for this person"),
        ({}, "role_not_created", "launched", "This district adds no aides."),
        ({}, None, "held", "changed nothing in the portal: On Hold."),
        ({}, None, "previewed", "changed nothing in the portal: Previewed."),
        ({"school_source_ids": ["harbor-s1"]}, None, "failed", "changed nothing in the portal: Failed."),
    ],
)
def test_each_reason_why_someone_is_not_here_has_its_sentence(pages, columns, found, status, told):
    run = madeup.run(pages.cursor, pages.harbor, status)
    pages.cursor.execute("select staging.open_run(%s)", (run,))
    pages.cursor.execute("update sync.school_selection set is_selected = false where source_id = 'harbor-s1'")
    values = {"run": run, "status": "active", "school_source_ids": ["harbor-s2"], **columns}
    pages.cursor.execute(
        "insert into staging.users (run_id, n, source_id, status, source_roles, roles, school_source_ids, family_name,"
        " given_name, is_rejected) values (%(run)s, 1, 'x1', %(status)s, '{teacher}', '{teacher}',"
        " %(school_source_ids)s, 'Wanted', 'Una', false)", values,
    )  # fmt: skip
    if found:
        pages.cursor.execute(
            "insert into sync.findings (run_id, entity, source_id, severity, rule, message)"
            " values (%s, 'users', 'x1', 'info', %s, 'This district adds no aides.')", (run, found),
        )  # fmt: skip
    text = pages.client().post("/roster/districts/harbor/why", data={"q": "wanted"}).text
    assert told in text
    assert "selected in the settings" not in text  # all schools are synced, whatever was ticked before


def test_rosters_are_paged_by_name_and_no_name_is_in_an_address(pages):
    visitor, seen, path = pages.client(), [], "/roster/districts/harbor/roster/students"
    query: str | None = ""
    while query is not None:
        text = visitor.get(path + query).text
        seen += shown(text)
        more = re.search(r'href="(\?after=\d+)"', text)
        query = more[1] if more else None
        assert not re.search("amberley|brindle|example", addresses(text), re.IGNORECASE)
    assert len(seen) == len(set(seen)) == 120
    assert [name.lower() for name in seen] == sorted(name.lower() for name in seen)


def test_a_class_that_moved_says_from_which_school_to_which_also_where_one_is_gone(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched", mode="reset")
    pages.cursor.execute("select id, name from portal.schools where district_id = %s order by id", (pages.harbor,))
    (first, name), (second, other), _ = pages.cursor.fetchall()
    moved = pages.one("select min(id) from portal.classes where district_id = %s", pages.harbor)
    found = [
        ("schools", 99999, "delete", {"id": 99999, "name": "Old Mill School"}, None),
        ("classes", moved, "update", {"school_id": 99999}, {"school_id": first}),
        ("classes", moved, "update", {"school_id": first}, {"school_id": second}),
    ]
    for table, row, action, before, after in found:
        pages.cursor.execute(
            "insert into sync.changes (run_id, table_name, key, action, before, after) values (%s, %s, %s, %s, %s, %s)",
            (run, table, Json({"id": row}), action, Json(before), after and Json(after)),
        )
    told = pages.client().get(f"/roster/districts/harbor/classes/{moved}").text.partition(">History<")[2]
    assert f"<del>Old Mill School</del> <ins>{name}</ins>" in told
    assert f"<del>{name}</del> <ins>{other}</ins>" in told


def test_names_are_escaped_everywhere(pages):
    pages.cursor.execute("update portal.schools set name = %s where district_id = %s", (NASTY, pages.harbor))
    pages.cursor.execute("update portal.users set family_name = %s, email = %s", (NASTY, NASTY))
    pages.cursor.execute("update portal.classes set title = %s", (NASTY,))
    pages.cursor.execute("update portal.districts set name = %s where id = %s", (NASTY, pages.harbor))
    pages.cursor.execute("update sync.school_selection set name = %s", (NASTY,))
    run = madeup.run(pages.cursor, pages.harbor, "failed", message=NASTY, started_by=NASTY, reason=NASTY)
    student = madeup.person(pages.cursor, pages.harbor, "student")
    school = pages.one("select min(id) from portal.schools where district_id = %s", pages.harbor)
    madeup.item(pages.cursor, pages.harbor, "school_needs_admin", school)
    paths = ("", "/roster/teachers", "/roster/classes", "/roster/schools", f"/people/{student}", f"/schools/{school}",
             "/classes/1", "/sync/schools", "/sync/review", "/worklist", "/trends", f"/runs/{run}")  # fmt: skip
    for path in paths:
        answer = pages.client().get(f"/roster/districts/harbor{path}")
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text, path
        assert "&lt;script&gt;" in answer.text, path
    assert "<script>alert" not in pages.client().get("/roster/").text


def test_times_as_a_source_writes_them_are_times_of_the_page_and_the_rest_stays_text():
    told = render.moments("Changed at 2026-09-02T01:30:00.000Z by <b>&")
    assert told == (
        'Changed at <time datetime="2026-09-02T01:30:00.000Z">2026-09-02T01:30:00.000Z</time> by &lt;b&gt;&amp;'
    )
    assert render.moments("Term 2026-09-02, code 2026-09-02T01:30:00Zulu") == (
        "Term 2026-09-02, code 2026-09-02T01:30:00Zulu"
    )


def test_a_very_long_name_is_shown_whole(pages):
    pages.cursor.execute("update portal.schools set name = %s where district_id = %s", (LONG_NAME, pages.harbor))
    assert len(LONG_NAME) > 180
    assert LONG_NAME in pages.client().get("/roster/districts/harbor/roster/schools").text


def test_trends_follow_the_runs(pages):
    for days in (3, 2, 1):
        counts = madeup.shared_counts(madeup.Size())
        counts["students"].update(added=4 - days)
        madeup.run(pages.cursor, pages.harbor, "launched", days_ago=days, counts=counts)
    data = pages.client().get("/roster/districts/harbor/trends/data").json()
    assert data["roster"]["lines"]["Students"] == [120, 121, 122, 123]
    assert data["durations"]["lines"]["Reading the roster"] == [5, 5, 5, 5]
    assert "Students" in pages.client().get("/roster/districts/harbor/trends").text


def test_a_district_that_was_never_synced_has_all_its_pages(pages):
    for path in ("", "/sync/connection", "/sync/schools", "/sync/review", "/roster/students", "/worklist", "/trends"):
        assert pages.client("staff").get(f"/roster/districts/newtown{path}").status_code == 200, path
    assert pages.client("staff").get("/roster/districts/nowhere").status_code == 404


def test_a_database_that_is_away_is_reported_in_a_sentence(pages, monkeypatch):
    from roster_sync.ui.web import pool

    pool.POOL.close()
    monkeypatch.setenv(
        "AIRFLOW_CONN_PORTAL_DB", '{"conn_type": "postgres", "host": "/nowhere", "login": "x", "schema": "y"}'
    )
    answer = pages.client().get("/roster/districts/harbor")
    assert answer.status_code == 503
    assert "cannot be reached" in answer.text


def test_the_preview_of_an_undo_says_what_would_come_back_and_offers_it(pages):
    reset = madeup.run(pages.cursor, pages.harbor, "launched", mode="reset")
    plan = {"counts": {"teachers": {"put back": 7, "changed back": 0, "taken out": 1}}, "target": reset}
    preview = madeup.run(pages.cursor, pages.harbor, "previewed", mode="undo", undoes_run_id=reset, plan=plan)
    text = pages.client().get(f"/roster/districts/harbor/runs/{preview}").text
    assert "What the Undo would do" in text
    assert f"Undo Run {reset}" in text
    assert f"/districts/harbor/runs/{reset}/undo" in text


def test_a_preview_shows_what_its_plan_counted(pages):
    plan = {
        "counts": {"students": {"delete": 37, "add": 2}},
        "seen": {"students": 85},
        "sentence": "It would delete 37.",
    }
    counts = {"students": {"received": 85}}
    run = madeup.run(pages.cursor, pages.harbor, "previewed", mode="reset", wrote=False, plan=plan, counts=counts)
    text = pages.client().get(f"/roster/districts/harbor/runs/{run}").text
    assert "What it would change" in text
    assert 'kind=students&amp;what=deleted">37</a>' in text
    assert "It would delete 37." in text


def test_a_reset_shows_what_the_portal_held_before_and_after(pages):
    counts = {"licenses": {"deleted": 5, "before": 40, "after": 35}}
    run = madeup.run(pages.cursor, pages.harbor, "launched", mode="reset", counts=counts)
    text = pages.client().get(f"/roster/districts/harbor/runs/{run}").text
    assert "In portal before" in text
    assert ">40</span>" in text
    assert ">35</span>" in text
