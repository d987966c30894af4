"""What the pages' tests run on: Airflow's real API server with our plugin in it, over a database of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import cursor as Cursor

from ops.testing import NO_BROWSER, chromium
from tests.dsl.database import Database
from tests.ui import madeup
from tests.ui.browsing import Visits
from tests.ui.stack import Stack, stack

REPOSITORY = Path(__file__).resolve().parents[2]
CHROMIUM = chromium()
collect_ignore_glob = [] if CHROMIUM else ["test_browser*.py"]
LONG_NAME = "Cedar " + "and the Surrounding Townships " * 6 + "School"
REGISTRY = """
districts:
  - {key: harbor, name: Harbor Unified School District, timezone: America/Chicago,
     source: {kind: oneroster_csv, path: harbor}}
  - {key: orchard, name: Orchard Hill Schools, timezone: America/New_York,
     source: {kind: clever, conn_id: clever_orchard}}
  - {key: newtown, name: Newtown Schools, timezone: America/New_York, source: {kind: clever, conn_id: clever_newtown}}
"""


def pytest_report_header() -> str:
    """Says whether the browser's tests are among those that run."""
    return f"browser tests: {CHROMIUM}" if CHROMIUM else NO_BROWSER


@dataclass
class Pages:
    """The pages as one visitor sees them, and the database below them."""

    cursor: Cursor
    client: Callable[..., Any]
    harbor: int
    orchard: int

    def one(self, text: str, *values: Any) -> Any:
        """The first value of a query's first row."""
        self.cursor.execute(text, values)
        row = self.cursor.fetchone()
        return row[0] if row else None


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The registry's file of these tests."""
    path = tmp_path_factory.mktemp("registry") / "registry.yaml"
    path.write_text(REGISTRY, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def settings(registry: Path) -> dict[str, str]:
    """What Airflow is told while these tests run; no other test of the process sees it."""
    return {
        "ROSTER_DISTRICTS": str(registry),
        "AIRFLOW__CORE__AUTH_MANAGER": "tests.ui.auth.DistrictAuthManager",
        "AIRFLOW__API_AUTH__JWT_SECRET": "made-up-secret-of-the-tests-" * 3,
        "AIRFLOW__API__SECRET_KEY": "made-up",
    }


def serialize(settings: dict[str, str]) -> None:
    """Writes the DAGs of these tests' registry into Airflow's database, over those that another test may have left."""
    command = [sys.executable, "-m", "airflow", "dags", "reserialize"]
    environment = {**os.environ, **settings, "PYTHONPATH": str(REPOSITORY)}
    subprocess.run(command, check=True, capture_output=True, env=environment)


@pytest.fixture(scope="session")
def api_server(airflow_metadata: None, settings: dict[str, str]) -> Any:
    """Airflow's API server with the plugin that its scan finds and the DAGs of the registry, without a socket."""
    serialize(settings)
    from airflow.api_fastapi.app import create_app, purge_cached_app

    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        purge_cached_app()
        return create_app("core")


@pytest.fixture
def pages(
    api_server: Any, portal: Database, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pages]:
    """Two made-up districts, and a way to visit them as someone."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from fastapi.testclient import TestClient

    from roster_sync.ui.web import pool

    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW_CONN_PORTAL_DB", portal.airflow_connection)
    connection = portal.owner()
    cursor = connection.cursor()
    harbor = madeup.district(cursor, "harbor", "Harbor Unified School District")
    orchard = madeup.district(cursor, "orchard", "Orchard Hill Schools", source="clever")

    def client(name: str | None = "dana", *, by: str = "cookie", site: str | None = "same-origin") -> TestClient:
        made = TestClient(api_server, base_url="http://localhost:8080", follow_redirects=False)
        made.headers["accept"] = "text/html"
        if site:
            made.headers["sec-fetch-site"] = site
        if name:
            token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=name, role="VIEWER"))
            if by == "cookie":
                made.cookies.set("_token", token)
            else:
                made.headers["authorization"] = f"Bearer {token}"
        return made

    yield Pages(cursor, client, harbor, orchard)
    pool.POOL.close()
    connection.close()


@pytest.fixture(scope="session")
def product(browser: Any) -> Iterator[Stack]:
    """The whole product, started once for all tests in the browser."""
    with stack() as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's chromium."""
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:  # asked for by name; without a name they are not collected
        pytest.fail(NO_BROWSER, pytrace=False)
    with sync_playwright() as playwright:
        # no sandbox: tests run as root in containers, and visit nothing but this machine
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def sessions() -> dict[str, Any]:
    """Who has logged in already; logging in loads Airflow's whole UI."""
    return {}


@pytest.fixture
def visit(product: Stack, browser: Any, sessions: dict[str, Any]) -> Iterator[Visits]:
    """Opens a page as someone; whatever script, console or foreign request goes wrong there fails the test."""
    visits = Visits(browser, product.address, sessions)
    yield visits
    visits.close()
    assert visits.complaints == []


@pytest.fixture
def unpaused(api_server: Any, settings: dict[str, str]) -> None:
    """No DAG run of an earlier test is left, and no DAG is paused."""
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.session import create_session

    with create_session() as session:
        session.query(DagRun).delete()
        session.query(DagModel).update({"is_paused": False})
    # `dags test` of another test in this worker may have written the DAGs of another registry over ours.
    reset = SerializedDagModel.get_dag("roster_reset")
    if reset is None or "harbor" not in str(reset.params.get_param("district").schema):
        serialize(settings)
