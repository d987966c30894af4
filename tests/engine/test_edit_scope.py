"""The scope of a person, and what 'all schools' and 'these schools' mean for an Edit."""

from __future__ import annotations

import pytest

from roster_sync.core.errors import SyncRefused
from tests.dsl.roster import MemorySource, Roster, town
from tests.dsl.world import World


def _two_schools(world: World) -> Roster:
    """s1 in S1 alone, s2 in S2 alone, both in both; S2 is then deselected."""
    roster = Roster().school("S1").school("S2")
    roster.student("s1", "S1").student("s2", "S2").student("both", "S1", "S2").teacher("t1", "S1").teacher("t2", "S2")
    roster.class_("c1", "S1", teachers="t1", students=("s1", "both")).class_(
        "c2", "S2", teachers="t2", students=("both",)
    )
    world.run(roster)
    world.select_schools("S1")
    return roster


def test_a_persons_schools_are_those_listed_and_those_of_their_classes(world: World) -> None:
    roster = town()
    roster.enroll("c-t3", "a1")
    world.run(roster)
    assert world.schools_of("a1") == {"S1": True, "S2": True}
    primary = world.value("select count(*) from portal.user_schools us join portal.users u on u.id = us.user_id"
                          " where u.source_id = 'a1' and us.is_primary")  # fmt: skip
    assert primary == 1


def test_only_organizations_of_type_school_become_schools(world: World) -> None:
    roster = town().school("D1", type="district").school("X1", type="department")
    roster.with_("t1", org_source_ids="D1,S1")
    world.run(roster.with_("t1", org_source_ids="D1,S1"))
    assert world.ids("schools") == {"S1", "S2"}
    assert world.schools_of("t1") == {"S1": True}


def test_an_edit_changes_a_person_whom_the_feed_lists_in_a_selected_school(world: World) -> None:
    roster = _two_schools(world)
    world.run(roster.with_("both", family_name="Changed"))
    assert world.person("both")["family_name"] == "Changed"


def test_an_edit_changes_a_person_who_was_in_a_selected_school(world: World) -> None:
    roster = _two_schools(world)
    world.run(roster.without_rows("e-c1-both").with_("both", family_name="Changed", org_source_ids="S2"))
    assert world.person("both")["family_name"] == "Changed"
    assert world.schools_of("both") == {"S1": False, "S2": True}
    assert world.person("both")["is_shared"] is True  # stands in a deselected school


def test_an_edit_leaves_a_person_alone_who_is_in_deselected_schools_only(world: World) -> None:
    roster = _two_schools(world)
    before = world.versions()
    world.run(roster.with_("s2", family_name="Changed", org_source_ids="").with_("t2", email="x@people.example"))
    world.run(roster.without("s2", "t2"))
    assert world.versions() == before


def test_what_ties_a_person_to_a_deselected_school_is_left_alone(world: World) -> None:
    roster = _two_schools(world)
    world.run(roster.without_rows("e-c2-both").with_("both", org_source_ids="S1"))
    assert world.schools_of("both") == {"S1": True, "S2": True}
    assert world.enrolled("c2")["both"] is True
    world.run(roster.without_rows("e-c1-both").with_("both", org_source_ids="S2"))
    assert world.schools_of("both") == {"S1": False, "S2": True}
    assert world.enrolled("c1")["both"] is False


def test_a_class_that_moves_to_a_deselected_school_is_shared_no_more(world: World) -> None:
    world.run(town())
    world.select_schools("S1")
    class_id = world.class_("c-t1")["id"]
    world.run(town().with_("c-t1", school_source_id="S2"))
    moved = world.class_("c-t1")
    assert (moved["id"], moved["is_shared"]) == (class_id, False)
    assert moved["school_id"] == world.school("S1")["id"]


def test_a_person_is_unshared_only_if_no_selected_school_lists_them(world: World) -> None:
    roster = _two_schools(world)
    moved = roster.without_rows("e-c1-s1").with_("s1", org_source_ids="S2")
    world.run(moved)
    assert world.person("s1")["is_shared"] is False
    assert world.schools_of("s1") == {"S1": False}  # a deselected school takes no one in


def test_a_person_who_is_in_a_deselected_school_is_not_unshared(world: World) -> None:
    roster = _two_schools(world)
    world.run(roster.without("both"))
    assert world.person("both")["is_shared"] is True
    assert world.schools_of("both") == {"S1": False, "S2": True}
    assert world.enrolled("c1")["both"] is False
    assert world.enrolled("c2")["both"] is True


@pytest.mark.parametrize("status", ["tobedeleted", "inactive"])
def test_the_sources_own_word_unshares_no_one_who_is_in_a_deselected_school(world: World, status: str) -> None:
    roster = _two_schools(world)
    world.run(roster.with_("both", status=status).with_("s1", status=status))
    assert world.person("both")["is_shared"] is True
    assert world.person("s1")["is_shared"] is False


def test_a_class_of_a_selected_school_lists_its_people_there(world: World) -> None:
    roster = _two_schools(world)
    world.run(roster.enroll("c1", "s2"))
    assert world.schools_of("s2") == {"S1": True, "S2": True}
    listed_by_class_alone = roster.without_rows("e-c1-s2").with_("s1", org_source_ids="")
    world.run(listed_by_class_alone)
    assert world.person("s1")["is_shared"] is True
    assert world.schools_of("s1") == {"S1": True}


def test_a_person_without_a_school_stays_in_scope_if_known(world: World) -> None:
    world.run(town())
    world.select_schools("S1", "S2")
    roster = town().without("c-t1").with_("t1", org_source_ids="", family_name="Moved")
    world.run(roster)
    person = world.person("t1")
    assert (person["is_shared"], person["family_name"]) == (True, "Moved")
    assert world.schools_of("t1") == {"S1": False}
    world.run(roster.without("t1"))
    assert world.person("t1")["is_shared"] is False


def test_a_new_person_without_a_school_is_added_only_where_all_schools_are_synced(world: World) -> None:
    world.registry(roles=("teacher", "student", "district_admin"))
    world.run(town().user("d1", "districtAdministrator", "D1"))
    assert world.person("d1")["role"] == "district_admin"
    assert world.schools_of("d1") == {}
    world.select_schools("S1", "S2")
    world.run(town().user("d1", "districtAdministrator", "D1").user("d2", "districtAdministrator", "D1"))
    assert world.ids("users", "role = 'district_admin'") == {"d1"}
    assert world.person("d1")["is_shared"] is True


def test_with_these_schools_a_new_school_is_listed_as_not_selected_offered_and_not_synced(world: World) -> None:
    world.run(town())
    world.select_schools("S1", "S2")
    roster = (
        town().school("S3").student("n1", "S3").teacher("n2", "S3").class_("c3", "S3", teachers="n2", students=["n1"])
    )
    ran = world.run(roster)
    assert ran.status == "launched"
    assert world.ids("schools") == {"S1", "S2"}
    assert not {"n1", "n2"} & world.ids("users")
    assert "c3" not in world.ids("classes")
    row = world.row("select * from sync.school_selection where source_id = 'S3'")
    assert (row["is_selected"], row["name"]) == (False, "School S3")
    assert world.plan_of(ran.id)["schools"]["offered"] == ["School S3"]


def test_with_all_schools_a_new_one_is_synced(world: World) -> None:
    world.run(town())
    ran = world.run(town().school("S3").student("n1", "S3"))
    assert world.shared("schools") == {"S1", "S2", "S3"}
    assert world.plan_of(ran.id)["schools"] == {"added": ["School S3"], "removed": [], "offered": []}
    assert world.value("select is_selected from sync.school_selection where source_id = 'S3'") is True


def test_a_school_that_is_selected_later_comes_with_all_below_it(world: World) -> None:
    world.run(town())
    world.select_schools("S1", "S2")
    roster = (
        town().school("S3").student("n1", "S3").teacher("n2", "S3").class_("c3", "S3", teachers="n2", students=["n1"])
    )
    world.run(roster)
    world.select_schools("S1", "S2", "S3")
    world.run(roster)
    assert world.shared("schools") == {"S1", "S2", "S3"}
    assert world.enrolled("c3") == {"n1": True, "n2": True}


def test_the_settings_row_and_a_selection_row_per_school_exist_after_the_first_run(world: World) -> None:
    world.run(town())
    assert world.row("select school_mode, expires_on from sync.settings") == {"school_mode": "all", "expires_on": None}
    assert {row["source_id"] for row in world.rows("select source_id from sync.school_selection")} == {"S1", "S2"}


def test_they_exist_also_where_the_first_run_was_refused_because_none_is_selected(world: World) -> None:
    first = world.begin()
    world.do("update sync.settings set school_mode = 'listed'")
    ran = world.go_on(first, MemorySource(town()))
    assert ran.status == "failed"
    assert "select" in ran.message.lower()
    assert world.value("select count(*) from sync.school_selection where not is_selected") == 2
    assert world.ids("users") == set()


def test_none_selected_an_edit_is_refused(world: World) -> None:
    world.run(town())
    world.select_schools()
    before = world.versions()
    with pytest.raises(SyncRefused, match="No school is selected"):
        world.begin()
    assert world.value("select status from sync.runs order by id desc limit 1") == "failed"
    assert world.versions() == before


def test_a_selected_school_that_is_gone_is_unshared_also_where_it_was_the_only_one_selected(world: World) -> None:
    world.run(town())
    world.select_schools("S1")
    ran = world.run(town().without("S1", "c-t1", "c-t2", "t1", "t2", "a1", "a2", "a3", "a4"), max_deleted_percent=100)
    assert ran.status == "launched"
    assert world.unshared("schools") == {"S1"}
    assert world.unshared("users") == {"t1", "t2", "a1", "a2", "a3", "a4"}


def test_the_school_selection_follows_the_school_when_its_id_changes(world: World) -> None:
    world.run(town())
    world.select_schools("S1")
    before = world.school("S1")["id"]
    world.run(town().renamed({"S1": "N1", "S2": "N2"}))
    assert world.school("N1")["id"] == before
    chosen = {row["source_id"]: row["is_selected"] for row in world.rows("select * from sync.school_selection")}
    assert chosen == {"N1": True, "N2": False}


def test_the_school_selection_follows_also_where_two_schools_exchange_their_ids(world: World) -> None:
    roster = Roster().school("1").school("2").student("a", "1").student("b", "2")
    world.run(MemorySource(roster, issuer="memory:one"))
    world.select_schools("1")
    ids = {name: world.school(name)["id"] for name in ("1", "2")}
    swapped = roster.renamed({"1": "2", "2": "1"}).with_("a", family_name="New").with_("b", family_name="New")
    for _ in range(2):
        world.run(MemorySource(swapped, issuer="memory:two"), max_deleted_percent=100)
        now = {row["id"]: (row["issuer"], row["source_id"]) for row in world.rows("select * from portal.schools")}
        assert now == {
            ids["1"]: ("memory:two", "2"),
            ids["2"]: ("memory:one", "2"),
        }  # the deselected one is not touched
        chosen = {row["source_id"]: row["is_selected"] for row in world.rows("select * from sync.school_selection")}
        assert chosen == {"1": False, "2": True}


def test_only_a_reset_removes_deselecting_unshares_nothing(world: World) -> None:
    world.run(town())
    world.select_schools("S1")
    before = world.versions()
    world.run(town())
    assert world.versions() == before


def test_two_districts_never_touch_each_other(world: World) -> None:
    other = world.elsewhere("glen")
    world.run(town())
    other.run(town())
    mine, theirs = world.person("a1")["id"], other.person("a1")["id"]
    assert mine != theirs
    world.run(town().without("a1", "t2", "c-t3", "S2", "c-t4").with_("a2", family_name="Changed"))
    assert other.unshared("users") == other.unshared("schools") == other.unshared("classes") == set()
    assert other.person("a2")["family_name"] == "Family-a2"
    assert all(other.enrolled("c-t1").values())
    other.select_schools("S1")
    world.run(town())
    assert world.unshared("users") == set()
    assert {
        row["is_selected"]
        for row in world.rows("select is_selected from sync.school_selection where district_id = %s", world.district_id)
    } == {True}


def test_a_person_of_one_district_is_no_candidate_in_another(world: World) -> None:
    other = world.elsewhere("glen")
    world.run(town())
    other.run(town().renamed({"a1": "z1"}))
    assert world.person("a1")["id"] != other.person("z1")["id"]
    assert world.shared("users") >= {"a1"}
    assert not other.worklist("match_review")
