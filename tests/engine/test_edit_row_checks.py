"""Row checks and findings, the fold of duplicates, and the vocabularies of grades and terms."""

from __future__ import annotations

import random
from datetime import date
from hashlib import sha256
from typing import Any

import pytest

from tests.dsl.csv_files import csv_files
from tests.dsl.roster import MemorySource, Roster, delta, town
from tests.dsl.world import World


def _found(world: World, ran: Any, rule: str) -> list[tuple[Any, ...]]:
    return [(f["entity"], f["source_id"], f["severity"]) for f in world.findings(ran, rule)]


# -- an error drops the row, a warning drops the value ----------------------------------------------------------------


@pytest.mark.parametrize("collection", ["orgs", "users", "classes", "enrollments"])
def test_a_row_without_an_id_is_dropped_and_reported(world: World, collection: str) -> None:
    entity = "schools" if collection == "orgs" else collection
    row = {
        "orgs": {"name": "No id", "type": "school"}, "users": {"role": "student", "email": "x@people.example"},
        "classes": {"title": "No id", "school_source_id": "S1"},
        "enrollments": {"class_source_id": "c-t1", "user_source_id": "a3", "role": "student"},
    }[collection]  # fmt: skip
    ran = world.run(town().add(collection, {"source_id": "", "status": "active"} | row))
    assert ran.status == "launched"
    assert _found(world, ran, "missing_id") == [(entity, None, "error")]
    assert world.counts(ran, "students" if collection == "users" else entity)["rejected"] == 1
    assert "a3" not in world.enrolled("c-t1")
    assert len(world.ids("schools")) == 2


def test_a_malformed_email_is_a_warning_and_the_portals_stays(world: World) -> None:
    emails = ["not-an-address", "two@at@signs.example", "a b@people.example", "x@nodot", "@a.example"]
    world.run(town())
    roster = town()
    for number, email in enumerate(emails):
        roster = roster.with_(f"{'ab'[number % 2]}{number // 2 + 1}", email=email, family_name="Changed")
        roster.student(f"n{number}", "S1", email=email)
    ran = world.run(roster)
    for number, email in enumerate(emails):
        known = world.person(f"{'ab'[number % 2]}{number // 2 + 1}")
        assert (known["email"], known["family_name"]) == (f"{known['source_id']}@people.example", "Changed")
        assert world.person(f"n{number}")["email"] is None
        assert all(email not in f["message"] for f in world.findings(ran))
    assert len(_found(world, ran, "malformed_email")) == 10
    assert {severity for _, _, severity in _found(world, ran, "malformed_email")} == {"warning"}
    assert world.counts(ran, "students")["warned"] == 10


def test_an_email_is_trimmed(world: World) -> None:
    world.run(town().with_("a1", email="  A1@People.example "))
    assert world.person("a1")["email"] == "A1@People.example"


def test_an_unknown_grade_is_a_warning_and_the_portals_stays(world: World) -> None:
    world.run(town())
    ran = world.run(town().with_("a1", grades="Quidditch").with_("c-t1", grades="Quidditch"))
    assert world.person("a1")["grade"] == "07"
    assert world.class_("c-t1")["grade"] == "07"
    assert {f[:2] for f in _found(world, ran, "unknown_grade")} == {("users", "a1"), ("classes", "c-t1")}


def test_an_empty_name_is_a_warning_and_the_portals_stays(world: World) -> None:
    world.run(town())
    ran = world.run(town().with_("a1", given_name="").with_("t1", family_name="  ").with_("S1", name="")
                    .with_("c-t1", title=""))  # fmt: skip
    assert world.person("a1")["given_name"] == "Given-a1"
    assert world.person("t1")["family_name"] == "Family-t1"
    assert world.school("S1")["name"] == "School S1"
    assert world.class_("c-t1")["title"] == "Class c-t1"
    assert {f[1] for f in _found(world, ran, "missing_name")} == {"a1", "t1", "S1", "c-t1"}


def test_who_came_without_a_name_gets_it_on_the_day_that_it_is_filled_in(world: World) -> None:
    bare = {"email": "", "username": "", "identifier": "", "grades": ""}
    world.run(town().student("n1", "S1", given_name="", **bare))
    assert world.person("n1")["given_name"] is None
    ran = world.run(town().student("n1", "S1", given_name="Given", **bare))
    assert ran.status == "launched", ran.message
    assert world.person("n1")["given_name"] == "Given"


def test_texts_as_long_as_they_may_be_fit_the_indexes_together(world: World) -> None:
    """Of random letters: PostgreSQL packs what repeats itself, so that more of it fits."""
    text = "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=9_000))
    own = {column: text[at * 1000 : (at + 1) * 1000] for at, column in enumerate(
        ("given_name", "family_name", "identifier", "username", "state_id", "email"))}  # fmt: skip
    own["email"] = own["email"][:900] + "@people.example"
    roster = town().student(text[6000:7000], "S1", **own).class_(text[7000:7900], "S1", title=text[8000:9000])
    ran = world.run(roster)
    assert ran.status == "launched", ran.message
    person = world.person(text[6000:7000])
    assert (person["given_name"], person["family_name"], person["sis_id"]) == tuple(own.values())[:3]
    assert not _found(world, ran, "too_long")


def test_a_text_that_is_too_long_costs_itself_and_as_an_id_its_row(world: World) -> None:
    long = "".join(sha256(str(number).encode()).hexdigest() for number in range(50))  # no index could hold it
    world.run(town())
    roster = town().with_("S1", name=long).with_("a1", identifier=long, family_name="Changed")
    roster = roster.with_("a2", given_name=long).with_("c-t1", title=long)
    roster = roster.student(long, "S1").class_(long, "S1").school(long)
    ran = world.run(roster)
    assert ran.status == "launched", ran.message
    assert world.person("a1")["sis_id"] == "sis-a1"
    assert world.person("a1")["family_name"] == "Changed"
    assert world.person("a2")["given_name"] == "Given-a2"
    assert world.school("S1")["name"] == "School S1"
    assert world.class_("c-t1")["title"] == "Class c-t1"
    assert {f[:2] for f in _found(world, ran, "too_long")} == {
        ("schools", "S1"), ("users", "a1"), ("users", "a2"), ("classes", "c-t1"),
    }  # fmt: skip
    assert _found(world, ran, "missing_id") == [(entity, None, "error") for entity in ("schools", "users", "classes")]
    assert not world.unshared("users") | world.unshared("classes") | world.unshared("schools")


def test_a_malformed_date_is_a_warning_and_the_portals_stays(world: World) -> None:
    world.run(town().with_("e-c-t1-a1", begins_on="2026-09-01", ends_on="2027-06-01"))
    ran = world.run(town().with_("e-c-t1-a1", begins_on="09/01/2026", ends_on="2027-06-01"))
    enrollment = world.enrollment("c-t1", "a1")
    assert (enrollment["begins_on"], enrollment["ends_on"]) == (date(2026, 9, 1), date(2027, 6, 1))
    assert _found(world, ran, "malformed_date") == [("enrollments", "e-c-t1-a1", "warning")]


def test_a_day_far_away_is_a_day_like_any_other(world: World) -> None:
    ran = world.run(town().with_("e-c-t1-a1", begins_on="1999-09-01", ends_on="2099-12-31"))
    enrollment = world.enrollment("c-t1", "a1")
    assert (enrollment["begins_on"], enrollment["ends_on"]) == (date(1999, 9, 1), date(2099, 12, 31))
    assert _found(world, ran, "malformed_date") == []
    query = "select count(*) from staging.enrollments where run_id = %s and ends_on = '2099-12-31' and is_unusual"
    assert world.value(query, ran.id) == 0


def test_an_unknown_status_is_a_warning_and_the_row_is_taken_as_active(world: World) -> None:
    ran = world.run(town().with_("a1", status="enrolled"))
    assert world.person("a1")["is_shared"] is True
    assert _found(world, ran, "unknown_status") == [("users", "a1", "warning")]


@pytest.mark.parametrize(("class_id", "user_id", "rule"), [
    ("nowhere", "a1", "dangling_class"), ("c-t1", "nobody", "dangling_user")])  # fmt: skip
def test_a_reference_that_points_nowhere_is_counted_and_passed_over(
    world: World, class_id: str, user_id: str, rule: str
) -> None:
    ran = world.run(town().enroll(class_id, user_id))
    assert ran.status == "launched"
    assert _found(world, ran, rule) == [("enrollments", None, "warning")]
    assert world.counts(ran, "enrollments")["warned"] == 1
    dangling = world.value("select feed -> 'dangling' from sync.runs where id = %s", ran.id)
    assert (dangling["classes"], dangling["users"]) == ((1, 0) if rule == "dangling_class" else (0, 1))


def test_a_persons_organization_that_is_in_no_list_is_counted_and_passed_over(world: World) -> None:
    ran = world.run(town().with_("a1", org_source_ids="S1,nowhere").school("D1", type="district")
                    .with_("a2", org_source_ids="S1,D1"))  # fmt: skip
    assert _found(world, ran, "dangling_school") == [("users", "a1", "warning")]
    assert world.schools_of("a1") == {"S1": True}


def test_what_a_delta_names_and_the_portal_knows_points_nowhere_only_if_neither_has_it(world: World) -> None:
    world.run(town())
    ran = world.run(
        delta(Roster().student("a1", "S1").enroll("c-t1", "a2").enroll("c-none", "a2").enroll("c-t1", "none"))
    )
    assert {f["rule"]: f["field"] for f in world.findings(ran)} == {
        "dangling_class": "classSourcedId", "dangling_user": "userSourcedId",
    }  # fmt: skip
    assert len(world.findings(ran)) == 2
    assert world.counts(ran, "enrollments")["warned"] == 2


def test_an_enrollment_of_another_role_is_passed_over(world: World) -> None:
    ran = world.run(town().enroll("c-t1", "a3", "proctor"))
    assert "a3" not in world.enrolled("c-t1")
    assert _found(world, ran, "enrollment_role") == [("enrollments", "e-c-t1-a3", "info")]


def test_findings_hold_no_value_of_a_person_and_say_how_to_fix_them_at_the_source(world: World) -> None:
    secret = "Zyx"
    roster = town().with_("a1", given_name="", family_name=f"{secret}name", email=f"{secret}-address")
    roster = roster.with_("a1", grades=f"{secret}gr", username=f"{secret}user", identifier=f"{secret}sis")
    roster.add(
        "users", {"source_id": "", "role": "student", "family_name": f"{secret}name", "email": f"{secret}@x.example"}
    )
    roster = roster.with_("a2", family_name=f"{secret}\0name")
    ran = world.run(roster)
    found = world.findings(ran)
    assert {f["rule"] for f in found} >= {"malformed_email", "unknown_grade", "missing_name", "missing_id", "nul_byte"}
    for finding in found:
        assert secret not in finding["message"]
        assert any(
            word in finding["message"].lower() for word in ("correct", "give", "fill", "remove", "share", "allow")
        )


def test_two_letters_of_a_grade_are_not_reported_either(world: World) -> None:
    ran = world.run(town().with_("a1", grades="XQ"))
    assert "XQ" not in world.findings(ran, "unknown_grade")[0]["message"]


def test_a_run_repeated_leaves_its_findings_once(world: World) -> None:
    run_id = world.begin(airflow_run_id="again")
    feed = MemorySource(town().with_("a1", email="bad").user("x", "aide", "S1"))
    first = world.go_on(run_id, feed)
    before = [(f["rule"], f["source_id"]) for f in world.findings(first)]
    assert world.begin(airflow_run_id="again") == run_id
    again = world.go_on(run_id, feed)
    assert [(f["rule"], f["source_id"]) for f in world.findings(again)] == before


# -- the fold of duplicates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turned", [False, True])
def test_duplicate_enrollments_are_folded_active_beats_ended(world: World, turned: bool) -> None:
    roster = town().enroll("c-t1", "a1", source_id="e2", status="tobedeleted", begins_on="2020-01-01")
    roster.enroll("c-t1", "a2", source_id="e3", begins_on="2026-09-05", ends_on="2027-05-01")
    roster = roster.with_("e-c-t1-a2", begins_on="2026-09-01", ends_on="2027-04-01")
    roster.enroll("c-t1", "t1", "teacher", source_id="e4", is_primary="false")
    ran = world.run(roster.reversed() if turned else roster)
    assert world.enrolled("c-t1") == {"t1": True, "a1": True, "a2": True}
    assert world.enrollment("c-t1", "a1")["begins_on"] is None  # an ended row says nothing beside an active one
    both = world.enrollment("c-t1", "a2")
    assert (both["begins_on"], both["ends_on"]) == (date(2026, 9, 1), date(2027, 5, 1))
    assert world.enrollment("c-t1", "t1")["is_primary"] is True
    before = world.versions()
    world.run(roster if turned else roster.reversed())
    assert world.versions() == before
    assert world.counts(ran, "enrollments")["added"] == 12


def test_one_person_may_be_teacher_and_student_of_a_class(world: World) -> None:
    world.run(town().enroll("c-t1", "t1", "student", source_id="e2"))
    roles = world.rows("select e.role from portal.enrollments e join portal.users u on u.id = e.user_id"
                       " where u.source_id = 't1' order by 1")  # fmt: skip
    assert [row["role"] for row in roles] == ["student", "teacher"]


@pytest.mark.parametrize("turned", [False, True])
def test_people_who_repeat_an_id_are_folded_schools_united_and_the_portals_values_win(
    world: World, turned: bool
) -> None:
    world.run(town())
    twice = town().student("a1", "S2", family_name="Another", email="another@people.example")
    ran = world.run(twice.reversed() if turned else twice)
    assert world.schools_of("a1") == {"S1": True, "S2": True}
    person = world.person("a1")
    assert (person["family_name"], person["email"], person["grade"]) == ("Family-a1", "a1@people.example", "07")
    assert _found(world, ran, "repeated_id") == [("users", "a1", "warning")]
    before = world.versions()
    world.run(twice if turned else twice.reversed())
    assert world.versions() == before


def test_a_new_person_who_repeats_an_id_is_the_same_whatever_the_order(world: World) -> None:
    other = world.elsewhere("glen")
    twice = town().student("n1", "S1", family_name="Beta").student("n1", "S2", family_name="Alpha", grades="08")
    world.run(twice)
    other.run(twice.reversed())
    for column in ("family_name", "grade", "email", "sis_id", "username"):
        assert world.person("n1")[column] == other.person("n1")[column]
    assert world.schools_of("n1") == other.schools_of("n1") == {"S1": True, "S2": True}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("source_id", "collection", "column"), [
    ("a1", "users", "family_name"), ("c-t1", "classes", "title"), ("S1", "orgs", "name")])  # fmt: skip
def test_of_rows_that_repeat_an_id_active_beats_gone(
    world: World, turned: bool, source_id: str, collection: str, column: str
) -> None:
    world.run(town())
    twice = town().with_(source_id, **{column: "Newer"})
    old = next(dict(r) for r in twice.collections[collection] if r["source_id"] == source_id)
    twice.add(collection, old | {"status": "tobedeleted", column: "Aged"})
    world.run(twice.reversed() if turned else twice)
    assert not world.unshared("users") | world.unshared("classes") | world.unshared("schools")
    table = {"orgs": "schools"}.get(collection, collection)
    assert world._one(table, source_id)[column] == "Newer"


def test_classes_that_repeat_an_id_are_folded_and_the_portals_values_win(world: World) -> None:
    world.run(town())
    ran = world.run(town().class_("c-t1", "S2", title="Another", class_code="other"))
    class_ = world.class_("c-t1")
    assert (class_["title"], class_["sis_id"], class_["school_id"]) == (
        "Class c-t1",
        "sis-c-t1",
        world.school("S1")["id"],
    )
    assert _found(world, ran, "repeated_id") == [("classes", "c-t1", "warning")]


def test_a_value_that_a_warning_dropped_is_the_portals_also_where_the_row_comes_twice(world: World) -> None:
    world.run(town())
    roster = town().with_("c-t1", grades="Quidditch").with_("a1", grades="Quidditch", email="bad")
    for collection, source_id in (("classes", "c-t1"), ("users", "a1")):
        roster.add(collection, next(dict(r) for r in roster.collections[collection] if r["source_id"] == source_id))
    world.run(roster)
    assert world.class_("c-t1")["grade"] == "07"
    assert (world.person("a1")["grade"], world.person("a1")["email"]) == ("07", "a1@people.example")


# -- vocabularies -----------------------------------------------------------------------------------------------------


def test_grades_are_one_vocabulary(world: World) -> None:
    grades = {
        "7": "07", "07": "07", "Kindergarten": "KG", "KG": "KG", "K": "KG", "PK": "PK", "PreKindergarten": "PK",
        "TransitionalKindergarten": "TK", "TK": "TK", "12": "12", "13": "13", "UG": "UG", "Ungraded": "UG",
        "InfantToddler": "IT", "Preschool": "PR", "PostGraduate": "PS", "Other": "Other", " 08 ": "08", "09,10": "09",
        "": None,
    }  # fmt: skip
    roster = Roster().school("S1")
    for written in grades:
        roster.student(f"u-{written}", "S1", grades=written)
    ran = world.run(roster)
    assert {written: world.person(f"u-{written}".strip())["grade"] for written in grades} == grades
    assert world.findings(ran, "unknown_grade") == []


def test_a_class_of_several_terms_has_the_earliest_start_and_the_latest_end(world: World) -> None:
    roster = town().term("T1", "Autumn", "2026-08-20", "2026-12-18").term("T2", "Spring", "2027-01-05", "2027-05-28")
    roster = roster.with_("c-t1", term_source_ids="T2,T1").with_("c-t2", term_source_ids="T2")
    world.run(csv_files(roster))
    class_ = world.class_("c-t1")
    assert (class_["starts_on"], class_["ends_on"]) == (date(2026, 8, 20), date(2027, 5, 28))
    assert class_["term_name"] == "Autumn, Spring"
    assert world.class_("c-t2")["starts_on"] == date(2027, 1, 5)
    assert world.class_("c-t3")["term_name"] is None


def test_a_class_without_a_subject_takes_its_courses(world: World) -> None:
    roster = town().add("courses", {"source_id": "K1", "status": "active", "title": "Course", "subjects": "math,art"})
    world.run(
        roster.with_("c-t1", course_source_id="K1", title="").with_("c-t2", course_source_id="K1", subjects="music")
    )
    assert (world.class_("c-t1")["subject"], world.class_("c-t1")["title"]) == ("math", "Course")
    assert world.class_("c-t2")["subject"] == "music"


def test_terms_of_another_id_with_the_same_words_change_nothing(world: World) -> None:
    roster = town().term("T1", "Autumn", "2026-08-20", "2026-12-18").with_("c-t1", term_source_ids="T1")
    world.run(csv_files(roster))
    before = world.versions()
    world.run(csv_files(roster.renamed({"T1": "T9"})))
    assert world.versions() == before


def test_ids_of_other_registers_are_never_emptied(world: World) -> None:
    world.run(town().with_("a1", state_id="st-1").with_("S1", state_id="st-2", nces_id="nc-1"))
    world.run(town().with_("S1", identifier=""))
    assert world.person("a1")["state_id"] == "st-1"
    assert (world.school("S1")["state_id"], world.school("S1")["nces_id"], world.school("S1")["sis_id"]) == (
        "st-2", "nc-1", "sis-S1")  # fmt: skip


def test_an_id_with_blanks_around_it_is_the_same_id(world: World) -> None:
    roster = town().term("T1", "Autumn", "2026-08-20", "2026-12-18").with_("c-t1", term_source_ids="T1")
    roster.add("courses", {"source_id": "K1", "status": "active", "title": "Course", "subjects": "math"})
    roster = roster.with_("c-t1", course_source_id="K1")
    padded = roster.renamed({source_id: f" {source_id} " for source_id in ("S1", "c-t1", "a1", "t1", "T1", "K1")})
    padded = padded.renamed({"S2": "S2 ", "a2": " a2"}).with_(
        "e-c-t3-b1", class_source_id="c-t3 ", user_source_id=" b1"
    )
    world.run(padded)
    before = world.versions()
    assert world.shared("schools") == {"S1", "S2"}
    assert world.enrolled("c-t1") == {"t1": True, "a1": True, "a2": True}
    assert world.enrolled("c-t3")["b1"] is True
    assert world.schools_of("b1") == {"S2": True}
    assert (world.class_("c-t1")["term_name"], world.class_("c-t1")["subject"]) == ("Autumn", "math")
    world.run(roster)
    assert world.versions() == before
    world.run(delta(Roster().enroll(" c-t1", "a1 ", status="tobedeleted")))
    assert world.enrolled("c-t1")["a1"] is False


def test_every_record_that_came_is_counted_also_one_that_could_not_be_read(world: World) -> None:
    world.run(town())
    rejects = [
        {"collection": collection, "rule": rule, "message": "Correct it at the source.", "source_id": source_id}
        for collection, rule, source_id in (
            ("orgs", "ragged_line", None), ("users", "ragged_line", None), ("users", "ragged_line", "t1"),
            ("classes", "nul_byte", None), ("enrollments", "ragged_line", None), ("enrollments", "blank_line", None))
    ]  # fmt: skip
    ran = world.run(MemorySource(town().without_rows("t1"), rejects=tuple(rejects)))
    counted = {entity: world.counts(ran, entity) for entity in ("schools", "teachers", "students", "admins", "classes",
                                                                "enrollments")}  # fmt: skip
    assert {entity: (count.get("received", 0), count.get("rejected", 0)) for entity, count in counted.items()} == {
        "schools": (3, 1), "teachers": (4, 1), "students": (9, 1), "admins": (0, 0), "classes": (5, 1),
        "enrollments": (13, 1),
    }  # fmt: skip
