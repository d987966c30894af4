"""A run whose tasks are killed, each in turn, and started again, ends as one that nobody killed."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import connection as Connection

from include.simulator.district import MadeUpDistrict
from include.simulator.oneroster_csv import write_csv
from ops.airflow.environment import airflow_environment
from ops.airflow.metadata_database import set_up
from ops.airflow.programs import start_airflow
from ops.airflow.rest_api import AirflowApi, wait_until_healthy
from ops.airflow.task_locks import scheduling
from ops.home import Home, write_private
from ops.postgres.cluster import OWNER, PORTAL_DATABASE, Server, migrated, running
from ops.services import Services, services
from tests.dsl.database import REPOSITORY

pytestmark = pytest.mark.slow

NEVER = "0 3 29 2 *"
DISTRICTS = ("bay", "glen")
KILLED = ["start", "extract", "validate", "plan", "apply", "notify", "finish"]
"""Every task that does something; `ask` asks nothing in a run that is not held."""
SECONDS = 90.0
PORTAL = {
    "schools": "select source_id, name, is_shared from portal.schools where district_id = %(d)s",
    "users": "select source_id, role, email, given_name, family_name, grade, is_enabled, is_shared,"
    " last_shared_at is null from portal.users where district_id = %(d)s",
    "classes": "select c.source_id, s.source_id, c.title, c.is_shared from portal.classes c"
    " join portal.schools s on s.id = c.school_id where c.district_id = %(d)s",
    "memberships": "select u.source_id, s.source_id, m.is_primary, m.is_active from portal.user_schools m"
    " join portal.users u on u.id = m.user_id join portal.schools s on s.id = m.school_id where u.district_id = %(d)s",
    "enrollments": "select c.source_id, u.source_id, e.role, e.is_primary, e.is_active, e.begins_on, e.ends_on"
    " from portal.enrollments e join portal.classes c on c.id = e.class_id join portal.users u on u.id = e.user_id"
    " where e.district_id = %(d)s",
    "runs": "select mode, status, message from sync.runs where district_id = %(d)s",
    "counts": "select k.entity, k.received, k.added, k.updated, k.unshared, k.restored, k.held from sync.run_counts k"
    " join sync.runs r on r.id = k.run_id where r.district_id = %(d)s",
    "changes": "select x.table_name, x.action, count(*) from sync.changes x join sync.runs r on r.id = x.run_id"
    " where r.district_id = %(d)s group by 1, 2",
}


@dataclass
class Product:
    """Airflow at work, with its scheduler, and two districts that get the same files."""

    folder: Path
    server: Server
    group: Services
    api: AirflowApi

    def feed(self, day: int) -> None:
        for key in DISTRICTS:
            write_csv(MadeUpDistrict(seed=11, students=80, schools=2, churn=0.1).day(day), self.folder / f"{key}.zip")

    def portal(self, key: str) -> dict[str, list[Any]]:
        with closing(self.server.connect(OWNER, PORTAL_DATABASE)) as connection, connection.cursor() as cursor:
            cursor.execute("select id from portal.districts where key = %s", (key,))
            district = {"d": cursor.fetchall()[0][0]}
            found = {}
            for name, query in PORTAL.items():
                cursor.execute(query, district)
                found[name] = sorted(cursor.fetchall(), key=str)
            return found


class Gate:
    """A lock that every task of ours meets: while it is closed, each stands still in the middle of its work."""

    def __init__(self, server: Server) -> None:
        self._connection: Connection = server.connect(OWNER, PORTAL_DATABASE)

    def close(self) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute("lock table sync.runs in access exclusive mode")

    def open(self) -> None:
        self._connection.rollback()

    def waiting(self) -> int:
        """How many stand before it."""
        with self._connection.cursor() as cursor:
            cursor.execute("select count(*) from pg_locks where not granted and relation = 'sync.runs'::regclass")
            return int(cursor.fetchall()[0][0])


@pytest.fixture
def product() -> Iterator[Product]:
    folder = Path(tempfile.mkdtemp(prefix="rs-kill-"))
    try:
        with ExitStack() as held:
            home = Home(folder)
            home.make()
            server = held.enter_context(running(home))
            migrated(server)
            home.choose_ports()
            environment = _environment(home, server)
            set_up(home, server, environment)
            lock = held.enter_context(scheduling(home, server))
            group = held.enter_context(services(home.logs, [lock.descriptor]))
            yield Product(folder, server, group, _started(home, group, environment))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _environment(home: Home, server: Server) -> dict[str, str]:
    ours = ("AIRFLOW__", "AIRFLOW_", "ROSTER_", "PYTEST_")
    registry = home.folder / "registry.yaml"
    registry.write_text("districts:\n" + "".join(
        f'  - {{key: {key}, name: {key.title()}, timezone: UTC, schedule: "{NEVER}",'
        f" source: {{kind: oneroster_csv, path: {key}.zip}}}}\n" for key in DISTRICTS
    ))  # fmt: skip
    environment = airflow_environment(home, server, {
        **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
        "ROSTER_DISTRICTS": str(registry),
        "PYTHONPATH": str(REPOSITORY),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "staff:admin",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
    })  # fmt: skip
    passwords = Path(environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    write_private(passwords, '{"staff": "made-up-password"}\n')
    return environment


def _started(home: Home, group: Services, environment: dict[str, str]) -> AirflowApi:
    start_airflow(group, home, environment)
    address = environment["AIRFLOW__API__BASE_URL"]
    wait_until_healthy(address, group, SECONDS)
    api = AirflowApi(address, "staff", "made-up-password")
    for key in DISTRICTS:
        api.wait_for_dag(f"roster_sync__{key}", group, SECONDS)
        api.unpause(f"roster_sync__{key}")
    return api


def test_a_run_killed_in_each_of_its_tasks_and_started_again_ends_in_the_same_portal(product: Product) -> None:
    product.feed(day=1)
    runs = {f"roster_sync__{key}": product.api.trigger(f"roster_sync__{key}") for key in DISTRICTS}
    assert set(product.api.wait_for_runs(runs, product.group, SECONDS).values()) == {"success"}

    product.feed(day=2)
    glen = {"roster_sync__glen": product.api.trigger("roster_sync__glen")}
    assert set(product.api.wait_for_runs(glen, product.group, SECONDS).values()) == {"success"}

    gate = Gate(product.server)
    gate.close()
    run_id = product.api.trigger("roster_sync__bay")
    for task in KILLED:
        _kill(product, run_id, task, gate)
        gate.close()  # the next task is a second away
    gate.open()
    bay = product.api.wait_for_runs({"roster_sync__bay": run_id}, product.group, SECONDS)
    assert set(bay.values()) == {"success"}
    assert product.portal("bay") == product.portal("glen")


def _kill(product: Product, run_id: str, task: str, gate: Gate) -> None:
    """Kills a task in the middle of its work, opens the gate, and has it run again to its end."""
    _wait(lambda: _task(product, run_id, task)[0] == "running" and gate.waiting() > 0, f"{task} at work")
    os.kill(_task(product, run_id, task)[1], signal.SIGKILL)
    _wait(lambda: _task(product, run_id, task)[0] in ("up_for_retry", "failed"), f"{task} killed")
    gate.open()
    product.api.clear("roster_sync__bay", run_id, task)
    _wait(lambda: _task(product, run_id, task)[0] == "success", f"{task} again")


def _task(product: Product, run_id: str, task: str) -> tuple[str | None, int]:
    """The state and the process of a task."""
    with closing(product.server.connect("airflow", "airflow")) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select state, pid from task_instance where dag_id = 'roster_sync__bay' and run_id = %s and task_id = %s",
            (run_id, task),
        )
        state, pid = (cursor.fetchall() or [(None, 0)])[0]
        return state, pid


def _wait(happened: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < end, f"it did not come to this: {what}"
        time.sleep(0.05)
