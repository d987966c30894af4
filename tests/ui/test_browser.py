"""The pages in a real browser, over the whole running product: what a district admin and support do, click by click.

Collected where Debian's chromium is (continuous integration installs it; see conftest); all in one process, since the
product is started once for them.
"""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ui.conftest import CHROMIUM
from tests.ui.stack import PASSWORD, Stack, stack

pytestmark = pytest.mark.xdist_group("browser")
RUN_SECONDS = 240.0
STUDENTS = (
    "select count(*) from portal.users u join portal.districts d on d.id = u.district_id"
    " where d.key = %s and u.role = 'student'"
)
SCHOOLS = "select count(*) from portal.schools s join portal.districts d on d.id = s.district_id where d.key = 'harbor'"
SHORT = 20_000
"""Milliseconds for whatever the server does at once, on a machine that has other work to do."""


@pytest.fixture(scope="module")
def product() -> Iterator[Stack]:
    with stack() as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # no sandbox: tests run as root in containers, and visit nothing but this machine
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(product: Stack, browser: Any) -> Iterator[Any]:
    """A function that opens a page as someone; closed at the end, and no script error passes unseen."""
    contexts, errors = [], []

    def as_someone(name: str | None, path: str = "/roster/") -> Any:
        context = browser.new_context(accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SHORT)
        page.on("pageerror", lambda error: errors.append(str(error)))
        if name:
            page.goto(f"{product.address}/auth/login")
            page.fill("input[name=username]", name)
            page.fill("input[name=password]", PASSWORD)
            page.click("button[type=submit]")
            page.wait_for_url(lambda url: "/auth/login" not in url)
        page.goto(product.address + path)
        return page

    yield as_someone
    for context in contexts:
        context.close()
    assert errors == []


def wait_for_status(page: Any, *statuses: str) -> str:
    """Follows the run as the page does, without reloading, until its status is one of these."""
    page.wait_for_url(re.compile(r"/runs/\d+"), timeout=RUN_SECONDS * 1000)
    badge = page.locator("h1 .badge")
    end = time.monotonic() + RUN_SECONDS
    while badge.inner_text() not in statuses:
        assert time.monotonic() < end, f"still {badge.inner_text()!r}: {page.locator('main').inner_text()[:600]}"
        page.wait_for_timeout(500)
    return str(badge.inner_text())


def walk_the_wizard(page: Any) -> None:
    """Every step of the settings, nothing changed, to Start Sync."""
    page.get_by_role("link", name="Settings", exact=True).click()
    page.get_by_role("button", name="Test connection").click()
    page.get_by_text("Awesome! Your connection is successful").wait_for()
    page.get_by_role("link", name="Continue", exact=True).click()
    for _ in ("schools", "expiration"):
        page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("textbox", name="Email address to add").fill("lead@district.example")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("lead@district.example").wait_for()
    page.get_by_role("link", name="Continue", exact=True).click()
    page.get_by_role("button", name="Continue", exact=True).click()
    page.get_by_role("button", name="Start Sync").click()


def test_a_visitor_without_login_is_asked_to_log_in(visit):
    page = visit(None, "/roster/districts/harbor")
    assert "Please log in" in page.locator("main").inner_text()


def test_a_visitor_without_the_right_is_told_so(visit):
    page = visit("olga", "/roster/districts/harbor")
    assert "You may not see this district" in page.locator("main").inner_text()
    page.get_by_role("link", name="All districts").click()
    page.get_by_role("link", name="Orchard Hill Schools").wait_for()
    assert page.get_by_role("link", name="Harbor Unified").count() == 0


def test_a_connection_that_fails_is_told_with_its_cause(visit):
    page = visit("staff", "/roster/districts/newtown/sync")
    page.get_by_role("button", name="Test connection").click()
    page.locator(".checks .no").first.wait_for()
    assert "Awesome" not in page.locator("main").inner_text()
    assert len(page.locator(".checks .no").first.inner_text()) > 30


def test_the_wizard_leads_a_oneroster_district_to_launched(visit, product):
    page = visit("dana", "/roster/districts/harbor")
    walk_the_wizard(page)
    assert wait_for_status(page, "Launched", "Failed", "On hold") == "Launched"
    received = page.locator("table.counts tr", has_text="Students").locator("td").first.inner_text()
    assert int(received) == 150
    assert product.one(STUDENTS, "harbor") == 150
    run = int(page.url.rpartition("/")[2])
    assert product.one("select started_by from sync.runs where id = %s", run) == "dana"


def test_the_wizard_leads_a_clever_district_to_launched_inside_airflows_frame(visit, product):
    page = visit("staff", "/plugin/roster")
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name="Orchard Hill Schools").click(timeout=60_000)
    walk_the_wizard(frame)
    end = time.monotonic() + RUN_SECONDS
    badge = frame.locator("h1 .badge")
    while badge.count() == 0 or badge.inner_text() not in ("Launched", "Failed", "On hold"):
        assert time.monotonic() < end
        page.wait_for_timeout(500)
    assert badge.inner_text() == "Launched"
    assert product.one(STUDENTS, "orchard") == 120


def test_deselecting_a_school_and_a_reset_with_approval_and_its_undo(visit, product):
    page = visit("dana", "/roster/districts/harbor/sync/schools")
    before = product.one(SCHOOLS)
    page.get_by_text("These schools").click()
    page.locator(".school input").first.uncheck()
    page.get_by_text("Only a Reset deletes them").wait_for()
    page.get_by_role("button", name="Save and continue").click()

    page.goto(f"{product.address}/roster/districts/harbor/sync/mode")
    page.get_by_text("Makes the portal hold exactly what is shared now").click()
    page.get_by_role("button", name="Continue", exact=True).click()
    page.get_by_role("button", name="Show what the Reset would do").click()
    assert wait_for_status(page, "Previewed", "Failed") == "Previewed"
    start = page.get_by_role("button", name="Start the Reset")
    assert start.is_disabled()
    page.locator("input[name=typed]").fill("Harbor Unified School District")
    start.click()

    assert wait_for_status(page, "On hold", "Launched", "Failed") == "On hold"
    reset = page.url
    end = time.monotonic() + RUN_SECONDS
    page.get_by_role("button", name="Approve").click()
    while "just being asked" in page.locator("main").inner_text():
        assert time.monotonic() < end
        page.wait_for_timeout(2000)
        page.goto(reset)
        page.get_by_role("button", name="Approve").click()
    while page.goto(reset) and page.locator("h1 .badge").inner_text() != "Launched":
        assert time.monotonic() < end, page.locator("main").inner_text()[:600]
        page.wait_for_timeout(1500)
    assert product.one(SCHOOLS) == before - 1
    assert product.one("select answered_by from sync.holds order by id desc limit 1") == "dana"

    page.get_by_role("button", name="Undo", exact=True).click()
    page.get_by_role("button", name="Undo it").click()
    assert wait_for_status(page, "Launched", "Failed") == "Launched"
    assert product.one(SCHOOLS) == before


def test_a_support_call_and_a_csv_file(visit, product, tmp_path: Path):
    email = product.one(
        "select u.email from portal.users u join portal.districts d on d.id = u.district_id"
        " where d.key = 'harbor' and u.role = 'teacher' and u.email is not null order by u.id limit 1"
    )
    page = visit("vera", "/roster/districts/harbor/roster/teachers")
    page.get_by_role("searchbox").fill(email)
    page.get_by_role("button", name="Search").click()
    page.locator("table.list tbody a").first.click()
    text = page.locator("main").inner_text()
    assert email in text
    assert "Classes" in text
    assert email not in page.url

    run = product.one(
        "select min(r.id) from sync.runs r join portal.districts d on d.id = r.district_id"
        " join sync.run_counts c on c.run_id = r.id and c.entity = 'students' and c.added > 100 where d.key = 'harbor'"
    )
    page.goto(f"{product.address}/roster/districts/harbor/runs/{run}/changes?kind=students&what=added")
    with page.expect_download() as download:
        page.get_by_role("link", name="As CSV").click()
    path = tmp_path / "changes.csv"
    download.value.save_as(path)
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 100
    assert {row["what"] for row in rows} == {"Added"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_no_page_is_wider_than_the_window(visit, product, width, scheme):
    product.one(
        "update portal.schools set name = repeat('Long School Name ', 12)"
        " where id = (select min(id) from portal.schools)"
    )
    page = visit("dana")
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    run = product.one("select max(id) from sync.runs where airflow_dag_id = 'roster_sync__harbor'")
    paths = ("", "/sync/connection", "/sync/schools", "/sync/review", f"/runs/{run}", "/roster/schools",
             "/roster/students", "/worklist", "/trends")  # fmt: skip
    for path in paths:
        page.goto(f"{product.address}/roster/districts/harbor{path}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
