"""Checks a five-field cron expression, so that a typing error shows in the registry and not in the scheduler."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART: Final = re.compile(r"(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/(\d+))?")


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()

    def values(self, text: str) -> set[int]:
        """What the field's text stands for. Raises ValueError with a sentence."""
        return set().union(*(self._part(part) for part in text.lower().split(",")))

    def _part(self, text: str) -> set[int]:
        match = _PART.fullmatch(text)
        if match is None or (match[1] == "*" and match[2]):
            raise ValueError(f"the {self.name} {text!r} is not a number, a range a-b, * or a step like */15")
        step = int(match[3] or 1)
        if step < 1:
            raise ValueError(f"the {self.name} {text!r} has a step of 0")
        first = self.low if match[1] == "*" else self._number(match[1])
        is_open = match[1] == "*" or bool(match[3])
        last = self._number(match[2]) if match[2] else self.high if is_open else first
        if last < first:
            raise ValueError(
                f"the {self.name} {text!r} runs backwards: write {last}-{first}, or two parts with a comma"
            )
        return set(range(first, last + 1, step))

    def _number(self, text: str) -> int:
        if text in self.words:
            return self.low + self.words.index(text)
        if not text.isdecimal() or not self.low <= int(text) <= self.high:
            raise ValueError(f"the {self.name} {text!r} is not between {self.low} and {self.high}")
        return int(text)


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, _DAYS),
)


def problem(expression: str) -> str:
    """What is wrong with a cron expression, in words; empty where it is right."""
    texts = expression.split()
    if len(texts) != len(_FIELDS):
        return "it needs five fields: minute, hour, day of the month, month, day of the week"
    try:
        _minutes, _hours, days, months, _weekdays = (
            field.values(text) for field, text in zip(_FIELDS, texts, strict=True)
        )
    except ValueError as error:
        return str(error)
    if texts[4] == "*" and not any(day <= _LONGEST[month - 1] for day in days for month in months):
        return "no month of it has such a day"
    return ""
