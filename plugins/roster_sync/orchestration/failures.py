"""How an exception is shown: ours by its sentence, any other by its kind and place, since its text may hold a row."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

from roster_sync.core.errors import DatabaseFailure, RosterError

log = logging.getLogger(__name__)


class UnexpectedError(Exception):
    """An error that is not one of ours: named by its kind and place only."""


def as_user_error(error: Exception, where: str) -> Exception:
    """The exception to show in place of this one; the trace goes to the log, without the exception's own text."""
    import psycopg2

    if isinstance(error, RosterError):
        return error
    if isinstance(error, psycopg2.Error):
        return DatabaseFailure(f"a statement of the step {where}", error.pgcode)
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    place = f" in {Path(last.filename).name}, line {last.lineno}" if last else ""
    log.error("the stack of the failure:\n%s", "".join(traceback.format_list(frames)))
    return UnexpectedError(f"The step {where} stopped on an unexpected {type(error).__name__}{place}.")
