"""From a template to a page: Jinja with autoescape, the addresses of our pages, and how times and numbers read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import date, datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from roster_sync import __version__
from roster_sync.ui.views import charts, words

HERE: Final = Path(__file__).resolve().parents[1]
STATIC: Final = HERE / "static"
_MOMENT: Final = re.compile(r"\b(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))(?![\w-])")
_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60))


def is_part(request: Request) -> bool:
    """Whether htmx asks: what it gets stands inside a page that is shown already."""
    return request.headers.get("hx-request") == "true"


def page(request: Request, template: str, status_code: int = 200, **values: Any) -> HTMLResponse:
    """The page, or the part of one, as an answer."""
    base = str(request.scope.get("root_path", ""))
    here = values.get("here")
    text = (
        _environment()
        .get_template(template)
        .render(
            base=base,
            airflow=base.rsplit("/", 1)[0],
            home=f"{base}/districts/{here.key}" if here is not None else "",
            path=request.url.path,
            now=datetime.now(timezone.utc),
            **values,
        )
    )
    return HTMLResponse(text, status_code=status_code, headers={"Vary": "HX-Request"})


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # a deployment that changes templates and code together must not mix them
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        n=number,
        ago=ago,
        until=until,
        stamp=stamp,
        iso=iso,
        duration=duration,
        share=share,
        plural=plural,
        course=course,
        moments=moments,
    )
    environment.globals.update(words=words, charts=charts, static_version=_static_version(), version=__version__)
    return environment


def _static_version() -> str:
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def number(value: float | None) -> str:
    """1234567 -> 1,234,567; nothing -> a dash."""
    return "–" if value is None else f"{value:,.0f}"


def plural(count: int | None, one: str, many: str = "") -> str:
    """3, 'school' -> 3 schools."""
    return f"{number(count or 0)} {one if count == 1 else many or one + 's'}"


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago, in the largest unit that says enough."""
    if moment is None:
        return "never"
    seconds = ((now or datetime.now(timezone.utc)) - moment).total_seconds()
    return "just now" if seconds < 60 else f"{_largest(seconds)} ago"


def until(moment: datetime | None, now: datetime | None = None) -> str:
    """How long from now."""
    if moment is None:
        return "never"
    seconds = (moment - (now or datetime.now(timezone.utc))).total_seconds()
    return "now" if seconds < 60 else f"in {_largest(seconds)}"


def _largest(seconds: float) -> str:
    for unit, size in _UNITS:
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


def stamp(moment: datetime | date | None) -> str:
    """2026-03-04 05:06 UTC; the browser then shows it in its own time zone."""
    if moment is None:
        return "–"
    if not isinstance(moment, datetime):
        return moment.isoformat()
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def moments(text: str) -> Markup:
    """A sentence whose times, as a source writes them, the browser shows as people do."""
    escaped = str(escape(text))
    return Markup(_MOMENT.sub(r'<time datetime="\1">\1</time>', escaped))  # noqa: S704 - escaped one line above


def iso(moment: datetime | None) -> str:
    """For the datetime attribute of <time>."""
    return "" if moment is None else moment.astimezone(timezone.utc).isoformat(timespec="seconds")


def duration(seconds: float | None) -> str:
    """0.4 s, 12 s, 3 min 5 s, 1 h 20 min."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def course(values: Sequence[float | None]) -> str:
    """[580, None, 600] -> +20 over these runs."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    change = known[-1] - known[0]
    return "the same as at first" if not change else f"{change:+,.0f} over these runs"


def share(part: float | None, whole: float | None) -> str:
    """12 of 40 -> 30 %."""
    if not whole or part is None:
        return "–"
    percent = 100 * part / whole
    return f"{percent:.1f} %" if percent < 10 else f"{percent:.0f} %"
