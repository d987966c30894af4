"""What a Reset deletes, moves and keeps: the Reset column of docs/rules.md, R1."""

from __future__ import annotations

import pytest

from tests.dsl.world import World
from tests.engine.schools import by_hand, people, two_schools


def freed(harbor: World) -> list[int]:
    found = harbor.tuples(
        "select (key ->> 'id')::bigint from sync.changes"
        " where run_id = %(r)s and table_name = 'license_assignments' and action = 'delete' order by 1",
        r=harbor.run_id,
    )
    return [row[0] for row in found]


def deleted(harbor: World) -> dict[str, int]:
    return dict(harbor.tuples("select entity, deleted from sync.run_counts where run_id = %(r)s and deleted > 0",
                            r=harbor.run_id))  # fmt: skip


def test_what_is_shared_stays_with_ids_licenses_books_and_roles_and_is_not_even_written(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.license(user="t1")
    harbor.license(school="north")
    harbor.give_book("c1", "s1")
    before, versions = harbor.snapshot(()), harbor.versions()
    assert harbor.reset(two_schools()) == "launched"
    assert harbor.snapshot(()) == before
    assert harbor.versions() == versions


def test_a_reset_adds_and_updates_as_an_edit_does(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.give_book("c1", "s1")
    license = harbor.license(user="t1")
    more = two_schools().with_("t1", given_name="Renamed", role="student").teacher("t9", "north")
    harbor.reset(more.student("s9", "north").enroll("c1", "s9", "student"))
    assert harbor.tuples("select given_name, role from portal.users where source_id = 't1'") == [("Renamed", "teacher")]
    assert harbor.tuples("select kind from sync.worklist where resolved_at is null") == [("role_drift",)]
    assert harbor.tuples("select role from portal.users where source_id = 't9'") == [("teacher",)]
    assert harbor.tuples("select id from portal.license_assignments") == [(license,)]  # a new teacher gets none
    assert harbor.value("select count(*) from portal.student_books") == 1  # a new student gets no books


def test_a_school_no_longer_shared_goes_with_all_below_it_and_each_license_is_reported(harbor: World) -> None:
    harbor.edit(two_schools())
    kept = [harbor.license(school="north"), harbor.license(user="t3")]
    lost = [harbor.license(school="south"), harbor.license(user="t2")]
    harbor.give_book("c2", "s2", "s3")
    assert harbor.reset(two_schools().without_school("south").without("t2", "s2")) == "launched"
    assert harbor.tuples("select source_id from portal.schools") == [("north",)]
    assert people(harbor) == ["s1", "s3", "t1", "t3"]
    assert harbor.tuples("select source_id from portal.classes") == [("c1",)]
    assert harbor.value("select count(*) from portal.student_books") == 0
    assert harbor.tuples("select id from portal.license_assignments order by 1") == [(license,) for license in kept]
    assert freed(harbor) == lost
    assert harbor.plan_of()["licenses_to_free"] == 2
    assert deleted(harbor) == {"books": 2, "classes": 1, "enrollments": 4, "licenses": 2, "schools": 1,
                               "students": 1, "teachers": 1}  # fmt: skip


def test_a_deselected_school_goes_with_all_below_it(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.select_schools("north")
    harbor.edit(two_schools())
    assert harbor.value("select count(*) from portal.schools where is_shared") == 2  # deselecting stops the sync
    harbor.reset(two_schools())  # only a Reset removes
    assert harbor.tuples("select source_id from portal.schools") == [("north",)]
    assert people(harbor) == ["s1", "s3", "t1", "t3"]
    assert harbor.tuples("select distinct s.source_id from portal.user_schools x join portal.schools s on s.id = x.school_id") == [("north",)]  # fmt: skip # noqa: E501
    assert harbor.tuples("select source_id from portal.classes") == [("c1",)]


@pytest.mark.parametrize("gone", ["t1", "s1"])
def test_a_person_no_longer_shared_goes_with_licenses_and_books(harbor: World, gone: str) -> None:
    harbor.edit(two_schools())
    license = harbor.license(user=gone)
    harbor.give_book("c1", "s1", "s3")
    harbor.reset(two_schools().without(gone))
    assert gone not in people(harbor)
    assert freed(harbor) == [license]
    assert harbor.value("select count(*) from portal.student_books") == (1 if gone == "s1" else 2)


def test_what_was_unshared_before_goes_too(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.edit(two_schools().without("s1", "c2"), max_deleted_percent=100)
    assert harbor.value("select count(*) from portal.users where not is_shared") == 1
    harbor.reset(two_schools().without("s1", "c2"))
    assert people(harbor) == ["s2", "s3", "t1", "t2", "t3"]
    assert harbor.tuples("select source_id from portal.classes") == [("c1",)]


def test_a_class_no_longer_shared_goes_with_its_enrollments_and_a_changed_one_keeps_its_id(harbor: World) -> None:
    harbor.edit(two_schools())
    kept = harbor.id_of("classes", "c1")
    harbor.reset(two_schools().without("c2").with_("c1", title="Renamed"))
    assert harbor.tuples("select id, title from portal.classes") == [(kept, "Renamed")]
    assert harbor.tuples("select distinct class_id from portal.enrollments") == [(kept,)]


def test_who_left_a_class_that_is_still_shared_loses_the_enrollment_and_keeps_the_books(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.give_book("c1", "s1")
    harbor.reset(two_schools().without_rows("e-c1-s1"))
    assert "s1" in people(harbor)
    assert harbor.value("select count(*) from portal.enrollments where user_id = %(u)s",
                      u=harbor.id_of("users", "s1")) == 0  # fmt: skip
    assert harbor.value("select count(*) from portal.student_books") == 1


def test_what_an_edit_had_unshared_is_restored_with_its_id_and_what_a_reset_deleted_comes_back_as_new(
    harbor: World,
) -> None:
    harbor.edit(two_schools())
    first = harbor.id_of("users", "s1")
    harbor.edit(two_schools().without("s1"), max_deleted_percent=100)
    harbor.reset(two_schools())
    assert harbor.id_of("users", "s1") == first
    assert harbor.value("select bool_and(is_shared) from portal.users")
    harbor.reset(two_schools().without("s1"))
    harbor.reset(two_schools())
    assert harbor.id_of("users", "s1") not in (None, first)


def test_a_class_that_moved_from_a_closing_school_keeps_its_id_and_books(harbor: World) -> None:
    harbor.edit(two_schools())
    moved = harbor.id_of("classes", "c2")
    harbor.give_book("c2", "s2")
    roster = two_schools().with_("c2", school_source_id="north").without_rows("south")
    for person in ("t2", "s2"):
        roster.users[person]["org_source_ids"] = "north"
    harbor.reset(roster)
    assert harbor.tuples("select id from portal.classes where school_id = %(s)s order by source_id",
                       s=harbor.id_of("schools", "north"))[1] == (moved,)  # fmt: skip
    assert harbor.value("select count(*) from portal.class_books") == 1
    assert harbor.value("select count(*) from portal.student_books") == 1
    assert harbor.value("select count(*) from portal.schools") == 1


# --- Scope of a person ---


def test_a_person_stays_as_long_as_one_selected_school_lists_them(harbor: World) -> None:
    harbor.edit(two_schools())
    license = harbor.license(user="t3")
    harbor.select_schools("north")
    harbor.reset(two_schools())
    assert harbor.tuples("select id from portal.license_assignments") == [(license,)]
    assert "t3" in people(harbor)
    assert "t2" not in people(harbor)


def test_a_school_that_lists_a_person_only_by_a_class_keeps_them(harbor: World) -> None:
    roster = two_schools().teacher("t4").enroll("c1", "t4", "teacher")
    harbor.edit(roster)
    harbor.reset(roster)
    assert "t4" in people(harbor)


def test_a_person_without_a_school_stays_if_known(harbor: World) -> None:
    roster = two_schools().teacher("t5")
    harbor.edit(roster)
    assert "t5" in people(harbor)
    harbor.select_schools("north")
    harbor.reset(roster)
    assert "t5" in people(harbor)


def test_a_person_who_names_only_a_school_that_is_gone_is_not_one_without_a_school(harbor: World) -> None:
    harbor.edit(two_schools())
    without = two_schools().without_school("south").with_("t2", org_source_ids="south")
    harbor.reset(without)
    first = harbor.run_id
    assert "t2" not in people(harbor)
    versions = harbor.versions()
    for run in (harbor.reset, harbor.edit):  # the school is known no more, and the person is not added without it
        assert run(without) == "launched"
        assert harbor.versions() == versions
    harbor.undo(first)
    assert "t2" in people(harbor)
    assert harbor.edit(without) == "launched"
    assert harbor.tuples("select source_id from portal.users where not is_shared") == [("t2",)]
    assert harbor.edit(two_schools()) == "launched"
    assert harbor.tuples("select source_id from portal.users where not is_shared") == []


def test_a_person_who_names_only_a_school_that_nobody_ever_knew_is_without_a_school(harbor: World) -> None:
    harbor.edit(two_schools().teacher("t6", "elsewhere"))
    assert "t6" in people(harbor)


# --- Admins, and rows made by hand ---


def test_a_district_admin_is_never_deleted_nor_by_the_parameter_for_manual_rows(harbor: World) -> None:
    harbor.registry(roles=("teacher", "student", "district_admin"))
    harbor.edit(two_schools().user("d1", "districtAdministrator"))
    synced = harbor.id_of("users", "d1")
    by_hand = harbor.add_by_hand("district_admin", "south")
    harbor.reset(two_schools().without_school("south"), include_manual=True)
    found = harbor.tuples("select id, is_shared from portal.users where role = 'district_admin' order by id")
    assert found == [(synced, False), (by_hand, True)]  # whom nobody shares any more is out of sight


def test_a_school_admin_goes_only_with_the_last_of_their_schools(harbor: World) -> None:
    harbor.registry(roles=("teacher", "student", "school_admin"))
    harbor.edit(two_schools().user("a1", "siteAdministrator", "north", "south"))
    of_both, of_south = (
        harbor.add_by_hand("school_admin", "north", "south"),
        harbor.add_by_hand("school_admin", "south"),
    )
    of_north, of_none = harbor.add_by_hand("school_admin", "north"), harbor.add_by_hand("school_admin")
    harbor.reset(two_schools().without_school("south"), include_manual=True)
    left = [row[0] for row in harbor.tuples("select id from portal.users where role = 'school_admin' order by id")]
    assert left == [harbor.id_of("users", "a1"), of_both, of_north, of_none]
    assert of_south not in left
    assert harbor.value("select count(*) from portal.user_schools where user_id = %(u)s", u=left[0]) == 1
    harbor.reset(two_schools().without_school("north"))
    left = [row[0] for row in harbor.tuples("select id from portal.users where role = 'school_admin' order by id")]
    assert left == [of_none]


def count_by_hand(harbor: World) -> tuple[int, int, int, int]:
    return tuple(harbor.value(f"select count(*) from portal.{table} where origin = 'manual'")  # noqa: S608
                 for table in ("users", "user_schools", "classes", "enrollments"))  # fmt: skip


def test_rows_made_by_hand_are_kept_while_their_school_is_kept(harbor: World) -> None:
    harbor.edit(two_schools())
    by_hand(harbor)
    harbor.reset(two_schools().without_school("north"))
    assert count_by_hand(harbor) == (2, 2, 1, 4)


def test_rows_made_by_hand_go_with_their_school(harbor: World) -> None:
    harbor.edit(two_schools())
    by_hand(harbor)
    harbor.reset(two_schools().without_school("south"))
    assert count_by_hand(harbor) == (0, 0, 0, 0)
    assert harbor.plan_of()["manual"] == 3


def test_rows_made_by_hand_go_where_the_runs_parameter_asks_for_it(harbor: World) -> None:
    harbor.edit(two_schools())
    by_hand(harbor)
    harbor.reset(two_schools(), include_manual=True)
    assert count_by_hand(harbor) == (0, 0, 0, 0)
    assert people(harbor) == ["s1", "s2", "s3", "t1", "t2", "t3"]


def test_rows_made_by_hand_that_equal_the_feed_stay_by_hand_also_where_the_parameter_asks(harbor: World) -> None:
    harbor.edit(two_schools())
    teacher = harbor.add_by_hand("teacher", "north", source_id="t7")
    c1, t2 = harbor.id_of("classes", "c1"), harbor.id_of("users", "t2")
    harbor.enroll_by_hand(c1, t2, "teacher")
    harbor.join(t2, harbor.id_of("schools", "north"))
    roster = two_schools().teacher("t7", "north").enroll("c1", "t2", "teacher")
    before = harbor.snapshot()
    assert harbor.reset(roster, include_manual=True) == "launched"
    assert harbor.snapshot() == before
    assert harbor.value("select origin from portal.users where id = %(u)s", u=teacher) == "manual"


def test_a_person_made_by_hand_who_is_in_no_school_stays_and_one_who_left_the_last_kept_one_goes(
    harbor: World,
) -> None:
    harbor.edit(two_schools())
    nowhere, gone = harbor.add_by_hand("teacher"), harbor.add_by_hand("teacher", "south", family_name="Gone")
    harbor.enroll_by_hand(harbor.id_of("classes", "c1"), gone, "teacher")
    harbor.do("update portal.enrollments set is_active = false where user_id = %(u)s", u=gone)
    harbor.reset(two_schools().without_school("south"))
    assert harbor.tuples("select id from portal.users where origin = 'manual'") == [(nowhere,)]


def test_a_person_made_by_hand_stays_who_works_in_a_class_of_a_kept_school(harbor: World) -> None:
    harbor.edit(two_schools())
    teacher = harbor.add_by_hand("teacher", "south")
    harbor.enroll_by_hand(harbor.id_of("classes", "c1"), teacher, "teacher")
    harbor.reset(two_schools().without_school("south"))
    assert harbor.value("select count(*) from portal.users where id = %(u)s", u=teacher) == 1
    assert harbor.value("select count(*) from portal.enrollments where user_id = %(u)s", u=teacher) == 1


def test_a_person_made_by_hand_stays_whose_class_moves_to_a_kept_school(harbor: World) -> None:
    harbor.edit(two_schools())
    teacher = harbor.add_by_hand("teacher", "south")
    harbor.enroll_by_hand(harbor.id_of("classes", "c2"), teacher, "teacher")
    harbor.reset(two_schools().with_("c2", school_source_id="north").without_rows("south"))
    assert harbor.value("select count(*) from portal.enrollments where user_id = %(u)s", u=teacher) == 1


def test_a_school_made_by_hand_stays_unless_the_parameter_asks_for_it(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.do("insert into portal.schools (district_id, name) values (%(d)s, 'Evening school')")
    harbor.reset(two_schools())
    assert harbor.value("select count(*) from portal.schools where origin = 'manual'") == 1
    harbor.reset(two_schools(), include_manual=True)
    assert harbor.value("select count(*) from portal.schools where origin = 'manual'") == 0


# --- Who is never deleted on the strength of absence ---


def test_a_candidate_of_an_open_match_review_stays_with_all_that_is_theirs_and_is_no_longer_shared(
    harbor: World,
) -> None:
    harbor.edit(two_schools())
    candidate, license = harbor.id_of("users", "s1"), harbor.license(user="s1")
    harbor.give_book("c1", "s1")
    roster = two_schools().without("s1").student("s8", "north", given_name="Given-s1", family_name="Family-s1")
    harbor.reset(roster)  # the review is opened by the very run that would have deleted them
    assert harbor.tuples("select id, is_shared from portal.users where source_id = 's1'") == [(candidate, False)]
    assert harbor.tuples("select id from portal.license_assignments") == [(license,)]
    assert harbor.value("select count(*) from portal.student_books") == 1
    assert harbor.value("select count(*) from portal.user_schools where user_id = %(u)s", u=candidate) == 1
    assert harbor.value("select second_subject_id from sync.worklist where kind = 'match_review'") == candidate
    harbor.reset(roster)
    assert harbor.id_of("users", "s1") == candidate


def test_what_a_rejected_row_names_and_what_hangs_on_it_stays(harbor: World) -> None:
    harbor.edit(two_schools())
    before = harbor.snapshot()
    # c2 is rejected: there is no such school
    harbor.reset(two_schools().with_("c2", school_source_id="nowhere").without_rows("south"))
    assert harbor.snapshot()["classes"] == before["classes"]
    assert harbor.snapshot()["schools"] == before["schools"]
    assert harbor.snapshot()["enrollments"] == before["enrollments"]


def test_a_deselected_school_stays_while_a_rejected_row_names_one_of_its_classes(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.select_schools("north")
    harbor.reset(two_schools().with_("c2", school_source_id="nowhere"))
    assert harbor.id_of("schools", "south") is not None
    assert harbor.id_of("classes", "c2") is not None


def test_of_a_rejected_class_nobody_loses_their_place_and_of_a_rejected_person_no_place_is_lost(harbor: World) -> None:
    harbor.edit(two_schools())
    before = harbor.snapshot()
    enrollments = ("e-c1-t1", "e-c1-t3", "e-c1-s1", "e-c1-s3", "e-c2-s3")
    roster = two_schools().without_rows(*enrollments).with_("c1", school_source_id="nowhere")
    # the row without an id is known by its email
    roster = roster.with_("s3", given_name="", family_name="", org_source_ids="", source_id="")
    harbor.reset(roster)
    assert harbor.snapshot() == before


def test_tobedeleted_is_proof(harbor: World) -> None:
    harbor.edit(two_schools())
    roster = two_schools().with_("s1", status="tobedeleted").with_("c2", status="inactive")
    harbor.reset(roster)
    assert "s1" not in people(harbor)
    assert harbor.tuples("select source_id from portal.classes") == [("c1",)]


def test_a_reset_never_touches_another_district(harbor: World, neighbor: World) -> None:
    harbor.edit(two_schools())
    neighbor.edit(two_schools())
    theirs = neighbor.tuples("select to_jsonb(u) from portal.users u where district_id = %(d)s order by id")
    harbor.reset(two_schools().without_school("south").without("t2", "s2"))
    assert neighbor.tuples("select to_jsonb(u) from portal.users u where district_id = %(d)s order by id") == theirs
    assert neighbor.value("select count(*) from portal.enrollments where district_id = %(d)s") == 8
    assert harbor.value("select count(*) from portal.enrollments where district_id = %(d)s") == 4
