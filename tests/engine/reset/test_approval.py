"""Which Resets wait for a person, and what an answer lets go: docs/rules.md, R8 and R9."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from roster_sync.core.errors import SyncRefused
from roster_sync.core.limits import Limits
from roster_sync.engine import holds
from tests.dsl.roster import MemorySource
from tests.dsl.world import World
from tests.engine.schools import ask, less, many, people, two_schools


def held(harbor: World) -> None:
    """The newest run waits for an answer and has written nothing to the portal."""
    assert harbor.status() == "held"
    assert harbor.value("select wrote_at from sync.runs where id = %(r)s", r=harbor.run_id) is None
    assert harbor.value("select count(*) from sync.changes where run_id = %(r)s", r=harbor.run_id) == 0


# --- What asks ---


def test_within_the_limits_nobody_is_asked(harbor: World) -> None:
    harbor.edit(many())
    assert harbor.ask_to_reset(less(many(), 3)) == "launched"


def test_over_a_limit_a_reset_is_held_before_it_writes(harbor: World) -> None:
    harbor.edit(many())
    before = harbor.snapshot(())
    assert harbor.ask_to_reset(less(many(), 6).student("new", "north")) == "held"
    held(harbor)
    assert harbor.snapshot(()) == before
    waits = "select held, added, deleted from sync.run_counts where run_id = %(r)s and entity = 'students'"
    assert harbor.tuples(waits, r=harbor.run_id) == [(7, 0, 0)]  # what waits is counted, and nothing as done
    assert harbor.answer()
    assert harbor.go_on_after_approval(less(many(), 6).student("new", "north")) == "launched"
    assert harbor.tuples(waits, r=harbor.run_id) == [(0, 1, 6)]


def test_what_an_edit_had_unshared_counts_as_gone(harbor: World) -> None:
    harbor.edit(many())
    harbor.edit(less(many(), 6), max_deleted_percent=100)
    assert harbor.ask_to_reset(less(many(), 6)) == "held"


def test_one_school_alone_asks(harbor: World) -> None:
    roster = many().school("empty")
    harbor.edit(roster)
    assert harbor.ask_to_reset(many()) == "held"
    assert harbor.plan_of()["schools"]["removed"] == ["School empty"]


def test_one_license_alone_asks(harbor: World) -> None:
    harbor.edit(many())
    harbor.license(user="x0")
    assert harbor.ask_to_reset(less(many(), 1)) == "held"
    assert harbor.plan_of()["licenses_to_free"] == 1


def test_a_limit_of_a_hundred_runs_unattended(harbor: World) -> None:
    harbor.edit(many())
    harbor.license(user="x0")
    harbor.license(school="south")
    assert harbor.reset(less(many(), 30).without_school("south")) == "launched"


@pytest.mark.parametrize("percent", [None, 100])
@pytest.mark.parametrize("what", ["classes", "enrollments"])
def test_no_classes_or_no_enrollments_always_asks_and_says_so(harbor: World, what: str, percent: int | None) -> None:
    harbor.edit(two_schools())
    between_terms = two_schools().without_all("enrollments", what)
    assert harbor.reset(between_terms, max_deleted_percent=percent) == "held"
    held(harbor)
    assert "No classes or no enrollments" in harbor.message()
    assert harbor.answer()
    assert harbor.go_on_after_approval(between_terms) == "launched"
    assert harbor.value("select count(*) from portal.enrollments") == 0


def test_the_first_reset_from_another_issuer_asks(harbor: World) -> None:
    harbor.edit(two_schools())
    other = two_schools()
    other.issuer = "memory:two"
    assert harbor.ask_to_reset(other) == "held"


def test_a_district_without_limits_is_asked_before_a_school_goes_all_the_same(harbor: World) -> None:
    harbor.registry(limits=Limits(deleted_percent=100, updated_percent=100, enrollments_percent=100))
    harbor.edit(many().school("empty"))
    assert harbor.ask_to_reset(less(many(), 30).school("empty")) == "launched"
    assert harbor.ask_to_reset(less(many(), 30)) == "held"  # only the run's own number lifts that


def test_many_changed_names_alone_ask(harbor: World) -> None:
    harbor.edit(many())
    renamed = many()
    for number in range(40):
        renamed.users[f"x{number}"]["given_name"] = "Other"
    before = harbor.snapshot(())
    assert harbor.ask_to_reset(renamed) == "held"
    assert harbor.plan_of()["breaches"][0]["what"] == "updates"
    assert harbor.snapshot(()) == before


def test_a_question_waits_for_as_long_as_the_setting_says(harbor: World, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = "select extract(epoch from due_at - asked_at)::int / 360 from sync.holds order by id desc limit 1"
    harbor.edit(many())
    harbor.ask_to_reset(less(many(), 6))
    assert harbor.value(waits) == 240
    monkeypatch.setenv("ROSTER_APPROVAL_HOURS", "1.5")
    harbor.ask_to_reset(less(many(), 6))
    assert harbor.value(waits) == 15


def test_a_preview_writes_nothing_asks_nothing_and_supersedes_nothing(harbor: World) -> None:
    harbor.edit(many())
    harbor.ask_to_reset(less(many(), 6))
    waiting, before = harbor.run_id, harbor.snapshot(())
    assert harbor.ask_to_reset(less(many(), 8), preview_only=True) == "previewed"
    assert harbor.plan_of()["counts"]["students"]["delete"] == 8
    assert harbor.snapshot(()) == before
    harbor.run_id = waiting
    assert harbor.answer()


# --- What an answer lets go ---


def test_approved_it_reads_again_and_goes_on_as_the_same_run(harbor: World) -> None:
    ask(harbor)
    assert harbor.answer(reason="the south is closed")
    run_id = harbor.run_id
    assert harbor.go_on_after_approval(less(many(), 2).without_school("south")) == "launched"
    assert harbor.tuples("select answer, answered_by, reason, applied_at is not null from sync.holds") == [
        ("approved", "Ada Approver", "the south is closed", True)
    ]
    assert harbor.tuples("select id, status from sync.runs order by id desc limit 1") == [(run_id, "launched")]
    assert "x1" not in people(harbor)
    assert harbor.value("select count(*) from portal.license_assignments") == 0


def test_a_subset_of_what_was_approved_goes_on(harbor: World) -> None:
    ask(harbor)
    harbor.answer()
    assert harbor.go_on_after_approval(less(many(), 1).without_school("south").student("new", "north")) == "launched"
    assert "x1" in people(harbor)
    assert "new" in people(harbor)


def test_more_than_was_approved_is_a_new_question_and_writes_nothing(harbor: World) -> None:
    ask(harbor)
    harbor.answer()
    before = harbor.snapshot(())
    assert harbor.go_on_after_approval(less(many(), 3).without_school("south")) == "held"
    assert harbor.snapshot(()) == before
    assert "needs a new approval" in holds.question(harbor.app, harbor.run_id).body
    assert harbor.tuples("select answer from sync.holds order by id") == [("approved",), (None,)]
    with pytest.raises(SyncRefused, match="Nobody has approved"):
        harbor.reopen()  # the first answer approves nothing more
    assert harbor.answer()
    assert harbor.go_on_after_approval(less(many(), 3).without_school("south")) == "launched"


@pytest.mark.parametrize("what", ["class by hand", "co-teacher", "admin", "book", "book of the class"])
def test_work_of_people_that_would_go_too_and_was_not_in_the_question_is_a_new_one(harbor: World, what: str) -> None:
    if what == "book":
        harbor.edit(many())
        harbor.give_book("c2")
    ask(harbor)
    harbor.answer()
    if what == "class by hand":
        harbor.class_by_hand("south")
    elif what == "book":
        harbor.give_book("c2", "s2")
    elif what == "book of the class":
        harbor.give_book("c2")
    elif what == "co-teacher":
        harbor.enroll_by_hand(harbor.id_of("classes", "c2"), harbor.id_of("users", "t1"), "teacher")
    else:
        harbor.add_by_hand("school_admin", "south")
    before = harbor.snapshot(())
    assert harbor.go_on_after_approval(less(many(), 2).without_school("south")) == "held"
    assert harbor.snapshot(()) == before


def test_who_was_to_go_as_a_student_of_a_class_is_not_approved_to_go_as_its_teacher(harbor: World) -> None:
    ask(harbor)
    harbor.answer()
    harbor.enroll_by_hand(harbor.id_of("classes", "c2"), harbor.id_of("users", "s3"), "teacher")
    assert harbor.go_on_after_approval(less(many(), 2).without_school("south")) == "held"


def test_approved_but_the_feed_no_longer_comes_whole_it_changes_nothing(harbor: World) -> None:
    ask(harbor)
    harbor.answer()
    before = harbor.snapshot(())
    source = MemorySource(less(many(), 2).without_school("south"), incomplete={"users": "Its total kept moving."})
    with pytest.raises(SyncRefused, match="complete roster"):
        harbor.go_on_after_approval(source)
    assert harbor.snapshot(()) == before


def test_absences_are_confirmed_again_after_an_approval(harbor: World) -> None:
    ask(harbor)
    harbor.answer()
    source = MemorySource(less(many(), 2).without_school("south"), live={("users", "x1"): True})
    assert harbor.go_on_after_approval(source) == "launched"
    assert ("users", "x0") in source.asked
    assert "x1" in people(harbor)
    assert "x0" not in people(harbor)


def test_one_more_license_than_was_approved_is_a_new_question(harbor: World) -> None:
    ask(harbor)
    harbor.answer()
    harbor.license(user="x0")
    assert harbor.go_on_after_approval(less(many(), 2).without_school("south")) == "held"
    assert harbor.value("select count(*) from portal.license_assignments") == 2


def test_rejected_it_changes_nothing(harbor: World) -> None:
    ask(harbor)
    before = harbor.snapshot(())
    assert harbor.answer("rejected", reason="wait for June")
    assert harbor.status() == "rejected"
    with pytest.raises(SyncRefused, match="Nobody has approved"):
        harbor.reopen()
    assert harbor.snapshot(()) == before


def test_timed_out_it_stays_held_and_a_later_answer_changes_nothing(harbor: World) -> None:
    ask(harbor)
    assert harbor.answer("timed_out", by=None)
    assert harbor.status() == "held"
    assert not harbor.answer()
    with pytest.raises(SyncRefused, match="Nobody has approved"):
        harbor.reopen()


def test_an_answer_that_a_person_gave_after_the_time_was_up_counts_as_none(harbor: World) -> None:
    ask(harbor)
    harbor.do("update sync.holds set due_at = now() - interval '1 second'")
    assert not harbor.answer()
    assert harbor.tuples("select answer, answered_by from sync.holds") == [("timed_out", None)]
    with pytest.raises(SyncRefused, match="Nobody has approved"):
        harbor.reopen()


def test_an_answer_in_time_counts_also_where_it_is_recorded_late(harbor: World) -> None:
    ask(harbor)
    harbor.do("update sync.holds set asked_at = now() - interval '2 days', due_at = now() - interval '1 day'")
    answered_at = datetime.now(timezone.utc) - timedelta(hours=30)
    assert holds.record_answer(harbor.app, harbor.run_id, "approved", "Ada Approver", answered_at=answered_at)
    assert harbor.value("select answered_at from sync.holds") == answered_at


@pytest.mark.parametrize("later", ["edit", "reset"])
def test_a_later_run_supersedes_the_question_at_once_and_the_answer_then_changes_nothing(
    harbor: World, later: str
) -> None:
    ask(harbor)
    asked = harbor.run_id
    harbor.begin(later)
    newer, harbor.run_id = harbor.run_id, asked
    assert not harbor.answer()
    with pytest.raises(SyncRefused, match=rf"A later run \({newer}\)"):
        harbor.reopen()


def test_an_undo_supersedes_the_question_too(harbor: World) -> None:
    ask(harbor)
    asked = harbor.run_id
    assert harbor.undo() == "launched"  # of the Edit before it
    harbor.run_id = asked
    assert not harbor.answer()


def test_an_approval_that_was_given_before_a_later_run_is_superseded_as_well(harbor: World) -> None:
    ask(harbor)
    asked = harbor.run_id
    harbor.answer()
    harbor.edit(many())
    harbor.run_id = asked
    with pytest.raises(SyncRefused, match="A later run"):
        harbor.reopen()


def test_an_answer_without_a_person_approves_nothing(harbor: World) -> None:
    ask(harbor)
    with pytest.raises(SyncRefused, match="needs a person's name"):
        harbor.answer(by=None)
    with pytest.raises(SyncRefused, match="Nobody has approved"):
        harbor.reopen()  # a task that was marked as success by hand
    harbor.do("update sync.holds set answer = 'approved'")  # an answer without anybody behind it
    with pytest.raises(SyncRefused, match="Nobody has approved"):
        harbor.reopen()


def test_an_expired_district_applies_no_approval_of_a_reset(harbor: World) -> None:
    ask(harbor)
    harbor.answer()
    harbor.do("update sync.settings set expires_on = '2020-01-31'")
    with pytest.raises(SyncRefused, match="expired"):
        harbor.reopen()


def test_an_approval_of_a_reset_is_carried_out_once(harbor: World) -> None:
    ask(harbor)
    harbor.answer()
    harbor.go_on_after_approval(less(many(), 2).without_school("south"))
    with pytest.raises(SyncRefused, match="already carried out"):
        harbor.reopen()


def test_the_question_holds_numbers_and_names_of_schools_and_never_of_people(harbor: World) -> None:
    harbor.edit(many())
    harbor.give_book("c2", "s2", "s3")
    ask(harbor)
    question = holds.question(harbor.app, harbor.run_id)
    assert "2 student books would be taken back." in question.body
    assert "School south" in question.body
    assert "1 license would be freed." in question.body
    assert "|  | Delete | Of |\n|---|---:|---:|\n| Schools | 1 | 2 |\n" in question.body  # no column of zeros
    assert "Admins" not in question.body
    for name in ("Given", "Family", "people.example"):
        assert name not in question.body + question.subject


# --- People at work between plan and apply ---


def test_a_license_granted_between_plan_and_apply_is_never_freed_unasked(harbor: World) -> None:
    harbor.edit(many())
    harbor.begin("reset")
    assert harbor.load_and_plan(less(many(), 2)) == "apply"
    license = harbor.license(user="x0")
    before = harbor.snapshot(())
    assert harbor.write() == "held"
    held(harbor)
    assert harbor.snapshot(()) == before
    assert harbor.plan_of()["licenses_to_free"] == 1
    harbor.answer()
    assert harbor.go_on_after_approval(less(many(), 2)) == "launched"
    assert harbor.tuples("select before ->> 'id' from sync.changes where table_name = 'license_assignments'") == [
        (str(license),)
    ]


def test_a_license_granted_between_the_approved_plan_and_apply_is_a_new_question(harbor: World) -> None:
    ask(harbor)
    harbor.answer()
    harbor.reopen()
    assert harbor.load_and_plan(less(many(), 2).without_school("south")) == "apply"
    harbor.license(user="x1")
    assert harbor.write() == "held"
    assert harbor.value("select count(*) from portal.license_assignments") == 2


def test_a_license_that_takes_the_place_of_another_between_plan_and_apply_is_a_new_question(harbor: World) -> None:
    ask(harbor)
    harbor.answer()
    harbor.reopen()
    assert harbor.load_and_plan(less(many(), 2).without_school("south")) == "apply"
    harbor.do("delete from portal.license_assignments")
    harbor.license(user="x1")
    assert harbor.write() == "held"
    assert harbor.value("select count(*) from portal.license_assignments") == 1


def test_a_class_made_by_hand_between_plan_and_apply_goes_with_its_school_and_is_kept_for_an_undo(
    harbor: World,
) -> None:
    harbor.edit(many())
    harbor.begin("reset", max_deleted_percent=100)
    assert harbor.load_and_plan(many().without_school("south")) == "apply"
    club = harbor.class_by_hand("south")
    before = harbor.snapshot()
    assert harbor.write() == "launched"
    assert harbor.value("select count(*) from portal.classes where id = %(c)s", c=club) == 0
    harbor.undo()
    assert harbor.snapshot() == before
