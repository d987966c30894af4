"""A district's staged feed to judge, and a connection as the DAGs have it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg2.extensions import connection as Connection

from tests.dsl.database import Database


@pytest.fixture
def owner(portal: Database) -> Iterator[Connection]:
    connection = portal.owner()
    yield connection
    connection.close()


@pytest.fixture
def app(portal: Database) -> Iterator[Connection]:
    connection = portal.connect()
    yield connection
    connection.close()
