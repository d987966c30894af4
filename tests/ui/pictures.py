"""Makes the docs' pictures again, from the running product: `bin/test tests/ui/pictures.py`.

Not collected with the tests. Elements are found by what they do, not by their words, so new words need no change here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ui import madeup
from tests.ui.browsing import follow

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
HARBOR = "/roster/districts/harbor"
WIDTH, TALLEST = 1100, 900
GIVEN = """
insert into portal.products (code, title) values ('reading', 'Reading 360');
insert into portal.books (code, title) values ('r5', 'Reading 5');
insert into portal.class_books select c.id, b.id from portal.classes c, portal.books b;
insert into portal.license_assignments (district_id, product_id, user_id)
select u.district_id, p.id, u.id from portal.users u, portal.products p where u.role = 'teacher' and u.id % 3 > 0;
insert into portal.student_books select e.user_id, e.class_id, b.id from portal.enrollments e, portal.books b
where e.role = 'student'
  and not exists (select from sync.worklist w where w.subject_id = e.user_id and w.second_subject_id = e.class_id);
"""


@pytest.fixture
def page(visit: Any) -> Any:
    found = visit("staff", "/roster/")
    found.set_viewport_size({"width": WIDTH, "height": TALLEST})
    return found


def shoot(page: Any, name: str, *, tallest: int = TALLEST, width: int = WIDTH) -> None:
    """The page as far as it has something to show, no taller than `tallest` pixels."""
    page.set_viewport_size({"width": width, "height": 400})
    height = min(page.evaluate("document.querySelector('main, body').getBoundingClientRect().bottom"), tallest)
    page.set_viewport_size({"width": width, "height": int(height)})
    page.wait_for_timeout(700)  # what fades in has come
    page.screenshot(path=IMAGES / f"{name}.png")


def test_the_pictures_are_made(page: Any, product: Any) -> None:
    def at(path: str, **values: Any) -> None:
        page.goto(product.address + path, **values)

    at(f"{HARBOR}/sync/connection")
    page.locator("form button.primary").click()
    page.locator(".report *").first.wait_for()
    shoot(page, "connection")
    at(f"{HARBOR}/sync/mode")
    shoot(page, "mode")
    at(f"{HARBOR}/sync/review")
    shoot(page, "review")
    page.locator("form[action$='/sync/start'] button.primary").click()
    assert follow(page)[0] == "Launched"
    while product.one("select count(*) from sync.runs where steps -> -1 ->> 'name' = 'notify'") == 0:
        page.wait_for_timeout(500)  # the worklist and the emails come after the portal
    page.goto(page.url)
    shoot(page, "launched", tallest=830)

    with product.cursor() as cursor:
        cursor.execute("select id from portal.districts where key = 'harbor'")
        harbor = cursor.fetchone()[0]
        for position in (5, 6, 7):
            student = madeup.person(cursor, harbor, "student", position=position)
            cursor.execute("select min(class_id) from portal.enrollments where user_id = %s", (student,))
            madeup.item(cursor, harbor, "student_needs_books", student, cursor.fetchone()[0])
        cursor.execute(GIVEN)
    for kind, name in (("teacher_needs_license", "licenses"), ("school_needs_admin", "admins"),
                       ("student_needs_books", "books")):  # fmt: skip
        at(f"{HARBOR}/worklist?kind={kind}")
        shoot(page, name, tallest=560)

    at(f"{HARBOR}/sync/schools")
    page.locator("input[value=listed]").check()
    page.locator(".school input").first.uncheck()
    page.wait_for_timeout(1500)
    shoot(page, "deselected")
    page.locator("form button.primary").click()
    at(f"{HARBOR}/sync/review?mode=reset")
    page.locator("form[action$='/sync/start'] button.primary").click()
    assert follow(page)[0] == "Previewed"
    shoot(page, "reset", tallest=760)
    page.locator("input[name=typed]").fill("Harbor Unified School District")
    page.locator("button.danger").click()
    assert follow(page)[0] == "On Hold"
    page.locator("button[value=approve]:enabled").wait_for()
    shoot(page, "question", tallest=760)
    page.emulate_media(color_scheme="dark")
    shoot(page, "phone", width=375, tallest=860)
    page.emulate_media(color_scheme="light")

    with product.cursor() as cursor:
        _others(cursor)
    page.set_viewport_size({"width": 1280, "height": 620})
    at("/plugin/roster")
    page.frame_locator("iframe").locator("table.list").wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    page.screenshot(path=IMAGES / "districts.png")
    at("/dags/roster_sync__harbor/plugin/roster-district")
    page.frame_locator("iframe").locator("h1").wait_for(timeout=60_000)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_timeout(2000)
    page.screenshot(path=IMAGES / "airflow-tab.png")
    at("/required_actions")
    page.wait_for_timeout(4000)
    page.set_viewport_size({"width": 1280, "height": 480})
    page.screenshot(path=IMAGES / "required-actions.png")


def _others(cursor: Any) -> None:
    """Districts with twelve nights behind them, one of which failed last."""
    orchard = madeup.district(cursor, "orchard", "Orchard Hill Schools", source="clever")
    newtown = madeup.district(cursor, "newtown", "Newtown Schools")
    counts = madeup.shared_counts(madeup.Size())
    for district in (orchard, newtown):
        for day in range(12, 0, -1):
            madeup.run(cursor, district, "launched", days_ago=day, seconds=30 + day, counts=counts)
    madeup.run(
        cursor, newtown, "failed", message="sis.newtown.example refused the credentials (401): check the key or token."
    )
    for position in range(1, 7):
        teacher = madeup.person(cursor, orchard, "teacher", position=position)
        madeup.item(cursor, orchard, "teacher_needs_license", teacher)
