"""Never act on absence without proof: what an Edit does where a feed, or a row of it, cannot be trusted."""

from __future__ import annotations

from typing import Any

import pytest

from roster_sync.config.districts import SourceSettings
from roster_sync.feed import staging
from tests.dsl.csv_files import csv_files
from tests.dsl.roster import MemorySource, Roster, delta, town
from tests.dsl.world import World

COLLECTIONS = ("orgs", "users", "classes", "enrollments")


def _reject(collection: str, source_id: str | None, rule: str = "ragged_line", **known: str) -> dict[str, Any]:
    return {"collection": collection, "rule": rule, "message": "Correct it at the source.", "source_id": source_id,
            "known": known or None}  # fmt: skip


def _line(files: dict[str, str], file: str, start: str, new: str | None) -> dict[str, str]:
    """The files with one line of one of them put otherwise, or left out."""
    lines = files[file].split("\r\n")
    found = [number for number, line in enumerate(lines) if line.startswith(start)]
    assert len(found) == 1, f"{len(found)} lines of {file} start with {start}"
    lines[found[0] : found[0] + 1] = [] if new is None else [new]
    return files | {file: "\r\n".join(lines)}


def _all_shared(world: World) -> bool:
    return not (world.unshared("schools") | world.unshared("users") | world.unshared("classes"))


# -- a rejected row counts as seen ------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ["a1,active", "a1,active,,true,S1,student,user-a1,,G,F,,x,e@x.example,,,,07,pw,more"])
def test_a_ragged_line_of_a_person_counts_as_seen_with_all_that_hangs_on_it(world: World, row: str) -> None:
    world.run(csv_files(town()))
    before = world.versions()
    ran = world.run(_line(csv_files(town().without("a2")), "users.csv", "a1,", row))
    assert ran.status == "launched"
    assert world.person("a1")["is_shared"] is True
    assert world.enrolled("c-t1")["a1"] is True
    assert world.schools_of("a1") == {"S1": True}
    assert [row for row in world.versions()["users"] if ",a1," in row[1]] == [
        row for row in before["users"] if ",a1," in row[1]]  # fmt: skip
    assert world.findings(ran, "ragged_line")


def test_where_a_ragged_line_still_shows_its_id_the_others_that_are_missing_are_gone(world: World) -> None:
    world.run(csv_files(town()))
    files = csv_files(town().without("a2"))
    world.run(_line(files, "users.csv", "a1,", "a1,active,2026-01-01,true,S1,student"))
    assert world.person("a1")["is_shared"] is True
    assert world.person("a2")["is_shared"] is False


def test_a_line_that_names_no_one_takes_the_proof_from_its_whole_collection(world: World) -> None:
    world.run(csv_files(town()))
    files = csv_files(town().without("a2"))
    ran = world.run(_line(files, "users.csv", "a1,", "?,?"))
    assert world.unshared("users") == set()
    assert world.value("select proof ->> 'users' from sync.runs where id = %s", ran.id) == "false"
    assert "could not be read" in world.value("select proof -> 'reasons' ->> 'users' from sync.runs where id = %s",
                                              ran.id)  # fmt: skip


@pytest.mark.parametrize("line", ["{commas}", '""{commas}', ""], ids=["commas", "quotes", "blank"])
def test_a_blank_line_names_nothing_and_protects_nothing_also_one_of_nothing_but_commas(
    world: World, line: str
) -> None:
    world.run(csv_files(town()))
    files = csv_files(town().without("a2", "c-t4").without_rows("e-c-t1-a1"))
    for name in ("orgs.csv", "users.csv", "classes.csv", "enrollments.csv"):
        commas = "," * files[name].split("\r\n", 1)[0].count(",")
        files[name] += (line.format(commas=commas) + "\r\n") * 2
    ran = world.run(files)
    assert (world.unshared("users"), world.unshared("classes")) == ({"a2"}, {"c-t4"})
    assert world.enrolled("c-t1") == {"t1": True, "a1": False, "a2": False}
    assert {finding["rule"] for finding in world.findings(ran)} == {"blank_line"}
    assert {entity: world.counts(ran, entity)["received"] for entity in ("schools", "students", "classes")} == {
        "schools": 2, "students": 7, "classes": 3}  # fmt: skip
    assert world.run(files, mode="reset", max_deleted_percent=100).status == "launched"
    assert "a2" not in world.ids("users")


@pytest.mark.parametrize("known", ["identifier", "email", "username", "name"])
def test_a_person_without_an_id_counts_as_seen_by_what_the_row_still_shows(world: World, known: str) -> None:
    world.run(town())
    record = next(r for r in town().collections["users"] if r["source_id"] == "a1")
    kept = {"identifier": ("identifier",), "email": ("email",), "username": ("username",),
            "name": ("given_name", "family_name")}[known]  # fmt: skip
    row = {"source_id": "", "status": "active", "role": "student", "org_source_ids": "S1"}
    roster = town().without_rows("a1").without("a2").add("users", row | {name: record[name] for name in kept})
    ran = world.run(roster)
    assert world.person("a1")["is_shared"] is True
    assert world.enrolled("c-t1")["a1"] is True
    assert world.schools_of("a1") == {"S1": True}
    assert world.person("a2")["is_shared"] is False
    assert world.counts(ran, "students")["rejected"] == 1
    assert world.findings(ran, "missing_id")


def test_a_person_of_whom_nothing_is_known_takes_the_proof_from_all(world: World) -> None:
    world.run(town())
    world.run(town().without("a1", "a2").add("users", {"source_id": "", "status": "active", "role": "student"}))
    assert world.unshared("users") == set()


@pytest.mark.parametrize("record", [
    {"source_id": "", "class_source_id": "c-t1", "user_source_id": "a1", "role": "student", "status": "active"},
    {"source_id": "", "class_source_id": "c-t1", "user_source_id": "a1", "role": "", "status": ""},
])  # fmt: skip
def test_a_rejected_enrollment_counts_as_seen(world: World, record: dict[str, str]) -> None:
    world.run(town())
    ran = world.run(town().without_rows("e-c-t1-a1", "e-c-t1-a2").add("enrollments", record))
    assert world.enrolled("c-t1") == {"t1": True, "a1": True, "a2": False}
    assert world.counts(ran, "enrollments")["rejected"] == 1


def test_a_ragged_enrollment_counts_as_seen(world: World) -> None:
    world.run(csv_files(town()))
    files = csv_files(town().without_rows("e-c-t1-a2"))
    ran = world.run(
        _line(files, "enrollments.csv", "e-c-t1-a1,", "e-c-t1-a1,active,2026-01-01,c-t1,S1,a1,student,false")
    )
    assert world.enrolled("c-t1") == {"t1": True, "a1": True, "a2": False}
    assert [f["rule"] for f in world.findings(ran) if f["severity"] == "error"] == ["ragged_line"]


def test_a_rejected_row_with_blanks_around_its_ids_counts_as_seen(world: World) -> None:
    world.run(town())
    before = world.versions()
    rejects = (_reject("orgs", "S2 "), _reject("users", " a1 "), _reject("classes", "c-t2 ", school_source_id=" S1"),
               _reject("enrollments", None, class_source_id=" c-t3", user_source_id="b1 "))  # fmt: skip
    world.run(MemorySource(town().without("a1", "c-t2").without_rows("S2", "e-c-t3-b1"), rejects=rejects))
    assert world.versions() == before


@pytest.mark.parametrize("known", [{"class_source_id": "c-t1"}, {"user_source_id": "a1"}, {"user_source_id": " "}, {}])
def test_an_enrollment_that_does_not_name_both_class_and_person_takes_the_proof_from_all_enrollments(
    world: World, known: dict[str, str]
) -> None:
    world.run(town())
    rejects = (_reject("enrollments", "e-1", **known),)
    world.run(MemorySource(town().without_rows("e-c-t1-a1", "e-c-t3-b1"), rejects=rejects))
    assert world.enrolled("c-t1")["a1"] is True
    assert world.enrolled("c-t3")["b1"] is True


def test_people_and_classes_that_only_a_rejected_enrollment_names_are_not_unshared(world: World) -> None:
    world.run(town())
    roster = town().without("a1", "a2", "c-t2", "c-t4")
    rejects = (_reject("enrollments", "e-1", class_source_id="c-t2", user_source_id="a1"),)
    world.run(MemorySource(roster, rejects=rejects))
    assert world.unshared("users") == {"a2"}
    assert world.unshared("classes") == {"c-t4"}


def test_a_rejected_class_counts_as_seen_with_its_enrollments(world: World) -> None:
    world.run(town())
    ran = world.run(town().with_("c-t1", school_source_id="").without_rows("e-c-t1-a1").without_rows("c-t3"))
    assert world.class_("c-t1")["is_shared"] is True
    assert all(world.enrolled("c-t1").values())
    assert world.unshared("classes") == {"c-t3"}
    assert [f["source_id"] for f in world.findings(ran, "class_without_school")] == ["c-t1"]
    assert world.counts(ran, "classes")["rejected"] == 1


def test_what_hangs_on_a_rejected_class_or_person_is_not_ended_by_a_word_about_the_enrollment_or_its_absence(
    world: World,
) -> None:
    world.run(town())
    world.run(delta(town().with_("c-t1", school_source_id="").with_("e-c-t1-a1", status="tobedeleted")))
    assert all(world.enrolled("c-t1").values())
    world.run(town().with_("a1", username="bad\0name").without_rows("e-c-t1-a1", "e-c-t1-a2"))
    assert world.enrolled("c-t1") == {"t1": True, "a1": True, "a2": False}


def test_a_class_that_a_delta_file_calls_gone_keeps_its_enrollments_as_they_are(world: World) -> None:
    world.run(town())
    world.run(delta(town().with_("c-t1", status="tobedeleted").with_("e-c-t1-a1", status="tobedeleted")))
    assert world.class_("c-t1")["is_shared"] is False
    assert all(world.enrolled("c-t1").values())


def test_a_class_whose_school_is_not_shared_is_rejected_and_names_its_school(world: World) -> None:
    world.run(town())
    ran = world.run(town().without_rows("S2"))
    assert world.counts(ran, "classes")["rejected"] == 2
    assert world.unshared("classes") == set()
    assert world.school("S2")["is_shared"] is True  # nothing that a rejected row names is unshared
    assert world.schools_of("b1") == {"S2": True}


@pytest.mark.parametrize("known", ["class_code", "title"])
def test_a_class_without_an_id_counts_as_seen_by_what_the_row_still_shows(world: World, known: str) -> None:
    world.run(town())
    record = next(r for r in town().collections["classes"] if r["source_id"] == "c-t1")
    row = {"source_id": "", "status": "active", "school_source_id": "S1", known: record[known]}
    world.run(town().without_rows("c-t1", "c-t2").add("classes", row))
    assert world.unshared("classes") == {"c-t2"}
    assert all(world.enrolled("c-t1").values())


def test_people_who_are_in_a_school_by_a_rejected_class_alone_stay_in_it(world: World) -> None:
    roster = town().with_("a1", org_source_ids="S2")
    world.run(roster)
    assert world.schools_of("a1") == {"S1": True, "S2": True}
    world.run(roster.with_("c-t1", school_source_id=""))
    assert world.schools_of("a1") == {"S1": True, "S2": True}
    less = roster.with_("c-t1", school_source_id="").without_rows("e-c-t1-a1")
    world.run(less)
    assert world.schools_of("a1") == {"S1": True, "S2": True}
    world.run(less.with_("a1", org_source_ids="nowhere"))
    assert world.person("a1")["is_shared"] is True


@pytest.mark.parametrize("reject", [True, False])
def test_a_rejected_school_counts_as_seen_with_its_classes_and_people(world: World, reject: bool) -> None:
    world.run(town())
    if reject:
        feed = MemorySource(town().without_rows("S2"), rejects=(_reject("orgs", "S2"),))
    else:  # without an id, known by its name
        feed = MemorySource(town().with_("S2", source_id=""))
    ran = world.run(feed)
    assert ran.status == "launched"
    assert _all_shared(world)
    assert world.schools_of("b1") == {"S2": True}
    assert all(world.enrolled("c-t3").values())
    assert world.counts(ran, "schools")["rejected"] == 1


def test_people_of_a_rejected_school_stay_in_it_without_a_class(world: World) -> None:
    world.run(town().teacher("t9", "S1", "S2"))
    world.run(town().teacher("t9", "S1").with_("S2", source_id=""))
    assert world.schools_of("t9") == {"S1": True, "S2": True}


def test_a_school_that_only_a_rejected_person_names_is_not_unshared(world: World) -> None:
    world.run(town())
    gone = town().without("S2", "c-t3", "c-t4", "t3", "t4", "b2", "b3", "b4")
    world.run(gone.with_("b1", username="bad\0name"))
    assert world.unshared("schools") == set()
    assert world.schools_of("b1") == {"S2": True}
    assert world.unshared("users") == {"t3", "t4", "b2", "b3", "b4"}


def test_a_school_that_could_not_be_read_and_named_takes_the_proof_from_all_schools(world: World) -> None:
    world.run(town())
    gone = town().without("S2", "c-t3", "c-t4")
    world.run(MemorySource(gone, rejects=(_reject("orgs", None),)))
    assert world.unshared("schools") == set()
    assert world.schools_of("b1") == {"S2": True}


def test_a_rejected_row_next_to_a_good_one_of_the_same_id_changes_nothing(world: World) -> None:
    world.run(town())
    before = world.versions()
    rejects = (_reject("orgs", "S1"), _reject("users", "a1"), _reject("classes", "c-t1"))
    for _ in range(2):
        world.run(MemorySource(town(), rejects=rejects))
    assert world.versions() == before
    assert world.value("select count(*) from sync.runs where wrote_at is not null") == 1


def test_a_person_whose_role_line_could_not_be_read_is_left_as_the_portal_has_them(world: World) -> None:
    roster = Roster().school("S1").school("S2").user("u1", "").user("u2", "")
    for number, (user, org) in enumerate((("u1", "S1"), ("u1", "S2"), ("u2", "S1"))):
        roster.add("roles", {"source_id": f"r{number}", "status": "active", "user_source_id": user, "role": "teacher",
                             "role_type": "primary", "org_source_id": org})  # fmt: skip
    files = csv_files(roster, version="1.2")
    world.run(files)
    world.run(_line(files, "roles.csv", "r1,", "r1,active,2026-01-01,u1,primary,teacher"))
    assert world.schools_of("u1") == {"S1": True, "S2": True}


def test_a_null_byte_costs_its_row_which_counts_as_seen(world: World) -> None:
    world.run(town())
    ran = world.run(town().with_("a1", given_name="bad\0name").with_("c-t1", title="bad\0title").without("a2"))
    assert ran.status == "launched"
    assert world.unshared("users") == {"a2"}
    assert world.unshared("classes") == set()
    assert world.person("a1")["given_name"] == "Given-a1"
    assert all(world.enrolled("c-t1")[who] for who in ("t1", "a1"))
    assert {f["source_id"] for f in world.findings(ran, "nul_byte")} == {"a1", "c-t1"}


# -- incomplete collections -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_collection_that_did_not_come_whole_proves_no_absence(world: World, collection: str) -> None:
    world.run(town())
    less = {
        "orgs": town().without_rows("S2").without("c-t3", "c-t4"), "users": town().without_rows("a1", "t2"),
        "classes": town().without_rows("c-t2"), "enrollments": town().without_rows("e-c-t1-a1"),
    }[collection].with_("a3", family_name="Changed").student("n1", "S1").enroll("c-t1", "n1")  # fmt: skip
    ran = world.run(MemorySource(less, incomplete={collection: "A page kept moving."}))
    assert ran.status == "launched"
    assert world.unshared("schools") == world.unshared("users") == set()
    assert world.unshared("classes") == ({"c-t3", "c-t4"} if collection == "orgs" else set())
    assert world.value("select count(*) from portal.enrollments where not is_active") == 0
    assert world.value("select count(*) from portal.user_schools where not is_active") == 0
    assert world.person("a3")["family_name"] == "Changed"  # adds and updates are carried out
    assert world.enrolled("c-t1")["n1"] is True
    assert world.value("select is_complete_feed from sync.runs where id = %s", ran.id) is False


def test_a_person_in_the_feed_is_not_unshared_where_a_class_that_could_list_them_may_be_missing(world: World) -> None:
    roster = town().school("S3").with_("a1", org_source_ids="S3")
    world.run(roster)
    less = roster.without("S3", "c-t1")  # a1 still names S3
    for collection in ("classes", "enrollments"):
        world.run(MemorySource(less, incomplete={collection: "A page kept moving."}))
        assert world.person("a1")["is_shared"] is True
        assert world.schools_of("a1")["S1"] is True
    world.run(less)
    assert world.person("a1")["is_shared"] is False


def test_a_revision_that_still_moves_lets_adds_and_updates_through_only(world: World) -> None:
    world.run(town())
    less = town().without("a1", "c-t3").student("n1", "S1").with_("a2", family_name="Changed")
    less = less.with_("b1", status="tobedeleted").with_("c-t2", status="tobedeleted")
    ran = world.run(MemorySource(less, adds_only="The source changed while it was read."))
    assert ran.status == "launched"
    assert _all_shared(world)
    assert world.value("select count(*) from portal.enrollments where not is_active") == 0
    assert world.person("a2")["family_name"] == "Changed"
    assert "n1" in world.shared("users")


def test_an_id_that_came_twice_from_a_paged_source_may_have_hidden_another(world: World) -> None:
    world.registry(source=SourceSettings(kind="oneroster", conn_id="x", version="1.1", auth="bearer"))
    world.run(town())
    twice = town().without("a1")
    twice.collections["users"].append(dict(twice.collections["users"][0]))
    world.run(MemorySource(twice))
    assert world.unshared("users") == set()
    world.run(town().without("a1"))
    assert world.unshared("users") == {"a1"}


def test_rows_without_an_id_are_no_id_that_came_twice(world: World) -> None:
    world.registry(source=SourceSettings(kind="oneroster", conn_id="x", version="1.1", auth="bearer"))
    world.run(town())
    world.run(town().without_rows("a1", "a2").without("a3")
              .add("users", {"source_id": "", "role": "student", "email": "a1@people.example"})
              .add("users", {"source_id": "", "role": "student", "email": "a2@people.example"}))  # fmt: skip
    assert world.unshared("users") == {"a3"}


@pytest.mark.parametrize("status", ["tobedeleted", "inactive", "ToBeDeleted"])
def test_tobedeleted_is_proof_also_in_an_incomplete_feed(world: World, status: str) -> None:
    world.run(town())
    roster = town().with_("a1", status=status).with_("c-t2", status=status).with_("e-c-t3-b1", status=status)
    world.run(MemorySource(roster, incomplete=dict.fromkeys(COLLECTIONS, "A page kept moving.")))
    assert world.unshared("users") == {"a1"}
    assert world.unshared("classes") == {"c-t2"}
    assert world.enrolled("c-t3")["b1"] is False
    assert world.enrolled("c-t1")["a1"] is False  # no longer shared at all
    assert world.schools_of("a1") == {"S1": False}


def test_a_school_that_the_source_calls_gone_takes_its_classes_along(world: World) -> None:
    world.run(town())
    world.run(MemorySource(town().with_("S2", status="tobedeleted"), incomplete={"orgs": "A page kept moving."}))
    assert world.unshared("schools") == {"S2"}
    assert world.unshared("classes") == {"c-t3", "c-t4"}
    assert all(world.enrolled("c-t3").values())  # the class is gone: its enrollments stay as they are


def test_a_feed_that_the_checks_call_not_complete_proves_no_absence(world: World) -> None:
    world.run(town())
    run_id = world.begin()
    staging.load(world.app, run_id, world.district, MemorySource(town().without("a1", "c-t2")))
    world.do("update sync.runs set proof = proof || %s where id = %s",
             '{"not_complete": {"users": "Far fewer people than in the last good run."}}', run_id)  # fmt: skip
    assert world.go_on(run_id, None).status == "launched"
    assert world.unshared("users") == set()
    assert world.unshared("classes") == {"c-t2"}


# -- nothing at all ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", ["orgs", "users"])
def test_no_schools_or_no_people_at_all_is_never_proof(world: World, empty: str) -> None:
    world.run(town())
    before = world.versions()
    ran = world.run(town().without_all(empty), max_deleted_percent=100)
    assert ran.status == "launched"
    assert _all_shared(world)
    assert world.versions()["user_schools"] == before["user_schools"]
    assert world.versions()["enrollments"] == before["enrollments"]


@pytest.mark.parametrize("empty", ["orgs", "users"])
def test_a_first_run_without_schools_or_people_fails_with_nothing_is_shared(world: World, empty: str) -> None:
    ran = world.run(town().without_all(empty))
    assert ran.status == "failed"
    assert "nothing is shared" in ran.message.lower()
    assert world.ids("users") == world.ids("schools") == set()


def test_no_people_who_matter_are_no_people(world: World) -> None:
    roster = Roster().school("S1").user("p1", "parent", "S1")
    assert world.run(roster).status == "failed"


@pytest.mark.parametrize("empty", [("classes", "enrollments"), ("enrollments",), ("classes",)])
def test_no_classes_or_no_enrollments_between_terms_an_edit_removes_none(world: World, empty: tuple[str, ...]) -> None:
    world.run(town())
    before = world.versions()
    ran = world.run(town().without_all(*empty), max_deleted_percent=100)
    assert ran.status == "launched"
    after = world.versions()
    for table in ("classes", "enrollments", "user_schools"):
        assert after[table] == before[table]


def test_between_terms_people_who_are_gone_are_still_unshared(world: World) -> None:
    world.run(town())
    world.run(town().without_all("classes", "enrollments").without("a1"))
    assert world.unshared("users") == {"a1"}


def test_a_collection_that_was_not_shared_at_all_proves_nothing(world: World) -> None:
    world.run(town())
    ran = world.run(MemorySource(town(), not_shared=("roles", "classes", "enrollments")))
    assert ran.status == "launched"
    assert _all_shared(world)


# -- delta files ------------------------------------------------------------------------------------------------------


def test_a_delta_file_proves_no_absence_its_tobedeleted_is_proof(world: World) -> None:
    world.run(town())
    small = Roster().student("a1", "S1", status="tobedeleted").student("a2", "S1", family_name="Changed")
    ran = world.run(delta(small))
    assert ran.status == "launched"
    assert world.unshared("users") == {"a1"}
    assert world.person("a2")["family_name"] == "Changed"
    assert world.unshared("classes") == world.unshared("schools") == set()
    assert world.schools_of("a2") == {"S1": True}


def test_references_of_a_delta_file_resolve_against_the_feed_then_the_portal(world: World) -> None:
    world.run(csv_files(town()))
    small = Roster().student("n1", "S1").class_("n2", "S2", teachers="t3", students=["b1", "n1"])
    small.enroll("c-t1", "n1").enroll("c-t1", "b2")
    ran = world.run(csv_files(small, mode="delta"))
    assert (ran.status, ran.message) == ("launched", "")
    assert world.enrolled("n2") == {"t3": True, "b1": True, "n1": True}
    assert world.enrolled("c-t1") == dict.fromkeys(("t1", "a1", "a2", "n1", "b2"), True)
    assert world.schools_of("n1") == {"S1": True, "S2": True}
    assert world.class_("n2")["school_id"] == world.school("S2")["id"]


def test_an_enrollment_that_a_delta_file_calls_gone_ends_though_class_and_person_are_only_in_the_portal(
    world: World,
) -> None:
    world.run(csv_files(town()))
    world.run(csv_files(Roster().enroll("c-t1", "a1", status="tobedeleted"), mode="delta"))
    assert world.enrolled("c-t1") == {"t1": True, "a1": False, "a2": True}
    assert world.unshared("users") == world.unshared("classes") == set()


def test_someone_whom_a_delta_file_calls_gone_is_in_no_class_any_more(world: World) -> None:
    world.run(csv_files(town()))
    world.run(csv_files(Roster().student("a1", "S1", status="tobedeleted"), mode="delta"))
    assert world.unshared("users") == {"a1"}
    assert world.enrolled("c-t1") == {"t1": True, "a1": False, "a2": True}
    assert world.schools_of("a1") == {"S1": False}


def test_a_delta_file_touches_no_enrollment_of_a_deselected_school(world: World) -> None:
    world.run(csv_files(town()))
    world.select_schools("S1")
    before = world.versions()
    small = Roster().enroll("c-t3", "b1", status="tobedeleted").enroll("c-t4", "a1")
    world.run(csv_files(small, mode="delta"))
    assert world.versions() == before


def test_a_delta_file_that_names_unknown_people_is_counted_and_passed_over(world: World) -> None:
    world.run(csv_files(town()))
    before = world.versions()
    ran = world.run(csv_files(Roster().enroll("c-t1", "nobody").enroll("nowhere", "a1"), mode="delta"))
    assert ran.status == "launched"
    assert world.versions() == before
    assert world.counts(ran, "enrollments")["warned"] == 2


def test_a_class_of_a_delta_file_keeps_what_its_terms_and_course_gave_where_those_did_not_come(world: World) -> None:
    roster = town().term("T1", "Autumn", "2026-08-20", "2026-12-18")
    roster.add("courses", {"source_id": "K1", "status": "active", "title": "Course", "subjects": "math"})
    roster = roster.with_("c-t1", term_source_ids="T1", course_source_id="K1")
    world.run(csv_files(roster))
    before = world.class_("c-t1")
    assert (before["term_name"], before["subject"]) == ("Autumn", "math")
    small = Roster().class_("c-t1", "S1", title="Renamed", term_source_ids="T1", course_source_id="K1")
    world.run(csv_files(small, mode="delta"))
    after = world.class_("c-t1")
    assert after["title"] == "Renamed"
    for column in ("term_name", "starts_on", "ends_on", "subject"):
        assert after[column] == before[column]


@pytest.mark.parametrize("subjects", ["", "  "])
def test_a_class_of_a_delta_file_without_a_subject_keeps_its_courses(world: World, subjects: str) -> None:
    term = ("T1", "Autumn", "2026-08-20", "2026-12-18")
    roster = town().term(*term)
    roster.add("courses", {"source_id": "K1", "status": "active", "title": "Course", "subjects": "math"})
    given = {"term_source_ids": "T1", "course_source_id": "K1"}
    world.run(csv_files(roster.with_("c-t1", **given)))
    small = Roster().term(*term).class_("c-t1", "S1", title="Renamed", subjects=subjects, **given)
    world.run(csv_files(small, mode="delta"))
    assert (world.class_("c-t1")["title"], world.class_("c-t1")["subject"]) == ("Renamed", "math")


def test_selecting_a_school_needs_a_bulk_file_and_says_so(world: World) -> None:
    roster = town().school("S3").student("n1", "S3")
    world.run(csv_files(roster))
    world.do("delete from portal.user_schools where school_id = %s", world.school("S3")["id"])
    world.do("delete from portal.schools where source_id = 'S3'")  # as if it had never been selected
    world.select_schools("S1", "S2", "S3")
    ran = world.run(csv_files(Roster().school("S3").student("a1", "S1", family_name="Changed"), mode="delta"))
    assert [f["source_id"] for f in world.findings(ran, "needs_bulk_file")] == ["S3"]
    assert world.person("a1")["family_name"] == "Changed"
    whole = world.run(csv_files(roster))
    assert world.findings(whole, "needs_bulk_file") == []
    assert world.schools_of("n1") == {"S3": True}
    assert world.findings(world.run(csv_files(Roster(), mode="delta")), "needs_bulk_file") == []


def test_a_bulk_file_next_to_delta_files_proves_its_own_absences_only(world: World) -> None:
    world.run(csv_files(town()))
    less = town().without("a1", "c-t4")
    world.run(csv_files(less, modes={"classes": "delta"}))
    assert world.unshared("users") == {"a1"}
    assert world.unshared("classes") == set()


def test_files_without_a_manifest_prove_no_absence(world: World) -> None:
    world.run(csv_files(town()))
    files = csv_files(town().without("a1", "c-t2"))
    del files["manifest.csv"]
    ran = world.run(files)
    assert ran.status == "launched"
    assert _all_shared(world)
