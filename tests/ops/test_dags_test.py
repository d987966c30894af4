"""`bin/airflow dags test`: never together with a scheduler, and it cleans up after one that was killed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.locks import Lock
from tests.dsl.database import REPOSITORY
from tests.ops.commands import new_home, processes_of, run, start, wait_for

pytestmark = pytest.mark.slow

DAG = '''"""An Airflow DAG that sleeps for a configured time."""
import os, time
from pathlib import Path
from airflow.sdk import dag, task

@dag(schedule=None)
def sleeper():
    @task
    def sleep():
        Path(os.environ["SLEEPER_STARTED"]).write_text(os.environ.get("ROSTER_DAGS_TEST", ""))
        time.sleep(float(os.environ["SLEEPER_SECONDS"]))
    sleep()

sleeper()
'''


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """One home for all tests here: to make Airflow's database takes ten seconds."""
    with new_home() as folder:
        yield folder


@pytest.fixture
def settings(home: Path, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "sleeper.py").write_text(DAG)
    return {
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "SLEEPER_SECONDS": "0",
        "SLEEPER_STARTED": str(tmp_path / "started"),
    }


def test_a_fresh_home_tests_a_dag_at_once_and_says_so_to_it(home: Path, settings: dict[str, str]) -> None:
    result = run("airflow", "dags", "test", "sleeper", home=home, **settings)
    assert result.returncode == 0, result.stderr
    assert Path(settings["SLEEPER_STARTED"]).read_text() == "1"


def test_the_cli_s_answer_is_all_there_is_on_standard_output(home: Path) -> None:
    result = run("airflow", "version", home=home)
    assert (result.returncode, result.stdout.count("\n")) == (0, 1)
    assert result.stdout.startswith("3.")


def test_while_a_scheduler_runs_it_is_refused_in_one_line(home: Path, settings: dict[str, str]) -> None:
    lock = Lock(home / "run" / "schedulers.lock")
    lock.share()
    try:
        result = run("airflow", "dags", "test", "sleeper", home=home, **settings)
    finally:
        lock.close()
    assert result.returncode == 1
    assert result.stdout == ""
    assert "scheduler" in result.stderr
    said = [line for line in result.stderr.splitlines() if " ..." not in line]  # progress is shown where it takes long
    assert len(said) == 1


def test_what_a_killed_one_left_running_is_marked_as_failed_by_the_next(home: Path, settings: dict[str, str]) -> None:
    killed = start("airflow", "dags", "test", "sleeper", home=home, **{**settings, "SLEEPER_SECONDS": "300"})
    assert wait_for(Path(settings["SLEEPER_STARTED"]).exists, 90)
    refused = run("airflow", "scheduler", "--help", home=home)
    assert "a `dags test` of this ROSTER_HOME is running" in refused.stderr
    killed.kill()
    killed.communicate()
    assert wait_for(lambda: processes_of(home) == [])

    result = run("airflow", "dags", "test", "sleeper", home=home, **settings)
    assert result.returncode == 0
    assert "its run is marked as failed" in result.stderr
    states = "select state, count(*) from {} where dag_id = 'sleeper' group by 1 order by 1"
    for table in ("dag_run", "task_instance"):
        found = run("psql", "-d", "airflow", "-U", "airflow", "-Atc", states.format(table), home=home).stdout
        assert "failed|1\n" in found
        assert "running" not in found


def test_sigterm_ends_it_although_airflow_ignores_it(home: Path, settings: dict[str, str]) -> None:
    process = start("airflow", "dags", "test", "sleeper", home=home, **{**settings, "SLEEPER_SECONDS": "300"})
    assert wait_for(Path(settings["SLEEPER_STARTED"]).exists, 90)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert processes_of(home) == []


def test_our_own_pools_are_there(home: Path) -> None:
    pools = run("psql", "-d", "airflow", "-U", "airflow", "-Atc", "select pool from slot_pool order by 1", home=home)
    assert pools.stdout.split() == ["default_pool", "source_clever", "source_manual", "source_oneroster"]


def test_every_command_can_be_run_from_any_folder_and_through_a_link(home: Path, tmp_path: Path) -> None:
    link = tmp_path / "psql"
    link.symlink_to(REPOSITORY / "bin" / "psql")
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "psql.py").write_text("raise SystemExit('the wrong one')")
    environment = {**os.environ, "ROSTER_HOME": str(home)}
    done = subprocess.run(
        [str(link), "-Atc", "select 1"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "1\n")


def test_one_that_failed_ends_with_what_is_wrong_in_the_registry(
    home: Path, settings: dict[str, str], tmp_path: Path
) -> None:
    registry = tmp_path / "districts.yaml"
    registry.write_text("districts:\n  - {key: lake, name: Lake, color: blue}\n")
    result = run("airflow", "dags", "test", "roster_sync__lake", home=home, **settings, ROSTER_DISTRICTS=str(registry))
    assert result.returncode == 1
    *_, first, _, _, last = result.stderr.strip().splitlines()
    assert first.startswith("bin/airflow: ")
    assert last.startswith("  districts.yaml, line 2: the entry has no key 'color'")


def test_one_that_failed_ends_with_what_its_run_says(home: Path, tmp_path: Path) -> None:
    registry = tmp_path / "districts.yaml"
    registry.write_text(
        "districts:\n  - key: lake\n    name: Lake\n    timezone: America/Chicago\n"
        "    source: {kind: oneroster_csv, path: /nowhere/at/all.zip}\n"
    )
    result = run("airflow", "dags", "test", "roster_sync__lake", home=home, ROSTER_DISTRICTS=str(registry))
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("bin/airflow: roster_sync__lake, run ")
    assert ", failed: There is nothing at" in last
