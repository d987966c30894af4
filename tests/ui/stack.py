"""The whole product for the browser's tests: database, simulated sources and Airflow, in a home of their own."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.simulator.district import MadeUpDistrict
from include.simulator.serving import serve, serve_clever
from ops.airflow.environment import airflow_environment
from ops.airflow.metadata_database import set_up
from ops.airflow.programs import start_airflow
from ops.airflow.rest_api import AirflowApi, wait_until_healthy
from ops.airflow.task_locks import scheduling
from ops.home import Home, write_private
from ops.postgres.cluster import OWNER, PORTAL_DATABASE, Server, migrated, running
from ops.services import Services, services

REPOSITORY = Path(__file__).resolve().parents[2]
PASSWORD = "made-up-password"
PEOPLE = ("dana", "olga", "staff", "vera")
NEVER = "0 3 29 2 *"
"""A schedule without a night that has passed: Airflow makes up for the last one as soon as a DAG is switched on."""
REGISTRY = f"""
districts:
  - {{key: harbor, name: Harbor Unified School District, timezone: America/Chicago, schedule: "{NEVER}",
     source: {{kind: oneroster, conn_id: oneroster_harbor, version: "1.1", auth: oauth1}}}}
  - {{key: orchard, name: Orchard Hill Schools, timezone: America/New_York, schedule: "{NEVER}",
     source: {{kind: clever, conn_id: clever_orchard}}}}
  - {{key: newtown, name: Newtown Schools, timezone: America/New_York, schedule: "{NEVER}",
     source: {{kind: oneroster, conn_id: oneroster_newtown, version: "1.1", auth: oauth1}}}}
  - {{key: meadow, name: Meadow District, timezone: America/New_York, schedule: "{NEVER}",
     source: {{kind: clever, conn_id: clever_meadow}}}}
"""
SECONDS = 300.0


@dataclass(frozen=True)
class Stack:
    """A running product."""

    address: str
    server: Server
    folder: Path

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """The portal's database as its owner, in one transaction."""
        with closing(self.server.connect(OWNER, PORTAL_DATABASE)) as connection, connection:
            yield connection.cursor()

    def one(self, text: str, *values: Any) -> Any:
        """The first value of a query on the portal's database."""
        with self.cursor() as cursor:
            cursor.execute(text, values)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None


@contextmanager
def stack() -> Iterator[Stack]:
    """Everything up for the length of the block; nothing is left running and no file is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="rs-ui-"))
    try:
        with ExitStack() as held:
            home = Home(folder)
            home.make()
            oneroster = held.enter_context(serve(MadeUpDistrict(seed=5, students=150, schools=3)))
            clever = held.enter_context(serve_clever(MadeUpDistrict(seed=7, students=120, schools=2)))
            server = held.enter_context(running(home))
            migrated(server)
            home.choose_ports()
            environment = _environment(home, server, oneroster.root, clever.root)
            set_up(home, server, environment)
            lock = held.enter_context(scheduling(home, server))
            group = held.enter_context(services(home.logs, [lock.descriptor]))
            yield _start(home, server, group, environment)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _environment(home: Home, server: Server, oneroster: str, clever: str) -> dict[str, str]:
    ours = ("AIRFLOW__", "AIRFLOW_", "ROSTER_", "PYTEST_")
    caller = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    registry = home.folder / "registry.yaml"
    registry.write_text(REGISTRY, encoding="utf-8")
    key = {"conn_type": "oneroster", "login": "demo-key"}
    caller |= {
        "ROSTER_DISTRICTS": str(registry),
        "PYTHONPATH": str(REPOSITORY),
        "AIRFLOW__CORE__AUTH_MANAGER": "tests.ui.auth.DistrictAuthManager",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:admin" for name in PEOPLE),
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW_CONN_ONEROSTER_HARBOR": json.dumps({**key, "host": oneroster, "password": "demo-secret"}),
        "AIRFLOW_CONN_ONEROSTER_NEWTOWN": json.dumps({**key, "host": oneroster, "password": "not-the-secret"}),
        "AIRFLOW_CONN_CLEVER_ORCHARD": json.dumps(
            {"conn_type": "clever", "host": clever, "password": "district-token-7"}
        ),
    }
    environment = airflow_environment(home, server, caller)
    users = {name: PASSWORD for name in PEOPLE}
    write_private(Path(environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]), json.dumps(users) + "\n")
    return environment


def _start(home: Home, server: Server, group: Services, environment: dict[str, str]) -> Stack:
    start_airflow(group, home, environment)
    address = environment["AIRFLOW__API__BASE_URL"]
    wait_until_healthy(address, group, SECONDS)
    staff = AirflowApi(address, "staff", PASSWORD)
    for dag_id in ("roster_sync__harbor", "roster_sync__orchard", "roster_reset", "roster_undo", "roster_approve"):
        staff.wait_for_dag(dag_id, group, SECONDS)
        staff.unpause(dag_id)
    return Stack(address, server, home.folder)
