"""What the tasks of a run do: each calls one step of the sync and turns its outcome into Airflow's.

A run that ends held, rejected, expired, skipped or previewed is a success in Airflow; only `failed` is red.
XCom carries the sync run's id, counts and one-word outcomes; no name, no row.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import Asset, AssetAlias
from airflow.sdk.exceptions import AirflowSkipException

from roster_sync.config.paths import docs_folder
from roster_sync.config.registry_file import load_registry
from roster_sync.core.errors import SyncRefused
from roster_sync.core.vocabulary import OPEN
from roster_sync.database import db
from roster_sync.orchestration import hooks
from roster_sync.orchestration.task_runtime import alive_asker, refusals, refuse_unknown_keys, request_of, working
from roster_sync.sources.base import Askable

if TYPE_CHECKING:
    from airflow.sdk import Context
    from psycopg2.extensions import connection as Connection

    from roster_sync.config.districts import District
    from roster_sync.engine.runs import RunRequest

log = logging.getLogger(__name__)

WAIT_MINUTES: Final = 60
WAIT_POLL_SECONDS: Final = 15
WRITTEN: Final = ("added", "updated", "restored", "unshared", "deleted")
STOPPED: Final = "The run stopped before it finished. The log of its failed task in Airflow says why."


def start(context: Context, district: District, mode: str) -> int:
    """Opens an Edit or a Reset: refuses what must not run, and gives the id of its sync.runs row."""
    refuse_unknown_keys(context)
    return _begin(context, district, request_of(context, mode))


def start_undo(context: Context, district: District) -> int:
    """Opens an Undo of the run that the parameter names, or of the district's newest that can be undone."""
    from roster_sync.engine import undo as undoing

    refuse_unknown_keys(context)
    with closing(hooks.portal_connection()) as connection, refusals("start"):
        target = undoing.choose(connection, district, context["params"].get("run_id"))
    return _begin(context, district, request_of(context, "undo", undoes_run_id=target))


def _begin(context: Context, district: District, request: RunRequest) -> int:
    from roster_sync.engine import runs

    is_alive = alive_asker(context)
    with closing(hooks.portal_connection()) as connection, refusals("start"):
        wait_for_others(connection, district, request, is_alive)
        try:
            return runs.begin(connection, district, request, is_alive=is_alive)
        except SyncRefused as refusal:
            if refusal.status == "failed":
                _mail_refusal(connection, district, request)  # no teardown follows a setup that failed
            raise


def wait_for_others(
    connection: Connection, district: District, request: RunRequest, is_alive: Callable[[str, str], bool | None]
) -> None:
    """Waits up to an hour for another run of the district; what is still at work then, `begin` refuses."""
    last = time.monotonic() + WAIT_MINUTES * 60
    while others := _others_at_work(connection, district, request, is_alive):
        if time.monotonic() > last:
            return
        log.info("waiting: sync run %s of %s is at work", others[0], district.key)
        time.sleep(WAIT_POLL_SECONDS)


def _others_at_work(
    connection: Connection, district: District, request: RunRequest, is_alive: Callable[[str, str], bool | None]
) -> list[int]:
    own = (request.airflow_dag_id, request.airflow_run_id)
    with db.acting_as(connection, "roster_read") as cursor:
        rows = db.rows(cursor, "runs/at_work", {"key": district.key})
    asked = ((row["id"], (row["airflow_dag_id"], row["airflow_run_id"])) for row in rows)
    return [run_id for run_id, airflow in asked if airflow != own and is_alive(*airflow) is not False]


def reopen(context: Context, district: District) -> int:
    """Goes on with a held run, if a person's recorded answer allows it."""
    from roster_sync.engine import runs

    refuse_unknown_keys(context)
    run_id = int(context["params"]["run_id"])
    with closing(hooks.portal_connection()) as connection, refusals("reopen"):
        mode = runs.reopen(connection, district, run_id, context["dag"].dag_id, context["run_id"])
    context["ti"].xcom_push(key="mode", value=mode)
    return run_id


def reuse_staged_feed() -> dict[str, int]:
    """An approved Edit reads nothing: its plan is made again from what it had staged."""
    log.info("nothing is read: the approved run goes on with the feed that it had staged")
    return {}


def extract(context: Context, district: District, run_id: int) -> dict[str, int]:
    """Streams the source into staging."""
    from roster_sync.feed import progress, staging

    teller = progress.Teller(hooks.portal_connection, run_id, "extract")
    with working(context, run_id, "extract") as work, closing(teller):
        source = progress.Watched(hooks.open_source(district), teller)
        work.counts.update(staging.load(work.connection, run_id, district, source))
        work.rows = sum(count for name, count in work.counts.items() if name != "requests")
    return dict(work.counts)


def validate(context: Context, district: District, run_id: int) -> None:
    """Judges the feed as a whole."""
    from roster_sync.feed import checks

    with working(context, run_id, "validate") as work:
        verdict = checks.validate(work.connection, run_id, district, docs_folder())
        log.info("%s", verdict.message)


def plan(context: Context, district: District, run_id: int, mode: str) -> str:
    """Compares the feed with the portal. 'apply' where something may be written now, else how the run ended."""
    from roster_sync.engine import runs
    from roster_sync.engine.planning import plan as planning

    with working(context, run_id, "plan") as work:
        source = hooks.open_source(district) if mode == "reset" else None  # a Reset asks it to confirm absences
        asked = source if isinstance(source, Askable) else None
        decision = planning.make(work.connection, run_id, district, asked)
        # An Edit may be held in part: what may be written is written, and the run ends held after that.
        is_open = runs.status_of(work.connection, run_id) == OPEN
    return "apply" if is_open else decision


def apply(context: Context, district: District, run_id: int, decision: str) -> str:
    """Writes the plan to the portal in one transaction and publishes the counts to Airflow."""
    from roster_sync.engine import apply as applying

    if decision != "apply":
        raise AirflowSkipException(f"There is nothing to write: the run is {decision}.")
    with working(context, run_id, "apply") as work:
        status = applying.apply(work.connection, run_id, district)
        counts = run_counts(work.connection, run_id)
        work.counts.update(_written(counts))
        work.rows = sum(work.counts.values())
    publish_counts(context, district, run_id, counts)
    return status


def undo(context: Context, district: District, run_id: int) -> str:
    """Puts back what the run to undo removed or changed, or only says what it would."""
    from roster_sync.engine import runs
    from roster_sync.engine import undo as undoing

    with working(context, run_id, "undo") as work:
        with db.acting_as(work.connection, "roster_read") as cursor:
            target = runs.undo_target(cursor, run_id)
        preview_only = bool(context["params"]["preview_only"])
        status = undoing.undo(work.connection, run_id, district, target, preview_only=preview_only)
        counts = run_counts(work.connection, run_id)
        work.counts.update(_written(counts))
        work.rows = sum(work.counts.values())
    if status != "previewed":
        publish_counts(context, district, run_id, counts)
    return status


def notify(context: Context, district: District, run_id: int) -> int:
    """Brings the worklist up to date and sends the mails of this run; returns how many were sent."""
    from roster_sync.engine import runs, worklist

    with working(context, run_id, "notify") as work:
        if runs.status_of(work.connection, run_id) != "previewed":
            work.counts.update(worklist.refresh(work.connection, run_id))
        sent = send_mails(work.connection, district, run_id)
        work.counts["mails"] = sent
    return sent


def finish(context: Context, district: District, run_id: int) -> None:
    """Closes the run whatever happened to it, mails a failure to the subscribers, and logs the run's audit."""
    from roster_sync.engine import audit, runs

    with closing(hooks.portal_connection()) as connection:
        runs.fail_if_open(connection, run_id, STOPPED)
        status = runs.status_of(connection, run_id)
        if status == "failed":
            send_mails(connection, district, run_id)
        for line in audit.report(connection, run_id):
            log.info("%s", line)
        with db.acting_as(connection, "roster_edit") as cursor:  # what the pages look up, when nobody waits any more
            cursor.execute("select staging.index_run(%s)", (run_id,))
    log.info("sync run %s of %s ended: %s", run_id, district.key, status)


def purge(context: Context) -> dict[str, int]:
    """Drops what is past its keep-by date and closes runs that died; says how much."""
    from roster_sync.engine import housekeeping

    with closing(hooks.portal_connection()) as connection, refusals("purge"):
        return housekeeping.purge(connection, is_alive=alive_asker(context))


def refresh_worklists(context: Context) -> int:
    """Closes worklist items whose work people have done since the last run of their district."""
    from roster_sync.engine import worklist

    with closing(hooks.portal_connection()) as connection, refusals("refresh_worklists"):
        return worklist.refresh_all(connection)


def warn(context: Context) -> int:
    """Mails the subscribers of districts whose sync expires soon, also where no run would."""
    from roster_sync.notices import outbox

    sent = 0
    with closing(hooks.portal_connection()) as connection, hooks.mailer() as post, refusals("warn"):
        for district in load_registry():
            sent += outbox.send_expiry(connection, district, post, hooks.links())
    return sent


def run_counts(connection: Connection, run_id: int) -> dict[str, dict[str, int]]:
    """The run's counts per entity, without the zeros and without entities that have nothing else."""
    with db.acting_as(connection, "roster_read") as cursor:
        rows = db.rows(cursor, "runs/run_counts", {"run_id": run_id})
    found = {row.pop("entity"): {name: count for name, count in row.items() if count} for row in rows}
    return {entity: numbers for entity, numbers in found.items() if numbers}


def publish_counts(context: Context, district: District, run_id: int, counts: dict[str, dict[str, int]]) -> None:
    """The counts become the metadata of the district's asset, on which other DAGs can be scheduled."""
    extra: dict[str, Any] = {"sync_run_id": run_id, **counts}
    for outlet in context["task"].outlets:
        if isinstance(outlet, AssetAlias):
            context["outlet_events"][outlet].add(asset_of(district), extra=extra)
        else:
            context["outlet_events"][outlet].extra = extra


def asset_of(district: District) -> Asset:
    """The district's roster in the portal, as Airflow's asset."""
    return Asset(name=f"roster/{district.key}", uri=f"roster/{district.key}", group="roster")


def send_mails(connection: Connection, district: District, run_id: int) -> int:
    """Sends the run's mails; returns how many."""
    from roster_sync.notices import outbox

    with hooks.mailer() as post:
        return outbox.send(connection, run_id, district, post, hooks.links())


def _mail_refusal(connection: Connection, district: District, request: RunRequest) -> None:
    with db.acting_as(connection, "roster_read") as cursor:
        run = db.one(cursor, "runs/run_of_airflow", vars(request))
    if run is not None:
        send_mails(connection, district, run["id"])


def _written(counts: dict[str, dict[str, int]]) -> dict[str, int]:
    """What a run did to the portal, all kinds of rows together."""
    totals = {name: sum(numbers.get(name, 0) for numbers in counts.values()) for name in WRITTEN}
    return {name: total for name, total in totals.items() if total}
