"""Fixtures that many tests share: a clean portal database per test, and no network beyond this machine.

`bin/test` starts a PostgreSQL of its own and says in ROSTER_TEST_PG where its socket folder is. Any other PostgreSQL 18
that lets ROSTER_TEST_PG_USER (default: postgres) in without a password does as well.
"""

from __future__ import annotations

import atexit
import hashlib
import ipaddress
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql
from xdist.scheduler import LoadScopeScheduling

from tests.dsl.database import REPOSITORY, Cluster, Database, empty, hurry
from tests.dsl.world import World

ROLES_FILE = REPOSITORY / "ops" / "sql" / "roles.sql"
SQL_FOLDERS = [REPOSITORY / "include" / "sql" / folder for folder in ("migrations", "routines")]
TEMPLATE_LOCK = 4_811_200_397


def new_airflow_home() -> str:
    """A folder for this process's Airflow, gone with the process."""
    folder = tempfile.mkdtemp(prefix="roster-airflow-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


# Airflow reads these when it is first imported: set before any test module is.
if "AIRFLOW_HOME" not in os.environ:
    os.environ["AIRFLOW_HOME"] = new_airflow_home()
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
os.environ.setdefault("AIRFLOW__CORE__DAGS_FOLDER", str(REPOSITORY / "dags"))
os.environ.setdefault("AIRFLOW__CORE__PLUGINS_FOLDER", str(REPOSITORY / "plugins"))
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The PostgreSQL server of this test run, with the portal's logins in it."""
    host = os.environ.get("ROSTER_TEST_PG", "")
    if not host:
        pytest.fail("These tests need a PostgreSQL: run them by `bin/test`, which starts one.", pytrace=False)
    found = Cluster(host, os.environ.get("ROSTER_TEST_PG_USER", "postgres"))
    with found.admin() as cursor:
        cursor.execute("select pg_advisory_lock(%(key)s)", {"key": TEMPLATE_LOCK})  # until the connection closes
        cursor.execute(ROLES_FILE.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def portal_template(cluster: Cluster) -> str:
    """A migrated database to copy from, made once for these SQL files by whichever worker comes first."""
    name = f"roster_template_{_sql_digest()}"
    with cluster.admin() as cursor:
        cursor.execute("select pg_advisory_lock(%(key)s)", {"key": TEMPLATE_LOCK})
        cursor.execute("select from pg_database where datname = %(name)s", {"name": name})
        if cursor.rowcount == 0:
            _build_template(cluster, name)
    return name


@pytest.fixture
def portal(cluster: Cluster, portal_template: str) -> Iterator[Database]:
    """A clean, migrated portal database for this test alone."""
    with cluster.temporary(portal_template) as database:
        yield database


@pytest.fixture
def empty_database(cluster: Cluster) -> Iterator[Database]:
    """A database without a single migration, for this test alone."""
    with cluster.temporary("template0") as database:
        yield database


@pytest.fixture(scope="session")
def shared_database(cluster: Cluster, portal_template: str) -> Iterator[Database]:
    """One portal database for many tests: making and dropping one costs more than most tests."""
    with cluster.temporary(portal_template) as database:
        yield database


@pytest.fixture
def world(shared_database: Database, tmp_path: Path) -> Iterator[World]:
    """An empty portal, seen from the district brook."""
    with closing(shared_database.connect()) as app, closing(shared_database.owner()) as owner:
        hurry(app, owner)
        empty(owner)
        yield World(shared_database, app, owner, tmp_path)


@pytest.fixture
def harbor(world: World) -> World:
    """The same, seen from the district harbor."""
    return world.elsewhere("harbor")


@pytest.fixture
def neighbor(harbor: World) -> Iterator[World]:
    """Another district of harbor's portal, on connections of its own."""
    with closing(harbor.database.connect()) as app, closing(harbor.database.owner()) as owner:
        hurry(app, owner)
        yield replace(harbor.elsewhere("neighbor"), app=app, owner=owner)


def pytest_addoption(parser: pytest.Parser) -> None:
    """--update-docs writes docs/schema.sql and docs/data-model.md anew (test_database_docs.py)."""
    parser.addoption("--update-docs", action="store_true", help="write the generated pages of docs/ anew")


def pytest_configure() -> None:
    """Gives each xdist worker an Airflow metadata database of its own, before anything imports Airflow."""
    worker, host = os.environ.get("PYTEST_XDIST_WORKER"), os.environ.get("ROSTER_TEST_PG")
    url = os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "")
    if not worker or not host or f"/airflow?host={host}" not in url:
        return
    name = f"airflow_test_{worker}_{uuid.uuid4().hex[:8]}"
    server = Cluster(host, os.environ.get("ROSTER_TEST_PG_USER", "postgres"))
    with server.admin() as cursor:
        cursor.execute("select pg_advisory_lock(%(key)s)", {"key": TEMPLATE_LOCK})  # one copy of a template at a time
        server.create(name, "airflow", owner="airflow")
    os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = url.replace("/airflow?", f"/{name}?")
    os.environ["AIRFLOW_HOME"] = new_airflow_home()


class _OneProduct(LoadScopeScheduling):
    """Any test to any worker, but the browser's tests all to one, which starts the product once for them.

    The same as --dist loadgroup, which groups nothing (pytest-xdist 3.8.0 names groups in a field that pytest 9.2.0 no
    longer reads).
    """

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if "/test_browser" in nodeid else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """How the tests are spread over the workers."""
    return _OneProduct(config, log)


@pytest.fixture(scope="session")
def airflow_metadata() -> None:
    """A migrated metadata database with our pools; bin/test has made it, a plain pytest makes it in SQLite."""
    if "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" in os.environ:
        return
    for arguments in (["db", "migrate"], ["pools", "import", str(REPOSITORY / "include" / "pools.json")]):
        program = [sys.executable, "-m", "airflow", *arguments]
        subprocess.run(program, check=True, capture_output=True)


@pytest.fixture(autouse=True, scope="session")
def only_this_machine() -> Iterator[None]:
    """Refuses every connection of Python's that would leave this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for method in ("connect", "connect_ex"):
            patch.setattr(socket.socket, method, _guarded(getattr(socket.socket, method)))
        yield


def _guarded(original: Any) -> Any:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(str(address[0])):
            raise RuntimeError(f"A test tried to reach {address[0]}: tests use this machine only.")
        return original(self, address)

    return connect


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _build_template(cluster: Cluster, name: str) -> None:
    from roster_sync.database.migrations import migrate

    building = f"{name}_building"
    cluster.drop(building)
    cluster.create(building, "template0")
    with closing(psycopg2.connect(Database(cluster.host, building).dsn_owner)) as connection:
        migrate(connection)
    with cluster.admin() as cursor:
        cursor.execute(sql.SQL("alter database {} rename to {}").format(sql.Identifier(building), sql.Identifier(name)))


def _sql_digest() -> str:
    digest = hashlib.sha256()
    for path in (ROLES_FILE, *(path for folder in SQL_FOLDERS for path in sorted(folder.rglob("*.sql")))):
        digest.update(re.sub(rb"\r\n", b"\n", path.read_bytes()))
    return digest.hexdigest()[:12]
