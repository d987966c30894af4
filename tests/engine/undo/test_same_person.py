"""Match reviews: what 'same person' puts together, and that an undo takes it apart again."""

from __future__ import annotations

import pytest

from roster_sync.core.errors import SyncRefused
from roster_sync.core.limits import Limits
from roster_sync.engine import matching
from roster_sync.engine.planning import plan
from tests.rosters_memory import Portal, Roster


def before_the_summer() -> Roster:
    return (
        Roster().school("north").teacher("t1", "north")
        .student("old", "north", given_name="Kim", family_name="Reed", email="")
        .course("c1", "north", "t1", "old").course("c2", "north", "t1")
    )  # fmt: skip


def after_the_summer() -> Roster:
    return before_the_summer().without("old").student(
        "new", "north", given_name="Kim", family_name="Reed", email="kim@district.example"
    ).enroll("c1", "new", "student").enroll("c2", "new", "student")  # fmt: skip


def review(harbor: Portal) -> int:
    found = harbor.rows("select id from sync.worklist where kind = 'match_review' and resolved_at is null")
    assert len(found) == 1
    return int(found[0][0])


def put_up_for_review(harbor: Portal) -> tuple[int, int]:
    harbor.edit(before_the_summer())
    harbor.give_book("c1", "old")
    harbor.license(user="old")
    old = harbor.id_of("users", "old")
    harbor.edit(after_the_summer(), max_deleted_percent=100)
    harbor.license(user="new")
    harbor.give_book("c2", "new")
    return old, harbor.id_of("users", "new")


def test_the_old_row_keeps_its_id_and_role_and_takes_over_everything(harbor: Portal) -> None:
    old, new = put_up_for_review(harbor)
    harbor.rows("update portal.users set role = 'teacher' where id = %(o)s", o=old)
    item = review(harbor)
    matching.same_person(harbor.app, item, "Ada Approver")
    assert harbor.rows("select source_id, email, role, is_shared from portal.users where given_name = 'Kim'") == [
        ("new", "kim@district.example", "teacher", True)
    ]
    assert harbor.id_of("users", "new") == old
    assert harbor.one("select count(*) from portal.license_assignments where user_id = %(o)s", o=old) == 2
    assert harbor.one("select count(*) from portal.student_books where user_id = %(o)s", o=old) == 2
    enrolled = (
        "select c.source_id, e.is_active from portal.enrollments e join portal.classes c on c.id = e.class_id"
        " where user_id = %(o)s order by 1"
    )
    assert harbor.rows(enrolled, o=old) == [("c1", True), ("c2", True)]
    settled = harbor.rows("select resolved_by, resolution from sync.worklist where id = %(i)s", i=item)
    assert settled == [("Ada Approver", "same")]
    ids = "select source_id, row_id from sync.source_ids where entity = 'users' and row_id in (%(o)s, %(n)s) order by 1"
    assert harbor.rows(ids, o=old, n=new) == [("new", old), ("old", old)]
    newest = harbor.rows("select mode, trigger, status, started_by, reason from sync.runs order by id desc limit 1")
    assert newest == [("edit", "manual", "launched", "Ada Approver", "same person")]


def test_afterwards_a_run_changes_nothing(harbor: Portal) -> None:
    put_up_for_review(harbor)
    matching.same_person(harbor.app, review(harbor), "Ada Approver")
    before = harbor.snapshot(())
    assert harbor.edit(after_the_summer()) == "launched"
    assert harbor.reset(after_the_summer()) == "launched"
    assert harbor.snapshot(()) == before


def test_an_undo_makes_two_of_them_again_bit_for_bit_and_asks_again(harbor: Portal) -> None:
    put_up_for_review(harbor)
    before, ids = harbor.snapshot(), harbor.rows("select source_id, row_id from sync.source_ids order by 1, 2")
    item = review(harbor)
    matching.same_person(harbor.app, item, "Ada Approver")
    assert harbor.undo() == "launched"
    assert harbor.snapshot() == before
    assert harbor.rows("select source_id, row_id from sync.source_ids order by 1, 2") == ids
    assert review(harbor) == item
    matching.same_person(harbor.app, item, "Ada Approver")


def test_a_review_is_settled_once(harbor: Portal) -> None:
    put_up_for_review(harbor)
    item = review(harbor)
    matching.same_person(harbor.app, item, "Ada Approver")
    for settle in (matching.same_person, matching.not_the_same):
        with pytest.raises(SyncRefused, match="settled already"):
            settle(harbor.app, item, "Bo Second")


def test_not_the_same_is_never_asked_again_and_frees_the_candidate_for_a_reset(harbor: Portal) -> None:
    put_up_for_review(harbor)
    assert harbor.reset(after_the_summer()) == "launched"
    assert harbor.id_of("users", "old") is not None  # while the review is open, no Reset deletes its candidate
    item = review(harbor)
    matching.not_the_same(harbor.app, item, "Ada Approver")
    harbor.edit(after_the_summer())
    assert harbor.one("select count(*) from sync.worklist where kind = 'match_review' and resolved_at is null") == 0
    harbor.reset(after_the_summer())
    assert harbor.id_of("users", "old") is None
    assert harbor.id_of("users", "new") is not None


def test_where_one_of_the_two_is_gone_nothing_is_put_together(harbor: Portal) -> None:
    old, _ = put_up_for_review(harbor)
    item = review(harbor)
    harbor.rows("delete from portal.users where id = %(o)s", o=old)
    with pytest.raises(SyncRefused, match="no longer in the portal"):
        matching.same_person(harbor.app, item, "Ada Approver")


def test_a_hand_made_row_that_is_the_same_person_is_synced_from_then_on(harbor: Portal) -> None:
    harbor.edit(before_the_summer())
    by_hand = harbor.add_by_hand("teacher", "north", given_name="Noor", family_name="Hand", sis_id="77")
    roster = before_the_summer().teacher("t9", "north", given_name="Noor", family_name="Hand", identifier="77")
    harbor.edit(roster)
    assert harbor.id_of("users", "t9") != by_hand  # a hand-made row is only ever offered for review
    before = harbor.snapshot()
    matching.same_person(harbor.app, review(harbor), "Ada Approver")
    assert harbor.rows("select id, origin from portal.users where family_name = 'Hand'") == [(by_hand, "sync")]
    harbor.undo()
    assert harbor.snapshot() == before


def test_who_is_put_together_between_plan_and_apply_stays_in_sight(harbor: Portal) -> None:
    """Approved was to take the old row out of sight; by then it is the person whom the feed holds."""
    harbor.limits = Limits(deleted_percent=1, floor=1)
    harbor.edit(before_the_summer().student("gone", "north"))
    old = harbor.id_of("users", "old")
    assert harbor.edit(after_the_summer()) == "held"
    harbor.answer()
    harbor.reopen()
    assert plan.make(harbor.app, harbor.run, harbor.district) == "apply"
    matching.same_person(harbor.app, review(harbor), "Ada Approver")
    assert harbor.write() == "launched"
    shared = "select id, source_id, is_shared from portal.users where role = 'student' order by source_id"
    assert harbor.rows(shared)[1:] == [(old, "new", True)]
    assert harbor.rows(shared)[0][1:] == ("gone", False)


def test_an_approval_is_carried_out_whoever_was_put_together_before_it(harbor: Portal) -> None:
    harbor.limits = Limits(deleted_percent=1, floor=1)
    harbor.edit(before_the_summer().student("gone", "north"))
    assert harbor.edit(after_the_summer()) == "held"
    matching.same_person(harbor.app, review(harbor), "Ada Approver")
    harbor.answer()
    assert harbor.go_on_after_approval(after_the_summer()) == "launched"
    shared = "select source_id, is_shared from portal.users where source_id in ('gone', 'new') order by 1"
    assert harbor.rows(shared) == [("gone", False), ("new", True)]
