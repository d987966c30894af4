"""From a template to a page: Jinja with autoescape, and the addresses of our pages."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from roster_sync import __version__
from roster_sync.core import text, vocabulary
from roster_sync.ui.views import charts, words

HERE: Final = Path(__file__).resolve().parents[1]
STATIC: Final = HERE / "static"
_MOMENT: Final = re.compile(r"\b(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))(?![\w-])")


def is_part(request: Request) -> bool:
    """Whether htmx asks: it puts the answer into a page that is shown already."""
    return request.headers.get("hx-request") == "true"


def page(request: Request, template: str, status_code: int = 200, **values: Any) -> HTMLResponse:
    """The page, or the part of one, as an answer."""
    base = str(request.scope.get("root_path", ""))
    here = values.get("here")
    html = (
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
    return HTMLResponse(html, status_code=status_code, headers={"Vary": "HX-Request"})


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
    environment.filters.update(text.FILTERS, iso=iso, moments=moments, rule=words.rule)
    environment.globals.update(
        vocabulary=vocabulary, words=words, charts=charts, static_version=_static_version(), version=__version__
    )
    return environment


def _static_version() -> str:
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def moments(sentence: str) -> Markup:
    """A sentence whose times, as a source writes them, the browser shows as people do."""
    escaped = str(escape(sentence))
    return Markup(_MOMENT.sub(r'<time datetime="\1">\1</time>', escaped))  # noqa: S704 - escaped one line above


def iso(moment: datetime | None) -> str:
    """For the datetime attribute of <time>."""
    return "" if moment is None else moment.astimezone(timezone.utc).isoformat(timespec="seconds")
