"""The migrations runner: in order, once, whole or not at all, and never over a file that was changed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from roster_sync.core.errors import ConfigError, DatabaseFailure
from roster_sync.database.migrations import MIGRATIONS_FOLDER, migrate, read_migrations
from tests.conftest import REPOSITORY, Portal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text("create table one (id int);\ninsert into one values (1), (2);\n")
    (tmp_path / "0002_second.sql").write_text("alter table one add note text;\n")
    return tmp_path


def _migrate(database: Portal, folder: Path) -> list[str]:
    with closing(psycopg2.connect(database.dsn_owner)) as connection:
        return migrate(connection, folder)


def _value(database: Portal, query: str) -> Any:
    with closing(database.owner()) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
        return row[0] if row else None


def test_files_are_applied_in_order_and_a_second_time_nothing_is(empty_database: Portal, folder: Path) -> None:
    assert _migrate(empty_database, folder) == ["0001_first.sql", "0002_second.sql"]
    assert _migrate(empty_database, folder) == []
    assert _value(empty_database, "select count(*) from one where note is null") == 2


def test_a_new_file_is_applied_on_top_of_the_old_ones(empty_database: Portal, folder: Path) -> None:
    _migrate(empty_database, folder)
    (folder / "0003_third.sql").write_text("drop table one;")
    assert _migrate(empty_database, folder) == ["0003_third.sql"]


def test_our_own_migrations_fit_an_empty_database_and_are_a_no_op_the_second_time(empty_database: Portal) -> None:
    names = [migration.name for migration in read_migrations(MIGRATIONS_FOLDER)]
    assert _migrate(empty_database, MIGRATIONS_FOLDER) == names
    assert _migrate(empty_database, MIGRATIONS_FOLDER) == []


def test_a_file_that_fails_is_undone_whole_and_the_ones_before_it_stay(empty_database: Portal, folder: Path) -> None:
    (folder / "0003_bad.sql").write_text("insert into one values (3);\nselect 1 / 0;\n")
    with pytest.raises(DatabaseFailure, match="0003_bad"):
        _migrate(empty_database, folder)
    assert _value(empty_database, "select count(*) from one") == 2
    assert _value(empty_database, "select max(version) from public.roster_migrations") == 2


def test_a_syntax_error_names_file_and_line(empty_database: Portal, folder: Path) -> None:
    (folder / "0003_bad.sql").write_text("select 1;\n\nselekt 2;\n")
    with pytest.raises(DatabaseFailure, match=r"0003_bad\.sql, line 3"):
        _migrate(empty_database, folder)


def test_an_error_never_repeats_what_a_row_holds(empty_database: Portal, folder: Path) -> None:
    (folder / "0003_bad.sql").write_text("insert into one (id) select 'Rosalind Example'::text::int;\n")
    with pytest.raises(DatabaseFailure) as caught:
        _migrate(empty_database, folder)
    assert "Rosalind" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_an_applied_file_that_was_changed_is_refused(empty_database: Portal, folder: Path) -> None:
    _migrate(empty_database, folder)
    (folder / "0001_first.sql").write_text("create table other (id int);")
    (folder / "0003_third.sql").write_text("create table third (id int);")
    with pytest.raises(ConfigError, match=r"0001_first\.sql was changed after it had been applied"):
        _migrate(empty_database, folder)
    assert _value(empty_database, "select to_regclass('third')") is None


def test_other_line_ends_are_no_change(empty_database: Portal, folder: Path) -> None:
    _migrate(empty_database, folder)
    first = folder / "0001_first.sql"
    first.write_bytes(first.read_bytes().replace(b"\n", b"\r\n"))
    assert _migrate(empty_database, folder) == []


def test_a_database_ahead_of_the_checkout_is_refused(empty_database: Portal, folder: Path) -> None:
    _migrate(empty_database, folder)
    (folder / "0002_second.sql").unlink()
    with pytest.raises(ConfigError, match="update the checkout"):
        _migrate(empty_database, folder)


@pytest.mark.parametrize("name", ["0004_gap.sql", "0002_twice.sql", "3_short.sql", "0003-dash.sql", "notes.sql"])
def test_a_gap_a_number_given_twice_or_a_strange_name_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_text("select 1;")
    with pytest.raises(ConfigError):
        read_migrations(folder)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no migration"):
        read_migrations(tmp_path)


def test_two_runners_at_once_apply_each_file_once(empty_database: Portal, folder: Path) -> None:
    (folder / "0003_slow.sql").write_text("select pg_sleep(0.5);")
    applied: list[list[str]] = []
    threads = [threading.Thread(target=lambda: applied.append(_migrate(empty_database, folder))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, applied)) == [0, 3]


def _command(dsn: str | None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "plugins")}
    environment.pop("ROSTER_MIGRATE_DSN", None)
    if dsn is not None:
        environment["ROSTER_MIGRATE_DSN"] = dsn
    return subprocess.run(
        [sys.executable, "-m", "roster_sync.database.migrations"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_migrates_the_database_that_its_variable_names(empty_database: Portal) -> None:
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


STAGED_BEFORE = """
insert into portal.districts (key, name) values ('brook', 'Brook');
insert into sync.runs (district_id, mode, trigger) select id, 'edit', 'nightly' from portal.districts;
select staging.open_run(1), staging.open_raw(1);
insert into staging.users (run_id, n, source_id, status, roles, school_source_ids) values
  (1, 1, 'u1', 'active', '{student}', '{s1}'), (1, 2, 'u2', 'active', '{student}', '{s2}');
insert into staging.schools (run_id, source_id, status) values (1, 's1', 'active'), (1, 's2', 'active');
insert into staging.classes (run_id, n, source_id, status, school_source_id) values (1, 1, 'c1', 'active', 's1');
insert into staging.raw_enrollments_1 (source_id, status, class_source_id, user_source_id, role, begins_on) values
  ('e1', 'active', 'c1', 'u1', 'student', '2026-08-17'), ('e2', 'tobedeleted', 'c1', 'u1', 'teacher', null),
  ('e3', 'active', 'c1', 'u2', 'student', null), ('e4', 'active', 'c1', 'nobody', 'student', 'soon'),
  (null, 'active', 'c1', 'u1', 'student', null), ('e6', 'active', 'c1', 'u1', 'janitor', null);
select staging.type_enrollments(1), staging.close_raw(1);
"""


def test_what_a_waiting_run_has_staged_is_carried_into_todays_form(empty_database: Portal, tmp_path: Path) -> None:
    for path in sorted(MIGRATIONS_FOLDER.glob("*.sql")):
        if path.name < "0018":
            (tmp_path / path.name).write_text(path.read_text())
    _migrate(empty_database, tmp_path)
    with closing(empty_database.owner()) as connection, connection.cursor() as cursor:
        cursor.execute(STAGED_BEFORE)
    _migrate(empty_database, MIGRATIONS_FOLDER)
    with closing(empty_database.owner()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select role, class_n, user_n, is_active, begins_on::text, is_unusual from staging.enrollments"
            " where run_id = 1 and role is not null and not is_rejected order by role, is_active, user_n"
        )
        typed = cursor.fetchall()
        cursor.execute(
            "select class_n, user_n, role, is_active, is_rejected, keep, is_elsewhere from staging.unusual_enrollments"
            " where run_id = 1 order by is_rejected, is_active, role, user_n"
        )
        unusual = cursor.fetchall()
    # a line of another role is none; the rejected one has no id
    assert typed == [("student", 1, 1, True, "2026-08-17", False), ("student", 1, 2, True, None, True),
                     ("student", 1, None, True, None, True), ("teacher", 1, 1, False, None, True)]  # fmt: skip
    assert unusual == [
        (1, 1, "teacher", False, False, None, False),
        (1, 2, "student", True, False, None, True),
        (1, None, "student", True, False, ["begins_on"], True),
        (1, 1, None, True, False, None, False),
        (1, 1, "student", True, True, None, False),
    ]
