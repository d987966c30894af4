"""The database roles: each path is refused what it may not do (docs/rules.md, R16.2)."""

# ruff: noqa: S608  (names of our own tables)
from __future__ import annotations

from typing import Any

import psycopg2
import pytest

from roster_sync.database import db
from tests.dsl.roster import town
from tests.dsl.world import World

PORTAL = ("districts", "schools", "users", "user_schools", "classes", "enrollments", "products", "license_assignments",
          "books", "class_books", "student_books")  # fmt: skip
RESET_DELETES = ("schools", "users", "user_schools", "classes", "enrollments")

NEW_ROLE = {
    "update": "update portal.users set role = 'student'",
    "upsert": "insert into portal.users (id, district_id, role) select id, district_id, 'student' from portal.users"
              " on conflict (id) do update set role = excluded.role",
    "merge": "merge into portal.users u using portal.districts d on d.id = u.district_id"
             " when matched then update set role = 'student'",
}  # fmt: skip
INSERTS = {
    "license_assignments": "insert into portal.license_assignments (district_id, product_id, user_id)"
                           " select u.district_id, p.id, u.id from portal.users u, portal.products p limit 1",
    "class_books": "insert into portal.class_books select c.id, b.id from portal.classes c, portal.books b limit 1",
    "student_books": "insert into portal.student_books select u.id, c.id, b.id from portal.users u, portal.classes c,"
                     " portal.books b limit 1",
}  # fmt: skip


WORK = ("license_assignments", "class_books", "student_books")
MAY = {  # S(elect), I(nsert), U(pdate of all columns), D(elete); these and nothing else (docs/rules.md, R16.2)
    "roster_read": dict.fromkeys(PORTAL, "S"),
    "roster_edit": dict.fromkeys(PORTAL, "S") | dict.fromkeys(("districts", "users"), "SI")
                   | dict.fromkeys(("schools", "user_schools", "classes", "enrollments"), "SIU"),
    "roster_reset": dict.fromkeys(PORTAL, "S") | {"districts": "SI", "users": "SID"}
                    | dict.fromkeys(("schools", "user_schools", "classes", "enrollments"), "SIUD"),
    "roster_undo": dict.fromkeys(PORTAL, "S") | {"districts": "SI", "users": "SID", "license_assignments": "SI"}
                   | dict.fromkeys(("schools", "user_schools", "classes", "enrollments"), "SIUD")
                   | dict.fromkeys(("class_books", "student_books"), "SID"),
    "roster_desk": dict.fromkeys(PORTAL, "S") | dict.fromkeys(("users", "user_schools", "enrollments"), "SIU")
                   | dict.fromkeys(WORK, "SIUD"),
    "roster_app": dict.fromkeys(PORTAL, ""),
}  # fmt: skip
COLUMNS = {
    ("roster_edit", "districts"): {"name"}, ("roster_reset", "districts"): {"name"},
    ("roster_undo", "districts"): {"name"}, ("roster_undo", "license_assignments"): {"school_id", "user_id"},
    ("roster_undo", "class_books"): {"class_id"}, ("roster_undo", "student_books"): {"user_id", "class_id"},
}  # fmt: skip
NOT_OF_USERS = {"id", "district_id", "role", "created_role", "created_at", "created_run_id", "is_dummy"}


@pytest.fixture
def peopled(world: World) -> World:
    world.run(town())
    world.license(user="t1")
    world.give_book("c-t1", "a1")
    world.do("insert into portal.products (code, title) values ('p2', 'Other')")
    world.do("insert into portal.books (code, title) values ('b2', 'Other')")
    return world


def _try(world: World, role: str | None, statement: str) -> str | None:
    """Runs a statement in a role, undoes it, and gives the SQLSTATE with which it was refused."""
    try:
        with world.app.cursor() as cursor:
            if role:
                cursor.execute(f"set local role {role}")
            cursor.execute(statement)
    except psycopg2.Error as error:
        return error.pgcode
    finally:
        world.app.rollback()
    return None


def _is_refused(world: World, role: str | None, statement: str) -> bool:
    state = _try(world, role, statement)
    assert state in (None, "42501"), f"{role}: {statement} ended with {state}"
    return state == "42501"


def test_the_login_itself_may_do_nothing_until_it_takes_a_role(peopled: World) -> None:
    for statement in ("select count(*) from portal.users", "delete from sync.holds", "select staging.open_run(1)",
                      "create table public.t (id int)", "create table portal.t (id int)"):  # fmt: skip
        assert _is_refused(peopled, None, statement)


def test_the_login_can_take_no_role_but_those_of_the_sync(peopled: World) -> None:
    for role in ("roster_owner", "postgres", "pg_write_all_data"):
        assert _try(peopled, None, f"set local role {role}") in ("42501", "22023")


@pytest.mark.parametrize("role", MAY)
def test_each_role_may_do_in_portal_what_is_stated_and_nothing_else(world: World, role: str) -> None:
    letters = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE", "T": "TRUNCATE", "R": "REFERENCES",
               "G": "TRIGGER"}  # fmt: skip
    tables = [row["relname"] for row in world.rows(
        "select relname from pg_class where relnamespace = 'portal'::regnamespace and relkind in ('r', 'p', 'v', 'm')"
    )]  # fmt: skip
    assert sorted(tables) == sorted(PORTAL)
    for table in tables:
        may = [letter for letter, word in letters.items()
               if world.value("select has_table_privilege(%s, %s, %s)", role, f"portal.{table}", word)]  # fmt: skip
        assert "".join(may) == MAY[role][table], table
        columns = world.rows(
            "select attname, has_column_privilege(%s, attrelid, attnum, 'UPDATE') as may from pg_attribute"
            " where attrelid = %s::regclass and attnum > 0 and not attisdropped", role, f"portal.{table}",
        )  # fmt: skip
        found = {row["attname"] for row in columns if row["may"]}
        if "U" in may:
            continue
        if table == "users" and role in ("roster_edit", "roster_reset", "roster_undo"):
            assert {row["attname"] for row in columns} - found == NOT_OF_USERS
        else:
            assert found == COLUMNS.get((role, table), set()), table


def test_a_function_that_acts_as_the_owner_is_open_to_no_reader_and_looks_up_its_names_in_its_own_schema(
    world: World,
) -> None:
    found = world.rows(
        "select proname, (select s from unnest(proconfig) s where s like 'search_path=%%') as path,"
        " prorettype = 'trigger'::regtype as is_trigger,"
        " array(select r from unnest(array['public', 'roster_app', 'roster_read', 'roster_desk']) r"
        "       where has_function_privilege(r, oid, 'EXECUTE')) as open_to"
        " from pg_proc where prosecdef and pronamespace in"
        " ('portal'::regnamespace, 'sync'::regnamespace, 'staging'::regnamespace)"
    )
    assert len(found) > 10
    for function in found:
        assert function["path"].endswith(", pg_temp"), function["proname"]
        assert function["is_trigger"] or function["open_to"] == [], function["proname"]


def test_roster_read_only_reads(peopled: World) -> None:
    tables = peopled.rows("select schemaname || '.' || tablename as name from pg_tables where schemaname in"
                          " ('portal', 'sync', 'staging')")  # fmt: skip
    assert len(tables) > 25
    for table in tables:
        name = table["name"]
        assert not _is_refused(peopled, "roster_read", f"select * from {name} limit 1")
        assert _is_refused(peopled, "roster_read", f"delete from {name}")
        assert _is_refused(peopled, "roster_read", f"insert into {name} default values")
        assert _is_refused(peopled, "roster_read", f"truncate {name}")
    assert _is_refused(peopled, "roster_read", "update portal.users set family_name = 'x'")
    assert _is_refused(peopled, "roster_read", "update sync.runs set status = 'launched'")
    assert _is_refused(peopled, "roster_read", "select staging.drop_run(1)")


def test_roster_edit_has_no_delete_in_portal(peopled: World) -> None:
    for table in PORTAL:
        assert _is_refused(peopled, "roster_edit", f"delete from portal.{table}")
        assert _is_refused(peopled, "roster_edit", f"truncate portal.{table} cascade")


def test_none_but_the_desk_may_update_the_role_of_a_person(peopled: World) -> None:
    for role in ("roster_edit", "roster_reset", "roster_undo", "roster_read"):
        for statement in NEW_ROLE.values():
            assert _is_refused(peopled, role, statement)
    assert not _is_refused(peopled, "roster_desk", NEW_ROLE["update"])


def test_licenses_and_books_are_given_and_changed_by_no_edit_and_no_reset(peopled: World) -> None:
    columns = {"license_assignments": "user_id", "class_books": "class_id", "student_books": "class_id"}
    for role in ("roster_edit", "roster_reset"):
        for table, insert in INSERTS.items():
            assert _is_refused(peopled, role, insert)
            assert _is_refused(peopled, role, f"delete from portal.{table}")
            assert _is_refused(peopled, role, f"update portal.{table} set {columns[table]} = {columns[table]}")


def test_roster_reset_may_delete_what_it_must(peopled: World) -> None:
    for table in RESET_DELETES:
        before = "delete from portal.classes; " if table == "schools" else ""
        assert not _is_refused(peopled, "roster_reset", f"{before}delete from portal.{table}")


def test_under_a_reset_licenses_and_books_fall_by_their_foreign_keys_only(peopled: World) -> None:
    with peopled.app.cursor() as cursor:
        cursor.execute("set local role roster_reset")
        cursor.execute("delete from portal.users")
        cursor.execute("reset role; set local role roster_read")
        cursor.execute(
            "select count(*) from portal.license_assignments union all select count(*) from portal.student_books"
        )
        assert cursor.fetchall() == [(0,), (0,)]
    peopled.app.rollback()
    assert len(peopled.versions()["license_assignments"]) == 1


def test_roster_undo_puts_licenses_back_with_their_id_and_moves_them_and_no_more(peopled: World) -> None:
    assert not _is_refused(peopled, "roster_undo", INSERTS["license_assignments"].replace(
        "(district_id,", "(id, district_id,").replace("select u.district_id", "select 99, u.district_id"))  # fmt: skip
    assert not _is_refused(
        peopled, "roster_undo", "update portal.license_assignments set user_id = user_id + 1 where false"
    )
    assert _is_refused(peopled, "roster_undo", "update portal.license_assignments set assigned_by = 'x'")
    assert _is_refused(peopled, "roster_undo", "update portal.license_assignments set expires_on = null")
    assert _is_refused(peopled, "roster_undo", "delete from portal.license_assignments")


def test_the_desk_deletes_no_one(peopled: World) -> None:
    for table in RESET_DELETES:
        assert _is_refused(peopled, "roster_desk", f"delete from portal.{table}")


def test_the_history_of_settings_is_added_to_and_never_rewritten(peopled: World) -> None:
    for role in ROLES:
        assert _is_refused(peopled, role, "update sync.settings_history set changed_by = 'someone else'")
        assert _is_refused(peopled, role, "delete from sync.settings_history")
    assert not _is_refused(
        peopled, "roster_desk",
        "insert into sync.settings_history (district_id, changed_by, setting, before, after)"
        " select id, 'dana', 'expires_on', 'null', 'null' from portal.districts",
    )  # fmt: skip


ROLES = ("roster_edit", "roster_reset", "roster_undo", "roster_desk", "roster_read")
TO_NO_ONE = (
    "drop table portal.users", "alter table portal.users disable trigger all", "create table portal.t (id int)",
    "create function portal.f() returns int language sql as 'select 1'", "delete from portal.districts",
    "delete from sync.runs", "alter role roster_edit superuser", "drop schema staging cascade",
    "update sync.grades set grade = 'UG'", "delete from sync.settings_history",
)  # fmt: skip


def test_no_role_changes_the_database_itself_nor_its_history(peopled: World) -> None:
    for role in ROLES:
        for statement in TO_NO_ONE:
            assert _is_refused(peopled, role, statement)


def test_no_path_of_the_sync_gives_a_person_another_id(peopled: World) -> None:
    for role in ("roster_edit", "roster_reset", "roster_undo", "roster_read"):
        assert _is_refused(peopled, role, "update portal.users set id = id + 1000")


def test_an_edit_acts_as_roster_edit_and_nothing_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The role of every statement file of a whole Edit, hold and approval included."""
    seen: set[tuple[str, str]] = set()
    original = db.run

    def watching(cursor: Any, name: str, params: Any = None) -> int:
        cursor.execute("select current_user")
        seen.add((cursor.fetchone()[0], name))
        return original(cursor, name, params)

    monkeypatch.setattr(db, "run", watching)
    world.run(town())
    held = world.run(town().without("a1", "a2", "a3", "b1", "b2"))
    assert held.status == "held"
    world.approve(held.id)
    assert {role for role, _ in seen} <= {"roster_edit", "roster_read"}
    assert {name for role, name in seen if role == "roster_edit"} >= {"apply/users", "apply/enrollments", "plan/adds"}
