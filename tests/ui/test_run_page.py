"""What a run's page says to whoever has to decide: how far it is, who loses a license, what it asks and doubts."""

from __future__ import annotations

import json
import re

import pytest

from roster_sync.core.limits import Breach
from tests.ui import madeup

HARBOR = "/roster/districts/harbor"


@pytest.fixture
def held_reset(pages):
    """A Reset on hold that would delete a school with its license, and two teachers with theirs."""
    plan = {
        "counts": {"teachers": {"delete": 2}, "schools": {"delete": 1}}, "licenses_to_free": 3, "books_to_free": 1,
        "schools": {"removed": ["Old Mill School"]}, "manual": 1, "sentence": "2 of 12 teachers would be removed.",
        "breaches": [Breach("teachers", "removals", 1200, 9000, 10.0).as_dict()],
    }  # fmt: skip
    run = madeup.run(
        pages.cursor, pages.harbor, "held", mode="reset", plan=plan, counts={"teachers": {"received": 10}},
        message=plan["sentence"],
    )  # fmt: skip
    madeup.hold(pages.cursor, run, "reset")
    pages.cursor.execute("insert into portal.products (code, title) values ('SCI', 'Science Library') returning id")
    product = pages.cursor.fetchone()[0]
    teachers = [madeup.person(pages.cursor, pages.harbor, "teacher", position=n) for n in (1, 2, 3)]
    school = pages.one("select min(id) from portal.schools where district_id = %s", pages.harbor)
    pages.cursor.execute(
        "insert into portal.license_assignments (district_id, product_id, user_id, school_id)"
        " select %(district)s, %(product)s, u, null from unnest(%(users)s::bigint[]) u"
        " union all select %(district)s, %(product)s, null, %(school)s",
        {"district": pages.harbor, "product": product, "users": teachers, "school": school},
    )
    pages.cursor.execute("select staging.open_run(%s)", (run,))
    pages.cursor.execute(
        "insert into staging.plan (run_id, entity, kind, action, phase, row_id)"
        " select %(run)s, 'users', 'teachers', 'delete', 'removals', u from unnest(%(users)s::bigint[]) u"
        " union all select %(run)s, 'schools', 'schools', 'delete', 'removals', %(school)s",
        {"run": run, "users": teachers[:2], "school": school},
    )
    return run, teachers


def label(pages, person):
    return pages.one("select concat_ws(', ', family_name, given_name) from portal.users where id = %s", person)


def test_whoever_holds_a_license_that_would_be_freed_is_on_the_page_by_name(pages, held_reset):
    run, teachers = held_reset
    text = pages.client().get(f"{HARBOR}/runs/{run}").text
    holders = text.partition("Licenses that would be freed")[2]
    assert [label(pages, teacher) in holders for teacher in teachers] == [True, True, False]
    assert holders.count("Science Library") == 3
    assert "Science Library · School" in holders
    exported = pages.client().get(f"{HARBOR}/runs/{run}/changes.csv?kind=licenses&what=deleted").text
    assert len(exported.strip().splitlines()) == 4
    assert label(pages, teachers[0]) in exported


def test_what_a_question_asks_is_said_once_and_with_all_that_would_go(pages, held_reset):
    text = pages.client().get(f"{HARBOR}/runs/{held_reset[0]}").text
    asked = re.sub(r"<svg.*?</svg>|<[^>]*>", "", text)
    assert "1,200 of 9,000 teachers would be removed; the limit is 10%." in asked
    assert "13.3% of teachers" in asked
    assert "1 school would be deleted: Old Mill School." in text
    assert "3 licenses would be freed." in text
    assert "1 student book would be taken back." in text
    assert "1 manually added row would be deleted too." in text
    assert "2 of 12 teachers would be removed." not in text


def test_what_a_reset_freed_keeps_the_names_of_those_who_are_gone(pages):
    run = madeup.run(
        pages.cursor, pages.harbor, "launched", mode="reset",
        counts={"licenses": {"deleted": 1, "before": 5, "after": 4}, "teachers": {"deleted": 1}},
    )  # fmt: skip
    pages.cursor.execute("insert into portal.products (code, title) values ('SCI', 'Science Library') returning id")
    license_image = {"id": 77, "user_id": 99999, "product_id": pages.cursor.fetchone()[0]}
    person_image = {"id": 99999, "role": "teacher", "family_name": "Gone", "given_name": "Ina", "source_id": "T-1"}
    for table, image in (("users", person_image), ("license_assignments", license_image)):
        pages.cursor.execute(
            "insert into sync.changes (run_id, table_name, key, action, before, phase)"
            " values (%s, %s, jsonb_build_object('id', %s), 'delete', %s, 'removals')",
            (run, table, image["id"], json.dumps(image)),
        )
    text = pages.client().get(f"{HARBOR}/runs/{run}").text
    assert "Licenses that were freed" in text
    assert "Gone, Ina" in text
    assert "/people/99999" not in text
    listed = pages.client().get(f"{HARBOR}/runs/{run}/changes?kind=licenses&what=deleted").text
    assert "Gone, Ina" in listed
    assert "Science Library" in listed


def test_a_step_at_work_says_how_far_it_is_and_how_long_it_took_the_last_time(pages):
    madeup.run(pages.cursor, pages.harbor, "launched")
    run = madeup.run(pages.cursor, pages.harbor, "in_progress")
    pages.cursor.execute(
        "update sync.runs set steps = jsonb_build_array(jsonb_build_object('name', 'extract', 'started_at',"
        " now() - interval '20 seconds', 'counts', jsonb_build_object('users', 320, 'requests', 4)))"
        " where id = %s",
        (run,),
    )
    text = " ".join(re.sub(r"<[^>]+>", " ", pages.client().get(f"{HARBOR}/runs/{run}").text).split())
    assert "320 rows so far of about 660" in text
    assert "4 requests" in text
    assert "16 rows per second" in text
    assert "in progress, 20 s" in text
    assert "5.0 s last time" in text


@pytest.mark.parametrize(
    ("status", "way_on"), [("failed", "/sync/connection"), ("expired", "/sync/expiration"), ("launched", None)]
)
def test_a_run_that_did_not_go_through_shows_the_way_on_to_whoever_may_go_it(pages, status, way_on):
    run = madeup.run(pages.cursor, pages.harbor, status, message="It did not go through.")
    ways = {who: pages.client(who).get(f"{HARBOR}/runs/{run}").text for who in ("dana", "vera")}
    for way in ("/sync/connection", "/sync/expiration"):
        assert (f'href="{HARBOR}{way}"' in ways["dana"]) == (way == way_on)
        assert f'href="{HARBOR}{way}"' not in ways["vera"]


def test_steps_are_in_the_order_in_which_they_were_done_last(pages):
    made = [("notify", 30), ("extract", 40), ("apply", 50), ("validate", 45)]
    done = [
        {"name": name, "started_at": f"2026-01-05T02:15:{second}+00:00",
         "finished_at": f"2026-01-05T02:15:{second + 4}+00:00", "counts": {}} for name, second in made
    ]  # fmt: skip
    run = madeup.run(pages.cursor, pages.harbor, "launched", mode="reset")
    pages.cursor.execute("update sync.runs set steps = %s where id = %s", (json.dumps(done), run))
    text = pages.client().get(f"{HARBOR}/runs/{run}").text
    steps = re.findall(r'<span class="what">([^<]*)', text)
    assert steps == ["Worklist and emails", "Reading the roster", "Checking the roster", "Updating the portal"]


def test_an_incomplete_roster_is_reported_with_its_reasons_each_once(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched")
    missing = "A page is missing."
    proof = {"adds_only": "", "reasons": {"users": missing}, "not_complete": {"classes": missing}}
    pages.cursor.execute("update sync.runs set proof = %s where id = %s", (json.dumps(proof), run))
    text = pages.client().get(f"{HARBOR}/runs/{run}").text
    assert "The roster looks incomplete" in text
    assert text.count("A page is missing.") == 1
    pages.cursor.execute("update sync.runs set parameters = '{\"events\": true}' where id = %s", (run,))
    assert "looks incomplete" not in pages.client().get(f"{HARBOR}/runs/{run}").text


def test_a_reading_of_events_is_called_hourly_and_not_nightly(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched", parameters='{"events": true}', started_by="schedule")
    assert "Hourly ·" in pages.client().get(f"{HARBOR}/runs/{run}").text
    assert ">Hourly</span>" in pages.client().get(HARBOR).text


@pytest.mark.parametrize(("answer", "word"), [("rejected", "Rejected"), ("timed_out", "Not answered in time")])
def test_a_run_that_was_refused_or_not_answered_says_so_and_by_whom(pages, held_reset, answer, word):
    run, _ = held_reset
    status = "rejected" if answer == "rejected" else "held"
    pages.cursor.execute("update sync.runs set status = %s where id = %s", (status, run))
    pages.cursor.execute(
        "update sync.holds set answer = %s, answered_by = %s, answered_at = now(), reason = %s where run_id = %s",
        (answer, "dana" if answer == "rejected" else None, "Ask the district" if answer == "rejected" else None, run),
    )
    text = pages.client().get(f"{HARBOR}/runs/{run}").text
    told = text.partition(">Question<")[2].partition("</section>")[0]
    assert word in told
    assert ("by dana" in told) == (answer == "rejected")
    assert 'value="approve"' not in text


def test_one_is_reported_as_one(pages):
    teacher = madeup.person(pages.cursor, pages.harbor, "teacher")
    madeup.item(pages.cursor, pages.harbor, "role_drift", teacher, source_roles=["school_admin"])
    text = pages.client().get(HARBOR).text
    assert "<b>1</b> role that differs from the source" in text
    run = madeup.run(pages.cursor, pages.harbor, "launched")
    pages.cursor.execute(
        "update sync.runs set steps = jsonb_build_array(jsonb_build_object('name', 'notify', 'started_at', now(),"
        " 'finished_at', now(), 'counts', '{\"mails\": 1, \"worklist_opened\": 1, \"worklist_closed\": 2}'::jsonb))"
        " where id = %s",
        (run,),
    )
    steps = pages.client().get(f"{HARBOR}/runs/{run}").text
    for words in ("1 email<", "1 worklist item opened", "2 worklist items closed"):
        assert words in steps


def test_a_mails_links_lead_to_the_part_of_the_run_that_they_name(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched")
    for part in ("changes", "rejected"):
        answer = pages.client().get(f"/roster/runs/{run}?part={part}")
        assert answer.headers["location"] == f"{HARBOR}/runs/{run}/{part}"


@pytest.mark.parametrize(
    ("asked", "below"),
    [
        ("part=changes&kind=students&what=added", "/changes?kind=students&what=added"),
        ("part=changes&kind=classes", "/changes?kind=classes"),
        ("part=changes&kind=parents&what=updated", "/changes?what=updated"),
        ("part=changes&kind=STUDENTS&what=all", "/changes"),
        ("part=rejected&kind=students&what=added", "/rejected"),
        ("kind=students&what=added", ""),
    ],
)
def test_a_mails_link_to_a_list_leads_to_that_list_and_a_wrong_word_to_the_first(pages, asked, below):
    run = madeup.run(pages.cursor, pages.harbor, "launched")
    answer = pages.client().get(f"/roster/runs/{run}?{asked}")
    assert answer.headers["location"] == f"{HARBOR}/runs/{run}{below}"
    assert pages.client().get(answer.headers["location"]).status_code == 200


def test_a_reset_that_waits_is_no_day_on_which_everyone_left(pages, held_reset):
    data = pages.client().get(f"{HARBOR}/trends/data").json()
    assert held_reset[0] not in data["roster"]["runs"]
    assert data["roster"]["lines"]["Teachers"] == [12]


def test_what_an_undo_put_back_is_not_called_new(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched", mode="undo", counts={"students": {"added": 178}})
    head = pages.client().get(f"{HARBOR}/runs/{run}").text.partition("What it changed")[2].partition("</thead>")[0]
    assert "Put back" in head
    assert "Added" not in head
    assert "Received" not in head


def test_after_an_answer_the_page_says_so_and_follows_the_run_on(pages, held_reset):
    run, _ = held_reset
    hold = pages.one("select max(id) from sync.holds where run_id = %s", run)
    path = f"{HARBOR}/runs/{run}?answered={hold}"
    text = pages.client().get(path).text
    assert "Your answer was saved" in text
    assert f'hx-get="?part=live&amp;answered={hold}"' in text
    assert 'value="approve"' not in text
    pages.cursor.execute(
        "update sync.holds set answer = 'approved', answered_by = 'dana', answered_at = now() where id = %s", (hold,)
    )
    assert "Your answer was saved" in pages.client().get(path).text
    madeup.hold(pages.cursor, run, "reset")
    pages.cursor.execute("update sync.holds set applied_at = now() where id = %s", (hold,))
    asked_anew = pages.client().get(path).text
    assert "Your answer was saved" not in asked_anew
    assert 'value="approve"' in asked_anew
    pages.cursor.execute("update sync.runs set status = 'launched' where id = %s", (run,))
    assert "hx-get" not in pages.client().get(path).text


def test_an_approval_that_was_not_carried_out_is_not_followed_for_ever(pages, held_reset):
    run, _ = held_reset
    pages.cursor.execute(
        "update sync.holds set answer = 'approved', answered_by = 'dana', answered_at = now() - interval '10 minutes'"
        " where run_id = %s returning id",
        (run,),
    )
    text = pages.client().get(f"{HARBOR}/runs/{run}?answered={pages.cursor.fetchone()[0]}").text
    assert "hx-get" not in text
    assert "Approved by dana" in text


def test_what_is_over_a_limit_is_shown_as_a_bar_with_the_limits_mark(pages, held_reset):
    text = pages.client().get(f"{HARBOR}/runs/{held_reset[0]}").text
    assert 'class="gauge over"' in text
    assert 'class="mark"' in text
