"""The PostgreSQL of the tests, and a portal database in it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

REPOSITORY = Path(__file__).resolve().parents[2]
FILLED_BY_MIGRATIONS = ("grades",)


@dataclass(frozen=True, slots=True)
class Database:
    """A portal database and its two logins."""

    host: str
    name: str

    @property
    def dsn_app(self) -> str:
        """The login of the DAGs: may do nothing until it takes a role."""
        return f"host={self.host} user=roster_app dbname={self.name}"

    @property
    def dsn_owner(self) -> str:
        """The owner, as migrations and bin/psql use it."""
        return f"host={self.host} user=roster_owner dbname={self.name}"

    @property
    def airflow_connection(self) -> str:
        """The same database as the JSON that AIRFLOW_CONN_PORTAL_DB takes."""
        return json.dumps(
            {"conn_type": "postgres", "host": self.host, "login": "roster_app", "schema": self.name, "port": 5432}
        )

    def connect(self) -> Connection:
        """A new connection as roster_app, in transactions; the caller closes it."""
        return psycopg2.connect(self.dsn_app)

    def owner(self) -> Connection:
        """A new connection as the owner, autocommit; the caller closes it."""
        connection = psycopg2.connect(self.dsn_owner)
        connection.autocommit = True
        return connection


@dataclass(frozen=True, slots=True)
class Cluster:
    """The PostgreSQL of the tests, seen as its superuser."""

    host: str
    user: str

    @contextmanager
    def admin(self, database: str = "postgres") -> Iterator[Any]:
        """A cursor of the superuser, autocommit."""
        with closing(psycopg2.connect(host=self.host, user=self.user, dbname=database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor

    def create(self, name: str, template: str, owner: str = "roster_owner") -> None:
        """A database as a copy of a template."""
        with self.admin() as cursor:
            names = (sql.Identifier(part) for part in (name, template, owner))
            cursor.execute(sql.SQL("create database {} template {} owner {}").format(*names))

    def drop(self, name: str) -> None:
        """Drops a database, whoever is still connected to it."""
        with self.admin() as cursor:
            cursor.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    @contextmanager
    def temporary(self, template: str) -> Iterator[Database]:
        """A database as a copy of a template, dropped afterwards."""
        name = f"roster_test_{uuid.uuid4().hex[:16]}"
        self.create(name, template)
        yield Database(self.host, name)
        self.drop(name)


def hurry(*connections: Connection) -> None:
    """No test outlives a crash of the server: its commits wait for no disk."""
    for connection in connections:
        with connection.cursor() as cursor:
            cursor.execute("set synchronous_commit = off")
        if not connection.autocommit:
            connection.commit()


def empty(owner: Connection) -> None:
    """Takes out every row and every staged run, and counts from one again."""
    with owner.cursor() as cursor:
        cursor.execute("select staging.drop_run(id) from sync.runs")
        cursor.execute(
            "select schemaname, tablename from pg_tables"
            " where schemaname in ('portal', 'sync') and tablename <> all (%s)",
            (list(FILLED_BY_MIGRATIONS),),
        )
        tables = sql.SQL(", ").join(sql.Identifier(*row) for row in cursor.fetchall())
        cursor.execute(sql.SQL("truncate {} restart identity cascade").format(tables))
