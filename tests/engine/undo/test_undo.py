"""What an undo puts back, what it leaves to people and to later runs, and when it is refused: docs/rules.md, R14."""

from __future__ import annotations

import pytest

from roster_sync.core.errors import SyncRefused
from roster_sync.engine import matching, undo
from tests.dsl.roster import Roster
from tests.dsl.world import World
from tests.engine.schools import by_hand, people, two_schools


def with_work(harbor: World) -> None:
    """Two schools, and what people did with them."""
    harbor.edit(two_schools())
    for owner in ("t1", "t2", "t3", "s2"):
        harbor.license(user=owner)
    harbor.license(school="north")
    harbor.license(school="south")
    harbor.give_book("c1", "s1")
    harbor.give_book("c2", "s2", "s3")
    by_hand(harbor)
    harbor.do("update portal.users set is_enabled = false where source_id = 's3'")
    harbor.do("update portal.users set role = 'school_admin' where source_id = 't3'")


def changed() -> Roster:
    """A day on which everything happens at once."""
    roster = two_schools().without_school("south").without("t2", "s1").with_("t1", given_name="Renamed", email="")
    roster = roster.without_rows("e-c1-s3")
    return roster.teacher("t9", "north").student("s9", "north").class_("c9", "north", "t9", "s9 s3")


# --- Exact ---


def test_a_reset_is_undone_bit_for_bit(harbor: World) -> None:
    with_work(harbor)
    before = harbor.snapshot()
    assert harbor.reset(changed()) == "launched"
    assert (
        harbor.value("select count(*) from sync.changes where run_id = %(r)s and action = 'delete'", r=harbor.run_id)
        > 15
    )
    target = harbor.run_id
    assert harbor.undo() == "launched"
    assert harbor.snapshot() == before
    assert harbor.status(target) == "undone"
    assert harbor.tuples("select mode, undoes_run_id from sync.runs where id = %(r)s", r=harbor.run_id) == [
        ("undo", target)
    ]


def test_a_reset_that_took_manual_rows_is_undone_bit_for_bit(harbor: World) -> None:
    with_work(harbor)
    before = harbor.snapshot()
    harbor.reset(changed(), include_manual=True)
    harbor.undo()
    assert harbor.snapshot() == before


def test_an_edit_is_undone_bit_for_bit(harbor: World) -> None:
    with_work(harbor)
    before = harbor.snapshot()
    harbor.edit(changed(), max_deleted_percent=100)
    assert harbor.snapshot() != before
    harbor.undo()
    assert harbor.snapshot() == before


def test_the_very_first_edit_is_undone_to_an_empty_portal(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.undo()
    assert not any(harbor.snapshot().values())


def test_a_move_a_new_id_and_a_restore_are_undone_bit_for_bit(harbor: World) -> None:
    with_work(harbor)
    harbor.edit(two_schools().without("s1", "c1"), max_deleted_percent=100)  # unshared, and restored by the Reset
    before = harbor.snapshot()
    roster = two_schools().with_("c2", school_source_id="north").without_rows("south")
    for person in ("t2", "s2"):
        roster.users[person]["org_source_ids"] = "north"
    roster = roster.renamed({"t1": "t1-new"})  # known by the email and the family name
    t1 = harbor.id_of("users", "t1")
    harbor.reset(roster)
    assert harbor.id_of("users", "t1-new") == t1
    harbor.undo()
    assert harbor.snapshot() == before


def test_after_an_undo_the_next_run_does_the_same_again(harbor: World) -> None:
    with_work(harbor)
    harbor.reset(changed())
    query = "select entity, added, updated, deleted from sync.run_counts where run_id = %s order by 1"
    counts = harbor.tuples(query, harbor.run_id)
    harbor.undo()
    harbor.reset(changed())
    assert counts == harbor.tuples(query, harbor.run_id)


def test_a_preview_writes_nothing_and_reports_the_real_numbers(harbor: World) -> None:
    with_work(harbor)
    harbor.reset(changed())
    target, before = harbor.run_id, harbor.snapshot(())
    assert harbor.undo(preview_only=True) == "previewed"
    assert harbor.snapshot(()) == before
    assert harbor.status(target) == "launched"
    previewed = harbor.plan_of()["counts"]
    harbor.undo(target)
    for entity, added, updated, deleted in harbor.tuples(
        "select entity, added, updated, deleted from sync.run_counts where run_id = %(r)s", r=harbor.run_id
    ):
        assert previewed[entity] == {"put back": added, "changed back": updated, "taken out": deleted}
    assert previewed["licenses"]["put back"] == 2


# --- With Edits, and with people's work, in between ---


def test_an_undo_also_works_after_the_nightly_edits_that_followed(harbor: World) -> None:
    with_work(harbor)
    before = harbor.snapshot()
    harbor.reset(two_schools().without_school("south").without("t2", "s1", "s2"))
    target = harbor.run_id
    harbor.edit(two_schools().without_school("south").without("t2", "s1", "s2"))
    harbor.edit(two_schools().without_school("south").without("t2", "s1", "s2").with_("t1", given_name="Later"))
    assert harbor.undo(target) == "launched"
    after = harbor.snapshot()
    assert {table for table in before if before[table] != after[table]} == {"users"}
    assert harbor.tuples("select given_name from portal.users where source_id = 't1'") == [("Later",)]


def test_an_old_row_returns_with_its_id_and_takes_over_what_hangs_on_the_one_made_anew(harbor: World) -> None:
    with_work(harbor)
    before = harbor.snapshot()
    ids = {
        name: harbor.id_of(table, name) for table, name in (("schools", "south"), ("users", "s2"), ("classes", "c2"))
    }
    harbor.reset(two_schools().without_school("south").without("t2", "s2"))
    target = harbor.run_id
    harbor.edit(two_schools())  # shared again: all new
    new = harbor.id_of("users", "s2")
    assert new != ids["s2"]
    given = harbor.license(user="s2"), harbor.license(school="south")
    harbor.give_book("c2", "s2")
    harbor.enroll_by_hand(harbor.id_of("classes", "c1"), new, "student")
    assert harbor.undo(target) == "launched"
    assert {name: harbor.id_of(table, name) for table, name in (("schools", "south"), ("users", "s2"), ("classes", "c2"))} == ids  # fmt: skip # noqa: E501
    assert harbor.value("select count(*) from portal.users where id = %(n)s", n=new) == 0
    assert harbor.tuples("select user_id, school_id from portal.license_assignments where id = any(%(l)s) order by id",
                       l=list(given)) == [(ids["s2"], None), (None, ids["south"])]  # fmt: skip
    assert harbor.value("select count(*) from portal.student_books where user_id = %(u)s", u=ids["s2"]) == 1
    assert harbor.tuples("select origin from portal.enrollments where user_id = %(u)s order by 1", u=ids["s2"]) == [
        ("manual",), ("sync",),
    ]  # fmt: skip
    for table in ("schools", "users", "classes", "class_books", "student_books"):
        assert len(harbor.snapshot()[table]) == len(before[table]), table
    settled = harbor.snapshot(())
    harbor.edit(two_schools())
    harbor.edit(two_schools())
    assert {key: len(rows) for key, rows in harbor.snapshot(()).items()} == {
        key: len(rows) for key, rows in settled.items()
    }


def test_what_people_set_since_stays(harbor: World) -> None:
    with_work(harbor)
    harbor.reset(changed())
    harbor.do("update portal.users set given_name = 'By hand' where source_id = 't1'")
    harbor.undo()
    assert harbor.tuples("select given_name, email from portal.users where source_id = 't1'") == [
        ("By hand", "t1@people.example")
    ]


def test_a_role_that_people_gave_since_stays(harbor: World) -> None:
    with_work(harbor)
    harbor.reset(changed())
    harbor.do("update portal.users set role = 'district_admin' where source_id = 't1'")
    harbor.undo()
    assert harbor.tuples("select role from portal.users where source_id = 't1'") == [("district_admin",)]


def test_a_license_and_a_book_given_since_to_who_was_there_stay(harbor: World) -> None:
    with_work(harbor)
    harbor.reset(changed())
    license = harbor.license(user="s3")
    harbor.give_book("c1", "s3")
    harbor.undo()
    assert harbor.value("select count(*) from portal.license_assignments where id = %(l)s", l=license) == 1
    assert harbor.value("select count(*) from portal.student_books where user_id = %(u)s",
                      u=harbor.id_of("users", "s3")) == 2  # fmt: skip


def test_a_product_and_a_book_that_are_gone_since_keep_nothing_else_from_coming_back(harbor: World) -> None:
    with_work(harbor)
    people_before = harbor.tuples("select id, source_id, role from portal.users order by id")
    assert harbor.reset(changed()) == "launched"
    harbor.do("delete from portal.license_assignments")
    harbor.do("delete from portal.products")
    harbor.do("delete from portal.student_books")
    harbor.do("delete from portal.class_books")
    harbor.do("delete from portal.books")
    assert harbor.undo() == "launched"
    assert harbor.tuples("select id, source_id, role from portal.users order by id") == people_before
    assert harbor.tuples(
        "select entity from sync.findings where run_id = %(r)s and rule = 'not_restored' order by 1", r=harbor.run_id
    ) == [("books",), ("licenses",)]


def test_what_the_run_added_is_taken_out(harbor: World) -> None:
    with_work(harbor)
    harbor.reset(changed())
    harbor.undo()
    assert {"t9", "s9"}.isdisjoint(people(harbor))
    assert harbor.value("select count(*) from sync.former_ids where source_id in ('t9', 's9')") == 0
    assert harbor.id_of("classes", "c9") is None


@pytest.mark.parametrize("work", ["license", "manual class", "manual school", "hand-disabled", "book"])
def test_what_people_hung_something_on_stays_with_school_and_class_and_is_listed(harbor: World, work: str) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().school("east").student("s9", "east").class_("c9", "east", "", "s9"))
    added = harbor.id_of("users", "s9")
    if work == "license":
        harbor.license(user="s9")
    elif work == "manual class":
        harbor.enroll_by_hand(harbor.id_of("classes", "c1"), added, "student")
    elif work == "manual school":
        harbor.join(added, harbor.id_of("schools", "south"))
    elif work == "hand-disabled":
        harbor.do("update portal.users set is_enabled = false where id = %(u)s", u=added)
    else:
        harbor.give_book("c9", "s9")
    before = harbor.snapshot()
    assert harbor.undo() == "launched"
    assert harbor.snapshot() == before
    listed = harbor.tuples(
        "select entity, source_id from sync.findings where run_id = %(r)s and rule = 'kept_by_undo' order by 1",
        r=harbor.run_id,
    )
    assert listed == [("classes", "c9"), ("schools", "east"), ("users", "s9")]


@pytest.mark.parametrize(
    "work", ["book of the class", "copy of a book", "co-teacher", "manual class", "admin", "staff"]
)
def test_an_added_class_and_an_added_school_stay_where_people_hung_something_on_them_alone(
    harbor: World, work: str
) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().school("east").teacher("t9", "east").class_("c9", "east"))
    is_of_class = work in ("book of the class", "copy of a book", "co-teacher")
    if work == "book of the class":
        harbor.give_book("c9")
    elif work == "copy of a book":
        harbor.do("insert into portal.student_books values (%(u)s, %(c)s, %(b)s)", u=harbor.id_of("users", "s1"),
                    c=harbor.id_of("classes", "c9"), b=harbor.book())  # fmt: skip
    elif work == "co-teacher":
        harbor.enroll_by_hand(harbor.id_of("classes", "c9"), harbor.id_of("users", "t1"), "teacher")
    elif work == "manual class":
        harbor.class_by_hand("east")
    elif work == "admin":
        harbor.add_by_hand("school_admin", "east")
    else:
        harbor.license(user="t9")
    work_of_people = [len(harbor.snapshot()[name]) for name in ("class_books", "student_books", "license_assignments")]
    harbor.undo()
    assert harbor.id_of("schools", "east") is not None
    assert (harbor.id_of("classes", "c9") is not None) == is_of_class
    assert ("t9" in people(harbor)) == (work == "staff")
    assert [
        len(harbor.snapshot()[name]) for name in ("class_books", "student_books", "license_assignments")
    ] == work_of_people


def test_whom_people_decided_on_and_where_a_copy_of_a_book_hangs_stays(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().teacher("t9", "north").enroll("c1", "s2", "student"))
    harbor.give_book("c1", "s2")
    harbor.do(
        "insert into sync.worklist (district_id, kind, subject_type, subject_id, opened_run_id, resolved_at,"
        " resolved_by, resolution) values (%(d)s, 'teacher_needs_license', 'user', %(u)s, %(r)s, now(), 'Pat', 'none')",
        u=harbor.id_of("users", "t9"), r=harbor.run_id,
    )  # fmt: skip
    harbor.undo()
    assert "t9" in people(harbor)
    assert harbor.value("select count(*) from portal.enrollments where class_id = %(c)s and user_id = %(u)s",
                      c=harbor.id_of("classes", "c1"), u=harbor.id_of("users", "s2")) == 1  # fmt: skip


def test_a_role_given_at_the_desk_keeps_who_the_run_added(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().teacher("t9", "north"))
    harbor.do("update portal.users set role = 'school_admin' where source_id = 't9'")
    harbor.undo()
    assert "t9" in people(harbor)


def test_a_license_on_an_added_school_keeps_the_school(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().school("east").teacher("t9", "east"))
    license = harbor.license(school="east")
    harbor.undo()
    assert harbor.id_of("schools", "east") is not None
    assert harbor.id_of("users", "t9") is None
    assert harbor.value("select count(*) from portal.license_assignments where id = %(l)s", l=license) == 1


def test_who_was_disabled_or_given_a_role_as_the_row_made_anew_is_so_as_the_old_one(harbor: World) -> None:
    harbor.edit(two_schools())
    old = harbor.id_of("users", "s2"), harbor.id_of("users", "t2")
    harbor.reset(two_schools().without("s2", "t2"))
    target = harbor.run_id
    harbor.edit(two_schools())
    harbor.do("update portal.users set is_enabled = false where source_id = 's2'")
    harbor.do("update portal.users set role = 'school_admin' where source_id = 't2'")
    harbor.undo(target)
    harbor.edit(two_schools())
    found = harbor.tuples(
        "select id, is_enabled, role from portal.users where source_id in ('s2', 't2') order by source_id"
    )
    assert found == [(old[0], False, "student"), (old[1], True, "school_admin")]


def test_who_was_there_before_the_run_and_has_the_id_by_now_stays_and_takes_over(harbor: World) -> None:
    twice = two_schools().student("s1-again", "north", given_name="Given-s1", family_name="Family-s1", identifier="7")
    harbor.edit(twice)
    other = harbor.id_of("users", "s1-again")
    license = harbor.license(user="s1")
    harbor.give_book("c1", "s1")
    harbor.reset(twice.without("s1"))
    target = harbor.run_id
    back = two_schools().with_("s1", identifier="7")  # the same person by the number and the name
    harbor.edit(back)
    assert harbor.id_of("users", "s1") == other
    harbor.do("update portal.users set role = 'teacher' where id = %(u)s", u=other)
    assert harbor.undo(target) == "launched"
    assert harbor.tuples("select id, role from portal.users where source_id like 's1%%'") == [(other, "teacher")]
    assert harbor.tuples("select id, user_id from portal.license_assignments") == [(license, other)]
    assert harbor.tuples("select user_id from portal.student_books") == [(other,)]
    assert harbor.tuples("select source_id from sync.findings where rule = 'taken_over'") == [("s1",)]


def test_who_was_made_anew_gives_way_also_under_an_id_of_later_and_every_id_leads_to_the_old_row(
    harbor: World,
) -> None:
    harbor.edit(two_schools())
    old, later = harbor.id_of("users", "s2"), two_schools().renamed({"s2": "s2-later"})
    harbor.reset(two_schools().without("s2"))
    target = harbor.run_id
    harbor.edit(two_schools())
    harbor.edit(later)
    license = harbor.license(user="s2-later")
    harbor.undo(target)
    assert harbor.tuples("select source_id, row_id from sync.source_ids where source_id like 's2%%' order by 1") == [
        ("s2", old), ("s2-later", old),
    ]  # fmt: skip
    assert harbor.tuples("select id, user_id from portal.license_assignments") == [(license, old)]
    harbor.edit(later)
    assert harbor.id_of("users", "s2-later") == old
    assert len(people(harbor)) == 6


def test_an_id_that_a_later_run_gave_stays_and_so_does_who_had_the_id_only_for_a_time(harbor: World) -> None:
    twice = two_schools().student("s1-again", "north", given_name="Given-s1", family_name="Family-s1", identifier="7")
    harbor.edit(twice)
    other, t1 = harbor.id_of("users", "s1-again"), harbor.id_of("users", "t1")
    harbor.reset(twice.without("s1").renamed({"t1": "t1-b"}))
    target = harbor.run_id
    back = two_schools().with_("s1", identifier="7")
    harbor.edit(back.renamed({"t1": "t1-b"}))
    harbor.edit(back.renamed({"t1": "t1-c", "s1": "s1-third"}))
    assert harbor.id_of("users", "s1-third") == other
    harbor.undo(target)
    assert harbor.id_of("users", "t1-c") == t1
    assert harbor.id_of("users", "s1-third") == other
    assert harbor.id_of("users", "s1") not in (None, other)  # whom the run had deleted is back


def test_a_manual_row_that_a_later_edit_made_anew_is_by_hand_again(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.enroll_by_hand(harbor.id_of("classes", "c1"), harbor.id_of("users", "s2"), "student")
    harbor.join(harbor.id_of("users", "s2"), harbor.id_of("schools", "north"))
    harbor.reset(two_schools(), include_manual=True)
    target = harbor.run_id
    harbor.edit(two_schools().enroll("c1", "s2", "student"))
    harbor.undo(target)
    assert harbor.value("select origin from portal.user_schools where user_id = %(u)s and school_id = %(s)s",
                      u=harbor.id_of("users", "s2"), s=harbor.id_of("schools", "north")) == "manual"  # fmt: skip
    assert harbor.value("select origin from portal.enrollments where user_id = %(u)s and class_id = %(c)s",
                      u=harbor.id_of("users", "s2"), c=harbor.id_of("classes", "c1")) == "manual"  # fmt: skip


def test_an_id_that_somebody_else_has_by_now_is_left_to_them(harbor: World) -> None:
    harbor.edit(two_schools())
    t1 = harbor.id_of("users", "t1")
    roster = two_schools().with_("t1", source_id="t1b")
    harbor.reset(roster)
    target = harbor.run_id
    assert harbor.id_of("users", "t1b") == t1
    recycled = roster.copy().teacher(
        "t1", "south", given_name="Some", family_name="Body", email="body@district.example"
    )
    harbor.edit(recycled)
    other = harbor.id_of("users", "t1")
    assert other != t1
    assert harbor.undo(target) == "launched"
    assert harbor.id_of("users", "t1") == other
    assert harbor.id_of("users", "t1b") == t1


# --- Two Resets ---


def test_two_resets_can_be_undone_one_after_the_other_newest_first(harbor: World) -> None:
    with_work(harbor)
    first = harbor.snapshot()
    harbor.reset(two_schools().without("s1"))
    second = harbor.snapshot()
    harbor.reset(two_schools().without("s1", "south", "t2"))
    harbor.undo()
    assert harbor.snapshot() == second
    harbor.undo()
    assert harbor.snapshot() == first


def test_two_resets_can_be_undone_oldest_first(harbor: World) -> None:
    with_work(harbor)
    first = harbor.snapshot()
    harbor.reset(two_schools().without("s1"))
    older = harbor.run_id
    harbor.reset(two_schools().without("s1", "south", "t2"))
    newer = harbor.run_id
    harbor.undo(older)
    assert "s1" in people(harbor)
    harbor.undo(newer)
    assert harbor.snapshot() == first


def test_a_person_deleted_twice_comes_back_once(harbor: World) -> None:
    with_work(harbor)
    harbor.reset(two_schools().without("s1"))
    older, before = harbor.run_id, len(people(harbor))
    harbor.edit(two_schools())
    license = harbor.license(user="s1")
    harbor.reset(two_schools().without("s1"))
    newer = harbor.run_id
    harbor.undo(older)
    harbor.undo(newer)
    assert len(people(harbor)) == before + 1
    assert harbor.value("select user_id from portal.license_assignments where id = %(l)s", l=license) == harbor.id_of(
        "users", "s1"
    )


def test_a_class_whose_school_a_later_reset_deleted_is_listed_and_not_put_back(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().without("c2"))
    older = harbor.run_id
    harbor.reset(two_schools().without_school("south").without("c2"))
    assert harbor.undo(older) == "launched"
    assert harbor.tuples("select source_id from sync.findings where rule = 'not_restored'") == [("c2",)]


def test_a_class_does_not_move_back_to_a_school_that_a_later_reset_deleted(harbor: World) -> None:
    harbor.edit(two_schools())
    moved = two_schools().with_("c2", school_source_id="north")
    harbor.reset(moved)
    older = harbor.run_id
    harbor.reset(moved.without_school("south"))
    assert harbor.undo(older) == "launched"
    assert harbor.value("select school_id from portal.classes where source_id = 'c2'") == harbor.id_of(
        "schools", "north"
    )


# --- Selections, and the record ---


def test_a_selection_that_followed_its_school_follows_it_back(harbor: World) -> None:
    roster = two_schools().with_("south", identifier="77")
    harbor.edit(roster)
    harbor.select_schools("south")
    before = harbor.snapshot()
    harbor.edit(roster.renamed({"south": "south-new"}))
    selected = "select source_id from sync.school_selection where is_selected"
    assert harbor.tuples(selected) == [("south-new",)]
    harbor.undo()
    assert harbor.snapshot() == before
    assert harbor.tuples(selected) == [("south",)]


def test_an_undo_is_a_run_with_counts_and_says_what_follows(harbor: World) -> None:
    with_work(harbor)
    harbor.reset(changed())
    harbor.undo()
    assert "next nightly sync follows the source" in harbor.message()
    counts = dict(harbor.tuples("select entity, added from sync.run_counts where run_id = %(r)s", r=harbor.run_id))
    assert counts["licenses"] == 2
    assert counts["books"] == 3
    assert counts["schools"] == 1


def test_an_undo_never_touches_another_district(harbor: World, neighbor: World) -> None:
    harbor.edit(two_schools())
    neighbor.edit(two_schools())
    neighbor.license(user="t1")
    before = harbor.snapshot()
    harbor.reset(changed())
    with pytest.raises(SyncRefused, match="not a finished run of Neighbor"):
        undo.choose(neighbor.app, neighbor.district, harbor.run_id)
    harbor.undo()
    assert harbor.snapshot() == before


# --- Refusals ---


def refused(harbor: World, target: int | None, match: str) -> None:
    with pytest.raises(SyncRefused, match=match):
        undo.choose(harbor.app, harbor.district, target)


def test_an_edit_is_undone_only_while_it_is_the_newest_run_that_wrote(harbor: World) -> None:
    harbor.edit(two_schools())
    first = harbor.run_id
    harbor.edit(two_schools().without("s1"), max_deleted_percent=100)
    refused(harbor, first, "only while it is the newest run that wrote")


def test_a_decision_is_not_undone_once_a_reset_that_was_asked_about_before_it_has_written(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.add_by_hand("student", "north", given_name="New", family_name="Comer")
    harbor.edit(two_schools().student("s9", "north", given_name="New", family_name="Comer"))
    roster = two_schools().without_school("south").student("s9", "north", given_name="New", family_name="Comer")
    assert harbor.ask_to_reset(roster) == "held"
    review = harbor.value("select id from sync.worklist where kind = 'match_review'")
    matching.same_person(harbor.app, review, "Ada Approver")
    decision = harbor.value("select max(id) from sync.runs")
    assert undo.choose(harbor.app, harbor.district, None) == decision
    harbor.answer()
    assert harbor.go_on_after_approval(roster) == "launched"
    refused(harbor, decision, "only while it is the newest run that wrote")


def test_the_first_run_from_another_issuer_asks_again_after_it_was_undone(harbor: World) -> None:
    harbor.edit(two_schools())
    other = two_schools()
    other.issuer = "memory:two"
    assert harbor.edit(other) == "held"
    harbor.answer()
    assert harbor.go_on_after_approval(other) == "launched"
    assert harbor.edit(other) == "launched"
    harbor.do("update sync.runs set status = 'undone' where issuer = 'memory:two'")
    assert harbor.edit(other) == "held"
    assert harbor.plan_of()["breaches"][0]["what"] == "issuer"


def test_a_night_without_a_change_leaves_the_edit_before_it_the_newest_that_wrote(harbor: World) -> None:
    harbor.edit(two_schools())
    first = harbor.run_id
    harbor.edit(two_schools())
    refused(harbor, harbor.run_id, "wrote nothing")
    assert undo.choose(harbor.app, harbor.district, None) == first


def test_nothing_is_undone_after_thirty_days(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().without("s1"))
    harbor.do("update sync.runs set wrote_at = now() - interval '30 days 1 minute'")
    refused(harbor, harbor.run_id, "older than the 30 days")
    refused(harbor, None, "no run that can be undone")


def test_nothing_is_undone_twice_and_no_undo_is_undone(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().without("s1"))
    target = harbor.run_id
    harbor.undo()
    refused(harbor, target, "already undone")
    refused(harbor, harbor.run_id, "is an undo itself")


def test_a_run_that_was_closed_meanwhile_undoes_nothing(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().without("s1"))
    target, before = harbor.run_id, harbor.snapshot(())
    run_id = harbor.begin("undo")
    harbor.do("update sync.runs set status = 'failed' where id = %(r)s", r=run_id)
    with pytest.raises(SyncRefused, match="no longer open"):
        undo.undo(harbor.app, run_id, harbor.district, target)
    assert harbor.snapshot(()) == before


def test_undo_works_where_the_sync_has_expired(harbor: World) -> None:
    harbor.edit(two_schools())
    before = harbor.snapshot()
    harbor.reset(two_schools().without("s1"))
    harbor.do("update sync.settings set expires_on = '2020-01-31'")
    assert harbor.undo() == "launched"
    assert harbor.snapshot() == before


# --- Held and approved runs ---


def test_what_a_held_edit_wrote_can_be_undone_and_its_question_is_closed(harbor: World) -> None:
    roster = two_schools()
    for number in range(40):
        roster.student(f"x{number}", "north")
    harbor.edit(roster)
    before = harbor.snapshot()
    fewer = roster.without(*(f"x{number}" for number in range(20))).student("s9", "north")
    assert harbor.edit(fewer) == "held"
    target = harbor.run_id
    assert "s9" in people(harbor)
    harbor.undo()
    assert harbor.snapshot() == before
    harbor.run_id = target
    assert not harbor.answer()


def test_an_approved_edit_is_undone_as_one(harbor: World) -> None:
    roster = two_schools()
    for number in range(40):
        roster.student(f"x{number}", "north")
    harbor.edit(roster)
    before = harbor.snapshot()
    fewer = roster.without(*(f"x{number}" for number in range(20))).student("s9", "north")
    harbor.edit(fewer)
    harbor.answer()
    assert harbor.go_on_after_approval(fewer) == "launched"
    assert harbor.value("select count(*) from portal.users where not is_shared") == 20
    harbor.undo()
    assert harbor.snapshot() == before


def test_an_approved_reset_is_undone_bit_for_bit(harbor: World) -> None:
    with_work(harbor)
    before = harbor.snapshot()
    assert harbor.ask_to_reset(changed()) == "held"
    harbor.answer()
    assert harbor.go_on_after_approval(changed()) == "launched"
    harbor.undo()
    assert harbor.snapshot() == before
