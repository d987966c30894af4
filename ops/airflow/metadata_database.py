"""Brings Airflow's metadata database to this version: its schema and the pools, if its stamp says it is needed."""

from __future__ import annotations

import hashlib
import subprocess
from contextlib import closing
from importlib.metadata import version

from psycopg2 import sql

from ops.airflow.environment import metadata_url
from ops.airflow.programs import airflow_program
from ops.console import Problem, progress
from ops.home import REPOSITORY, Home
from ops.locks import exclusive
from ops.postgres.cluster import AIRFLOW, AIRFLOW_DATABASE, Server

POOLS = REPOSITORY / "include" / "pools.json"


def set_up(home: Home, server: Server, environment: dict[str, str]) -> None:
    """Runs `airflow db migrate` and `airflow pools import` if they have not been run for this version.

    The stamp is the database's own comment, so it cannot outlive what it describes. The caller who
    names another metadata database migrates it.
    """
    if environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] != metadata_url(server):
        return
    with (
        progress("setting up Airflow's metadata database, once"),  # or waiting for another command that does it
        exclusive(home.run / "airflow-setup.lock"),
    ):
        if _read_stamp(server) == _current_stamp():
            return
        _airflow(home, environment, "db", "migrate")
        _airflow(home, environment, "pools", "import", str(POOLS))
        _write_stamp(server, _current_stamp())


def close_killed_tests(server: Server) -> int:
    """Marks the runs of a killed `dags test` as failed; the caller has made sure that no `dags test` is running."""
    with closing(server.connect(AIRFLOW, AIRFLOW_DATABASE)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass('dag_run') is not null")
        if cursor.fetchone() != (True,):  # the caller's own metadata database is used; ours was never made
            return 0
        cursor.execute((REPOSITORY / "ops" / "sql" / "close_killed_tests.sql").read_text(encoding="utf-8"))
        return cursor.rowcount


def _current_stamp() -> str:
    return (
        f"set up for Airflow {version('apache-airflow')}, pools {hashlib.sha256(POOLS.read_bytes()).hexdigest()[:12]}"
    )


def _read_stamp(server: Server) -> str | None:
    with closing(server.connect(AIRFLOW, AIRFLOW_DATABASE)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select shobj_description(oid, 'pg_database') from pg_database where datname = %(name)s",
            {"name": AIRFLOW_DATABASE},
        )
        row = cursor.fetchone()
        return str(row[0]) if row and row[0] else None


def _write_stamp(server: Server, text: str) -> None:
    with closing(server.connect(AIRFLOW, AIRFLOW_DATABASE)) as connection, connection, connection.cursor() as cursor:
        statement = sql.SQL("comment on database {} is {}")
        cursor.execute(statement.format(sql.Identifier(AIRFLOW_DATABASE), sql.Literal(text)))


def _airflow(home: Home, environment: dict[str, str], *arguments: str) -> None:
    log = home.logs / "airflow-setup.log"
    with open(log, "wb") as output:
        done = subprocess.run(
            [airflow_program(), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        raise Problem(f"`airflow {' '.join(arguments[:2])}` failed; its output is in {log}.")
