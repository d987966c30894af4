"""docs/schema.sql and docs/data-model.md say what the database is; every table, column and routine is explained."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from ops.postgres.database_docs import DATA_MODEL_FILE, SCHEMA_FILE, data_model_text, schema_text
from ops.postgres.layout import programs_folder
from tests.dsl.database import Database

UNEXPLAINED = """
with ours as (select oid, nspname from pg_namespace where nspname in ('portal', 'sync', 'staging'))
select 'schema ' || nspname from ours where obj_description(oid, 'pg_namespace') is null
union all
select 'table or view ' || oid::regclass from pg_class
where relnamespace in (select oid from ours) and relkind in ('r', 'p', 'v') and obj_description(oid, 'pg_class') is null
union all
select 'column ' || c.oid::regclass || '.' || a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relnamespace in (select oid from ours) and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
  and col_description(c.oid, a.attnum) is null
union all
select 'function ' || oid::regprocedure from pg_proc
where pronamespace in (select oid from ours) and obj_description(oid, 'pg_proc') is null
"""


def test_every_schema_table_column_view_and_function_has_a_comment(portal: Database) -> None:
    with closing(portal.owner()) as connection, connection.cursor() as cursor:
        cursor.execute(UNEXPLAINED)
        assert [what for (what,) in cursor.fetchall()] == []


def test_the_dump_of_a_database_made_from_the_files_is_docs_schema_sql(
    portal: Database, request: pytest.FixtureRequest
) -> None:
    _hold(SCHEMA_FILE, schema_text(programs_folder() / "pg_dump", portal.dsn_owner), request)


def test_the_data_model_page_is_what_the_catalog_s_comments_say(
    portal: Database, request: pytest.FixtureRequest
) -> None:
    with closing(portal.owner()) as connection:
        _hold(DATA_MODEL_FILE, data_model_text(connection), request)


def _hold(path: Path, text: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-docs"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, (
        f"docs/{path.name} is out of date: run bin/test tests/database --update-docs and look at the diff."
    )
