"""The runner: migrations in order and once, then the routines that changed, all of it or nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from roster_sync.core.errors import ConfigError, DatabaseFailure
from roster_sync.database.migrations import SQL_FOLDER, migrate, read_migrations, read_routines
from tests.dsl.database import REPOSITORY, Database

VIEW = "create view public.ones as select id from one;\n"
FUNCTION = "create or replace function public.twice(n int) returns int language sql return 2 * n;\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "migrations/0001_first.sql": "create table one (id int);\ninsert into one values (1), (2);\n",
        "migrations/0002_second.sql": "alter table one add note text;\n",
        "routines/public/ones.sql": VIEW,
        "routines/public/twice.sql": FUNCTION,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def _migrate(database: Database, folder: Path) -> list[str]:
    with closing(psycopg2.connect(database.dsn_owner)) as connection:
        return migrate(connection, folder)


def _value(database: Database, query: str) -> Any:
    with closing(database.owner()) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
        return row[0] if row else None


def test_migrations_are_applied_in_order_then_functions_then_views_and_a_second_time_nothing_is(
    empty_database: Database, folder: Path
) -> None:
    (folder / "routines" / "public" / "ones.sql").write_text("create view public.ones as select twice(id) from one;")
    assert _migrate(empty_database, folder) == [
        "0001_first.sql", "0002_second.sql", "routines/public/twice.sql", "routines/public/ones.sql",
    ]  # fmt: skip
    before = _value(empty_database, "select max(oid::bigint) from pg_class")
    assert _migrate(empty_database, folder) == []
    assert _value(empty_database, "select max(oid::bigint) from pg_class") == before
    assert _value(empty_database, "select count(*) from one where note is null") == 2


def test_a_new_file_is_applied_on_top_of_the_old_ones(empty_database: Database, folder: Path) -> None:
    _migrate(empty_database, folder)
    (folder / "migrations" / "0003_third.sql").write_text("drop table one;")
    (folder / "routines" / "public" / "ones.sql").unlink()
    assert _migrate(empty_database, folder) == ["0003_third.sql"]


def test_a_changed_function_or_view_is_applied_again_and_the_others_are_not(
    empty_database: Database, folder: Path
) -> None:
    _migrate(empty_database, folder)
    (folder / "routines" / "public" / "twice.sql").write_text(FUNCTION.replace("2 * n", "n + n + 0"))
    assert _migrate(empty_database, folder) == ["routines/public/twice.sql"]
    (folder / "routines" / "public" / "ones.sql").write_text("create view public.ones as select note, id from one;")
    assert _migrate(empty_database, folder) == ["routines/public/ones.sql"]
    assert _value(empty_database, "select max(id) from ones") == 2
    assert _value(empty_database, "select pg_get_functiondef('twice'::regproc) like '%n + n%'")


def test_a_migration_may_change_a_column_that_a_view_shows(empty_database: Database, folder: Path) -> None:
    _migrate(empty_database, folder)
    (folder / "migrations" / "0003_third.sql").write_text("alter table one alter column id type text;")
    assert _migrate(empty_database, folder) == ["0003_third.sql"]
    assert _value(empty_database, "select max(id) from ones") == "2"


def test_a_function_or_view_whose_file_is_gone_is_dropped(empty_database: Database, folder: Path) -> None:
    _migrate(empty_database, folder)
    (folder / "routines" / "public" / "twice.sql").write_text(FUNCTION.replace("twice", "thrice"))
    (folder / "routines" / "public" / "twice.sql").rename(folder / "routines" / "public" / "thrice.sql")
    _migrate(empty_database, folder)
    assert _value(empty_database, "select to_regproc('public.twice')") is None
    assert _value(empty_database, "select string_agg(name, ' ' order by name) from public.roster_routines") == (
        "public.ones public.thrice"
    )
    (folder / "routines" / "public" / "ones.sql").unlink()
    assert _migrate(empty_database, folder) == []
    assert _value(empty_database, "select to_regclass('public.ones')") is None


@pytest.mark.parametrize(
    "text",
    [
        FUNCTION.replace("twice", "thrice"),
        FUNCTION + FUNCTION.replace("twice", "thrice"),
        "create function public.twice(n int) returns int language sql return 2 * n;",
        "select 1;",
    ],
)
def test_a_routine_s_file_creates_exactly_the_object_that_its_path_names(folder: Path, text: str) -> None:
    (folder / "routines" / "public" / "twice.sql").write_text(text)
    with pytest.raises(ConfigError, match=r"public/twice\.sql must create public\.twice, and no other"):
        read_routines(folder / "routines")


def test_each_of_our_routines_is_in_the_database_once_and_nothing_else_is(portal: Database) -> None:
    query = """
      select n.nspname || '.' || x.name from (
        select pronamespace, proname from pg_proc
        union all select relnamespace, relname from pg_class where relkind = 'v'
      ) x (namespace, name) join pg_namespace n on n.oid = x.namespace where n.nspname in ('portal', 'sync', 'staging')
    """
    with closing(portal.owner()) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        made = sorted(name for (name,) in cursor.fetchall())
    in_an_index = "portal.role_order"
    assert made == sorted([in_an_index, *(routine.name for routine in read_routines(SQL_FOLDER / "routines"))])


def test_a_migration_uses_no_routine() -> None:
    """Routines come after all migrations: on a new database they are not there yet, on an old one an older text is."""
    names = "|".join(re.escape(routine.name) for routine in read_routines(SQL_FOLDER / "routines"))
    for migration in read_migrations(SQL_FOLDER / "migrations"):
        code = re.sub(r"--.*|^drop (function|view) if exists .*|'(''|[^'])*'", "", migration.text, flags=re.MULTILINE)
        assert re.findall(rf"\b(?:{names})\b", code) == [], migration.name


def test_our_own_files_fit_an_empty_database_and_are_a_no_op_the_second_time(empty_database: Database) -> None:
    names = [migration.name for migration in read_migrations(SQL_FOLDER / "migrations")]
    names += [routine.file for routine in read_routines(SQL_FOLDER / "routines")]
    assert _migrate(empty_database, SQL_FOLDER) == names
    assert _migrate(empty_database, SQL_FOLDER) == []


def test_one_file_that_fails_undoes_all_of_it(empty_database: Database, folder: Path) -> None:
    _migrate(empty_database, folder)
    (folder / "migrations" / "0003_good.sql").write_text("insert into one values (3);\n")
    (folder / "routines" / "public" / "twice.sql").write_text("-- for a test\n" + FUNCTION + "select 1 / 0;\n")
    with pytest.raises(DatabaseFailure, match=r"routines/public/twice\.sql"):
        _migrate(empty_database, folder)
    assert _value(empty_database, "select count(*) from ones") == 2
    assert _value(empty_database, "select max(version) from public.roster_migrations") == 2


def test_a_syntax_error_names_file_and_line(empty_database: Database, folder: Path) -> None:
    (folder / "migrations" / "0003_bad.sql").write_text("select 1;\n\nselekt 2;\n")
    with pytest.raises(DatabaseFailure, match=r"0003_bad\.sql, line 3"):
        _migrate(empty_database, folder)


def test_an_error_never_repeats_what_a_row_holds(empty_database: Database, folder: Path) -> None:
    (folder / "migrations" / "0003_bad.sql").write_text("insert into one (id) select 'Rosalind Example'::text::int;\n")
    with pytest.raises(DatabaseFailure) as caught:
        _migrate(empty_database, folder)
    assert "Rosalind" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_an_applied_file_that_was_changed_is_refused(empty_database: Database, folder: Path) -> None:
    _migrate(empty_database, folder)
    (folder / "migrations" / "0001_first.sql").write_text("create table other (id int);")
    (folder / "migrations" / "0003_third.sql").write_text("create table third (id int);")
    with pytest.raises(ConfigError, match=r"0001_first\.sql was changed after it had been applied"):
        _migrate(empty_database, folder)
    assert _value(empty_database, "select to_regclass('third')") is None


def test_a_database_made_by_other_files_is_refused_in_one_sentence_that_says_what_to_do(
    empty_database: Database, folder: Path
) -> None:
    _migrate(empty_database, folder)
    (folder / "migrations" / "0002_second.sql").unlink()
    (folder / "migrations" / "0001_first.sql").rename(folder / "migrations" / "0001_baseline.sql")
    with pytest.raises(ConfigError, match=r"made by other migrations .* drop it and create it again .* remove"):
        _migrate(empty_database, folder)


def test_other_line_ends_are_no_change(empty_database: Database, folder: Path) -> None:
    _migrate(empty_database, folder)
    for path in (folder / "migrations" / "0001_first.sql", folder / "routines" / "public" / "twice.sql"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert _migrate(empty_database, folder) == []


def test_a_database_ahead_of_the_checkout_is_refused(empty_database: Database, folder: Path) -> None:
    _migrate(empty_database, folder)
    (folder / "migrations" / "0002_second.sql").unlink()
    with pytest.raises(ConfigError, match="update the checkout"):
        _migrate(empty_database, folder)


@pytest.mark.parametrize("name", ["0004_gap.sql", "0002_twice.sql", "3_short.sql", "0003-dash.sql", "notes.sql"])
def test_a_gap_a_number_given_twice_or_a_strange_name_is_refused(folder: Path, name: str) -> None:
    (folder / "migrations" / name).write_text("select 1;")
    with pytest.raises(ConfigError):
        read_migrations(folder / "migrations")


def test_a_folder_without_migrations_or_without_routines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no migration"):
        read_migrations(tmp_path)
    with pytest.raises(ConfigError, match="no function or view"):
        read_routines(tmp_path)


def test_two_runners_at_once_apply_each_file_once(empty_database: Database, folder: Path) -> None:
    (folder / "migrations" / "0003_slow.sql").write_text("select pg_sleep(0.5);")
    applied: list[list[str]] = []
    threads = [threading.Thread(target=lambda: applied.append(_migrate(empty_database, folder))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, applied)) == [0, 5]


def _command(dsn: str | None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "plugins")}
    environment.pop("ROSTER_MIGRATE_DSN", None)
    if dsn is not None:
        environment["ROSTER_MIGRATE_DSN"] = dsn
    return subprocess.run(
        [sys.executable, "-m", "roster_sync.migrations"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_migrates_the_database_that_its_variable_names(empty_database: Database) -> None:
    first = _command(empty_database.dsn_owner)
    assert first.returncode == 0, first.stderr
    assert "applied 0001_" in first.stderr
    assert "nothing to apply" in _command(empty_database.dsn_owner).stderr


@pytest.mark.parametrize("dsn", [None, "host=/nowhere password=s3cret", "password=s3cret nonsense"])
def test_the_command_says_in_one_line_what_is_wrong_and_never_repeats_the_password(dsn: str | None) -> None:
    result = _command(dsn)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "ROSTER_MIGRATE_DSN" in result.stderr
    assert "s3cret" not in result.stderr
