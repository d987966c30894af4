"""JSON values as the text that a sink takes; pure functions."""

from __future__ import annotations

from typing import Any


def as_text(value: Any) -> str | None:
    """A value as text: booleans as words, lists joined by commas, a reference as its id; None stays None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list):
        return ",".join(text for item in value if (text := as_text(item))) or None
    if isinstance(value, dict):
        return as_text(value.get("sourcedId"))
    return None


def as_mapping(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty object."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The value if it is a list, else an empty list."""
    return value if isinstance(value, list) else []
