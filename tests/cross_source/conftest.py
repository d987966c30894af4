"""The engine's portal, and a made-up district that every source serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from include.simulator.district import MadeUpDistrict
from tests.cross_source.everywhere import Everywhere
from tests.dsl.world import World


@pytest.fixture
def everywhere(world: World) -> Iterator[Callable[..., Everywhere]]:
    """Starts the servers of a made-up district; see Everywhere."""
    with ExitStack() as stack:

        def serve(district: MadeUpDistrict, **clever: Any) -> Everywhere:
            return stack.enter_context(Everywhere(district, world, **clever))

        yield serve
