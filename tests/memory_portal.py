"""Fixtures: one portal database for all tests of a folder, emptied before each, and two districts in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from tests.conftest import Cluster
from tests.conftest import Portal as Database
from tests.rosters_memory import Portal

KEPT = ("grades",)
"""Tables that a migration fills."""


@pytest.fixture(scope="session")
def memory_database(cluster: Cluster, portal_template: str) -> Iterator[Database]:
    """Making and dropping a database a test costs more than the test."""
    name = f"roster_test_{uuid.uuid4().hex[:16]}"
    cluster.create(name, portal_template)
    yield Database(cluster.host, name)
    cluster.drop(name)


@pytest.fixture
def harbor(memory_database: Database) -> Iterator[Portal]:
    """An empty portal with one district to be."""
    with closing(memory_database.connect()) as app, closing(memory_database.owner()) as owner:
        hurry(app, owner)
        empty(owner)
        yield Portal(app, owner)


@pytest.fixture
def neighbor(harbor: Portal, memory_database: Database) -> Iterator[Portal]:
    """Another district of the same portal."""
    with closing(memory_database.connect()) as app, closing(memory_database.owner()) as owner:
        hurry(app, owner)
        yield Portal(app, owner, key="neighbor")


def hurry(*connections: Connection) -> None:
    """No test outlives a crash of the server: nothing is waited for."""
    for connection in connections:
        with connection.cursor() as cursor:
            cursor.execute("set synchronous_commit = off")
        if not connection.autocommit:
            connection.commit()


def empty(owner: Connection) -> None:
    """Takes out every row and every staged run, and begins to count anew."""
    with owner.cursor() as cursor:
        cursor.execute("select staging.drop_run(id) from sync.runs")
        cursor.execute(
            "select schemaname, tablename from pg_tables"
            " where schemaname in ('portal', 'sync') and tablename <> all (%s)",
            (list(KEPT),),
        )
        tables = sql.SQL(", ").join(sql.Identifier(*row) for row in cursor.fetchall())
        cursor.execute(sql.SQL("truncate {} restart identity cascade").format(tables))
