"""How a task runs: its connection, its step in sync.runs, its failure in one sentence, its run in Airflow."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk.api.client import ServerResponseError
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowRuntimeError, AirflowSkipException

from roster_sync.core.errors import RosterError, SourceNotReady, SyncRefused
from roster_sync.core.vocabulary import OPEN
from roster_sync.orchestration import failures, hooks, retry_policy

if TYPE_CHECKING:
    from airflow.sdk import Context
    from psycopg2.extensions import connection as Connection

    from roster_sync.engine.runs import RunRequest

log = logging.getLogger(__name__)

ALIVE: Final = ("queued", "running")
_OWN_COLUMNS: Final = ("district", "run_id", "reason")
"""Parameters that sync.runs keeps in columns of their own."""


@dataclass
class Work:
    """A step at work: its database connection and what it counted."""

    connection: Connection
    counts: dict[str, Any] = field(default_factory=dict)
    rows: int = 0
    """What the step is measured by, for the rate in its log line."""


@contextmanager
def working(context: Context, run_id: int, step: str) -> Iterator[Work]:
    """A step of the run: its connection, its place in sync.runs, its time in the log, and its failure recorded."""
    from roster_sync.engine import runs

    started = time.monotonic()
    with closing(hooks.portal_connection()) as connection:
        work = Work(connection)
        try:
            with refusals(step, connection, run_id), runs.step(connection, run_id, step) as counts:
                work.counts = counts
                yield work
        except (RosterError, failures.UnexpectedError) as error:
            if not retry_policy.will_retry(error, context):
                _record_failure(run_id, str(error))
            raise
    seconds = time.monotonic() - started
    rate = f" ({work.rows / max(seconds, 0.001):,.0f} rows/s)" if work.rows else ""
    log.info("%s took %.1f s%s; %s", step, seconds, rate, _in_words(work.counts))


@contextmanager
def refusals(step: str, connection: Connection | None = None, run_id: int | None = None) -> Iterator[None]:
    """Turns what a step raises into what Airflow shows: skipped where the run only may not run now, else failed."""
    from roster_sync.engine import runs

    try:
        yield
    except (SourceNotReady, SyncRefused) as refusal:
        status = refusal.status if isinstance(refusal, SyncRefused) else "skipped"
        if connection is not None and run_id is not None and runs.status_of(connection, run_id) == OPEN:
            runs.close(connection, run_id, status, str(refusal))
        if status == "failed":
            raise AirflowFailException(str(refusal)) from None
        raise AirflowSkipException(str(refusal)) from None
    except AirflowException:
        raise
    except Exception as error:
        raise failures.as_user_error(error, step) from None


def refuse_unknown_keys(context: Context) -> None:
    """Airflow takes any key with a run: a misspelled `preview_only` must not start a Reset."""
    known = sorted(context["dag"].params)
    unknown = sorted(set(context["dag_run"].conf or {}) - set(known))
    if unknown:
        names = ", ".join(repr(name) for name in unknown)
        raise AirflowFailException(f"Unknown parameter {names}: this DAG takes {', '.join(known)}. Nothing was read.")


def request_of(context: Context, mode: str, undoes_run_id: int | None = None) -> RunRequest:
    """What the run was asked to do, and by whom."""
    from roster_sync.engine.runs import RunRequest

    dag_run: Any = context["dag_run"]
    params = dict(context["params"])
    is_nightly = dag_run.run_type == "scheduled"
    return RunRequest(
        mode=mode,
        trigger="nightly" if is_nightly else "manual",
        started_by="schedule" if is_nightly else dag_run.triggering_user_name or "unknown",
        parameters={name: value for name, value in params.items() if name not in _OWN_COLUMNS},
        reason=params.get("reason") or None,
        airflow_dag_id=context["dag"].dag_id,
        airflow_run_id=context["run_id"],
        undoes_run_id=undoes_run_id,
    )


def alive_asker(context: Context) -> Callable[[str, str], bool | None]:
    """Asks Airflow whether another run is at work: False also where it was deleted, None where Airflow cannot tell."""
    instance: Any = context["ti"]

    def is_alive(dag_id: str, run_id: str) -> bool | None:
        try:
            return instance.get_dagrun_state(dag_id, run_id) in ALIVE
        except (AirflowRuntimeError, ServerResponseError) as error:
            return False if _is_not_found(error) else None

    return is_alive


def _is_not_found(error: AirflowRuntimeError | ServerResponseError) -> bool:
    """A worker gets the one error, `dags test` the other (Airflow 3.3.2)."""
    if isinstance(error, ServerResponseError):
        return error.response.status_code == 404
    return (error.error.detail or {}).get("status_code") == 404


def _record_failure(run_id: int, message: str) -> None:
    """On a connection of its own: the step's may be what broke. What fails here is caught up by `finish`."""
    from roster_sync.engine import runs

    try:
        with closing(hooks.portal_connection()) as connection:
            runs.fail_if_open(connection, run_id, message)
    except RosterError as error:
        log.warning("the failure could not be recorded: %s", error)


def _in_words(counts: dict[str, Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "nothing counted"
