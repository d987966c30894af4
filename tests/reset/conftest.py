"""A district in a portal database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests import conftest
from tests.rosters_memory import Portal


@pytest.fixture
def harbor(portal: conftest.Portal) -> Iterator[Portal]:
    with closing(portal.connect()) as app, closing(portal.owner()) as owner:
        yield Portal(app, owner)


@pytest.fixture
def neighbour(portal: conftest.Portal) -> Iterator[Portal]:
    with closing(portal.connect()) as app, closing(portal.owner()) as owner:
        yield Portal(app, owner, key="neighbour")
