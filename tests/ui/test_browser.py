"""The pages in a real browser, over the whole running product: what a district admin and support do, click by click.

Collected where Debian's chromium is (continuous integration installs it; see conftest); all in one process, since the
product is started once for them.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from tests.ui.browsing import follow, reload_until, walk_the_wizard

pytestmark = pytest.mark.browser

HARBOR = "/roster/districts/harbor"
STUDENTS = (
    "select count(*) from portal.users u join portal.districts d on d.id = u.district_id"
    " where d.key = %s and u.role = 'student'"
)
SCHOOLS = "select count(*) from portal.schools s join portal.districts d on d.id = s.district_id where d.key = 'harbor'"
SUBSCRIBERS = (
    "select string_agg(s.email, ', ') from sync.subscriptions s join portal.districts d on d.id = s.district_id"
    " where d.key = 'harbor' and s.is_active"
)
ONE_TEACHER = (
    "select u.{} from portal.users u join portal.districts d on d.id = u.district_id"
    " where d.key = 'harbor' and u.role = 'teacher' and u.email is not null order by u.id limit 1"
)


def test_a_visitor_without_login_is_asked_to_log_in_and_led_back(visit, product):
    page = visit(None, HARBOR, refused=401)
    assert "Please Log In" in page.locator("main").inner_text()
    page.get_by_role("link", name="Log In").click()
    page.wait_for_url(re.compile(r"/auth/login"), wait_until="commit")
    assert "next=" in page.url


def test_a_visitor_without_the_right_is_told_so(visit):
    page = visit("olga", HARBOR, refused=403)
    assert "You do not have access to this district" in page.locator("main").inner_text()
    page.get_by_role("link", name="All Districts").click()
    page.get_by_role("link", name="Orchard Hill Schools").wait_for()
    assert page.get_by_role("link", name="Harbor Unified").count() == 0


def test_who_may_only_look_finds_nothing_to_start(visit, product):
    page = visit("vera", f"{HARBOR}/sync/review")
    assert "You can view this page but not start a sync" in page.locator("main").inner_text()
    assert page.get_by_role("button", name="Start Sync").count() == 0


def test_a_connection_that_fails_is_reported_with_its_cause(visit):
    page = visit("staff", "/roster/districts/newtown/sync")
    page.get_by_role("button", name="Test Connection").click()
    page.locator(".checks .no").first.wait_for()
    assert "Awesome" not in page.locator("main").inner_text()
    told = page.locator(".checks .no p").first.inner_text()
    assert len(told) > 30
    assert "not-the-secret" not in page.locator("main").inner_text()


def test_the_wizard_leads_a_oneroster_district_to_launched(visit, product):
    page = visit("dana", HARBOR)
    walk_the_wizard(page, "lead@district.example")
    status, run, seen = follow(page)
    assert status == "Launched"
    assert len(seen) > 2, "the steps were not seen as they happened"
    assert seen[0].startswith("In Progress")
    received = page.locator("table.counts tr", has_text="Students").locator("td").first.inner_text()
    assert int(received) == 150
    assert product.one(STUDENTS, "harbor") == 150
    assert product.one("select started_by from sync.runs where id = %s", run) == "dana"
    assert product.one(SUBSCRIBERS) == "lead@district.example"


def test_the_wizard_leads_a_clever_district_to_launched_inside_airflows_frame(visit, product):
    page = visit("staff", "/plugin/roster")
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name="Orchard Hill Schools").click(timeout=60_000)
    walk_the_wizard(frame, "office@orchard.example")
    status, run, seen = follow(frame)
    assert status == "Launched"
    assert len(seen) > 2, "the steps were not seen as they happened"
    assert product.one(STUDENTS, "orchard") == 120
    assert product.one("select started_by from sync.runs where id = %s", run) == "staff"


def test_deselecting_a_school_and_a_reset_with_approval_and_its_undo(visit, product):
    page = visit("dana", f"{HARBOR}/sync/schools")
    before = product.one(SCHOOLS)
    page.get_by_text("Selected schools", exact=True).click()
    page.locator(".school input").first.uncheck()
    page.get_by_text("Only a Reset deletes them").wait_for()
    page.get_by_role("button", name="Next", exact=True).click()
    page.locator("[aria-current=step]", has_text="Sync Expiration").wait_for()
    assert product.one("select count(*) from sync.school_selection where not is_selected") == 1

    page.goto(f"{product.address}{HARBOR}/sync/mode")
    page.get_by_text("Makes the portal match exactly what is shared now").click()
    page.get_by_role("button", name="Next", exact=True).click()
    page.get_by_role("button", name="Preview Reset").click()
    assert follow(page)[0] == "Previewed"
    assert product.one(SCHOOLS) == before
    start = page.get_by_role("button", name="Start Reset")
    assert start.is_disabled()
    page.locator("input[name=typed]").fill("Harbor Unified School District")
    start.click()

    assert follow(page)[0] == "On Hold"
    assert product.one(SCHOOLS) == before
    page.get_by_role("button", name="Approve").click()  # opens as soon as Airflow has asked the question
    reload_until(page, "Launched")
    assert product.one(SCHOOLS) == before - 1
    assert product.one("select answered_by from sync.holds order by id desc limit 1") == "dana"

    page.get_by_role("button", name="Undo", exact=True).click()
    page.get_by_role("button", name="Undo Run").click()
    assert follow(page)[0] == "Launched"
    assert product.one(SCHOOLS) == before


def test_a_support_call_is_answered_and_no_name_is_in_an_address(visit, product):
    email, teacher = product.one(ONE_TEACHER.format("email")), product.one(ONE_TEACHER.format("id"))
    page = visit("vera", f"{HARBOR}/roster/teachers")
    page.get_by_role("searchbox").fill(email)
    page.get_by_role("button", name="Search").click()
    page.locator("table.list tbody a").first.click()
    page.wait_for_url(f"**{HARBOR}/people/{teacher}")
    text = page.locator("main").inner_text()
    assert email in text
    assert "Classes" in text
    assert "In the portal since" in text

    page.goto(f"{product.address}{HARBOR}/roster/students")
    page.get_by_role("searchbox").fill("nobody@district.example")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("button", name="Not here? Search What the Source Shared").click()
    page.get_by_text("The source did not share this person").wait_for()
    assert "nobody" not in page.url


def test_what_a_run_added_comes_as_a_csv_file(visit, product, tmp_path: Path):
    run = product.one(
        "select min(r.id) from sync.runs r join portal.districts d on d.id = r.district_id"
        " join sync.run_counts c on c.run_id = r.id and c.entity = 'students' and c.added > 100 where d.key = 'harbor'"
    )
    page = visit("vera", f"{HARBOR}/runs/{run}/changes?kind=students&what=added")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    path = tmp_path / "changes.csv"
    download.value.save_as(path)
    assert download.value.suggested_filename == f"run-{run}-students-added.csv"
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 150
    assert {row["what"] for row in rows} == {"Added"}
