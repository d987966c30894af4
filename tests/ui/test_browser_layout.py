"""Every page in a real browser with the longest names: none wider than its window, light and dark, also in a frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from roster_sync.core.limits import Breach
from roster_sync.ui.app import app
from tests.ui import madeup
from tests.ui.browsing import Visits

pytestmark = pytest.mark.browser

HOME = "/roster/districts/meadow"
UNBROKEN, SPACED = "Longschoolname" * 15, "Cedar and the Surrounding Townships " * 6
NO_PAGES = (".csv", "/static/{name}", "/openapi.json", "/docs-files/{path:path}", "/assets/{path:path}",
            "/trends/data")  # fmt: skip
LEAD_ON = {"/runs/{run_id}", "/districts/{key}/sync", "/dags/{dag_id}"}
WIDE = """() => ({
  page: document.documentElement.scrollWidth, window: window.innerWidth,
  out: Array.from(document.querySelectorAll('main *')).filter(one => one.getBoundingClientRect().right > innerWidth + 1
    && !one.closest('.scroll')).slice(0, 3).map(one => one.outerHTML.slice(0, 120)),
})"""


@pytest.fixture(scope="module")
def meadow(product: Any) -> dict[str, list[str]]:
    """A district with something on every page, made up in the database; by kind of page the addresses of its pages."""
    with product.cursor() as cursor:
        district = madeup.district(cursor, "meadow", "Meadow District", source="clever")
        teacher, student = (madeup.person(cursor, district, role) for role in ("teacher", "student"))
        cursor.execute("select min(id) from portal.schools where district_id = %s", (district,))
        school = int(cursor.fetchone()[0])
        runs = _runs(cursor, district)
        for kind, subject, second in (
            ("teacher_needs_license", teacher, None), ("school_needs_admin", school, None),
            ("role_drift", teacher, None), ("match_review", teacher, student),
        ):  # fmt: skip
            madeup.item(cursor, district, kind, subject, second, source_roles=["school_admin"])
        cursor.execute("select class_id from portal.enrollments where user_id = %s limit 1", (student,))
        of_class = int(cursor.fetchone()[0])
        madeup.item(cursor, district, "student_needs_books", student, of_class)
        _lengthen(cursor, district)
    docs = product.folder / "data_docs" / "meadow" / "runs"
    docs.mkdir(parents=True, exist_ok=True)
    (docs / "1.html").write_text("<!doctype html><title>Checks</title><p>Checked.</p>", encoding="utf-8")
    return _pages(runs, teacher, school, of_class)


def _runs(cursor: Any, district: int) -> dict[str, int]:
    counts = madeup.shared_counts(madeup.Size())
    runs = {"launched": madeup.run(cursor, district, "launched", mode="reset", days_ago=3, counts=counts,
                                   data_docs="meadow/runs/1.html")}  # fmt: skip
    cursor.execute(
        "insert into sync.findings (run_id, entity, source_id, severity, rule, field, message)"
        " select %s, 'users', %s || n, 'error', 'bad_email', 'email', 'Mend ' || %s from generate_series(1, 60) n",
        (runs["launched"], UNBROKEN[:190], UNBROKEN),
    )
    cursor.execute(
        "insert into sync.changes (run_id, table_name, key, action, before, after, changed)"
        " select %s, 'users', jsonb_build_object('id', u.id), 'update', jsonb_build_object('family_name', %s::text),"
        "  jsonb_build_object('family_name', %s::text), '{family_name}' from portal.users u where u.district_id = %s",
        (runs["launched"], UNBROKEN, SPACED, district),
    )
    breaches = [Breach("students", "removals", 90, 120, 10).as_dict()]
    plan = {"breaches": breaches, "schools": {"removed": [UNBROKEN, SPACED]}, "licenses_to_free": 3, "counts": {}}
    runs["failed"] = madeup.run(cursor, district, "failed", days_ago=2, message=f"It failed: {UNBROKEN}")
    runs["held"] = madeup.run(cursor, district, "held", days_ago=1, wrote=True, plan=plan, counts=counts)
    madeup.hold(cursor, runs["held"])
    runs["previewed"] = madeup.run(cursor, district, "previewed", mode="reset", plan=plan, counts=counts)
    runs["in_progress"] = madeup.run(cursor, district, "in_progress")
    return runs


def _lengthen(cursor: Any, district: int) -> None:
    """Names of 200 characters wherever a name may stand, with and without a place to break."""
    long = {"name": UNBROKEN[:200], "spaced": SPACED[:200], "district": district}
    cursor.execute(
        "update portal.schools set name = case when id %% 2 = 0 then %(name)s else %(spaced)s end"
        " where district_id = %(district)s", long,
    )  # fmt: skip
    cursor.execute("update sync.school_selection set name = %(name)s where district_id = %(district)s", long)
    cursor.execute("update portal.classes set title = %(name)s, subject = %(name)s, period = %(name)s"
                   " where district_id = %(district)s", long)  # fmt: skip
    cursor.execute(
        "update portal.users set family_name = %(name)s, given_name = %(spaced)s, username = %(name)s,"
        " email = left(%(name)s, 60) || id || '@' || left(%(name)s, 60) || '.example' where district_id = %(district)s",
        long,
    )
    cursor.execute("insert into sync.subscriptions (district_id, email) values (%(district)s, left(%(name)s, 64) || '@'"
                   " || left(%(name)s, 150) || '.example')", long)  # fmt: skip


def _pages(runs: dict[str, int], teacher: int, school: int, of_class: int) -> dict[str, list[str]]:
    kinds = ("schools", "classes", "teachers", "students", "admins")
    items = ("teacher_needs_license", "school_needs_admin", "student_needs_books", "role_drift", "match_review")
    launched = f"{HOME}/runs/{runs['launched']}"
    return {
        "/": ["/roster/", "/roster/?view=worklist"],
        "/docs": ["/roster/docs"],
        "/districts/{key}": [HOME],
        **{f"/districts/{{key}}/sync/{step}": [f"{HOME}/sync/{step}"]
           for step in ("connection", "schools", "expiration", "emails")},
        "/districts/{key}/sync/mode": [f"{HOME}/sync/mode", f"{HOME}/sync/mode?mode=reset"],
        "/districts/{key}/sync/review": [f"{HOME}/sync/review", f"{HOME}/sync/review?mode=reset&manual=true"],
        "/districts/{key}/runs/{run_id}": [f"{HOME}/runs/{run}" for run in runs.values()],
        "/districts/{key}/runs/{run_id}/changes": [
            f"{launched}/changes?kind=teachers&what=updated", f"{launched}/changes?kind=classes&what=added",
        ],
        "/districts/{key}/runs/{run_id}/rejected": [f"{launched}/rejected"],
        "/districts/{key}/runs/{run_id}/data-docs": [f"{launched}/data-docs"],
        "/districts/{key}/following/{dag_id}/{airflow_run_id}": [f"{HOME}/following/roster_sync__meadow/nothing"],
        "/districts/{key}/roster/{kind}": [f"{HOME}/roster/{kind}" for kind in kinds],
        "/districts/{key}/people/{row_id}": [f"{HOME}/people/{teacher}"],
        "/districts/{key}/schools/{row_id}": [f"{HOME}/schools/{school}"],
        "/districts/{key}/classes/{row_id}": [f"{HOME}/classes/{of_class}"],
        "/districts/{key}/worklist": [f"{HOME}/worklist?kind={kind}" for kind in items],
        "/districts/{key}/trends": [f"{HOME}/trends"],
    }  # fmt: skip


def test_every_page_of_the_app_is_looked_at(meadow):
    routes = {route.path for route in app().routes if isinstance(route, APIRoute) and "GET" in route.methods}
    pages = {path for path in routes if not path.endswith(NO_PAGES) and not path.startswith("/api/")}
    assert set(meadow) == pages - LEAD_ON


def test_no_page_is_wider_than_its_window_in_light_and_dark(visit, product, meadow):
    page = visit("staff")
    found = {}
    for path in (path for paths in meadow.values() for path in paths):
        page.goto(product.address + path)
        for width in (375, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
                seen = page.evaluate(WIDE)
                if seen["page"] > seen["window"] or seen["out"]:
                    found[path, width] = seen["out"] or seen["page"]
    assert found == {}


def test_airflows_frame_leaves_dialogs_downloads_and_the_way_out(visit, product, meadow):
    page = visit("staff", "/dags/roster_sync__meadow/plugin/roster-district")
    frame = page.frame_locator("iframe")
    frame.locator("h1", has_text="Meadow District").wait_for(timeout=60_000)
    frame.locator(f"a[href='{meadow['/districts/{key}/runs/{run_id}'][0]}']").first.click()
    frame.get_by_role("button", name="Undo", exact=True).click()
    frame.get_by_role("dialog").wait_for()
    frame.get_by_role("button", name="Cancel").click()
    frame.get_by_role("dialog").wait_for(state="hidden")
    with page.expect_download() as download:
        frame.get_by_role("link", name="Download CSV").first.click()
    assert download.value.suggested_filename.endswith(".csv")
    frame.get_by_role("navigation", name="Breadcrumbs").get_by_role("link", name="Meadow District").click()
    frame.get_by_role("link", name="Open in Airflow").click()
    page.wait_for_url("**/dags/roster_sync__meadow", wait_until="commit")


def test_the_keyboard_alone_reaches_the_content_and_leaves_a_dialog(visit, meadow):
    page = visit("staff", meadow["/districts/{key}/runs/{run_id}"][0])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    page.get_by_role("button", name="Undo", exact=True).focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate("document.activeElement.textContent") == "Undo"


@pytest.fixture
def heard(product: Any, browser: Any, sessions: dict[str, Any]) -> Iterator[Visits]:
    """Visits whose complaints the test itself expects."""
    visits = Visits(browser, product.address, sessions)
    yield visits
    visits.close()


@pytest.mark.parametrize(
    "done",
    [
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))",
        "document.body.setAttribute('style', 'color: red')",
        "document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.2:9/x.png'}))",
        "setTimeout(() => { throw new Error('made up') })",
    ],
)
def test_what_the_policy_forbids_and_what_a_script_throws_does_not_pass_unheard(heard, meadow, done):
    page = heard("staff", HOME)
    assert heard.complaints == []
    page.evaluate(f"() => {{ {done} }}")
    page.wait_for_timeout(100)
    assert heard.complaints
    assert page.evaluate("window.ran") is None
