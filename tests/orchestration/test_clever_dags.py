"""A Clever district through its DAGs: skipped where Clever is not ready, synced, freshened between the nights."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from include.simulator.district import MadeUpDistrict
from include.simulator.serving import serve_clever
from roster_sync.config import registry_file
from tests.dsl.database import Database

REPOSITORY = Path(__file__).resolve().parents[2]
REGISTRY = """districts:
  - {key: glen, name: Glen, timezone: UTC, freshen: hourly, source: {kind: clever, conn_id: clever_glen}}
"""


def test_a_clever_district_night_and_day(
    airflow_metadata: None, portal: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One test for several runs: each of them costs seconds, and each needs what the one before it left."""
    registry = tmp_path / "registry.yaml"
    registry.write_text(REGISTRY)
    monkeypatch.setenv(registry_file.DISTRICTS_VARIABLE, str(registry))
    monkeypatch.setenv("AIRFLOW_CONN_PORTAL_DB", portal.airflow_connection)
    monkeypatch.setenv("ROSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ROSTER_DAGS_TEST", "1")
    with serve_clever(MadeUpDistrict(71, 40, 2, churn=0.1), day=2, state="pending") as clever:
        connection = {"conn_type": "clever", "host": clever.root, "password": "district-token-71"}
        monkeypatch.setenv("AIRFLOW_CONN_CLEVER_GLEN", json.dumps(connection))
        bag = DagBag(str(REPOSITORY / "dags"))
        assert bag.import_errors == {}

        def run(dag_id: str, **conf: Any) -> tuple[str, dict[str, str]]:
            done = bag.dags[dag_id].test(run_conf=conf)
            return str(done.state), {one.task_id: str(one.state) for one in done.get_task_instances()}

        def runs() -> list[tuple[Any, ...]]:
            with closing(portal.owner()) as owner, owner.cursor() as cursor:
                cursor.execute("select mode, status, coalesce(message, ''), parameters from sync.runs order by id")
                return list(cursor.fetchall())

        color, tasks = run("roster_sync__glen")
        assert (color, tasks["extract"], tasks["apply"]) == ("success", "skipped", "skipped")
        assert runs()[-1][1] == "skipped"
        assert "has not finished setting up this district" in runs()[-1][2]

        clever.configure(state="success")
        assert run("roster_sync__glen")[0] == "success"
        assert [row[1] for row in runs()] == ["skipped", "launched"]
        assert run("roster_freshen__glen") == ("success", dict.fromkeys(tasks, "skipped")), "there is no news"
        clever.set_day(3)
        color, tasks = run("roster_freshen__glen")
        assert (color, tasks["apply"], tasks["notify"], tasks["ask"]) == ("success", "success", "success", "skipped")
        assert [row[1] for row in runs()] == ["skipped", "launched", "launched"]
        assert runs()[-1][3] == {"events": True}
