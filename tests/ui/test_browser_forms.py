"""Forms in a real browser: what is hidden in them takes no part."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ui import madeup

pytestmark = pytest.mark.browser

WILLOW = "/roster/districts/willow"
EXPIRES = (
    "select s.expires_on from sync.settings s join portal.districts d on d.id = s.district_id where d.key = 'willow'"
)
CHOSEN = (
    "select string_agg(c.name, ', ' order by c.name) from sync.school_selection c"
    " join portal.districts d on d.id = c.district_id where d.key = 'willow' and c.is_selected"
)


@pytest.fixture(scope="module", autouse=True)
def willow(product: Any) -> None:
    """A district with three schools whose sync has expired."""
    with product.cursor() as cursor:
        district = madeup.district(cursor, "willow", "Willow District")
        cursor.execute("update sync.settings set expires_on = current_date - 9 where district_id = %s", (district,))


def test_an_expired_sync_can_be_made_to_never_expire(visit, product):
    page = visit("staff", f"{WILLOW}/sync/expiration")
    day = page.locator("input[name=expires_on]")
    assert day.is_enabled()
    page.get_by_text("Never", exact=True).click()
    assert day.is_disabled()
    page.get_by_role("button", name="Next", exact=True).click()
    page.locator("[aria-current=step]", has_text="Sync Emails").wait_for()
    assert product.one(EXPIRES) is None


def test_all_ticks_only_the_schools_that_a_search_shows(visit, product):
    page = visit("staff", f"{WILLOW}/sync/schools")
    page.get_by_text("Selected schools", exact=True).click()
    every, search = (
        page.get_by_role("checkbox", name="Select all shown"),
        page.get_by_role("searchbox", name="Find a school"),
    )
    ticked = page.locator("input[name=chosen]:checked")
    assert (every.is_checked(), ticked.count()) == (True, 3)
    search.fill("birch")
    every.uncheck()
    assert ticked.count() == 2
    search.fill("cedar")
    assert every.is_checked()
    search.fill("")
    assert every.evaluate("box => [box.checked, box.indeterminate]") == [False, True]
    page.get_by_role("button", name="Next", exact=True).click()
    page.locator("[aria-current=step]", has_text="Sync Expiration").wait_for()
    assert product.one(CHOSEN) == "Alder Elementary, Cedar High School"
