"""The settings wizard: what is saved, by whom, and what is refused with a sentence."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

from include.simulator.district import MadeUpDistrict
from include.simulator.oneroster_csv import write_csv
from tests.ui import madeup

HARBOR = "/roster/districts/harbor/sync"


def history(pages):
    pages.cursor.execute("select setting, before, after, changed_by from sync.settings_history order by id")
    return pages.cursor.fetchall()


def test_choosing_schools_is_kept_with_who_and_what(pages):
    saved = pages.client().post(f"{HARBOR}/schools", data={"school_mode": "listed", "chosen": ["harbor-s2"]})
    assert saved.status_code == 303
    assert saved.headers["location"] == f"{HARBOR}/expiration"
    pages.cursor.execute(
        "select source_id from sync.school_selection where district_id = %s and is_selected", (pages.harbor,)
    )
    assert pages.cursor.fetchall() == [("harbor-s2",)]
    assert [(row[0], row[3]) for row in history(pages)] == [("school_mode", "dana"), ("schools", "dana")]
    assert (
        pages.one(
            "select count(*) from sync.school_selection where district_id = %s and not is_selected", pages.orchard
        )
        == 0
    )


def test_the_review_shows_who_changed_what_from_what_to_what(pages):
    pages.client().post(f"{HARBOR}/schools", data={"school_mode": "listed", "chosen": ["harbor-s2", "harbor-s3"]})
    pages.client().post(f"{HARBOR}/expiration", data={"expires": "on", "expires_on": "2190-06-30"})
    pages.client().post(f"{HARBOR}/emails", data={"add": "lead@school.example.org"})
    gone = pages.one("select name from sync.school_selection where source_id = 'harbor-s1'")
    text = pages.client().get(f"{HARBOR}/review").text
    for told in (
        "Schools: All schools → Selected schools", f"Schools: deselected {gone}",
        "Expiration date: Never → Jun 30, 2190", "Sync emails: added lead@school.example.org",
    ):  # fmt: skip
        assert f"{told} <span" in text
    assert text.count('<span class="quiet">by dana') == 4


def test_saving_the_same_again_keeps_nothing(pages):
    for _ in range(2):
        pages.client().post(
            f"{HARBOR}/schools", data={"school_mode": "listed", "chosen": ["harbor-s1", "harbor-s2", "harbor-s3"]}
        )
    assert len(history(pages)) == 1


def test_no_school_at_all_is_refused(pages):
    answer = pages.client().post(f"{HARBOR}/schools", data={"school_mode": "listed"})
    assert answer.status_code == 409
    assert "Select at least one school" in answer.text
    assert history(pages) == []


def test_deselecting_says_what_stays_and_what_only_a_reset_does(pages):
    pages.cursor.execute("insert into portal.products (code, title) values ('MATH', 'Math Suite') returning id")
    product = pages.cursor.fetchone()[0]
    pages.cursor.execute(
        "insert into portal.license_assignments (district_id, product_id, school_id)"
        " select %s, %s, id from portal.schools where source_id = 'harbor-s1'", (pages.harbor, product)
    )  # fmt: skip
    text = (
        pages.client()
        .post(f"{HARBOR}/schools/effect", data={"school_mode": "listed", "chosen": ["harbor-s2", "harbor-s3"]})
        .text
    )
    assert "1 school with 44 people, 8 classes and 1 license" in text
    assert "Only a Reset deletes them" in text
    assert "people" not in pages.client().post(f"{HARBOR}/schools/effect", data={"school_mode": "all"}).text


def test_what_the_choice_means_is_asked_only_for_who_may_choose(pages):
    asks = f'hx-post="{HARBOR}/schools/effect"'
    assert asks in pages.client("dana").get(f"{HARBOR}/schools").text
    assert asks not in pages.client("vera").get(f"{HARBOR}/schools").text


def test_how_long_a_reset_can_be_undone_is_reported_as_it_is_set(pages, monkeypatch):
    monkeypatch.setenv("ROSTER_UNDO_DAYS", "7")
    preview = madeup.run(pages.cursor, pages.harbor, "previewed", mode="reset")
    for path in (f"{HARBOR}/mode", f"/roster/districts/harbor/runs/{preview}"):
        assert re.search("undo (a Reset|it) for 7 days", pages.client().get(path).text)


def test_licenses_of_people_who_are_in_no_other_school_are_counted_too(pages):
    pages.cursor.execute("insert into portal.products (code, title) values ('MATH', 'Math Suite') returning id")
    product = pages.cursor.fetchone()[0]
    pages.cursor.execute(
        "insert into portal.license_assignments (district_id, product_id, user_id)"
        " select u.district_id, %s, u.id from portal.users u join portal.user_schools us on us.user_id = u.id"
        " join portal.schools s on s.id = us.school_id"
        " where u.role = 'teacher' and s.source_id = 'harbor-s1' order by u.id limit 2",
        (product,),
    )
    program = pages.client(by="bearer", site=None)
    path, chosen = "/roster/api/v1/districts/harbor/settings/effect", {"chosen_schools": ["harbor-s2", "harbor-s3"]}
    assert program.post(path, json=chosen).json()["licenses"] == 2
    pages.cursor.execute(
        "insert into portal.user_schools (user_id, school_id)"
        " select min(l.user_id), (select id from portal.schools where source_id = 'harbor-s2')"
        " from portal.license_assignments l"
    )
    assert program.post(path, json=chosen).json()["licenses"] == 1


def test_settings_that_no_run_could_follow_are_refused_and_nothing_of_them_is_kept(pages):
    program = pages.client(by="bearer", site=None)
    path = "/roster/api/v1/districts/harbor/settings"
    for wrong in ({"chosen_schools": ["no-school-of-ours"]}, {"chosen_schools": ["harbor-s1", "orchard-s1"]}):
        assert "is not in this district" in program.patch(path, json=wrong).json()["detail"]
    pages.cursor.execute("update sync.school_selection set is_selected = false where district_id = %s", (pages.harbor,))
    assert "Select at least one school" in program.patch(path, json={"school_mode": "listed"}).json()["detail"]
    assert program.get(path).json()["school_mode"] == "all"
    assert history(pages) == []


def test_who_gets_the_mails_and_who_changed_what_is_reported_by_the_api_too(pages):
    program = pages.client(by="bearer", site=None)
    home = "/roster/api/v1/districts/harbor"
    assert program.post(f"{home}/subscriptions", json={"email": "Lead@School.example.org"}).status_code == 204
    assert program.post(f"{home}/subscriptions", json={"email": "nobody"}).status_code == 409
    [one] = program.get(f"{home}/subscriptions").json()
    assert one["email"] == "lead@school.example.org"
    assert program.delete(f"{home}/subscriptions/{one['id']}").status_code == 204
    assert program.get(f"{home}/subscriptions").json() == []
    told = [(line["setting"], line["changed_by"]) for line in program.get(f"{home}/settings/history").json()]
    assert told == [("sync_emails", "dana")] * 2


def test_an_expiration_date_is_kept_and_a_past_one_refused(pages):
    later = (date.today() + timedelta(days=90)).isoformat()
    assert pages.client().post(f"{HARBOR}/expiration", data={"expires": "on", "expires_on": later}).status_code == 303
    assert pages.one("select expires_on::text from sync.settings where district_id = %s", pages.harbor) == later
    past = (date.today() - timedelta(days=3)).isoformat()
    for wrong in (past, "", "soon"):
        assert (
            pages.client().post(f"{HARBOR}/expiration", data={"expires": "on", "expires_on": wrong}).status_code == 409
        )
    assert pages.client().post(f"{HARBOR}/expiration", data={"expires": "never"}).status_code == 303
    assert pages.one("select expires_on from sync.settings where district_id = %s", pages.harbor) is None
    assert [row[1:3] for row in history(pages)] == [(None, later), (later, None)]


def test_sync_emails_are_added_once_and_taken_off(pages):
    for address in ("Lead@School.example.org", "lead@school.example.org"):
        pages.client().post(f"{HARBOR}/emails", data={"add": address})
    assert pages.one("select array_agg(email) from sync.subscriptions where is_active") == ["lead@school.example.org"]
    for wrong in ("lead", "a@b", "a b@example.org", "<x@example.org>", ""):
        assert pages.client().post(f"{HARBOR}/emails", data={"add": wrong}).status_code == 409
    pages.client().post(f"{HARBOR}/emails", data={"remove": pages.one("select id from sync.subscriptions")})
    assert pages.one("select count(*) from sync.subscriptions where is_active") == 0


def test_an_email_of_another_district_is_not_taken_off(pages):
    pages.cursor.execute(
        "insert into sync.subscriptions (district_id, email) values (%s, 'x@example.org') returning id",
        (pages.orchard,),
    )
    theirs = pages.cursor.fetchone()[0]
    pages.client().post(f"{HARBOR}/emails", data={"remove": theirs})
    assert pages.one("select is_active from sync.subscriptions where id = %s", theirs)


def test_a_working_connection_is_reported_and_its_schools_can_be_chosen(pages, registry: Path):
    folder = registry.parent / "harbor"
    if not folder.exists():
        write_csv(MadeUpDistrict(seed=3, students=60, schools=2).day(1), folder)
    text = pages.client().post(f"{HARBOR}/connection").text
    assert "Awesome! Your connection is successful" in text
    known = pages.one("select count(*) from sync.school_selection where district_id = %s", pages.harbor)
    assert known > 3


def test_a_connection_that_is_missing_is_reported_with_how_to_fix_it(pages):
    text = pages.client("staff").post("/roster/districts/newtown/sync/connection").text
    assert "Awesome" not in text
    assert "clever_newtown" in text
    assert "Admin &gt; Connections" in text


def test_settings_can_be_saved_before_the_first_sync(pages):
    later = (date.today() + timedelta(days=9)).isoformat()
    saved = pages.client("staff").post(
        "/roster/districts/newtown/sync/expiration", data={"expires": "on", "expires_on": later}
    )
    assert saved.status_code == 303
    assert (
        pages.one(
            "select s.expires_on::text from sync.settings s join portal.districts d on d.id = s.district_id"
            " where d.key = 'newtown'"
        )
        == later
    )


def test_the_api_changes_only_what_it_names(pages):
    program = pages.client(by="bearer", site=None)
    later = (date.today() + timedelta(days=9)).isoformat()
    path = "/roster/api/v1/districts/harbor/settings"
    assert program.patch(path, json={"expires_on": later}).json() == {"school_mode": "all", "expires_on": later}
    changed = program.patch(path, json={"school_mode": "listed", "chosen_schools": ["harbor-s1"]}).json()
    assert changed == {"school_mode": "listed", "expires_on": later}
    assert program.patch(path, json={"expires_on": None}).json()["expires_on"] is None
    assert program.patch(path, json={"expire_on": later}).status_code == 422
    assert program.patch(path, json={"chosen_schools": []}).status_code == 409
