"""The few calls of Airflow's REST API that the demo makes, as a person who is logged in."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import requests

from ops.console import Problem, say
from ops.services import Services

_DONE = ("success", "failed")


class AirflowApi:
    """Airflow's public API as one user."""

    def __init__(self, address: str, user: str, password: str) -> None:
        self._address = address
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between us and this machine
        answer = self._call("POST", "/auth/token", {"username": user, "password": password})
        self._session.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def wait_for_dag(self, dag_id: str, services: Services, seconds: float) -> None:
        """Waits until the DAG processor has found the DAG."""
        end = time.monotonic() + seconds
        while self._session.get(f"{self._address}/api/v2/dags/{dag_id}", timeout=30).status_code != 200:
            services.check()
            errors = self._call("GET", "/api/v2/importErrors")["import_errors"]
            if errors:
                raise Problem(f"the DAG file {errors[0]['filename']} cannot be imported: {_last(errors[0])}")
            if time.monotonic() > end:
                log = services.logs / "dag-processor.log"
                raise Problem(f"the DAG {dag_id} was not found within {seconds:.0f} s: see {log}")
            time.sleep(1)

    def unpause(self, dag_id: str) -> bool:
        """Lets the scheduler run the DAG; returns whether it was paused."""
        was_paused = bool(self._call("GET", f"/api/v2/dags/{dag_id}")["is_paused"])
        self._call("PATCH", f"/api/v2/dags/{dag_id}?update_mask=is_paused", {"is_paused": False})
        return was_paused

    def pause(self, dag_id: str) -> None:
        """Pauses the DAG."""
        self._call("PATCH", f"/api/v2/dags/{dag_id}?update_mask=is_paused", {"is_paused": True})

    def trigger(self, dag_id: str) -> str:
        """Starts a run, and returns its id."""
        return str(self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None})["dag_run_id"])

    def clear(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Makes a task run once more."""
        again = {"dag_run_id": run_id, "task_ids": [task_id], "dry_run": False, "only_failed": False}
        self._call("POST", f"/api/v2/dags/{dag_id}/clearTaskInstances", again)

    def task_instances(self, dag_id: str, run_id: str) -> dict[str, str]:
        """The tasks of a run, in the order in which they began, and the ids of their instances."""
        found = self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?order_by=start_date")
        return {one["task_id"]: str(one["id"]) for one in found["task_instances"]}

    def nightly_run(self, dag_id: str, since: datetime, seconds: float) -> str | None:
        """The run that the scheduler itself has queued since a moment; None if there is none within `seconds`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            newest = "run_type=scheduled&order_by=-run_after&limit=1"
            for run in self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns?{newest}")["dag_runs"]:
                if run["queued_at"] and datetime.fromisoformat(run["queued_at"].replace("Z", "+00:00")) >= since:
                    return str(run["dag_run_id"])
            time.sleep(0.5)
        return None

    def wait_for_runs(self, runs: dict[str, str], services: Services, seconds: float) -> dict[str, str]:
        """Waits until all runs (DAG id to run id) have ended; returns their states."""
        started, states = time.monotonic(), dict.fromkeys(runs, "queued")
        while not all(state in _DONE for state in states.values()):
            services.check()
            if time.monotonic() - started > seconds:
                raise Problem(f"the runs did not end within {seconds:.0f} s: see {services.logs / 'scheduler.log'}")
            time.sleep(1)
            for dag_id, run_id in runs.items():
                state = str(self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])
                if state != states[dag_id]:
                    states[dag_id] = state
                    say(f"  {dag_id}: {state} ({time.monotonic() - started:.0f} s)")
        return states

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._session.request(method, f"{self._address}{path}", json=body, timeout=60)
        if not answer.ok:
            raise Problem(f"Airflow answered {method} {path} with {answer.status_code}.")
        return answer.json()


def wait_until_healthy(address: str, services: Services, seconds: float) -> None:
    """Waits until the API server, the scheduler, the DAG processor and the triggerer report that they are healthy."""
    end = time.monotonic() + seconds
    parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
    while True:
        services.check()
        health = _health(address)
        if all((health.get(part) or {}).get("status") == "healthy" for part in parts):
            return
        if time.monotonic() > end:
            missing = ", ".join(part for part in parts if (health.get(part) or {}).get("status") != "healthy")
            raise Problem(
                f"Airflow is not healthy after {seconds:.0f} s ({missing}): see the files in {services.logs}."
            )
        time.sleep(0.5)


def answers_without_login(address: str) -> bool:
    """Whether the API answers someone who is not logged in."""
    session = requests.Session()
    session.trust_env = False
    return session.get(f"{address}/api/v2/dags", timeout=30).status_code != 401


def _health(address: str) -> dict[str, Any]:
    session = requests.Session()
    session.trust_env = False
    try:
        answer = session.get(f"{address}/api/v2/monitor/health", timeout=10)
        found: dict[str, Any] = answer.json() if answer.ok else {}
    except (requests.ConnectionError, requests.Timeout):
        return {}
    return found


def _last(error: dict[str, Any]) -> str:
    return str(error["stack_trace"]).strip().splitlines()[-1]
