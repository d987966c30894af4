"""Matching: who is who, where the key is unknown. Each rung of the ladder, and where it stops."""

# ruff: noqa: S608  (names of our own tables)
from __future__ import annotations

from typing import Any

import pytest

from tests.dsl.roster import MemorySource, Roster, town
from tests.dsl.world import World

PUPIL = ("n1", "S1")


def _new_id(world: World, person: str, **values: str) -> tuple[int, dict[str, Any]]:
    """The person of that id comes back under the id `n1`, with other values; gives the old and the new row's id."""
    world.run(town())
    before = int(world.person(person)["id"])
    ran = world.run(town().renamed({person: "n1"}).with_("n1", **values))
    assert ran.status == "launched"
    return before, world.person("n1")


def test_the_key_is_district_issuer_and_source_id(world: World) -> None:
    world.run(town())
    ids = {source_id: world.person(source_id)["id"] for source_id in ("a1", "a2")}
    swapped = town().with_("a1", given_name="Given-a2", family_name="Family-a2", email="a2@people.example",
                           identifier="sis-a2")  # fmt: skip
    world.run(swapped.with_("a2", given_name="G", family_name="F", email="f@people.example", identifier="sis-a1"))
    assert {source_id: world.person(source_id)["id"] for source_id in ("a1", "a2")} == ids


def test_a_previous_source_id_of_the_same_issuer_is_the_same_person(world: World) -> None:
    before, row = _new_id(world, "a1")
    assert row["id"] == before
    world.run(town().with_("a1", identifier="", email="", family_name="Other", given_name="Other"))
    assert world.person("a1")["id"] == before
    assert world.value("select count(*) from sync.source_ids where row_id = %s and entity = 'users'", before) == 2


def test_an_id_of_another_issuer_matches_nothing_directly(world: World) -> None:
    world.run(MemorySource(town(), issuer="memory:one"))
    before = world.person("a1")["id"]
    strangers = town()
    for record in strangers.collections["users"]:
        record.update(identifier="", email="", family_name=f"New-{record['source_id']}", given_name="New")
    world.run(MemorySource(strangers, issuer="memory:two"), max_deleted_percent=100)
    rows = world.rows("select id, issuer, is_shared from portal.users where source_id = 'a1' order by id")
    assert [(row["issuer"], row["is_shared"]) for row in rows] == [("memory:one", False), ("memory:two", True)]
    assert rows[0]["id"] == before


@pytest.mark.parametrize("kept", ["given_name", "family_name", "email"])
def test_the_sis_id_and_one_of_family_name_given_name_email_is_the_same_person(world: World, kept: str) -> None:
    values = {"given_name": "Other", "family_name": "Other", "email": "other@people.example"}
    del values[kept]
    before, row = _new_id(world, "t1", **values)
    assert row["id"] == before
    assert row["is_shared"] is True
    assert world.enrolled("c-t1")["n1"] is True


def test_the_same_row_means_the_same_licenses_and_books(world: World) -> None:
    world.run(town())
    license = world.license(user="t1")
    world.give_book("c-t1", "a1")
    before = world.versions()
    world.run(town().renamed({"t1": "n1", "a1": "n2", "c-t1": "n3", "S1": "n4"}))
    assert world.value("select user_id from portal.license_assignments where id = %s", license) == \
        world.person("n1")["id"]  # fmt: skip
    for table in ("license_assignments", "class_books", "student_books"):
        assert world.versions()[table] == before[table]
    assert {len(world.ids(table)) for table in ("users", "classes", "schools")} == {12, 4, 2}


def test_sis_ids_are_recycled_alone_they_prove_nothing(world: World) -> None:
    before, row = _new_id(world, "a1", given_name="Other", family_name="Other", email="other@people.example")
    assert row["id"] != before
    assert world.person("a1")["is_shared"] is False


def test_a_well_formed_email_of_one_person_on_both_sides_and_the_family_name_is_the_same_person(world: World) -> None:
    before, row = _new_id(world, "a1", identifier="", given_name="Other", email=" A1@People.Example ")
    assert row["id"] == before


@pytest.mark.parametrize("values", [
    {"family_name": "Other"}, {"email": "other@people.example"}, {"email": "a1 people.example"}, {"email": ""},
])  # fmt: skip
def test_the_email_without_the_family_name_or_the_family_name_without_the_email_is_no_proof(
    world: World, values: dict[str, str]
) -> None:
    before, row = _new_id(world, "a1", **{"identifier": "", "given_name": "Other"} | values)
    assert row["id"] != before


def test_an_email_that_two_people_of_the_portal_hold_is_no_proof(world: World) -> None:
    roster = town().with_("a2", email="a1@people.example")
    world.run(roster)
    before = world.person("a1")["id"]
    world.run(roster.renamed({"a1": "n1"}).with_("n1", identifier="", given_name="Other"))
    assert world.person("n1")["id"] != before


def test_an_email_that_two_people_of_the_feed_hold_is_no_proof(world: World) -> None:
    world.run(town())
    before = world.person("a1")["id"]
    roster = town().renamed({"a1": "n1"}).with_("n1", identifier="", given_name="Other")
    world.run(roster.with_("a2", email="a1@people.example"))
    assert world.person("n1")["id"] != before


def test_a_row_that_the_feed_itself_names_is_no_candidate(world: World) -> None:
    world.run(town())
    before = world.person("a1")["id"]
    world.run(town().student("n1", "S1", identifier="sis-a1", family_name="Family-a1", email="a1@people.example"))
    assert world.person("a1")["id"] == before
    assert world.person("n1")["id"] != before


def test_a_candidate_is_claimed_once_two_rows_that_want_it_are_added_as_new_and_reviewed(world: World) -> None:
    world.run(town())
    before = world.person("a1")["id"]
    roster = town().without("a1")
    for source_id in ("n1", "n2"):
        roster.student(source_id, "S1", identifier="sis-a1", family_name="Family-a1", email=f"{source_id}@new.example")
    world.run(roster)
    new = {world.person("n1")["id"], world.person("n2")["id"]}
    assert before not in new
    assert world.reviews() == {(row_id, before) for row_id in new}
    assert world.person("a1")["is_shared"] is False


def test_two_candidates_are_never_guessed_added_as_new_and_put_up_as_a_match_review(world: World) -> None:
    roster = town().with_("a2", identifier="sis-a1", family_name="Family-a1")
    world.run(roster)
    candidates = {world.person("a1")["id"], world.person("a2")["id"]}
    without = roster.without("a1", "a2").student("n1", "S1", identifier="sis-a1", family_name="Family-a1",
                                                 given_name="Third", email="n1@new.example")  # fmt: skip
    world.run(without)
    new = world.person("n1")["id"]
    assert new not in candidates
    assert world.reviews() == {(new, candidate) for candidate in candidates}


def test_the_same_full_name_in_the_same_school_among_the_gone_is_a_match_review(world: World) -> None:
    world.run(town())
    gone = world.person("a1")["id"]
    roster = town().without("a1").student("n1", "S1", given_name="given-A1", family_name="FAMILY-a1", identifier="",
                                          email="")  # fmt: skip
    ran = world.run(roster)
    new = world.person("n1")["id"]
    assert new != gone
    assert world.reviews() == {(new, gone)}
    assert world.plan_of(ran.id)["reviews"] == 1


def test_it_is_one_too_where_the_other_went_long_ago(world: World) -> None:
    world.run(town())
    gone = world.person("a1")["id"]
    world.run(town().without("a1"))
    world.run(town().without("a1"))
    world.run(town().without("a1").student("n1", "S1", given_name="Given-a1", family_name="Family-a1", identifier="",
                                           email=""))  # fmt: skip
    assert world.reviews() == {(world.person("n1")["id"], gone)}


def test_it_is_one_too_where_the_source_calls_the_other_gone(world: World) -> None:
    world.run(town())
    gone = world.person("a1")["id"]
    roster = (
        town()
        .with_("a1", status="tobedeleted")
        .student(
            "n1", "S1", given_name="Given-a1", family_name="Family-a1", identifier="sis-a1", email="a1@people.example"
        )
    )
    world.run(roster)
    assert world.person("n1")["id"] != gone
    assert world.reviews() == {(world.person("n1")["id"], gone)}


@pytest.mark.parametrize("status", ["active", "tobedeleted"])
@pytest.mark.parametrize(("values", "is_asked"), [
    ({}, True), ({"email": " A1@People.Example"}, True), ({"given_name": "Other"}, False), ({"email": ""}, False),
])  # fmt: skip
def test_who_married_and_came_under_another_id_is_a_match_review_by_given_name_and_email(
    world: World, status: str, values: dict[str, str], is_asked: bool
) -> None:
    world.run(town())
    gone = world.person("a1")["id"]
    feed = town().with_("a1", status=status) if status == "tobedeleted" else town().without("a1")
    new = {"given_name": "Given-a1", "family_name": "Wed", "identifier": "", "email": "a1@people.example"}
    world.run(feed.student("n1", "S2", **{**new, **values}))
    assert world.reviews() == ({(world.person("n1")["id"], gone)} if is_asked else set())


@pytest.mark.parametrize("school", ["S2"])
def test_the_same_full_name_in_another_school_is_a_coincidence(world: World, school: str) -> None:
    world.run(town())
    world.run(town().without("a1").student("n1", school, given_name="Given-a1", family_name="Family-a1", identifier="",
                                           email=""))  # fmt: skip
    assert world.reviews() == set()


def test_a_review_that_people_answered_is_not_asked_again(world: World) -> None:
    world.run(town())
    roster = town().without("a1").student("n1", "S1", given_name="Given-a1", family_name="Family-a1", identifier="",
                                          email="")  # fmt: skip
    world.run(roster)
    world.do("update sync.worklist set resolved_at = now(), resolved_by = 'someone', resolution = 'Someone else'")
    world.run(roster)
    assert world.reviews() == set()


def test_someone_who_is_back_after_long_under_a_new_id_gets_the_old_row_back(world: World) -> None:
    world.run(town())
    before = world.person("t1")["id"]
    license = world.license(user="t1")
    for _ in range(2):
        world.run(town().without("t1"))
    world.run(town().renamed({"t1": "n1"}))
    row = world.person("n1")
    assert (row["id"], row["is_shared"]) == (before, True)
    assert world.value("select user_id from portal.license_assignments where id = %s", license) == before


def test_a_pupil_and_a_member_of_staff_of_the_same_number_are_not_one_person(world: World) -> None:
    world.run(town())
    before = world.person("a1")["id"]
    world.run(town().without("a1").teacher("n1", "S1", identifier="sis-a1", family_name="Family-a1"))
    assert world.person("n1")["id"] != before
    assert world.person("n1")["role"] == "teacher"


def test_a_pupil_who_teaches_too_is_known_by_their_sis_id_under_another_id(world: World) -> None:
    world.run(town())
    before = world.person("a1")["id"]
    world.run(town().renamed({"a1": "n1"}).with_("n1", role="teacher,student", email=""))
    assert (world.person("n1")["id"], world.person("n1")["role"]) == (before, "student")


# -- schools ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [
    {"name": "Other", "nces_id": "", "state_id": ""},
    {"identifier": "", "name": "Other", "state_id": ""},
    {"identifier": "", "name": "Other", "nces_id": ""},
    {"identifier": "", "nces_id": "", "state_id": "", "name": "SCHOOL s1"},
])  # fmt: skip
def test_a_school_is_known_by_its_sis_id_its_nces_or_state_id_or_a_unique_name(
    world: World, values: dict[str, str]
) -> None:
    roster = town().with_("S1", nces_id="n-S1", state_id="s-S1").with_("S2", nces_id="n-S2", state_id="s-S2")
    world.run(roster)
    before = world.school("S1")["id"]
    world.run(roster.renamed({"S1": "N1"}).with_("N1", **values))
    assert world.school("N1")["id"] == before
    assert len(world.ids("schools")) == 2


def test_a_school_that_only_the_state_id_joins_is_known_though_one_side_has_an_nces_id(world: World) -> None:
    world.run(town().with_("S1", state_id="s-S1"))
    before = world.school("S1")["id"]
    other = town().renamed({"S1": "N1"}).with_("N1", identifier="", name="Other", state_id="s-S1", nces_id="n-S1")
    world.run(other)
    assert world.school("N1")["id"] == before


def test_a_school_is_never_guessed_where_two_could_be_it(world: World) -> None:
    roster = town().with_("S2", name="School S1").with_("S1", identifier="").with_("S2", identifier="")
    world.run(roster)
    known = {world.school("S1")["id"], world.school("S2")["id"]}
    ran = world.run(roster.renamed({"S1": "N1", "S2": "N2"}), max_deleted_percent=100)
    assert ran.status == "launched"
    assert not known & {world.school("N1")["id"], world.school("N2")["id"]}


# -- classes ----------------------------------------------------------------------------------------------------------


def test_a_class_is_known_by_its_sis_id(world: World) -> None:
    world.run(town())
    world.give_book("c-t1", "a1")
    before = world.class_("c-t1")["id"]
    world.run(town().renamed({"c-t1": "n1"}).with_("n1", title="Other", periods="9"))
    assert world.class_("n1")["id"] == before
    assert world.enrolled("n1") == {"t1": True, "a1": True, "a2": True}


def _without_codes(roster: Roster) -> Roster:
    for record in roster.collections["classes"]:
        record["class_code"] = ""
    return roster


def test_a_class_is_known_by_a_unique_school_title_period_term_and_lead_teacher(world: World) -> None:
    world.run(_without_codes(town()))
    before = world.class_("c-t1")["id"]
    world.run(_without_codes(town().renamed({"c-t1": "n1"})))
    assert world.class_("n1")["id"] == before


@pytest.mark.parametrize("other", ["title", "periods", "teacher", "school_source_id"])
def test_a_class_is_another_where_one_of_them_differs(world: World, other: str) -> None:
    world.run(_without_codes(town()))
    before = world.class_("c-t1")["id"]
    roster = _without_codes(town().renamed({"c-t1": "n1"}))
    if other == "teacher":
        roster = roster.with_("e-c-t1-t1", user_source_id="t2")
    else:
        roster = roster.with_("n1", **{other: "S2" if other == "school_source_id" else "9"})
    world.run(roster)
    assert world.class_("n1")["id"] != before
    assert world.class_("c-t1")["is_shared"] is False


def test_a_class_is_never_guessed_where_two_could_be_it(world: World) -> None:
    roster = _without_codes(town())
    roster.class_("c-t1b", "S1", teachers="t1", class_code="", title="Class c-t1")
    world.run(roster)
    world.run(roster.renamed({"c-t1": "n1", "c-t1b": "n2"}))
    assert {world.class_(k)["is_shared"] for k in ("c-t1", "c-t1b")} == {False}
    assert len(world.ids("classes")) == 7


# -- another issuer ---------------------------------------------------------------------------------------------------


def test_a_district_that_moves_to_another_source_keeps_its_people_classes_and_schools(world: World) -> None:
    world.run(MemorySource(town(), issuer="memory:one"))
    world.license(user="t1")
    world.give_book("c-t1", "a1")
    before = {table: {row["id"] for row in world.rows(f"select id from portal.{table}")}
              for table in ("schools", "users", "classes")}  # fmt: skip
    held = world.run(MemorySource(town().all_renamed(), issuer="memory:two"))
    assert held.status == "held"
    world.approve(held.id)
    for table, ids in before.items():
        rows = world.rows(f"select id, issuer, is_shared from portal.{table}")
        assert {row["id"] for row in rows} == ids
        assert {(row["issuer"], row["is_shared"]) for row in rows} == {("memory:two", True)}
    assert world.value("select count(*) from portal.enrollments where is_active") == 12
