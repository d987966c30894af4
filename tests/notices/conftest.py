"""A portal whose rows are made by SQL, a connection as the DAGs have it, and an outbox."""

import pytest

from tests.dsl.rows_by_hand import app, world
from tests.notices.outbox import Outbox

__all__ = ["app", "outbox", "world"]


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()
