"""A portal with two districts, emptied before each test; and rules that say what differs when they do not hold."""

import pytest

pytest.register_assert_rewrite("tests.properties.rules", "tests.properties.rules_of_undo")

from tests.memory_portal import harbor, memory_database, neighbor  # noqa: E402

__all__ = ["harbor", "memory_database", "neighbor"]
