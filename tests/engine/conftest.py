"""A portal with one district in it, and the two connections that a test needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Portal
from tests.engine.world import World


@pytest.fixture
def world(portal: Portal, tmp_path: Path) -> Iterator[World]:
    with closing(portal.connect()) as app, closing(portal.owner()) as owner:
        yield World(portal, app, owner, tmp_path)
