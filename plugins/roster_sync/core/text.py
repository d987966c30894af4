"""How numbers, names and times read in pages, emails, questions and messages: each rule of American English once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timezone
from typing import Any, Final
from zoneinfo import ZoneInfo

NOTHING: Final = "–"
"""What is shown where there is no value."""
NO_NAME: Final = "(no name)"
_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60))
# what two people might both type into one field (a comma, angle brackets) is no address either
_EMAIL: Final = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}")


def number(value: float | None) -> str:
    """1234567 -> 1,234,567."""
    return NOTHING if value is None else f"{value:,.0f}"


def percent(value: float | None) -> str:
    """12.34 -> 12.3%. At most one decimal, and never rounded to 0% or 100% unless it is."""
    if value is None:
        return NOTHING
    if 0 < value < 0.1:
        return "< 0.1%"
    shown = min(round(value, 1), 99.9) if value < 100 else round(value, 1)
    return f"{shown:g}%"


def share(part: float | None, whole: float | None) -> str:
    """12 of 40 -> 30%."""
    return NOTHING if part is None or not whole else percent(100 * part / whole)


def noun(count: float | None, one: str, many: str = "") -> str:
    """The noun alone, for a count that is shown elsewhere: 1, 'class', 'classes' -> class."""
    return one if count == 1 else many or one + "s"


def plural(count: float | None, one: str, many: str = "") -> str:
    """A count and its noun: 2481, 'student' -> 2,481 students."""
    return f"{number(count or 0)} {noun(count, one, many)}"


def listing(names: Sequence[str], most: int = 20) -> str:
    """The first names of a list, and how many more there are: Pine School, Elm School and 3 more."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def with_article(name: str) -> str:
    """Edit -> an Edit, Reset -> a Reset."""
    return f"{'an' if name[:1] in 'AEIOUaeiou' else 'a'} {name}"


def capitalized(text: str) -> str:
    """The text with a capital first letter; the others stay as they are."""
    return text[:1].upper() + text[1:]


def full_name(row: Mapping[str, Any]) -> str:
    """A row with given_name and family_name -> Ada Brindle."""
    return " ".join(part for part in (row["given_name"], row["family_name"]) if part) or NO_NAME


def last_name_first(row: Mapping[str, Any]) -> str:
    """A row with given_name and family_name -> Brindle, Ada."""
    return ", ".join(part for part in (row["family_name"], row["given_name"]) if part) or NO_NAME


def day(value: date | str | None) -> str:
    """2026-12-01 -> Dec 1, 2026."""
    if value is None:
        return NOTHING
    on = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{on:%b} {on.day}, {on.year}"


def moment(value: datetime | str | None, zone: str = "UTC") -> str:
    """A time to the minute in a time zone, which is named because the reader may be in another.

    Dec 1, 2026, 2:15 AM CST
    """
    if value is None:
        return NOTHING
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    at = at.astimezone(ZoneInfo(zone))
    return f"{day(at)}, {at.hour % 12 or 12}:{at:%M} {'AM' if at.hour < 12 else 'PM'} {at.tzname()}"


def ago(value: datetime | None, now: datetime | None = None) -> str:
    """3 hours ago, in the largest unit that says enough."""
    if value is None:
        return "never"
    seconds = ((now or datetime.now(timezone.utc)) - value).total_seconds()
    return "just now" if seconds < 60 else f"{_in_largest_unit(seconds)} ago"


def until(value: datetime | None, now: datetime | None = None) -> str:
    """In 3 hours."""
    if value is None:
        return "never"
    seconds = (value - (now or datetime.now(timezone.utc))).total_seconds()
    return "now" if seconds < 60 else f"in {_in_largest_unit(seconds)}"


def _in_largest_unit(seconds: float) -> str:
    name, size = next((unit for unit in _UNITS if seconds >= unit[1]), _UNITS[-1])
    return plural(int(seconds // size), name)


def duration(seconds: float | None) -> str:
    """0.4 s, 12 s, 3 min 5 s, 1 h 20 min."""
    if seconds is None:
        return NOTHING
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def is_email(text: str) -> bool:
    """Whether a person may enter this as an email address.

    A little stricter than the pattern by which SQL judges the addresses of a feed (`is_address` in
    routines/staging/type_users.sql, and two other files): every address that this takes, SQL takes too.
    """
    return _EMAIL.fullmatch(text) is not None


def table(
    rows: Iterable[tuple[str, Mapping[str, int]]], columns: Mapping[str, str], total: str = ""
) -> list[list[str]]:
    """A head and lines of numbers, without the columns and lines in which nothing happens; empty if nothing does.

    Args:
        rows: each line's label, and its numbers by the column's code.
        columns: code -> heading.
        total: the code of a column that is the base of the others: a number in it alone makes no line.
    """
    rows = list(rows)
    shown = [code for code in columns if code != total and any(numbers.get(code) for _, numbers in rows)]
    lines = [(label, numbers) for label, numbers in rows if any(numbers.get(code) for code in shown)]
    if not lines:
        return []
    if total:
        shown.append(total)
    body = [[label, *(number(numbers.get(code) or None) for code in shown)] for label, numbers in lines]
    return [["", *(columns[code] for code in shown)], *body]


FILTERS: Final[Mapping[str, Callable[..., str]]] = {
    one.__name__: one
    for one in (
        number, percent, share, noun, plural, capitalized, full_name, last_name_first, day, moment, ago, until,
        duration,
    )
}  # fmt: skip
"""The filters of every Jinja environment of the product."""
