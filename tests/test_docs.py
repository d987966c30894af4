"""What people are told in README and docs: every DAG, parameter, variable and name, and no page that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from airflow.sdk import DAG

from roster_sync import cluster, dag_factory, dag_steps, districts, params
from tests.test_dags import registry

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
NAMING = (REPOSITORY / "docs" / "naming.md").read_text(encoding="utf-8")
PAGES = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")])
OWN = {"ROSTER_DAGS_TEST", "ROSTER_TEST_PG", "ROSTER_TEST_PG_USER", "ROSTER_STOP_SECONDS"}
"""What our own commands tell each other."""


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DAG]:
    folder = tmp_path_factory.mktemp("registry")
    with pytest.MonkeyPatch.context() as patch:
        path = registry(folder, ["bay"], "clever")
        path.write_text(path.read_text().replace("owner:", "freshen: hourly, owner:"))
        patch.setenv(districts.DISTRICTS_VARIABLE, str(path))
        found = dag_factory.build_all()
        for build in (
            dag_factory.build_reset_dag,
            dag_factory.build_undo_dag,
            dag_factory.build_approve_dag,
            dag_factory.build_housekeeping_dag,
        ):
            dag = build()
            found[dag.dag_id] = dag
    return found


def test_every_dag_and_each_of_its_parameters_stands_in_the_readme(dags: dict[str, DAG]) -> None:
    rows = {line.split("`")[1]: line for line in README.splitlines() if line.startswith("| `roster_")}
    assert set(rows) == {dag_id.replace("__bay", "__<key>") for dag_id in dags}
    for dag_id, dag in dags.items():
        row = rows[dag_id.replace("__bay", "__<key>")]
        assert {name for name in dag.params if f"`{name}`" not in row} == set(), dag_id


def test_every_dag_task_and_pool_stands_in_the_list_of_names(dags: dict[str, DAG]) -> None:
    names = {dag_id.replace("__bay", "__<key>") for dag_id in dags} | set(dag_steps.MINUTES)
    names |= {*dag_factory.POOLS.values(), dag_factory.MANUAL_POOL}
    names |= {task_id for dag in dags.values() for task_id in dag.task_ids}
    assert {name for name in names if f"`{name}`" not in NAMING} == set()


def test_every_variable_that_the_code_reads_is_told_in_the_readme_and_no_other() -> None:
    read = {cluster.PRELOAD_VARIABLE, districts.DISTRICTS_VARIABLE}
    for folder in ("plugins", "ops", "config", "include"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            read |= set(re.findall(r"[\"'](ROSTER_[A-Z_]+)[\"']", path.read_text(encoding="utf-8")))
    assert set(re.findall(r"ROSTER_[A-Z_]+", README)) == read - OWN


def test_every_field_of_a_form_says_what_it_is_for() -> None:
    forms = [params.reset_params([]), params.undo_params([]), params.approve_params(), params.answer_params()]
    for form in forms:
        for name, param in form.items():
            assert param.schema.get("title"), name
            assert param.schema.get("description_md") or param.description, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target
    for name in re.findall(r"`((?:docs|include|ops|bin|tests|dags|config|helm|plugins)/[\w./-]+)`", text):
        assert (REPOSITORY / name).exists(), name
