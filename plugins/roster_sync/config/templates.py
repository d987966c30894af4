"""The Jinja environment of mails and Data Docs: all is escaped, unknown names are refused, numbers are for people."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from roster_sync.config.paths import REPOSITORY

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES_FOLDER: Final = REPOSITORY / "include" / "templates"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The one environment; .txt is plain text, all else is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    made = Environment(
        loader=FileSystemLoader(TEMPLATES_FOLDER),
        autoescape=select_autoescape(default=True, disabled_extensions=("txt",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["number"] = number
    made.filters["percent"] = percent
    made.filters["counted"] = counted
    made.filters["moment"] = moment
    return made


def render(template: str, **values: Any) -> str:
    """One template of include/templates, filled."""
    return environment().get_template(template).render(**values)


def number(value: float | None) -> str:
    """A count with its thousands marked; a dash where there is none."""
    return "–" if value is None else f"{int(value):,}"


def percent(value: float | None) -> str:
    """A share with at most one decimal, never rounded across to 0 or 100."""
    if value is None:
        return "–"
    if 0 < value < 0.1:
        return "< 0.1 %"
    shown = min(round(value, 1), 99.9) if value < 100 else round(value, 1)
    return f"{shown:g} %"


def counted(value: float | None, one: str, many: str | None = None) -> str:
    """A count and its noun: 1 student, 2,481 students."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def moment(value: datetime | str, timezone: str) -> str:
    """A time to the minute in a time zone, whose name stands with it: the reader may live in another."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.astimezone(ZoneInfo(timezone)).strftime("%d %b %Y, %H:%M %Z").lstrip("0")
