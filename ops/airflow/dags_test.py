"""The last lines of a failed `dags test`: our own messages, which are far above in its log, once more."""

from __future__ import annotations

from contextlib import closing

from ops.console import say
from ops.postgres.cluster import OWNER, PORTAL_DATABASE, Server
from roster_sync.config.registry_file import load_registry
from roster_sync.core.errors import ConfigError

_NEWEST = "select coalesce(max(id), 0) from sync.runs"
_MESSAGES = (
    "select id, status, message from sync.runs where id > %s and airflow_dag_id = %s and message <> '' order by id"
)


def newest_run(server: Server) -> int:
    """The id of the newest run; 0 if there is none."""
    with closing(server.connect(OWNER, PORTAL_DATABASE)) as connection, connection.cursor() as cursor:
        cursor.execute(_NEWEST)
        return int((cursor.fetchone() or [0])[0])


def say_why(server: Server, dag_id: str, before: int) -> None:
    """Prints the errors of the registry, which then makes no DAG, and the messages of the runs since `before`."""
    try:
        load_registry()
    except ConfigError as error:
        say(f"bin/airflow: {error}")
    with closing(server.connect(OWNER, PORTAL_DATABASE)) as connection, connection.cursor() as cursor:
        cursor.execute(_MESSAGES, (before, dag_id))
        for run_id, status, message in cursor.fetchall():
            say(f"bin/airflow: {dag_id}, run {run_id}, {status}: {message}")
