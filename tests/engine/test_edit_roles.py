"""Roles: who is created as what, given once, and what happens where the source gives another."""

from __future__ import annotations

import pytest

from tests.dsl.csv_files import csv_files
from tests.dsl.roster import Roster, town
from tests.dsl.world import World

ALL_ROLES = ("teacher", "student", "school_admin", "district_admin")


def test_the_sources_word_becomes_the_portals_role(world: World) -> None:
    words = {
        "teacher": "teacher", "student": "student", "administrator": "school_admin",
        "siteAdministrator": "school_admin", "principal": "school_admin", "districtAdministrator": "district_admin",
        "district_admin": "district_admin", "Teacher": "teacher",
    }  # fmt: skip
    world.registry(roles=ALL_ROLES)
    roster = Roster().school("S1")
    for word in words:
        roster.user(f"u-{word}", word, "S1")
    world.run(roster)
    assert {word: world.person(f"u-{word}")["role"] for word in words} == words


def test_anything_else_creates_no_one_and_is_an_info_finding(world: World) -> None:
    words = ["aide", "proctor", "staff", "counselor", "systemAdministrator", "ext:coach", ""]
    world.registry(roles=ALL_ROLES)
    roster = town()
    for word in words:
        roster.user(f"u-{word}", word, "S1")
    ran = world.run(roster)
    assert ran.status == "launched"
    assert len(world.ids("users")) == 12
    told = {(f["source_id"], f["severity"]) for f in world.findings(ran, "role_maps_to_nothing")}
    assert told == {(f"u-{word}", "info") for word in words}


def test_contacts_parents_guardians_and_relatives_leave_no_trace(world: World) -> None:
    roster = town()
    for number, word in enumerate(["contact", "parent", "guardian", "relative", "Parent", "parent,guardian"]):
        roster.user(f"p{number}", word, "S1")
    ran = world.run(roster)
    assert len(world.ids("users")) == 12
    assert world.findings(ran) == []
    assert world.value("select count(*) from staging.users") == 12


@pytest.mark.parametrize(("allowed", "expected"), [
    (("teacher", "student"), {"st": "teacher", "da": None, "sd": "student", "pt": "teacher"}),
    (("student",), {"st": "student", "da": None, "sd": "student", "pt": None}),
    (("school_admin", "district_admin"), {"st": None, "da": "school_admin", "sd": "district_admin", "pt": None}),
    (("district_admin", "teacher", "student"), {"da": "district_admin", "sd": "district_admin", "st": "teacher"}),
])  # fmt: skip
def test_of_several_roles_the_first_allowed_is_given(
    world: World, allowed: tuple[str, ...], expected: dict[str, str | None]
) -> None:
    world.registry(roles=allowed)
    roster = Roster().school("S1").user("st", "student,teacher", "S1").user("pt", "parent,teacher", "S1")
    roster.user("da", "districtAdministrator,administrator", "S1").user("sd", "student,districtAdministrator", "S1")
    world.run(roster)
    for source_id, role in expected.items():
        assert (world.person(source_id)["role"] if source_id in world.ids("users") else None) == role


def test_a_role_is_given_only_if_the_registry_entry_allows_it(world: World) -> None:
    ran = world.run(town().user("n1", "administrator", "S1"))
    assert "n1" not in world.ids("users")
    assert [f["source_id"] for f in world.findings(ran, "role_not_created")] == ["n1"]
    world.registry(roles=("teacher", "student", "school_admin"))
    world.run(town().user("n1", "administrator", "S1"))
    assert world.person("n1")["role"] == "school_admin"
    assert world.schools_of("n1") == {"S1": True}


def test_a_known_person_of_a_role_that_may_not_be_created_is_still_updated(world: World) -> None:
    world.run(town())
    world.registry(roles=("student",))
    world.run(town().with_("t1", family_name="Changed").teacher("t9", "S1"))
    assert world.person("t1")["family_name"] == "Changed"
    assert "t9" not in world.ids("users")


def test_the_source_gives_another_role_the_role_never_changes_and_it_is_recorded_as_drift(world: World) -> None:
    world.registry(roles=ALL_ROLES)
    world.run(town())
    ran = world.run(town().with_("t1", role="administrator", family_name="Changed"))
    person = world.person("t1")
    assert (person["role"], person["family_name"], person["is_shared"]) == ("teacher", "Changed", True)
    drift = world.worklist("role_drift")
    assert [(row["subject_id"], row["detail"]) for row in drift] == [
        (person["id"], {"source_roles": ["school_admin"]})]  # fmt: skip
    assert drift[0]["opened_run_id"] == ran.id
    teachers = world.counts(ran, "teachers")  # received as what the portal has them for: the counts add up
    assert teachers["received"] == teachers["updated"] + teachers["unchanged"]
    assert teachers["received"] == len(world.ids("users", "role = 'teacher'"))
    assert world.counts(ran, "admins") == {}
    world.run(town().with_("t1", role="administrator"))
    assert len(world.worklist("role_drift")) == 1  # told once
    world.run(town())
    assert world.worklist("role_drift") == []


def test_drift_means_that_the_portals_role_is_not_among_the_sources(world: World) -> None:
    world.run(town())
    world.run(town().with_("t1", role="administrator,teacher").with_("a1", role="student,teacher"))
    assert world.worklist("role_drift") == []


def test_a_role_that_people_gave_in_the_portal_stays(world: World) -> None:
    world.run(town())
    world.do("update portal.users set role = 'school_admin' where source_id = 't1'")
    world.run(town())
    assert world.person("t1")["role"] == "school_admin"
    assert len(world.worklist("role_drift")) == 1


def test_a_role_that_maps_to_nothing_rejects_no_one_known_people_keep_theirs(world: World) -> None:
    world.run(town())
    license = world.license(user="t1")
    ran = world.run(town().with_("t1", role="aide", family_name="Changed"))
    person = world.person("t1")
    assert (person["role"], person["is_shared"], person["family_name"]) == ("teacher", True, "Changed")
    assert world.enrolled("c-t1")["t1"] is True
    assert world.counts(ran, "teachers").get("rejected", 0) == 0
    assert world.value("select count(*) from portal.license_assignments where id = %s", license) == 1


def test_one_dot_two_roles_are_read_from_roles_csv(world: World) -> None:
    world.registry(roles=ALL_ROLES)
    roster = Roster().school("S1").school("S2").school("D1", type="district")
    for source_id in ("u1", "u2", "u3", "u4"):
        roster.user(source_id, "")
    roster.class_("c1", "S1", teachers="u1", students=["u3"])
    _role(roster, "u1", "teacher", "S1", "primary")
    _role(roster, "u1", "siteAdministrator", "S2", "secondary")
    _role(roster, "u2", "principal", "S2", "primary")
    _role(roster, "u3", "student", "S1", "primary")
    _role(roster, "u3", "student", "S2", "secondary", status="tobedeleted")
    _role(roster, "u4", "guardian", "S1", "primary")
    ran = world.run(csv_files(roster, version="1.2"))
    assert ran.status == "launched"
    assert {s: world.person(s)["role"] for s in ("u1", "u2", "u3")} == {
        "u1": "teacher", "u2": "school_admin", "u3": "student"}  # fmt: skip
    assert world.schools_of("u1") == {"S1": True, "S2": True}
    assert world.schools_of("u3") == {"S1": True}
    assert "u4" not in world.ids("users")
    assert world.value("select s.source_id from portal.user_schools us join portal.schools s on s.id = us.school_id"
                       " where us.user_id = %s and us.is_primary", world.person("u1")["id"]) == "S1"  # fmt: skip


def test_one_dot_two_without_a_primary_role_still_ties_people_to_their_schools(world: World) -> None:
    roster = Roster().school("S1").user("u1", "").user("u2", "")
    _role(roster, "u1", "teacher", "S1", "secondary")
    _role(roster, "u2", "student", "S1", "")
    ran = world.run(csv_files(roster, version="1.2"))
    assert (ran.status, ran.message) == ("launched", "")
    assert world.schools_of("u1") == world.schools_of("u2") == {"S1": True}


def test_one_dot_two_a_person_without_a_role_that_counts_is_in_their_primary_school(world: World) -> None:
    schools = Roster().school("S1").school("S2").user("a1", "").class_("c1", "S1", students=["a1"])
    _role(schools, "a1", "student", "S1", "primary")
    roster = schools.copy().user("u1", "").user("u2", "")
    for user in ("u1", "u2"):
        _role(roster, user, "teacher", "S1", "primary")
    world.run(csv_files(roster, version="1.2"))
    later = schools.copy().user("u1", "", primary_org_source_id="S2").user("u2", "", primary_org_source_id="S2")
    _role(later, "u2", "teacher", "S1", "primary", status=" tobedeleted")
    world.run(csv_files(later, version="1.2"))
    assert world.schools_of("u1") == world.schools_of("u2") == {"S1": False, "S2": True}
    assert world.unshared("users") == set()


def test_one_dot_two_an_id_with_blanks_around_it_is_the_same_id(world: World) -> None:
    roster = Roster().school("S1").user("u1", "").user(" u2", "")
    _role(roster, " u1 ", " teacher", " S1", "primary")
    _role(roster, "u2", "student", "S1 ", "primary")
    world.run(csv_files(roster, version="1.2"))
    assert {user: world.person(user)["role"] for user in ("u1", "u2")} == {"u1": "teacher", "u2": "student"}
    assert world.schools_of("u1") == world.schools_of("u2") == {"S1": True}


def test_one_dot_two_a_person_loses_the_school_whose_role_is_gone(world: World) -> None:
    roster = Roster().school("S1").school("S2").user("u1", "")
    _role(roster, "u1", "teacher", "S1", "primary")
    one = roster.copy()
    _role(roster, "u1", "teacher", "S2", "secondary")
    roster.class_("c1", "S1", teachers="u1")
    one.class_("c1", "S1", teachers="u1")
    world.run(csv_files(roster, version="1.2"))
    world.run(csv_files(one, version="1.2"))
    assert world.schools_of("u1") == {"S1": True, "S2": False}


def _role(roster: Roster, user: str, role: str, org: str, role_type: str, **more: str) -> None:
    roster.add("roles", {"source_id": f"r-{user}-{org}-{role}", "status": "active", "user_source_id": user,
                         "role_type": role_type, "role": role, "org_source_id": org, **more})  # fmt: skip
