"""A district to work in, and a connection as the DAGs have it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg2.extensions import connection as Connection

from tests.conftest import Portal
from tests.engine.worklist.world import World, new_world


@pytest.fixture
def world(portal: Portal) -> Iterator[World]:
    owner = portal.owner()
    yield new_world(owner)
    owner.close()


@pytest.fixture
def app(portal: Portal) -> Iterator[Connection]:
    connection = portal.connect()
    yield connection
    connection.close()
