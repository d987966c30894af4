"""When a Reset is refused, and that absences are confirmed at the source before anything is deleted."""

from __future__ import annotations

import pytest

from roster_sync.errors import SyncRefused
from tests.reset.test_what_goes import people, two_schools
from tests.rosters_memory import MemorySource, Portal, Roster


def refused(harbor: Portal, source: Roster | MemorySource, match: str) -> None:
    """A Reset of this source is refused, and nothing is written."""
    before = harbor.snapshot(())
    with pytest.raises(SyncRefused, match=match):
        harbor.reset(source)
    assert harbor.snapshot(()) == before


@pytest.mark.parametrize("collection", ["orgs", "users", "classes", "enrollments"])
def test_without_a_complete_feed(harbor: Portal, collection: str) -> None:
    harbor.edit(two_schools())
    source = MemorySource(two_schools().without("s1"), incomplete={collection: "Its total kept moving."})
    refused(harbor, source, "whole roster.*Its total kept moving")
    assert harbor.one("select is_complete_feed from sync.runs order by id limit 1")


@pytest.mark.parametrize("collection", ["classes", "enrollments"])
def test_where_a_collection_is_not_shared_at_all(harbor: Portal, collection: str) -> None:
    harbor.edit(two_schools())
    refused(harbor, MemorySource(two_schools(), unshared=(collection,)), "whole roster")


def test_with_a_delta_file_or_a_paused_source(harbor: Portal) -> None:
    harbor.edit(two_schools())
    refused(harbor, MemorySource(two_schools().without("s1"), adds_only="The source is paused."), "source is paused")


def test_where_no_schools_come(harbor: Portal) -> None:
    harbor.edit(two_schools())
    refused(harbor, two_schools().without("north", "south"), "No schools came")


def test_where_no_people_come(harbor: Portal) -> None:
    harbor.edit(two_schools())
    refused(harbor, two_schools().without("t1", "t2", "t3", "s1", "s2", "s3"), "No people came")


def test_where_no_school_is_selected(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.select_schools()
    refused(harbor, two_schools(), "No school is selected")


def test_where_none_of_the_selected_schools_came(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.select_schools("south")
    refused(harbor, two_schools().without("south"), "None of the selected schools")


def test_where_the_sync_has_expired(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.rows("update sync.settings set expires_on = '2020-01-31'")
    refused(harbor, two_schools(), "expired on 2020-01-31")
    assert harbor.one("select status from sync.runs order by id desc limit 1") == "expired"


# --- Absences are confirmed at the source ---


def test_what_the_source_calls_alive_is_not_deleted_and_reported(harbor: Portal) -> None:
    harbor.edit(two_schools())
    licence = harbor.license(user="t2")
    source = MemorySource(two_schools().without("south", "t2", "s2"), live={("users", "t2"): True})
    assert harbor.reset(source) == "launched"
    assert sorted(source.asked) == [("orgs", "south"), ("users", "s2"), ("users", "t2")]
    assert people(harbor) == ["s1", "s3", "t1", "t2", "t3"]
    assert harbor.rows("select id from portal.license_assignments") == [(licence,)]
    assert harbor.rows("select entity, source_id from sync.findings where run_id = %(r)s and rule = 'still_live'",
                       r=harbor.run) == [("users", "t2")]  # fmt: skip


def test_a_live_school_stays_with_its_licences(harbor: Portal) -> None:
    harbor.edit(two_schools())
    licence = harbor.license(school="south")
    harbor.reset(MemorySource(two_schools().without("south"), live={("orgs", "south"): True}))
    assert harbor.one("select count(*) from portal.schools") == 2
    assert harbor.rows("select id from portal.license_assignments") == [(licence,)]


def test_who_could_not_be_asked_for_is_kept(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.reset(MemorySource(two_schools().without("s1"), live={("users", "s1"): None}))
    assert "s1" in people(harbor)


def test_what_an_earlier_edit_unshared_is_asked_for_too(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.edit(two_schools().without("s1"), max_deleted_percent=100)
    harbor.reset(MemorySource(two_schools().without("s1"), live={("users", "s1"): True}))
    assert "s1" in people(harbor)


def test_whom_the_feed_itself_names_is_not_asked_for(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.select_schools("north")
    source = MemorySource(two_schools().but("users", "s1", status="tobedeleted"))
    harbor.reset(source)
    assert source.asked == []  # deselected, or called gone by the feed: nothing is missing


def test_at_most_two_hundred_are_asked_for(harbor: Portal) -> None:
    roster = two_schools()
    for number in range(230):
        roster.student(f"x{number}", "north")
    harbor.edit(roster)
    source = MemorySource(two_schools())
    harbor.reset(source)
    assert len(source.asked) == 200
    assert harbor.one("select count(*) from portal.users") == 6


def test_the_answers_outlast_a_second_plan_under_the_lock(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.begin("reset", max_deleted_percent=100)
    source = MemorySource(two_schools().without("s1", "s2"), live={("users", "s1"): True})
    assert harbor.load_and_plan(source) == "apply"
    harbor.license(user="s2")  # the portal is no longer what the plan saw: it is planned again, without the source
    assert harbor.write() == "launched"
    assert people(harbor) == ["s1", "s3", "t1", "t2", "t3"]
