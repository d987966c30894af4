"""sync.source_ids: every id that a row is or was known by. Present ids are read from the rows themselves."""

from __future__ import annotations

import psycopg2
import pytest

from roster_sync.database import db
from tests.dsl.roster import Roster, delta, town
from tests.dsl.world import World

IDS = "select entity, source_id, row_id from sync.source_ids order by entity, source_id"


def _known_as(world: World, row_id: int) -> dict[str, int]:
    query = "select source_id, first_seen_run_id from sync.source_ids where entity = 'users' and row_id = %s"
    return {row["source_id"]: row["first_seen_run_id"] for row in world.rows(query, row_id)}


def test_a_first_load_writes_no_second_copy_of_its_ids(world: World) -> None:
    world.run(town())
    assert world.value("select count(*) from sync.former_ids") == 0
    borne = world.rows(
        "select 'schools' as entity, source_id, id as row_id from portal.schools union all"
        " select 'users', source_id, id from portal.users union all"
        " select 'classes', source_id, id from portal.classes order by 1, 2"
    )
    assert world.rows(IDS) == borne
    assert len(borne) == 18


def test_an_id_that_comes_back_was_first_seen_when_it_was(world: World) -> None:
    first = world.run(town())
    row_id = world.person("a1")["id"]
    second = world.run(town().renamed({"a1": "n1"}))
    assert _known_as(world, row_id) == {"a1": first.id, "n1": second.id}
    world.run(town())
    assert world.person("a1")["id"] == row_id
    assert _known_as(world, row_id) == {"a1": first.id, "n1": second.id}


def test_an_id_whose_row_was_deleted_may_come_back_on_a_new_row(world: World) -> None:
    world.run(town())
    old = world.person("a1")["id"]
    world.run(town().without("a1"), mode="reset", max_deleted_percent=100)
    query = "select row_id from sync.source_ids where entity = 'users' and source_id = 'a1'"
    assert world.rows(query) == [{"row_id": old}]
    world.run(town())
    new = world.person("a1")["id"]
    assert new != old
    assert world.rows(query) == [{"row_id": new}]


def test_whoever_changes_a_row_its_former_id_is_kept(world: World) -> None:
    world.run(town())
    people = {source_id: world.person(source_id)["id"] for source_id in ("a1", "a2")}
    world.do("update portal.users set source_id = null where source_id = 'a1'")
    assert set(_known_as(world, people["a1"])) == {"a1"}
    world.do("update portal.users set source_id = 'a1' where source_id = 'a2'")
    assert set(_known_as(world, people["a1"])) == set()
    assert set(_known_as(world, people["a2"])) == {"a1", "a2"}
    world.do("delete from portal.users where id = %s", people["a2"])
    assert set(_known_as(world, people["a2"])) == {"a1", "a2"}


def test_ids_of_another_issuer_or_district_are_others(world: World) -> None:
    world.run(town())
    other = world.elsewhere("other")
    other.run(town())
    query = "select count(*) as rows, count(distinct row_id) as people from sync.source_ids where source_id = 'a1'"
    assert world.row(query) == {"rows": 2, "people": 2}


@pytest.mark.parametrize("role", ["roster_read", "roster_edit", "roster_reset", "roster_undo", "roster_desk"])
def test_every_role_reads_the_ids(world: World, role: str) -> None:
    world.run(town())
    with db.acting_as(world.app, role) as cursor:
        cursor.execute("select count(*) from sync.source_ids where first_seen_run_id is not null")
        assert cursor.fetchone() == (18,)


@pytest.mark.parametrize("named", ["an unknown person", "an unknown class", "a class of another district"])
def test_an_enrollment_is_refused_that_names(world: World, named: str) -> None:
    world.run(town())
    other = world.elsewhere("other")
    other.run(town().renamed({"c-t1": "c-other"}))
    person = 0 if named == "an unknown person" else world.person("a3")["id"]
    class_ = 0 if named == "an unknown class" else world.class_("c-t1")["id"]
    district = other if named == "a class of another district" else world
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        world.do(
            "insert into portal.enrollments (district_id, class_id, user_id, role) values (%s, %s, %s, 'student')",
            district.district_id,
            class_,
            person,
        )


@pytest.mark.parametrize("missing", ["user", "school"])
def test_a_membership_is_refused_that_names_no_one_or_nothing(world: World, missing: str) -> None:
    world.run(town())
    user, school = (0, world.school("S1")["id"]) if missing == "user" else (world.person("a1")["id"], 0)
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        world.do("insert into portal.user_schools (user_id, school_id) values (%s, %s)", user, school)


def test_who_is_enrolled_is_not_deleted_before_the_commit(world: World) -> None:
    world.run(town())
    with db.acting_as(world.app, "roster_edit") as cursor:
        cursor.execute(
            "insert into portal.enrollments (district_id, class_id, user_id, role) values (%s, %s, %s, 'student')",
            (world.district_id, world.class_("c-t3")["id"], world.person("a1")["id"]),
        )
        for table, row_id in (("users", world.person("a1")["id"]), ("classes", world.class_("c-t3")["id"])):
            with pytest.raises(psycopg2.errors.LockNotAvailable):
                world.do(f"select 1 from portal.{table} where id = %s for update nowait", row_id)  # noqa: S608


def test_who_lists_a_school_by_an_id_that_it_had_before_is_in_that_school(world: World) -> None:
    world.run(town().student("x1", "S1"))
    roster = town().student("x1", "S1").renamed({"S1": "N1"}).with_("x1", org_source_ids="S1").student("x2", "S1")
    world.run(roster)
    assert world.schools_of("x1") == world.schools_of("x2") == {"N1": True}
    before = world.versions()
    for mode in ("edit", "reset"):
        assert world.run(roster, mode=mode).status == "launched"
        assert world.versions() == before


@pytest.mark.parametrize(("table", "former"), [("schools", "S1"), ("users", "a1"), ("classes", "c-t1")])
def test_that_a_former_id_is_gone_takes_nothing_that_lives_on_under_another(
    world: World, table: str, former: str
) -> None:
    world.run(town())
    query = f"select id from portal.{table} where source_id = %s and is_shared"  # noqa: S608
    row_id = world.value(query, former)
    world.run(town().renamed({former: "new"}))
    assert world.value(query, "new") == row_id
    collection = "orgs" if table == "schools" else table
    records = town().collections[collection]
    gone = Roster(
        {name: [] for name in town().collections} | {collection: [r for r in records if r["source_id"] == former]}
    )
    world.run(delta(gone.with_(former, status="tobedeleted")))
    assert world.value(query, "new") == row_id
