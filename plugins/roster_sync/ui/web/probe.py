"""Test Connection: the source's own probe, in a thread with a time limit; the schools that it found are kept."""

from __future__ import annotations

import dataclasses
import logging
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from typing import Final

from roster_sync.core.errors import RosterError
from roster_sync.database import db
from roster_sync.sources.base import ProbeReport, ProbeStep
from roster_sync.ui.web.pool import POOL, writing
from roster_sync.ui.web.rights import Here

SECONDS: Final = 45.0
log = logging.getLogger(__name__)
# Of their own, so that sources which do not answer cannot use up the threads that serve pages.
_THREADS: Final = ThreadPoolExecutor(max_workers=4, thread_name_prefix="roster-probe")


def run(here: Here) -> ProbeReport:
    """Asks the district's source; never raises for what the source or its connection says."""
    if here.entry is None:
        return _failed("Registry", "This district is not in the registry, so there is no source to test.")
    try:
        report = _THREADS.submit(_ask, here).result(timeout=SECONDS)
    except TookTooLong:
        return _failed(
            "Reach the source",
            f"The source did not answer within {SECONDS:.0f} seconds. Check the address in the connection.",
        )
    except RosterError as error:
        return _failed("Connection", str(error))
    if report.schools:
        here = with_rows(here)
        ids, names = zip(*report.schools, strict=True)
        with writing() as cursor:
            db.run(cursor, "ui/note_schools", {"district": here.id, "ids": list(ids), "names": list(names)})
    return report


def with_rows(here: Here) -> Here:
    """The district with its row and its settings, made as the first run would make them."""
    if here.entry is None or here.id:
        return here
    with POOL.connection() as connection, db.acting_as(connection, "roster_edit") as cursor:
        found = db.one(cursor, "runs/district", {"key": here.key, "name": here.entry.name})
    return dataclasses.replace(here, id=int((found or {})["id"]))


def _ask(here: Here) -> ProbeReport:
    from roster_sync.orchestration import hooks

    assert here.entry is not None  # noqa: S101 - run() looked
    try:
        return hooks.open_source(here.entry).probe()
    except RosterError:
        raise
    except Exception as error:
        # The probe promises not to raise; if it does, the text may hold what the source sent.
        log.error("the probe of %s raised %s", here.key, type(error).__name__)
        return _failed("Reach the source", f"The test itself failed ({type(error).__name__}). Contact the data team.")


def _failed(name: str, message: str) -> ProbeReport:
    return ProbeReport(steps=[ProbeStep(name, False, message)], state="error", reason=message)
