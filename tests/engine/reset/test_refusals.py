"""When a Reset is refused, and that absences are confirmed at the source before anything is deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from roster_sync.core.errors import SyncRefused
from roster_sync.engine import runs
from tests.dsl.roster import MemorySource, Roster
from tests.dsl.world import World
from tests.engine.schools import people, two_schools


def refused(harbor: World, source: Roster | MemorySource, match: str) -> None:
    """A Reset of this source is refused, and nothing is written."""
    before = harbor.snapshot(())
    with pytest.raises(SyncRefused, match=match):
        harbor.reset(source)
    assert harbor.snapshot(()) == before


@pytest.mark.parametrize("collection", ["orgs", "users", "classes", "enrollments"])
def test_without_a_complete_feed(harbor: World, collection: str) -> None:
    harbor.edit(two_schools())
    source = MemorySource(two_schools().without("s1"), incomplete={collection: "Its total kept moving."})
    refused(harbor, source, "complete roster.*Its total kept moving")
    assert harbor.value("select is_complete_feed from sync.runs order by id limit 1")


@pytest.mark.parametrize("collection", ["classes", "enrollments"])
def test_where_a_collection_is_not_shared_at_all(harbor: World, collection: str) -> None:
    harbor.edit(two_schools())
    refused(harbor, MemorySource(two_schools(), not_shared=("roles", collection)), "complete roster")


def test_with_a_delta_file_or_a_paused_source(harbor: World) -> None:
    harbor.edit(two_schools())
    refused(harbor, MemorySource(two_schools().without("s1"), adds_only="The source is paused."), "source is paused")


def test_where_no_schools_come(harbor: World) -> None:
    harbor.edit(two_schools())
    refused(harbor, two_schools().without_school("north", "south"), "No schools came")


def test_where_no_people_come(harbor: World) -> None:
    harbor.edit(two_schools())
    refused(harbor, two_schools().without("t1", "t2", "t3", "s1", "s2", "s3"), "No people came")


def test_where_no_school_is_selected(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.select_schools()
    refused(harbor, two_schools(), "No school is selected")


def test_where_none_of_the_selected_schools_came(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.select_schools("south")
    refused(harbor, two_schools().without_school("south"), "None of the selected schools")


def test_where_the_sync_has_expired(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.do("update sync.settings set expires_on = '2020-01-31'")
    refused(harbor, two_schools(), "expired on 2020-01-31")
    assert harbor.value("select status from sync.runs order by id desc limit 1") == "expired"


def test_while_another_run_is_at_work(harbor: World) -> None:
    harbor.edit(two_schools())
    at_work = harbor.begin("edit")
    request = runs.RunRequest("reset", "manual", "Pat Planner", "roster_reset", "beside")
    with pytest.raises(
        SyncRefused, match=f"Another run of this district is in progress \\(run {at_work}\\)"
    ) as refused:
        runs.begin(harbor.app, harbor.district, request, is_alive=lambda dag, run: True)
    assert refused.value.status == "skipped"
    assert harbor.tuples("select mode, status from sync.runs order by id desc limit 1") == [("reset", "skipped")]


# --- Absences are confirmed at the source ---


def test_what_the_source_calls_alive_is_not_deleted_and_reported(harbor: World) -> None:
    harbor.edit(two_schools())
    license = harbor.license(user="t2")
    source = MemorySource(two_schools().without_school("south").without("t2", "s2"), live={("users", "t2"): True})
    assert harbor.reset(source) == "launched"
    assert sorted(source.asked) == [("orgs", "south"), ("users", "s2"), ("users", "t2")]
    assert people(harbor) == ["s1", "s3", "t1", "t2", "t3"]
    assert harbor.value("select is_shared from portal.users where source_id = 't2'") is True
    assert harbor.tuples("select id from portal.license_assignments") == [(license,)]
    assert harbor.tuples("select entity, source_id from sync.findings where run_id = %(r)s and rule = 'still_live'",
                       r=harbor.run_id) == [("users", "t2")]  # fmt: skip


def test_a_live_school_stays_with_its_licenses_and_its_classes_with_their_books(harbor: World) -> None:
    harbor.edit(two_schools())
    license = harbor.license(school="south")
    harbor.give_book("c2", "s3")
    harbor.reset(MemorySource(two_schools().without_school("south"), live={("orgs", "south"): True}))
    assert harbor.value("select count(*) from portal.schools") == 2
    assert harbor.tuples("select id from portal.license_assignments") == [(license,)]
    assert harbor.tuples("select source_id, is_shared from portal.classes order by 1") == [("c1", True), ("c2", True)]
    assert harbor.value("select count(*) from portal.student_books") == 1


def test_a_live_school_stays_also_without_a_class_and_so_do_its_people(harbor: World) -> None:
    harbor.edit(two_schools().school("east").teacher("t4", "north", "east"))
    roster = two_schools().teacher("t4", "north")
    harbor.reset(MemorySource(roster, live={("orgs", "east"): True}))
    assert harbor.id_of("schools", "east") is not None
    assert harbor.value("select count(*) from portal.user_schools where school_id = %(s)s",
                      s=harbor.id_of("schools", "east")) == 1  # fmt: skip


def test_nobody_is_asked_for_a_school_that_goes_because_it_is_deselected(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.select_schools("north")
    source = MemorySource(two_schools().without_school("south"), live={("orgs", "south"): True})
    harbor.reset(source)
    assert ("orgs", "south") not in source.asked
    assert harbor.tuples("select source_id from portal.schools") == [("north",)]


def test_who_could_not_be_asked_for_is_kept(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.reset(MemorySource(two_schools().without("s1"), live={("users", "s1"): None}))
    assert "s1" in people(harbor)


def test_what_an_earlier_edit_unshared_is_asked_for_too(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.edit(two_schools().without("s1"), max_deleted_percent=100)
    harbor.reset(MemorySource(two_schools().without("s1"), live={("users", "s1"): True}))
    assert "s1" in people(harbor)


def test_whom_the_feed_itself_names_is_not_asked_for(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.select_schools("north")
    source = MemorySource(two_schools().with_("s1", status="tobedeleted"))
    harbor.reset(source)
    assert source.asked == []  # deselected, or called gone by the feed: nothing is missing


@dataclass
class WatchedSource(MemorySource):
    """Looks at the database, and lets people work in the portal, while it is asked."""

    watch: Callable[[], None] = lambda: None

    def is_live(self, collection: str, source_id: str) -> bool | None:
        """The same answer."""
        self.watch()
        return super().is_live(collection, source_id)


def test_no_transaction_waits_and_no_lock_is_held_while_the_source_is_asked(harbor: World) -> None:
    harbor.edit(two_schools())
    seen: list[tuple[int, int]] = []

    def watch() -> None:
        locks = harbor.value("select count(*) from pg_locks where locktype = 'advisory' and database ="
                           " (select oid from pg_database where datname = current_database())")  # fmt: skip
        seen.append((locks, harbor.app.info.transaction_status))

    harbor.reset(WatchedSource(two_schools().without("s1", "s2"), watch=watch))
    assert seen == [(0, TRANSACTION_STATUS_IDLE)] * 2
    assert people(harbor) == ["s3", "t1", "t2", "t3"]


def test_what_people_do_while_the_source_is_asked_is_decided_on(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.begin("reset")

    def license_once() -> None:
        if not harbor.value("select count(*) from portal.license_assignments"):
            harbor.license(user="s1")

    source = WatchedSource(two_schools().without("s1"), watch=license_once)
    assert harbor.load_and_plan(source) == "held"  # without the license nobody would have to be asked
    assert harbor.plan_of()["sentence"] == "1 license would be freed."
    assert source.asked == [("users", "s1")]


def test_a_review_that_opens_while_the_source_is_asked_keeps_its_candidate(harbor: World) -> None:
    harbor.edit(two_schools())

    def review() -> None:
        harbor.do(
            "insert into sync.worklist (district_id, kind, subject_type, subject_id, second_subject_id, opened_run_id)"
            " values (%(d)s, 'match_review', 'user', %(new)s, %(old)s, %(r)s) on conflict do nothing",
            new=harbor.id_of("users", "s2"), old=harbor.id_of("users", "s1"), r=harbor.run_id,
        )  # fmt: skip

    harbor.reset(WatchedSource(two_schools().without("s1"), watch=review))
    assert harbor.tuples("select is_shared from portal.users where source_id = 's1'") == [(False,)]


def test_whom_people_add_while_the_source_is_asked_is_asked_for_too(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.do(
        "insert into sync.worklist (district_id, kind, subject_type, subject_id, second_subject_id, opened_run_id)"
        " values (%(d)s, 'match_review', 'user', %(new)s, %(old)s, 1)",
        new=harbor.id_of("users", "s3"), old=harbor.id_of("users", "s2"),
    )  # fmt: skip
    settle = "update sync.worklist set resolved_at = now(), resolution = 'different' where district_id = %(d)s"
    source = WatchedSource(
        two_schools().without("s1", "s2"), live={("users", "s2"): True}, watch=lambda: harbor.do(settle)
    )
    harbor.reset(source)
    assert source.asked == [("users", "s1"), ("users", "s2")]  # s2 was a candidate until the review was settled
    assert "s2" in people(harbor)


def test_a_run_that_is_declared_dead_while_the_source_is_asked_does_nothing_more(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.begin("reset", max_deleted_percent=100)
    before = harbor.snapshot(())
    source = WatchedSource(
        two_schools().without("s1"),
        watch=lambda: harbor.do("update sync.runs set status = 'failed' where id = %(r)s", r=harbor.run_id),
    )
    with pytest.raises(SyncRefused, match="was closed while"):
        harbor.load_and_plan(source)
    assert harbor.snapshot(()) == before
    assert harbor.status() == "failed"


def test_at_most_two_hundred_are_asked_for(harbor: World) -> None:
    roster = two_schools()
    for number in range(230):
        roster.student(f"x{number}", "north")
    harbor.edit(roster)
    source = MemorySource(two_schools())
    harbor.reset(source)
    assert len(source.asked) == 200
    assert harbor.value("select count(*) from portal.users") == 6


def test_the_answers_outlast_a_second_plan_under_the_lock(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.begin("reset", max_deleted_percent=100)
    source = MemorySource(two_schools().without("s1", "s2"), live={("users", "s1"): True})
    assert harbor.load_and_plan(source) == "apply"
    harbor.license(user="s2")  # the portal is no longer what the plan saw: it is planned again, without the source
    assert harbor.write() == "launched"
    assert people(harbor) == ["s1", "s3", "t1", "t2", "t3"]
