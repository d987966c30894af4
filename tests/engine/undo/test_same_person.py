"""Match reviews: what 'same person' puts together, and that an undo takes it apart again."""

from __future__ import annotations

import pytest

from roster_sync.core.errors import SyncRefused
from roster_sync.core.limits import Limits
from roster_sync.engine import matching
from roster_sync.engine.planning import plan
from tests.dsl.world import World
from tests.engine.summer import after_the_summer, before_the_summer, put_up_for_review, review


def test_the_old_row_keeps_its_id_and_role_and_takes_over_everything(harbor: World) -> None:
    old, new = put_up_for_review(harbor)
    harbor.do("update portal.users set role = 'teacher' where id = %(o)s", o=old)
    item = review(harbor)
    matching.same_person(harbor.app, item, "Ada Approver")
    assert harbor.tuples("select source_id, email, role, is_shared from portal.users where given_name = 'Kim'") == [
        ("new", "kim@district.example", "teacher", True)
    ]
    assert harbor.id_of("users", "new") == old
    assert harbor.value("select count(*) from portal.license_assignments where user_id = %(o)s", o=old) == 2
    assert harbor.value("select count(*) from portal.student_books where user_id = %(o)s", o=old) == 2
    enrolled = (
        "select c.source_id, e.is_active from portal.enrollments e join portal.classes c on c.id = e.class_id"
        " where user_id = %(o)s order by 1"
    )
    assert harbor.tuples(enrolled, o=old) == [("c1", True), ("c2", True)]
    settled = harbor.tuples("select resolved_by, resolution from sync.worklist where id = %(i)s", i=item)
    assert settled == [("Ada Approver", "same")]
    ids = "select source_id, row_id from sync.source_ids where entity = 'users' and row_id in (%(o)s, %(n)s) order by 1"
    assert harbor.tuples(ids, o=old, n=new) == [("new", old), ("old", old)]
    newest = harbor.tuples("select mode, trigger, status, started_by, reason from sync.runs order by id desc limit 1")
    assert newest == [("edit", "manual", "launched", "Ada Approver", "same person")]


def test_afterwards_a_run_changes_nothing(harbor: World) -> None:
    put_up_for_review(harbor)
    matching.same_person(harbor.app, review(harbor), "Ada Approver")
    before = harbor.snapshot(())
    assert harbor.edit(after_the_summer()) == "launched"
    assert harbor.reset(after_the_summer()) == "launched"
    assert harbor.snapshot(()) == before


def test_an_undo_makes_two_of_them_again_bit_for_bit_and_asks_again(harbor: World) -> None:
    put_up_for_review(harbor)
    before, ids = harbor.snapshot(), harbor.tuples("select source_id, row_id from sync.source_ids order by 1, 2")
    item = review(harbor)
    matching.same_person(harbor.app, item, "Ada Approver")
    assert harbor.undo() == "launched"
    assert harbor.snapshot() == before
    assert harbor.tuples("select source_id, row_id from sync.source_ids order by 1, 2") == ids
    assert review(harbor) == item
    matching.same_person(harbor.app, item, "Ada Approver")


def test_a_review_is_closed_once(harbor: World) -> None:
    put_up_for_review(harbor)
    item = review(harbor)
    matching.same_person(harbor.app, item, "Ada Approver")
    for settle in (matching.same_person, matching.not_the_same):
        with pytest.raises(SyncRefused, match="answered already"):
            settle(harbor.app, item, "Bo Second")


def test_not_the_same_is_never_asked_again_and_frees_the_candidate_for_a_reset(harbor: World) -> None:
    put_up_for_review(harbor)
    assert harbor.reset(after_the_summer()) == "launched"
    assert harbor.id_of("users", "old") is not None  # while the review is open, no Reset deletes its candidate
    item = review(harbor)
    matching.not_the_same(harbor.app, item, "Ada Approver")
    harbor.edit(after_the_summer())
    assert harbor.value("select count(*) from sync.worklist where kind = 'match_review' and resolved_at is null") == 0
    harbor.reset(after_the_summer())
    assert harbor.id_of("users", "old") is None
    assert harbor.id_of("users", "new") is not None


def test_where_one_of_the_two_is_gone_nothing_is_put_together(harbor: World) -> None:
    old, _ = put_up_for_review(harbor)
    item = review(harbor)
    harbor.do("delete from portal.users where id = %(o)s", o=old)
    with pytest.raises(SyncRefused, match="no longer in the portal"):
        matching.same_person(harbor.app, item, "Ada Approver")


def test_a_hand_made_row_that_is_the_same_person_is_synced_from_then_on(harbor: World) -> None:
    harbor.edit(before_the_summer())
    by_hand = harbor.add_by_hand("teacher", "north", given_name="Noor", family_name="Hand", sis_id="77")
    roster = before_the_summer().teacher("t9", "north", given_name="Noor", family_name="Hand", identifier="77")
    harbor.edit(roster)
    assert harbor.id_of("users", "t9") != by_hand  # a hand-made row is only ever offered for review
    before = harbor.snapshot()
    matching.same_person(harbor.app, review(harbor), "Ada Approver")
    assert harbor.tuples("select id, origin from portal.users where family_name = 'Hand'") == [(by_hand, "sync")]
    harbor.undo()
    assert harbor.snapshot() == before


def test_who_is_put_together_between_plan_and_apply_stays_in_sight(harbor: World) -> None:
    """Approved was to take the old row out of sight; by then it is the person whom the feed holds."""
    harbor.registry(limits=Limits(deleted_percent=1, floor=1))
    harbor.edit(before_the_summer().student("gone", "north"))
    old = harbor.id_of("users", "old")
    assert harbor.edit(after_the_summer()) == "held"
    harbor.answer()
    harbor.reopen()
    assert plan.make(harbor.app, harbor.run_id, harbor.district) == "apply"
    matching.same_person(harbor.app, review(harbor), "Ada Approver")
    assert harbor.write() == "launched"
    shared = "select id, source_id, is_shared from portal.users where role = 'student' order by source_id"
    assert harbor.tuples(shared)[1:] == [(old, "new", True)]
    assert harbor.tuples(shared)[0][1:] == ("gone", False)


def test_an_approval_is_carried_out_whoever_was_put_together_before_it(harbor: World) -> None:
    harbor.registry(limits=Limits(deleted_percent=1, floor=1))
    harbor.edit(before_the_summer().student("gone", "north"))
    assert harbor.edit(after_the_summer()) == "held"
    matching.same_person(harbor.app, review(harbor), "Ada Approver")
    harbor.answer()
    assert harbor.go_on_after_approval(after_the_summer()) == "launched"
    shared = "select source_id, is_shared from portal.users where source_id in ('gone', 'new') order by 1"
    assert harbor.tuples(shared) == [("gone", False), ("new", True)]
