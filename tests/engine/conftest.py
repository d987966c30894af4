"""One database for all tests of the engine, emptied before each: making and dropping one a test costs the disk dear."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from tests.conftest import Cluster, Portal
from tests.engine.world import World
from tests.memory_portal import harbor as harbor
from tests.memory_portal import memory_database as memory_database

KEPT = ("grades",)
"""Tables that a migration fills."""


@pytest.fixture(scope="session")
def shared_portal(cluster: Cluster, portal_template: str) -> Iterator[Portal]:
    name = f"roster_engine_{uuid.uuid4().hex[:12]}"
    cluster.create(name, portal_template)
    yield Portal(cluster.host, name)
    cluster.drop(name)


@pytest.fixture
def world(shared_portal: Portal, tmp_path: Path) -> Iterator[World]:
    """An empty portal, and the two connections that a test needs."""
    with closing(shared_portal.owner()) as owner, closing(shared_portal.connect()) as app:
        _empty(owner)
        for connection in (owner, app):
            with connection.cursor() as cursor:
                cursor.execute("set synchronous_commit = off")
            if not connection.autocommit:
                connection.commit()
        yield World(shared_portal, app, owner, tmp_path)


def _empty(owner: Connection) -> None:
    with owner.cursor() as cursor:
        cursor.execute("select staging.drop_run(id) from sync.runs")
        cursor.execute(
            "select schemaname, tablename from pg_tables"
            " where schemaname in ('portal', 'sync') and tablename <> all (%s)",
            (list(KEPT),),
        )
        tables = [sql.Identifier(*row) for row in cursor.fetchall()]
        cursor.execute(sql.SQL("truncate {} cascade").format(sql.SQL(", ").join(tables)))
