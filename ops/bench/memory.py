r"""The memory of each task of a nightly sync: `bin/bench memory [--students 100000]`.

The real scheduler and its workers run the DAG of two districts, one after the other: one with hardly a row, for
comparison, and one of that many students, twice (a first load, then nothing changed). A task is
a process of its own; its peak is what the kernel records (VmHWM), read every 20 ms. The limit: no task has more
than 100 MB above the same task of the empty district.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from ops.airflow.environment import airflow_environment, passwords, portal_connection
from ops.airflow.metadata_database import set_up
from ops.airflow.programs import start_airflow
from ops.airflow.rest_api import AirflowApi, wait_until_healthy
from ops.airflow.task_locks import scheduling
from ops.bench.databases import portal
from ops.bench.fixtures import Rosters, rosters
from ops.console import Problem, progress
from ops.home import Home
from ops.postgres.cluster import Server
from ops.services import Services, services

LIMIT_MB = 100.0
EMPTY, FULL = "bench_empty", "bench_full"
_TITLE = "airflow worker -- "
_EVERY_SECONDS, _START_SECONDS, _RUN_SECONDS = 0.02, 300.0, 3600.0


class Peaks:
    """The peak memory of each task's process, in MB, by the id of its task instance."""

    def __init__(self) -> None:
        """Starts to read."""
        self.found: dict[str, float] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the reading."""
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(_EVERY_SECONDS):
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    title = (folder / "cmdline").read_bytes().rstrip(b"\0").decode(errors="replace")
                    if title.startswith(_TITLE):
                        self.found[title.removeprefix(_TITLE).strip()] = _peak_mb(folder)
                except (OSError, ValueError):
                    continue  # it has just ended


def _peak_mb(folder: Path) -> float:
    for line in (folder / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ValueError("a process without memory has ended")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `bin/bench memory`."""
    parser.add_argument("--students", type=int, default=100_000, help="the district's size (default: %(default)s)")


def main(home: Home, server: Server, options: argparse.Namespace) -> int:
    """Measures and prints; 1 if a task passes the limit."""
    full, empty = rosters(home, options.students), rosters(home, 10)
    home.choose_ports()
    with portal(server, "roster_bench_memory") as database, tempfile.TemporaryDirectory() as folder:
        environment = airflow_environment(home, server) | portal_connection(server, database)
        environment["ROSTER_DISTRICTS"] = str(_registry(Path(folder), empty, full))
        set_up(home, server, environment)
        with scheduling(home, server) as lock, services(home.logs, [lock.descriptor]) as group:
            peaks = _measure(home, group, environment, Path(folder), full)
    return _report(home, options.students, peaks)


def _registry(folder: Path, empty: Rosters, full: Rosters) -> Path:
    (folder / EMPTY).symlink_to(empty.day1)
    (folder / FULL).symlink_to(full.day1)
    entries = (
        f"  - {{key: {key}, name: {key}, timezone: UTC, source: {{kind: oneroster_csv, path: {folder / key}}}}}\n"
        for key in (EMPTY, FULL)
    )
    registry = folder / "registry.yaml"
    registry.write_text("districts:\n" + "".join(entries))
    return registry


def _measure(
    home: Home, group: Services, environment: dict[str, str], folder: Path, full: Rosters
) -> dict[str, dict[str, float]]:
    address = environment["AIRFLOW__API__BASE_URL"]
    start_airflow(group, home, environment)
    with progress("waiting for Airflow", every=20):
        wait_until_healthy(address, group, _START_SECONDS)
    admin = AirflowApi(address, "admin", passwords(home)["admin"])
    peaks = Peaks()
    try:
        found = {"empty": _run(admin, group, EMPTY, peaks), "first load": _run(admin, group, FULL, peaks)}
        (folder / FULL).unlink()
        (folder / FULL).symlink_to(full.shuffled)
        return found | {"nothing changed": _run(admin, group, FULL, peaks)}
    finally:
        peaks.stop()


def _run(admin: AirflowApi, group: Services, key: str, peaks: Peaks) -> dict[str, float]:
    """One run of a district's DAG: the peak of each of its tasks."""
    dag_id = f"roster_sync__{key}"
    admin.wait_for_dag(dag_id, group, _START_SECONDS)
    admin.unpause(dag_id)
    run_id = admin.trigger(dag_id)
    states = admin.wait_for_runs({dag_id: run_id}, group, _RUN_SECONDS)
    admin.pause(dag_id)
    if states[dag_id] != "success":
        raise Problem(f"the run of {dag_id} ended {states[dag_id]}: see logs/scheduler.log")
    return {task: peaks.found[ti] for task, ti in admin.task_instances(dag_id, run_id).items() if ti in peaks.found}


def _report(home: Home, students: int, peaks: dict[str, dict[str, float]]) -> int:
    """The table, in MB, and the same as JSON."""
    empty = peaks["empty"]
    others = [name for name in peaks if name != "empty"]
    lines = [f"memory: students {students}; peak of each task's process in MB, and above the empty district's"]
    lines.append(f"{'':<20}{'empty':>10}" + "".join(f"{name:>18}{'above':>8}" for name in others))
    worst = 0.0
    for task in empty:
        cells = ""
        for name in others:
            peak = peaks[name].get(task, 0.0)
            worst = max(worst, peak - empty[task])
            cells += f"{peak:>18.0f}{peak - empty[task]:>+8.0f}"
        lines.append(f"{task:<20}{empty[task]:>10.0f}{cells}")
    is_within = worst <= LIMIT_MB
    lines.append(
        f"most above an empty task: {worst:.0f} MB, limit {LIMIT_MB:.0f} MB{'' if is_within else ': over the limit'}"
    )
    sys.stdout.write("\n".join(lines) + "\n")
    path = home.folder / "bench" / f"memory-{time.strftime('%Y%m%d-%H%M%S')}.json"
    data: dict[str, Any] = {"students": students, "limit_mb": LIMIT_MB, "most_above_mb": worst, "peaks_mb": peaks}
    path.write_text(json.dumps(data, indent=2) + "\n")
    sys.stdout.write(f"written to {path}\n")
    return 0 if is_within else 1
