"""What a Reset deletes, moves and keeps: the Reset column of product.md, sentence by sentence."""

from __future__ import annotations

from tests.rosters_memory import Portal, Roster


def two_schools() -> Roster:
    return (
        Roster()
        .school("north").school("south")
        .teacher("t1", "north").teacher("t2", "south").teacher("t3", "north", "south")
        .student("s1", "north").student("s2", "south").student("s3", "north", "south")
        .course("c1", "north", "t1 t3", "s1 s3").course("c2", "south", "t2 t3", "s2 s3")
    )  # fmt: skip


def test_what_is_shared_stays_with_ids_licences_books_and_roles(harbor: Portal) -> None:
    harbor.edit(two_schools())
    harbor.license(user="t1")
    harbor.license(school="north")
    harbor.give_book("c1", "s1")
    before, versions = harbor.snapshot(()), harbor.versions()
    assert harbor.reset(two_schools()) == "launched"
    assert harbor.snapshot(()) == before
    assert harbor.versions() == versions  # not even written


def test_a_school_no_longer_shared_goes_with_all_below_it(harbor: Portal) -> None:
    harbor.edit(two_schools())
    kept, freed = harbor.license(school="north"), harbor.license(school="south")
    also_freed, also_kept = harbor.license(user="t2"), harbor.license(user="t3")
    harbor.give_book("c2", "s2", "s3")
    assert harbor.reset(two_schools().without("south", "t2", "s2")) == "launched"
    assert harbor.rows("select source_id from portal.schools") == [("north",)]
    assert sorted(harbor.rows("select source_id from portal.users")) == [("s1",), ("s3",), ("t1",), ("t3",)]
    assert harbor.rows("select source_id from portal.classes") == [("c1",)]
    assert harbor.one("select count(*) from portal.student_books") == 0
    assert sorted(harbor.rows("select id from portal.license_assignments")) == sorted([(kept,), (also_kept,)])
    assert sorted(harbor.rows("select (key ->> 'id')::bigint from sync.changes where run_id = %(r)s and table_name = 'license_assignments'",
                              r=harbor.run)) == sorted([(freed,), (also_freed,)])  # fmt: skip
    assert harbor.rows("select entity, deleted from sync.run_counts where run_id = %(r)s and deleted > 0 order by 1",
                       r=harbor.run) == [("books", 2), ("classes", 1), ("enrollments", 4), ("licenses", 2),
                                         ("schools", 1), ("students", 1), ("teachers", 1)]  # fmt: skip
