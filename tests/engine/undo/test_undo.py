"""What an undo puts back, what it leaves to people and to later runs, and when it is refused: docs/rules.md, R14."""

from __future__ import annotations

import pytest

from roster_sync.core.errors import SyncRefused
from roster_sync.engine import matching, undo
from tests.engine.reset.test_what_goes import by_hand, people, two_schools
from tests.rosters_memory import Portal, Roster


def with_work(harbor: Portal) -> None:
    """Two schools, and what people did with them."""
    harbor.edit(two_schools())
    for owner in ("t1", "t2", "t3", "s2"):
        harbor.license(user=owner)
    harbor.license(school="north")
    harbor.license(school="south")
    harbor.give_book("c1", "s1")
    harbor.give_book("c2", "s2", "s3")
    by_hand(harbor)
    harbor.rows("update portal.users set is_enabled = false where source_id = 's3'")
    harbor.rows("update portal.users set role = 'school_admin' where source_id = 't3'")


def changed() -> Roster:
    """A day on which everything happens at once."""
    roster = two_schools().without("south", "t2", "s1").but("users", "t1", given_name="Renamed", email="")
    roster.teacher("t9", "north").student("s9", "north").course("c9", "north", "t9", "s9 s3")
    del roster.enrollments["c1", "s3", "student"]
    return roster


# --- Exact ---


def test_a_reset_is_undone_bit_for_bit(harbor: Portal) -> None:
    with_work(harbor)
    before = harbor.snapshot()
    assert harbor.reset(changed()) == "launched"
    assert harbor.one("select count(*) from sync.changes where run_id = %(r)s and action = 'delete'", r=harbor.run) > 15
    target = harbor.run
    assert harbor.undo() == "launched"
    assert harbor.snapshot() == before
    assert harbor.status(target) == "undone"
    assert harbor.rows("select mode, undoes_run_id from sync.runs where id = %(r)s", r=harbor.run) == [("undo", target)]


def test_a_reset_that_took_manual_rows_is_undone_bit_for_bit(harbor: Portal) -> None:
    with_work(harbor)
    before = harbor.snapshot()
    harbor.reset(changed(), include_manual=True)
    harbor.undo()
    assert harbor.snapshot() == before


def test_an_edit_is_undone_bit_for_bit(harbor: Portal) -> None:
    with_work(harbor)
    before = harbor.snapshot()
    harbor.edit(changed(), max_deleted_percent=100)
    assert harbor.snapshot() != before
    harbor.undo()
    assert harbor.snapshot() == before


def test_the_very_first_edit_is_undone_to_an_empty_portal(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.undo()
    assert not any(harbor.snapshot().values())


def test_a_move_a_new_id_and_a_restore_are_undone_bit_for_bit(harbor: Portal) -> None:
    with_work(harbor)
    harbor.edit(two_schools().without("s1", "c1"), max_deleted_percent=100)  # unshared, and restored by the Reset
    before = harbor.snapshot()
    roster = two_schools().but("classes", "c2", school_source_id="north")
    roster.orgs.pop("south")
    for person in ("t2", "s2"):
        roster.users[person]["org_source_ids"] = "north"
    renamed = roster.users.pop("t1") | {"source_id": "t1-new"}
    roster.users["t1-new"] = renamed  # by the email and the family name
    roster.enrollments = {
        key: row | {"user_source_id": "t1-new"} if key[1] == "t1" else row for key, row in roster.enrollments.items()
    }
    t1 = harbor.id_of("users", "t1")
    harbor.reset(roster)
    assert harbor.id_of("users", "t1-new") == t1
    harbor.undo()
    assert harbor.snapshot() == before


def test_after_an_undo_the_next_run_does_the_same_again(harbor: Portal) -> None:
    with_work(harbor)
    harbor.reset(changed())
    counts = harbor.rows("select entity, added, updated, deleted from sync.run_counts where run_id = %(r)s order by 1",
                         r=harbor.run)  # fmt: skip
    harbor.undo()
    harbor.reset(changed())
    assert counts == harbor.rows(
        "select entity, added, updated, deleted from sync.run_counts where run_id = %(r)s order by 1", r=harbor.run
    )


def test_a_preview_writes_nothing_and_tells_the_real_numbers(harbor: Portal) -> None:
    with_work(harbor)
    harbor.reset(changed())
    target, before = harbor.run, harbor.snapshot(())
    assert harbor.undo(preview_only=True) == "previewed"
    assert harbor.snapshot(()) == before
    assert harbor.status(target) == "launched"
    previewed = harbor.plan_of()["counts"]
    harbor.undo(target)
    for entity, added, updated, deleted in harbor.rows(
        "select entity, added, updated, deleted from sync.run_counts where run_id = %(r)s", r=harbor.run
    ):
        assert previewed[entity] == {"put back": added, "changed back": updated, "taken out": deleted}
    assert previewed["licenses"]["put back"] == 2


# --- With Edits, and with people's work, in between ---


def test_an_undo_also_works_after_the_nightly_edits_that_followed(harbor: Portal) -> None:
    with_work(harbor)
    before = harbor.snapshot()
    harbor.reset(two_schools().without("south", "t2", "s1", "s2"))
    target = harbor.run
    harbor.edit(two_schools().without("south", "t2", "s1", "s2"))
    harbor.edit(two_schools().without("south", "t2", "s1", "s2").but("users", "t1", given_name="Later"))
    assert harbor.undo(target) == "launched"
    after = harbor.snapshot()
    assert {table for table in before if before[table] != after[table]} == {"users"}
    assert harbor.rows("select given_name from portal.users where source_id = 't1'") == [("Later",)]


def test_an_old_row_returns_with_its_id_and_takes_over_what_hangs_on_the_one_made_anew(harbor: Portal) -> None:
    with_work(harbor)
    before = harbor.snapshot()
    ids = {
        name: harbor.id_of(table, name) for table, name in (("schools", "south"), ("users", "s2"), ("classes", "c2"))
    }
    harbor.reset(two_schools().without("south", "t2", "s2"))
    target = harbor.run
    harbor.edit(two_schools())  # shared again: all new
    new = harbor.id_of("users", "s2")
    assert new != ids["s2"]
    given = harbor.license(user="s2"), harbor.license(school="south")
    harbor.give_book("c2", "s2")
    harbor.enroll_by_hand(harbor.id_of("classes", "c1"), new, "student")
    assert harbor.undo(target) == "launched"
    assert {name: harbor.id_of(table, name) for table, name in (("schools", "south"), ("users", "s2"), ("classes", "c2"))} == ids  # fmt: skip # noqa: E501
    assert harbor.one("select count(*) from portal.users where id = %(n)s", n=new) == 0
    assert harbor.rows("select user_id, school_id from portal.license_assignments where id = any(%(l)s) order by id",
                       l=list(given)) == [(ids["s2"], None), (None, ids["south"])]  # fmt: skip
    assert harbor.one("select count(*) from portal.student_books where user_id = %(u)s", u=ids["s2"]) == 1
    assert harbor.rows("select origin from portal.enrollments where user_id = %(u)s order by 1", u=ids["s2"]) == [
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


def test_what_people_set_since_stays(harbor: Portal) -> None:
    with_work(harbor)
    harbor.reset(changed())
    harbor.rows("update portal.users set given_name = 'By hand' where source_id = 't1'")
    harbor.undo()
    assert harbor.rows("select given_name, email from portal.users where source_id = 't1'") == [
        ("By hand", "t1@district.example")
    ]


def test_a_role_that_people_gave_since_stays(harbor: Portal) -> None:
    with_work(harbor)
    harbor.reset(changed())
    harbor.rows("update portal.users set role = 'district_admin' where source_id = 't1'")
    harbor.undo()
    assert harbor.rows("select role from portal.users where source_id = 't1'") == [("district_admin",)]


def test_a_license_and_a_book_given_since_to_who_was_there_stay(harbor: Portal) -> None:
    with_work(harbor)
    harbor.reset(changed())
    license = harbor.license(user="s3")
    harbor.give_book("c1", "s3")
    harbor.undo()
    assert harbor.one("select count(*) from portal.license_assignments where id = %(l)s", l=license) == 1
    assert harbor.one("select count(*) from portal.student_books where user_id = %(u)s",
                      u=harbor.id_of("users", "s3")) == 2  # fmt: skip


def test_a_product_and_a_book_that_are_gone_since_keep_nothing_else_from_coming_back(harbor: Portal) -> None:
    with_work(harbor)
    people_before = harbor.rows("select id, source_id, role from portal.users order by id")
    assert harbor.reset(changed()) == "launched"
    harbor.rows("delete from portal.license_assignments")
    harbor.rows("delete from portal.products")
    harbor.rows("delete from portal.student_books")
    harbor.rows("delete from portal.class_books")
    harbor.rows("delete from portal.books")
    assert harbor.undo() == "launched"
    assert harbor.rows("select id, source_id, role from portal.users order by id") == people_before
    assert harbor.rows(
        "select entity from sync.findings where run_id = %(r)s and rule = 'not_restored' order by 1", r=harbor.run
    ) == [("books",), ("licenses",)]


def test_what_the_run_added_is_taken_out(harbor: Portal) -> None:
    with_work(harbor)
    harbor.reset(changed())
    harbor.undo()
    assert {"t9", "s9"}.isdisjoint(people(harbor))
    assert harbor.one("select count(*) from sync.former_ids where source_id in ('t9', 's9')") == 0
    assert harbor.id_of("classes", "c9") is None


@pytest.mark.parametrize("work", ["license", "manual class", "manual school", "hand-disabled", "book"])
def test_what_people_hung_something_on_stays_with_school_and_class_and_is_listed(harbor: Portal, work: str) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().school("east").student("s9", "east").course("c9", "east", "", "s9"))
    added = harbor.id_of("users", "s9")
    if work == "license":
        harbor.license(user="s9")
    elif work == "manual class":
        harbor.enroll_by_hand(harbor.id_of("classes", "c1"), added, "student")
    elif work == "manual school":
        harbor.join(added, harbor.id_of("schools", "south"))
    elif work == "hand-disabled":
        harbor.rows("update portal.users set is_enabled = false where id = %(u)s", u=added)
    else:
        harbor.give_book("c9", "s9")
    before = harbor.snapshot()
    assert harbor.undo() == "launched"
    assert harbor.snapshot() == before
    listed = harbor.rows(
        "select entity, source_id from sync.findings where run_id = %(r)s and rule = 'kept_by_undo' order by 1",
        r=harbor.run,
    )
    assert listed == [("classes", "c9"), ("schools", "east"), ("users", "s9")]


@pytest.mark.parametrize(
    "work", ["book of the class", "copy of a book", "co-teacher", "manual class", "admin", "staff"]
)
def test_an_added_class_and_an_added_school_stay_where_people_hung_something_on_them_alone(
    harbor: Portal, work: str
) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().school("east").teacher("t9", "east").course("c9", "east"))
    is_of_class = work in ("book of the class", "copy of a book", "co-teacher")
    if work == "book of the class":
        harbor.give_book("c9")
    elif work == "copy of a book":
        harbor.rows("insert into portal.student_books values (%(u)s, %(c)s, %(b)s)", u=harbor.id_of("users", "s1"),
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


def test_whom_people_decided_on_and_where_a_copy_of_a_book_hangs_stays(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().teacher("t9", "north").enroll("c1", "s2", "student"))
    harbor.give_book("c1", "s2")
    harbor.rows(
        "insert into sync.worklist (district_id, kind, subject_type, subject_id, opened_run_id, resolved_at,"
        " resolved_by, resolution) values (%(d)s, 'teacher_needs_license', 'user', %(u)s, %(r)s, now(), 'Pat', 'none')",
        u=harbor.id_of("users", "t9"), r=harbor.run,
    )  # fmt: skip
    harbor.undo()
    assert "t9" in people(harbor)
    assert harbor.one("select count(*) from portal.enrollments where class_id = %(c)s and user_id = %(u)s",
                      c=harbor.id_of("classes", "c1"), u=harbor.id_of("users", "s2")) == 1  # fmt: skip


def test_a_role_given_at_the_desk_keeps_who_the_run_added(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().teacher("t9", "north"))
    harbor.rows("update portal.users set role = 'school_admin' where source_id = 't9'")
    harbor.undo()
    assert "t9" in people(harbor)


def test_a_license_on_an_added_school_keeps_the_school(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().school("east").teacher("t9", "east"))
    license = harbor.license(school="east")
    harbor.undo()
    assert harbor.id_of("schools", "east") is not None
    assert harbor.id_of("users", "t9") is None
    assert harbor.one("select count(*) from portal.license_assignments where id = %(l)s", l=license) == 1


def test_who_was_disabled_or_given_a_role_as_the_row_made_anew_is_so_as_the_old_one(harbor: Portal) -> None:
    harbor.edit(two_schools())
    old = harbor.id_of("users", "s2"), harbor.id_of("users", "t2")
    harbor.reset(two_schools().without("s2", "t2"))
    target = harbor.run
    harbor.edit(two_schools())
    harbor.rows("update portal.users set is_enabled = false where source_id = 's2'")
    harbor.rows("update portal.users set role = 'school_admin' where source_id = 't2'")
    harbor.undo(target)
    harbor.edit(two_schools())
    found = harbor.rows(
        "select id, is_enabled, role from portal.users where source_id in ('s2', 't2') order by source_id"
    )
    assert found == [(old[0], False, "student"), (old[1], True, "school_admin")]


def test_who_was_there_before_the_run_and_has_the_id_by_now_stays_and_takes_over(harbor: Portal) -> None:
    twice = two_schools().student("s1-again", "north", given_name="Given s1", family_name="Family s1", identifier="7")
    harbor.edit(twice)
    other = harbor.id_of("users", "s1-again")
    license = harbor.license(user="s1")
    harbor.give_book("c1", "s1")
    harbor.reset(twice.without("s1"))
    target = harbor.run
    back = two_schools().but("users", "s1", identifier="7")  # the same person by the number and the name
    harbor.edit(back)
    assert harbor.id_of("users", "s1") == other
    harbor.rows("update portal.users set role = 'teacher' where id = %(u)s", u=other)
    assert harbor.undo(target) == "launched"
    assert harbor.rows("select id, role from portal.users where source_id like 's1%%'") == [(other, "teacher")]
    assert harbor.rows("select id, user_id from portal.license_assignments") == [(license, other)]
    assert harbor.rows("select user_id from portal.student_books") == [(other,)]
    assert harbor.rows("select source_id from sync.findings where rule = 'taken_over'") == [("s1",)]


def renamed(roster: Roster, old: str, new: str) -> Roster:
    """The same person under another id, known by the email and the family name."""
    other = roster.copy()
    other.users[new] = other.users.pop(old) | {"source_id": new}
    other.enrollments = {
        (key[0], new if key[1] == old else key[1], key[2]): row | ({"user_source_id": new} if key[1] == old else {})
        for key, row in other.enrollments.items()
    }
    return other


def test_who_was_made_anew_gives_way_also_under_an_id_of_later_and_every_id_leads_to_the_old_row(
    harbor: Portal,
) -> None:
    harbor.edit(two_schools())
    old, later = harbor.id_of("users", "s2"), renamed(two_schools(), "s2", "s2-later")
    harbor.reset(two_schools().without("s2"))
    target = harbor.run
    harbor.edit(two_schools())
    harbor.edit(later)
    license = harbor.license(user="s2-later")
    harbor.undo(target)
    assert harbor.rows("select source_id, row_id from sync.source_ids where source_id like 's2%%' order by 1") == [
        ("s2", old), ("s2-later", old),
    ]  # fmt: skip
    assert harbor.rows("select id, user_id from portal.license_assignments") == [(license, old)]
    harbor.edit(later)
    assert harbor.id_of("users", "s2-later") == old
    assert len(people(harbor)) == 6


def test_an_id_that_a_later_run_gave_stays_and_so_does_who_had_the_id_only_for_a_time(harbor: Portal) -> None:
    twice = two_schools().student("s1-again", "north", given_name="Given s1", family_name="Family s1", identifier="7")
    harbor.edit(twice)
    other, t1 = harbor.id_of("users", "s1-again"), harbor.id_of("users", "t1")
    harbor.reset(renamed(twice.without("s1"), "t1", "t1-b"))
    target = harbor.run
    back = two_schools().but("users", "s1", identifier="7")
    harbor.edit(renamed(back, "t1", "t1-b"))
    harbor.edit(renamed(renamed(back, "t1", "t1-c"), "s1", "s1-third"))
    assert harbor.id_of("users", "s1-third") == other
    harbor.undo(target)
    assert harbor.id_of("users", "t1-c") == t1
    assert harbor.id_of("users", "s1-third") == other
    assert harbor.id_of("users", "s1") not in (None, other)  # whom the run had deleted is back


def test_a_manual_row_that_a_later_edit_made_anew_is_by_hand_again(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.enroll_by_hand(harbor.id_of("classes", "c1"), harbor.id_of("users", "s2"), "student")
    harbor.join(harbor.id_of("users", "s2"), harbor.id_of("schools", "north"))
    harbor.reset(two_schools(), include_manual=True)
    target = harbor.run
    harbor.edit(two_schools().enroll("c1", "s2", "student"))
    harbor.undo(target)
    assert harbor.one("select origin from portal.user_schools where user_id = %(u)s and school_id = %(s)s",
                      u=harbor.id_of("users", "s2"), s=harbor.id_of("schools", "north")) == "manual"  # fmt: skip
    assert harbor.one("select origin from portal.enrollments where user_id = %(u)s and class_id = %(c)s",
                      u=harbor.id_of("users", "s2"), c=harbor.id_of("classes", "c1")) == "manual"  # fmt: skip


def test_an_id_that_somebody_else_has_by_now_is_left_to_them(harbor: Portal) -> None:
    harbor.edit(two_schools())
    t1 = harbor.id_of("users", "t1")
    roster = two_schools()
    roster.users["t1b"] = roster.users.pop("t1") | {"source_id": "t1b"}
    harbor.reset(roster)
    target = harbor.run
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


def test_two_resets_can_be_undone_one_after_the_other_newest_first(harbor: Portal) -> None:
    with_work(harbor)
    first = harbor.snapshot()
    harbor.reset(two_schools().without("s1"))
    second = harbor.snapshot()
    harbor.reset(two_schools().without("s1", "south", "t2"))
    harbor.undo()
    assert harbor.snapshot() == second
    harbor.undo()
    assert harbor.snapshot() == first


def test_two_resets_can_be_undone_oldest_first(harbor: Portal) -> None:
    with_work(harbor)
    first = harbor.snapshot()
    harbor.reset(two_schools().without("s1"))
    older = harbor.run
    harbor.reset(two_schools().without("s1", "south", "t2"))
    newer = harbor.run
    harbor.undo(older)
    assert "s1" in people(harbor)
    harbor.undo(newer)
    assert harbor.snapshot() == first


def test_a_person_deleted_twice_comes_back_once(harbor: Portal) -> None:
    with_work(harbor)
    harbor.reset(two_schools().without("s1"))
    older, before = harbor.run, len(people(harbor))
    harbor.edit(two_schools())
    license = harbor.license(user="s1")
    harbor.reset(two_schools().without("s1"))
    newer = harbor.run
    harbor.undo(older)
    harbor.undo(newer)
    assert len(people(harbor)) == before + 1
    assert harbor.one("select user_id from portal.license_assignments where id = %(l)s", l=license) == harbor.id_of(
        "users", "s1"
    )


def test_a_class_whose_school_a_later_reset_deleted_is_listed_and_not_put_back(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().without("c2"))
    older = harbor.run
    harbor.reset(two_schools().without("south", "c2"))
    assert harbor.undo(older) == "launched"
    assert harbor.rows("select source_id from sync.findings where rule = 'not_restored'") == [("c2",)]


def test_a_class_does_not_move_back_to_a_school_that_a_later_reset_deleted(harbor: Portal) -> None:
    harbor.edit(two_schools())
    moved = two_schools().but("classes", "c2", school_source_id="north")
    harbor.reset(moved)
    older = harbor.run
    harbor.reset(moved.without("south"))
    assert harbor.undo(older) == "launched"
    assert harbor.one("select school_id from portal.classes where source_id = 'c2'") == harbor.id_of("schools", "north")


# --- Selections, and the record ---


def test_a_selection_that_followed_its_school_follows_it_back(harbor: Portal) -> None:
    roster = two_schools().but("orgs", "south", identifier="77")
    harbor.edit(roster)
    harbor.select_schools("south")
    renamed = roster.copy()
    renamed.orgs["south-new"] = renamed.orgs.pop("south") | {"source_id": "south-new"}
    for row in renamed.users.values():
        row["org_source_ids"] = row["org_source_ids"].replace("south", "south-new")
    renamed.classes["c2"]["school_source_id"] = "south-new"
    before = harbor.snapshot()
    harbor.edit(renamed)
    selected = "select source_id from sync.school_selection where is_selected"
    assert harbor.rows(selected) == [("south-new",)]
    harbor.undo()
    assert harbor.snapshot() == before
    assert harbor.rows(selected) == [("south",)]


def test_an_undo_is_a_run_with_counts_and_says_what_follows(harbor: Portal) -> None:
    with_work(harbor)
    harbor.reset(changed())
    harbor.undo()
    assert "next nightly run follows the feed" in harbor.message()
    counts = dict(harbor.rows("select entity, added from sync.run_counts where run_id = %(r)s", r=harbor.run))
    assert counts["licenses"] == 2
    assert counts["books"] == 3
    assert counts["schools"] == 1


def test_two_districts_never_touch_each_other(harbor: Portal, neighbor: Portal) -> None:
    harbor.edit(two_schools())
    neighbor.edit(two_schools())
    neighbor.license(user="t1")
    before = harbor.snapshot()
    harbor.reset(changed())
    with pytest.raises(SyncRefused, match="no finished run of Neighbor"):
        undo.choose(neighbor.app, neighbor.district, harbor.run)
    harbor.undo()
    assert harbor.snapshot() == before


# --- Refusals ---


def refused(harbor: Portal, target: int | None, match: str) -> None:
    with pytest.raises(SyncRefused, match=match):
        undo.choose(harbor.app, harbor.district, target)


def test_an_edit_is_undone_only_while_it_is_the_newest_run_that_wrote(harbor: Portal) -> None:
    harbor.edit(two_schools())
    first = harbor.run
    harbor.edit(two_schools().without("s1"), max_deleted_percent=100)
    refused(harbor, first, "only while it is the newest run that wrote")


def test_a_decision_is_not_undone_once_a_reset_that_was_asked_about_before_it_has_written(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.add_by_hand("student", "north", given_name="New", family_name="Comer")
    harbor.edit(two_schools().student("s9", "north", given_name="New", family_name="Comer"))
    roster = two_schools().without("south").student("s9", "north", given_name="New", family_name="Comer")
    assert harbor.ask_to_reset(roster) == "held"
    review = harbor.one("select id from sync.worklist where kind = 'match_review'")
    matching.same_person(harbor.app, review, "Ada Approver")
    decision = harbor.one("select max(id) from sync.runs")
    assert undo.choose(harbor.app, harbor.district, None) == decision
    harbor.answer()
    assert harbor.go_on_after_approval(roster) == "launched"
    refused(harbor, decision, "only while it is the newest run that wrote")


def test_the_first_run_from_another_issuer_asks_again_after_it_was_undone(harbor: Portal) -> None:
    harbor.edit(two_schools())
    other = two_schools()
    other.issuer = "memory:two"
    assert harbor.edit(other) == "held"
    harbor.answer()
    assert harbor.go_on_after_approval(other) == "launched"
    assert harbor.edit(other) == "launched"
    harbor.rows("update sync.runs set status = 'undone' where issuer = 'memory:two'")
    assert harbor.edit(other) == "held"
    assert harbor.plan_of()["breaches"][0]["what"] == "issuer"


def test_a_night_without_a_change_leaves_the_edit_before_it_the_newest_that_wrote(harbor: Portal) -> None:
    harbor.edit(two_schools())
    first = harbor.run
    harbor.edit(two_schools())
    refused(harbor, harbor.run, "wrote nothing")
    assert undo.choose(harbor.app, harbor.district, None) == first


def test_nothing_is_undone_after_thirty_days(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().without("s1"))
    harbor.rows("update sync.runs set wrote_at = now() - interval '30 days 1 minute'")
    refused(harbor, harbor.run, "older than the 30 days")
    refused(harbor, None, "no run that can be undone")


def test_nothing_is_undone_twice_and_no_undo_is_undone(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().without("s1"))
    target = harbor.run
    harbor.undo()
    refused(harbor, target, "undone already")
    refused(harbor, harbor.run, "is an undo itself")


def test_a_run_that_was_closed_meanwhile_undoes_nothing(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().without("s1"))
    target, before = harbor.run, harbor.snapshot(())
    run_id = harbor.begin("undo")
    harbor.rows("update sync.runs set status = 'failed' where id = %(r)s", r=run_id)
    with pytest.raises(SyncRefused, match="no longer open"):
        undo.undo(harbor.app, run_id, harbor.district, target)
    assert harbor.snapshot(()) == before


def test_undo_works_where_the_sync_has_expired(harbor: Portal) -> None:
    harbor.edit(two_schools())
    before = harbor.snapshot()
    harbor.reset(two_schools().without("s1"))
    harbor.rows("update sync.settings set expires_on = '2020-01-31'")
    assert harbor.undo() == "launched"
    assert harbor.snapshot() == before


# --- Held and approved runs ---


def test_what_a_held_edit_wrote_can_be_undone_and_its_question_is_settled(harbor: Portal) -> None:
    roster = two_schools()
    for number in range(40):
        roster.student(f"x{number}", "north")
    harbor.edit(roster)
    before = harbor.snapshot()
    fewer = roster.without(*(f"x{number}" for number in range(20))).student("s9", "north")
    assert harbor.edit(fewer) == "held"
    target = harbor.run
    assert "s9" in people(harbor)
    harbor.undo()
    assert harbor.snapshot() == before
    harbor.run = target
    assert not harbor.answer()


def test_an_approved_edit_is_undone_as_one(harbor: Portal) -> None:
    roster = two_schools()
    for number in range(40):
        roster.student(f"x{number}", "north")
    harbor.edit(roster)
    before = harbor.snapshot()
    fewer = roster.without(*(f"x{number}" for number in range(20))).student("s9", "north")
    harbor.edit(fewer)
    harbor.answer()
    assert harbor.go_on_after_approval(fewer) == "launched"
    assert harbor.one("select count(*) from portal.users where not is_shared") == 20
    harbor.undo()
    assert harbor.snapshot() == before


def test_an_approved_reset_is_undone_bit_for_bit(harbor: Portal) -> None:
    with_work(harbor)
    before = harbor.snapshot()
    assert harbor.ask_to_reset(changed()) == "held"
    harbor.answer()
    assert harbor.go_on_after_approval(changed()) == "launched"
    harbor.undo()
    assert harbor.snapshot() == before
