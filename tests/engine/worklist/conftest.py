"""A portal whose rows are made by SQL, and a connection as the DAGs have it."""

from tests.dsl.rows_by_hand import app, world

__all__ = ["app", "world"]
