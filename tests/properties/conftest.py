"""Rules that say what differs when they do not hold."""

import pytest

pytest.register_assert_rewrite("tests.properties.rules", "tests.properties.rules_of_undo")
