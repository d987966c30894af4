"""The Jinja environment of emails and Data Docs: everything is escaped, unknown names are refused."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from roster_sync.config.paths import REPOSITORY
from roster_sync.core import text, vocabulary

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES_FOLDER: Final = REPOSITORY / "include" / "templates"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The one environment; .txt is not markup, everything else is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    made = Environment(
        loader=FileSystemLoader(TEMPLATES_FOLDER),
        autoescape=select_autoescape(default=True, disabled_extensions=("txt",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(text.FILTERS)
    made.globals.update(vocabulary=vocabulary)
    return made


def render(template: str, **values: Any) -> str:
    """One template of include/templates, filled."""
    return environment().get_template(template).render(**values)
