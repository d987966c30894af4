"""A portal database for one benchmark, empty, dropped at the end; and the floor: a copy of the same files."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from psycopg2 import sql

from ops.bench.fixtures import FILES, Rosters
from ops.postgres.cluster import APP, OWNER, Server
from ops.postgres.control import SUPERUSER
from roster_sync.database.migrations import migrate

NAME = "roster_bench"


@contextmanager
def portal(server: Server, name: str = NAME, *, keep: bool = False) -> Iterator[str]:
    """An empty, migrated portal database for the length of the block; with `keep` it stays."""
    with closing(server.connect(SUPERUSER, "postgres")) as admin:
        admin.autocommit = True
        with admin.cursor() as cursor:
            database = sql.Identifier(name)
            cursor.execute(sql.SQL("drop database if exists {} with (force)").format(database))
            cursor.execute(sql.SQL("create database {} owner {}").format(database, sql.Identifier(OWNER)))
            cursor.execute(
                sql.SQL("grant connect, temporary on database {} to {}").format(database, sql.Identifier(APP))
            )
            try:
                with closing(server.connect(OWNER, name)) as owner:
                    migrate(owner)
                yield name
            finally:
                if not keep:
                    cursor.execute(sql.SQL("drop database if exists {} with (force)").format(database))


def checkpoint(server: Server, database: str) -> None:
    """A checkpoint, which PostgreSQL would soon make by itself, so that it falls into no measurement."""
    with closing(server.connect(SUPERUSER, database)) as admin:
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute("checkpoint")


def analyze(server: Server, database: str) -> None:
    """Collects the portal's statistics, as autovacuum would within a minute of a first load."""
    with closing(server.connect(OWNER, database)) as owner:
        owner.autocommit = True
        with owner.cursor() as cursor:
            cursor.execute("vacuum (analyze)")


@dataclass
class Floor:
    r"""psql's `\copy` of the six files into logged tables of text columns without an index."""

    server: Server
    database: str
    rosters: Rosters
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The floor: the median of what was measured so far."""
        return statistics.median(self.seconds)

    def measure(self) -> float:
        """Copies once more; the tables are made before the clock starts."""
        self._make_tables()
        checkpoint(self.server, self.database)
        started = time.perf_counter()
        self._psql(
            f"\\copy floor.{name} from '{self.rosters.extracted(name)}' with (format csv, header)" for name in FILES
        )
        self.seconds.append(time.perf_counter() - started)
        self._psql(["drop schema floor cascade"])
        return self.seconds[-1]

    def _make_tables(self) -> None:
        with closing(self.server.connect(OWNER, self.database)) as owner, owner, owner.cursor() as cursor:
            cursor.execute("create schema floor")
            for name in FILES:
                columns = sql.SQL(", ").join(
                    sql.SQL("{} text").format(sql.Identifier(column)) for column in self.rosters.columns(name)
                )
                cursor.execute(sql.SQL("create table {} ({})").format(sql.Identifier("floor", name.lower()), columns))

    def _psql(self, commands: Iterator[str] | list[str]) -> None:
        environment = {"PATH": os.environ.get("PATH", ""), "PGHOST": self.server.host, "PGUSER": OWNER}
        arguments = [part for command in commands for part in ("-c", command)]
        subprocess.run(
            [str(self.server.layout.bin / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *arguments],
            env=environment | {"PGDATABASE": self.database, "PGOPTIONS": "-c client_min_messages=warning"},
            check=True,
        )
