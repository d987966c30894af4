"""OneRoster's filter and sort: `field<op>'value'`, at most one AND or OR."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

_CONDITION: Final = re.compile(r"\s*([A-Za-z0-9_.]+)\s*(!=|>=|<=|=|>|<|~)\s*'([^']*)'\s*")
_JOIN: Final = re.compile(r"'\s+(AND|OR)\s+", re.IGNORECASE)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?\Z")

Record = dict[str, Any]


class BadFilter(ValueError):
    """The filter cannot be read or names an unknown field."""


def parse(text: str, known: frozenset[str]) -> Callable[[Record], bool]:
    """Makes a test of records from a filter."""
    joins = list(_JOIN.finditer(text))
    if len(joins) > 1:
        raise BadFilter("At most one AND or OR is allowed.")
    if not joins:
        return _condition(text, known)
    join = joins[0]
    first, second = _condition(text[: join.start() + 1], known), _condition(text[join.end() :], known)
    if join.group(1).upper() == "AND":
        return lambda record: first(record) and second(record)
    return lambda record: first(record) or second(record)


def _condition(text: str, known: frozenset[str]) -> Callable[[Record], bool]:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise BadFilter("A condition is a field, an operator and a value in single quotes.")
    field, operator, wanted = match.groups()
    if field.partition(".")[0] not in known:
        raise BadFilter("The filter names an unknown field.")
    compare = _OPERATORS[operator]
    if operator == "!=":
        return lambda record: all(compare(value, wanted) for value in values_of(record, field))
    return lambda record: any(compare(value, wanted) for value in values_of(record, field))


def values_of(record: Record, field: str) -> list[str]:
    """A field's values as text; a reference is its sourcedId, a list each of its items, a dotted name goes inside."""
    found: list[Any] = [record]
    for part in field.split("."):
        found = [value[part] for value in _flat(found) if isinstance(value, dict) and part in value]
    return [_text(value) for value in _flat(found)] or [""]


def _flat(values: Iterable[Any]) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        flat.extend(value if isinstance(value, list) else [value])
    return flat


def _text(value: Any) -> str:  # JSON
    return str(value.get("sourcedId", "")) if isinstance(value, dict) else str(value)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[str, str], bool]:
    def test(value: str, wanted: str) -> bool:
        if _NUMBER.match(value) and _NUMBER.match(wanted):
            return compare(float(value), float(wanted))
        return compare(value.replace(".000Z", "Z"), wanted.replace(".000Z", "Z"))

    return test


_OPERATORS: Final[dict[str, Callable[[str, str], bool]]] = {
    "=": lambda value, wanted: value.casefold() == wanted.casefold(),
    "!=": lambda value, wanted: value.casefold() != wanted.casefold(),
    "~": lambda value, wanted: wanted.casefold() in value.casefold(),
    ">": _ordered(lambda a, b: a > b),
    ">=": _ordered(lambda a, b: a >= b),
    "<": _ordered(lambda a, b: a < b),
    "<=": _ordered(lambda a, b: a <= b),
}
