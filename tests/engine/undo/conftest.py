"""A portal with two districts, emptied before each test."""

from tests.memory_portal import harbor, memory_database, neighbor

__all__ = ["harbor", "memory_database", "neighbor"]
