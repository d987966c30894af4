"""Limits, and the hold that they lead to: what is applied, what waits, and what an answer lets go."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from roster_sync.core.errors import SyncRefused
from roster_sync.core.limits import Limits
from roster_sync.engine import holds, runs
from tests.dsl.roster import MemorySource, Roster, town
from tests.dsl.world import NO_LIMITS, World


def _large() -> Roster:
    """40 students and 10 teachers, 20 classes of two students each, 6 schools."""
    roster = Roster()
    for number in range(1, 7):
        roster.school(f"S{number}")
    students = roster.students("p", 40, "S1")
    for number in range(1, 11):
        roster.teacher(f"t{number}", "S1")
    for number in range(20):
        roster.class_(
            f"c{number}", "S1", teachers=f"t{number % 10 + 1}", students=students[number * 2 : number * 2 + 2]
        )
    return roster


def _gone(roster: Roster, *prefixed: tuple[str, int]) -> Roster:
    """Without the first so many of each prefix."""
    return roster.without(*(f"{prefix}{n}" for prefix, count in prefixed for n in range(1, count + 1)))


def test_below_the_floor_nothing_is_held_however_large_the_share(world: World) -> None:
    roster = Roster().school("S1").teacher("t0", "S1")
    roster.students("p", 6, "S1")
    world.run(roster)
    ran = world.run(_gone(roster, ("p", 4)))
    assert ran.status == "launched"
    assert len(world.unshared("users")) == 4


@pytest.mark.parametrize(("gone", "status"), [(4, "launched"), (5, "held")])
def test_on_hold_if_gone_reaches_the_floor_and_is_more_than_the_percentage(
    world: World, gone: int, status: str
) -> None:
    world.run(_large())
    ran = world.run(_gone(_large(), ("p", gone)))
    assert ran.status == status
    assert len(world.unshared("users")) == (gone if status == "launched" else 0)


@pytest.mark.parametrize(("gone", "status"), [(8, "launched"), (9, "held")])
def test_gone_must_be_more_than_base_times_percent(world: World, gone: int, status: str) -> None:
    world.registry(limits=Limits(deleted_percent=20))  # of 40
    world.run(_large())
    assert world.run(_gone(_large(), ("p", gone))).status == status


@pytest.mark.parametrize(("kind", "roster"), [
    ("schools", _large().without("S2", "S3", "S4", "S5", "S6")),
    ("teachers", _gone(_large(), ("t", 5))),
    ("students", _gone(_large(), ("p", 9))),
    ("classes", _gone(_large(), ("c", 9))),
])  # fmt: skip
def test_each_kind_of_row_has_its_limit(world: World, kind: str, roster: Roster) -> None:
    world.run(_large())
    ran = world.run(roster)
    assert ran.status == "held"
    assert (kind, "removals") in world.breaches(ran)
    assert not world.unshared("users") | world.unshared("schools") | world.unshared("classes")


def test_enrollments_have_a_percentage_of_their_own(world: World) -> None:
    world.registry(limits=Limits(enrollments_percent=50))  # of 60
    world.run(_large())
    moved = _large()
    enrollments = moved.collections["enrollments"]
    moved.collections["enrollments"] = [e for e in enrollments if e["role"] == "teacher"] + [
        e for e in enrollments if e["role"] == "student"][30:]  # fmt: skip
    assert world.run(moved).status == "launched"
    moved.collections["enrollments"] = moved.collections["enrollments"][:20]
    world.run(_large())
    ran = world.run(moved)
    assert ran.status == "held"
    assert world.breaches(ran) == {("enrollments", "removals")}


def test_the_base_is_what_is_synced_and_shared_now_in_the_selected_schools(world: World) -> None:
    roster = _large()
    others = roster.students("q", 200, "S2")
    world.run(roster)
    assert world.run(_gone(roster, ("p", 9))).status == "launched"  # 9 of 240
    world.run(roster)
    world.select_schools("S1", "S3", "S4", "S5", "S6")
    ran = world.run(_gone(roster, ("p", 9)))  # 9 of 40: the others are not looked at
    assert ran.status == "held"
    assert world.plan_of(ran.id)["bases"]["students"] == 40
    assert others


def test_deselected_schools_are_no_part_of_the_base_of_schools(world: World) -> None:
    roster = town()
    for number in range(3, 63):
        roster.school(f"S{number}")
    world.run(roster)
    world.select_schools(*(f"S{number}" for number in range(1, 13)))
    held = world.run(roster.without(*(f"S{number}" for number in range(3, 8))))
    assert world.breaches(held) == {("schools", "removals")}  # 5 of 12, not of 62


def test_rows_made_by_hand_and_rows_not_shared_any_more_are_no_part_of_the_base(world: World) -> None:
    world.run(_large())
    for _ in range(60):
        world.do("insert into portal.users (district_id, role) values (%s, 'student')", world.district_id)
    world.run(_gone(_large(), ("p", 4)))
    ran = world.run(_gone(_large(), ("p", 10)))
    assert ran.status == "held"
    assert world.plan_of(ran.id)["bases"]["students"] == 36
    assert world.plan_of(ran.id)["breaches"][0]["count"] == 6


def test_people_who_come_in_the_same_run_are_no_part_of_the_base(world: World) -> None:
    world.registry(limits=Limits(deleted_percent=20))  # 9 of 40 are too many, 9 of 46 were not
    world.run(_large())
    roster = _gone(_large(), ("p", 9))
    roster.students("new", 6, "S1")
    ran = world.run(roster)
    assert ran.status == "held"
    assert ("students", "removals") in world.breaches(ran)


def test_one_kind_over_all_removals_wait_and_adds_and_updates_are_applied(world: World) -> None:
    world.run(_large())
    changed = _gone(_large(), ("p", 9)).without("t10").with_("p40", family_name="Changed").student("n1", "S1")
    changed.enroll("c0", "n1")
    ran = world.run(changed)
    assert ran.status == "held"
    assert world.person("p40")["family_name"] == "Changed"
    assert world.enrolled("c0")["n1"] is True
    assert world.person("t10")["is_shared"] is True  # one teacher alone would not have been held
    assert world.value("select count(*) from portal.enrollments where not is_active") == 0
    assert world.counts(ran, "students")["held"] == 9
    assert world.counts(ran, "students")["added"] == 1
    row = world.row("select * from sync.holds where run_id = %s", ran.id)
    assert (row["scope"], row["answer"], row["superseded_by"]) == ("removals", None, None)


def test_changed_over_the_updates_wait_too(world: World) -> None:
    world.run(_large())
    changed = _large()
    for record in changed.collections["users"]:
        record["family_name"] = "Same"
    changed = changed.without("t10").student("n1", "S1")
    ran = world.run(changed)
    assert ran.status == "held"
    assert ("students", "updates") in world.breaches(ran)
    assert world.person("p1")["family_name"] == "Family-p1"
    assert world.person("t10")["is_shared"] is True
    assert "n1" in world.shared("users")  # what is new came in
    assert world.approve(ran.id).status == "launched"
    assert world.person("p1")["family_name"] == "Same"
    assert world.person("t10")["is_shared"] is False


@pytest.mark.parametrize("percent", [75, 76])
def test_updates_are_held_only_beyond_their_percentage(world: World, percent: int) -> None:
    world.run(_large())
    changed = _large()
    for record in changed.collections["classes"][: 15 if percent == 75 else 16]:  # of 20
        record["title"] = "Same"
    assert world.run(changed).status == ("launched" if percent == 75 else "held")


def test_a_limit_of_100_is_lifted(world: World) -> None:
    world.registry(limits=NO_LIMITS)
    world.run(_large())
    ran = world.run(_gone(_large(), ("p", 39)))
    assert ran.status == "launched"
    assert len(world.unshared("users")) == 39


def test_100_as_the_runs_own_parameter_lifts_every_limit(world: World) -> None:
    world.run(_large())
    changed = _gone(_large(), ("p", 39), ("t", 9), ("c", 19))
    for record in changed.collections["users"]:
        record["family_name"] = "Same"
    ran = world.run(changed, max_deleted_percent=100)
    assert ran.status == "launched"
    assert world.plan_of(ran.id)["breaches"] == []


def test_the_runs_own_parameter_takes_the_place_of_the_districts_limit(world: World) -> None:
    world.run(_large())
    assert world.run(_gone(_large(), ("p", 9)), max_deleted_percent=25).status == "launched"
    world.run(_large())
    world.registry(limits=NO_LIMITS)
    assert world.run(_gone(_large(), ("p", 9)), max_deleted_percent=5).status == "held"


def test_more_people_gone_than_allowed_while_as_many_unknown_ones_come_is_held_as_a_whole(world: World) -> None:
    world.run(_large())
    before = world.versions()
    changed = _gone(_large(), ("p", 9)).with_("p40", family_name="Changed")
    changed.students("q", 9, "S1")
    ran = world.run(changed)
    assert ran.status == "held"
    assert ("people", "turnover") in world.breaches(ran)
    assert world.versions() == before
    assert world.value("select scope from sync.holds where run_id = %s", ran.id) == "everything"
    assert world.approve(ran.id).status == "launched"
    assert len(world.unshared("users")) == 9
    assert {"q1", "q9"} <= world.shared("users")
    assert world.person("p40")["family_name"] == "Changed"


def test_the_first_run_under_another_issuer_is_held_as_a_whole(world: World) -> None:
    world.run(MemorySource(town(), issuer="memory:one"))
    before = world.versions()
    held = world.run(MemorySource(town(), issuer="memory:two"))
    assert held.status == "held"
    assert ("people", "issuer") in world.breaches(held)
    assert world.versions() == before
    again = world.run(MemorySource(town(), issuer="memory:two"))
    assert again.status == "held"  # nothing of the first one was written
    world.approve(again.id)
    assert world.run(MemorySource(town(), issuer="memory:two")).status == "launched"


def test_a_very_first_run_is_not_held(world: World) -> None:
    assert world.run(_large()).status == "launched"


# -- the hold ---------------------------------------------------------------------------------------------------------


def _held(world: World) -> int:
    world.run(_large())
    ran = world.run(_gone(_large(), ("p", 9)))
    assert ran.status == "held"
    return ran.id


def test_on_approval_the_rows_that_were_asked_about_go(world: World) -> None:
    run_id = _held(world)
    ran = world.approve(run_id)
    assert (ran.id, ran.status) == (run_id, "launched")
    assert world.unshared("users") == {f"p{number}" for number in range(1, 10)}
    assert world.enrolled("c0")["p1"] is False
    counts = world.counts(ran, "students")
    assert (counts["unshared"], counts.get("held", 0)) == (9, 0)
    row = world.row("select * from sync.holds where run_id = %s", run_id)
    assert (row["answer"], row["answered_by"]) == ("approved", "Ada Approver")
    assert row["answered_at"] is not None


def test_only_those_rows_go_that_are_still_shared_and_still_in_selected_schools(world: World) -> None:
    roster = _large()
    roster.students("q", 9, "S2")
    world.run(roster)
    ran = world.run(_gone(roster, ("p", 9), ("q", 9)))
    assert ran.status == "held"
    already = datetime(2026, 1, 2, tzinfo=timezone.utc)
    world.do("update portal.users set is_shared = false, last_shared_at = %s where source_id = 'p1'", already)
    world.select_schools("S1", "S3", "S4", "S5", "S6")
    assert world.approve(ran.id).status == "launched"
    assert world.unshared("users") == {f"p{number}" for number in range(1, 10)}
    assert world.person("p1")["last_shared_at"] == already


def test_only_the_rows_that_were_asked_about_go_and_no_others(world: World) -> None:
    roster = _large()
    world.run(roster)
    ran = world.run(_gone(roster, ("p", 9)))
    world.do("insert into portal.users (district_id, issuer, source_id, role, origin)"
             " values (%s, 'memory:one', 'since-then', 'student', 'sync')", world.district_id)  # fmt: skip
    world.approve(ran.id)
    assert world.person("since-then")["is_shared"] is True
    assert len(world.unshared("users")) == 9


def test_where_the_whole_run_was_held_too_only_those_go_who_were_asked_about(world: World) -> None:
    world.run(town())
    world.select_schools("S1")
    held = world.run(MemorySource(town().without("a1", "b1"), issuer="memory:two"))
    assert world.breaches(held) == {("people", "issuer")}
    world.select_schools("S1", "S2")
    assert world.approve(held.id).status == "launched"
    assert world.unshared("users") == {"a1"}  # b1 was in no selected school when it was asked


def test_rejected_leaves_all_as_it_is(world: World) -> None:
    run_id = _held(world)
    before = world.versions()
    assert world.answer("rejected", run=run_id)
    assert world.ran(run_id).status == "rejected"
    with pytest.raises(SyncRefused):
        world.carry_out(run_id)
    assert world.versions() == before


def test_no_answer_in_time_nothing_happens_and_the_run_stays_held(world: World) -> None:
    run_id = _held(world)
    before = world.versions()
    assert world.answer("timed_out", None, run=run_id)
    assert world.ran(run_id).status == "held"
    with pytest.raises(SyncRefused):
        world.carry_out(run_id)
    assert not world.answer("approved", run=run_id)  # too late
    assert world.versions() == before


def test_a_question_waits_a_day(world: World) -> None:
    run_id = _held(world)
    due = holds.question(world.app, run_id).due_at
    assert timedelta(hours=23) < due - datetime.now(timezone.utc) <= timedelta(hours=24)


def test_a_question_holds_numbers_and_names_of_schools_and_no_person(world: World) -> None:
    roster = _large()
    world.run(roster)
    ran = world.run(_gone(roster, ("p", 9)).without("S6"))
    question = holds.question(world.app, ran.id)
    text = question.subject + question.body
    assert "School S6" in text
    assert "9 of 40" in text
    assert f"run {ran.id}" in text
    for word in ("Given-", "Family-", "people.example", "user-p"):
        assert word not in text


def test_a_later_edit_supersedes_the_question_at_once(world: World) -> None:
    run_id = _held(world)
    later = world.begin()
    assert world.value("select superseded_by from sync.holds where run_id = %s", run_id) == later
    assert not world.answer("approved", run=run_id)
    with pytest.raises(SyncRefused, match="later run"):
        world.carry_out(run_id)
    with pytest.raises(SyncRefused):
        holds.question(world.app, run_id)
    assert world.ran(run_id).status == "held"


def test_an_approval_that_was_not_carried_out_yet_is_superseded_too(world: World) -> None:
    run_id = _held(world)
    assert world.answer("approved", run=run_id)
    before = world.versions()
    runs.close(world.app, world.begin(), "launched", None)
    with pytest.raises(SyncRefused, match="later run"):
        world.carry_out(run_id)
    assert world.versions() == before


def test_a_preview_supersedes_nothing_and_writes_nothing(world: World) -> None:
    run_id = _held(world)
    before = world.versions()
    ran = world.run(_gone(_large(), ("p", 20)).student("n1", "S1"), preview_only=True)
    assert ran.status == "previewed"
    assert world.versions() == before
    assert world.plan_of(ran.id)["counts"]["students"] == {"add": 1, "unshare": 20}
    assert world.approve(run_id).status == "launched"


def test_the_question_of_one_district_is_not_superseded_by_a_run_of_another(world: World) -> None:
    run_id = _held(world)
    world.elsewhere("glen").run(town())
    assert world.approve(run_id).status == "launched"


@pytest.mark.parametrize("answered_by", [None, ""])
def test_only_the_answer_of_a_person_approves(world: World, answered_by: str | None) -> None:
    run_id = _held(world)
    with pytest.raises(SyncRefused):
        world.answer("approved", answered_by, run=run_id)
    with pytest.raises(SyncRefused, match="Nobody has approved"):
        world.carry_out(run_id)  # as if the task had been marked as success by hand
    assert world.unshared("users") == set()


def test_an_expired_district_applies_no_approval(world: World) -> None:
    run_id = _held(world)
    world.do("update sync.settings set expires_on = current_date - 2")
    assert world.answer("approved", run=run_id)
    with pytest.raises(SyncRefused, match="expired"):
        world.carry_out(run_id)
    assert world.unshared("users") == set()
    assert world.ran(run_id).status == "held"


def test_an_approval_is_carried_out_once(world: World) -> None:
    run_id = _held(world)
    world.approve(run_id)
    before = world.versions()
    with pytest.raises(SyncRefused):
        world.carry_out(run_id)
    assert world.versions() == before
    assert not world.answer("rejected", run=run_id)
    assert world.ran(run_id).status == "launched"


def test_an_approval_is_refused_where_the_feed_is_no_longer_kept(world: World) -> None:
    run_id = _held(world)
    assert world.answer("approved", run=run_id)
    world.do("select staging.drop_run(%s)", run_id)
    before = world.versions()
    ran = world.carry_out(run_id)
    assert ran.status == "failed"
    assert "no longer kept" in ran.message
    assert world.versions() == before


def test_the_next_run_is_not_blocked_and_takes_up_what_was_held(world: World) -> None:
    first = _held(world)
    ran = world.run(_gone(_large(), ("p", 9)))
    assert ran.status == "held"
    assert ran.id != first
    assert world.approve(ran.id).status == "launched"
    assert len(world.unshared("users")) == 9


def test_a_license_stays_through_a_hold_and_its_approval(world: World) -> None:
    world.run(_large())
    world.license(user="p1")
    licenses = world.versions()["license_assignments"]
    ran = world.run(_gone(_large(), ("p", 9)))
    world.approve(ran.id)
    assert world.versions()["license_assignments"] == licenses
