"""The DAGs as Airflow sees them: found, complete, explained, and cheap to parse."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization

from roster_sync.config import registry_file
from roster_sync.core import source_kinds
from roster_sync.core.errors import AuthError, DatabaseFailure, FeedRejected, PlanStale, RateLimited, SourceUnavailable
from roster_sync.orchestration import cluster_policies, dag_factory, retry_policy
from tests.orchestration.registries import registry

REPOSITORY = Path(__file__).resolve().parents[2]
MANUAL = {"roster_reset", "roster_undo", "roster_approve"}
STEPS = {"extract", "validate", "plan", "apply", "notify", "ask", "finish"}


@pytest.fixture(scope="module")
def bag(tmp_path_factory) -> DagBag:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("registry")
        patch.setenv(registry_file.DISTRICTS_VARIABLE, str(registry(folder, ["harbor", "bay"])))
        # safe mode as in production: it leaves out a file that does not speak of Airflow and dags
        return DagBag(str(REPOSITORY / "dags"))


@pytest.fixture(scope="module")
def dags(bag) -> dict[str, DAG]:
    return dict(bag.dags)


def test_a_dag_file_lists_its_tasks(dags):
    for dag in dags.values():
        lines = (ast.get_docstring(ast.parse(Path(dag.fileloc).read_text())) or "").splitlines()
        listed = {task_id for line in lines for task_id in re.findall(r"\w+", line) if task_id in dag.task_ids}
        assert listed == set(dag.task_ids), dag.dag_id


def test_every_dag_is_found_and_none_fails_to_import(bag):
    assert bag.import_errors == {}
    assert set(bag.dags) == {"roster_sync__harbor", "roster_sync__bay", "roster_housekeeping", *MANUAL}


def test_every_dag_says_whose_it_is_and_what_to_do_when_it_is_red(dags):
    for dag in dags.values():
        assert dag.tags >= {"roster"}
        assert "red" in dag.doc_md
        assert dag.description
        assert dag.owner in ("data-team", "night-shift")
        assert all(task.owner == dag.owner for task in dag.tasks)
    assert dags["roster_sync__bay"].owner == "night-shift"


def test_every_runbook_that_a_dag_names_exists(dags):
    named = {name for dag in dags.values() for name in re.findall(r"docs/runbooks/[\w-]+\.md", dag.doc_md)}
    assert len(named) >= 4
    assert [name for name in sorted(named) if not (REPOSITORY / name).exists()] == []


def test_every_task_is_limited_in_time_and_tried_again_by_kind_of_error(dags):
    for dag in dags.values():
        assert len(dag.tasks) < 10
        for task in dag.tasks:
            assert isinstance(task.execution_timeout, timedelta), task.task_id
            assert task.retries == 3, task.task_id
            if task.task_id != "question":
                assert isinstance(task.retry_policy, retry_policy.RetryByError), task.task_id


def test_a_district_runs_nightly_in_its_own_time_zone_and_never_twice_at_once(dags):
    dag = dags["roster_sync__harbor"]
    assert str(dag.timetable.timezone) == "America/Chicago"
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    assert {task.task_id for task in dag.tasks} == {"start", *STEPS}
    (deadline,) = dag.deadline
    assert deadline.interval == timedelta(hours=4)
    # any reference to queued_at makes clearing a task an error 500 (Airflow 3.3.2)
    assert deadline.reference.reference_name == "DagRunLogicalDateDeadline"


def test_only_reading_the_source_takes_a_slot_of_the_sources_pool(dags):
    for dag_id, pool in (("roster_sync__harbor", "source_oneroster"), ("roster_reset", "source_manual")):
        assert {task.task_id: task.pool for task in dags[dag_id].tasks if task.pool != "default_pool"} == {
            "extract": pool
        }


def test_each_kind_of_source_has_its_pool_and_each_pool_is_made_by_the_set_up(tmp_path, monkeypatch):
    made = json.loads((REPOSITORY / "include" / "pools.json").read_text())
    assert {*(kind.pool for kind in source_kinds.KINDS), dag_factory.MANUAL_POOL} == set(made)
    (clever,) = dag_factory.build_all(registry_file.load_registry(registry(tmp_path, ["a"], "clever"))).values()
    assert clever.get_task("extract").pool == "source_clever"


def test_the_teardown_closes_the_run_but_does_not_decide_its_color(dags):
    for dag_id in ("roster_sync__harbor", "roster_reset", "roster_undo", "roster_approve"):
        finish = dags[dag_id].get_task("finish")
        assert finish.is_teardown
        assert not finish.on_failure_fail_dagrun
        opened = dags[dag_id].get_task("reopen" if dag_id == "roster_approve" else "start")
        assert opened.is_setup
        assert finish in opened.downstream_list


def test_a_question_is_asked_whether_or_not_the_mails_went(dags):
    ask = dags["roster_sync__harbor"].get_task("ask")
    assert ask.upstream_task_ids == {"plan", "apply"}
    assert ask.trigger_rule == "none_failed_min_one_success"


def test_questions_wait_by_the_thousand_and_are_never_paused(dags):
    dag = dags["roster_approve"]
    assert dag.max_active_runs == 10_000
    for dag_id in MANUAL:
        assert dags[dag_id].is_paused_upon_creation is False
        assert dags[dag_id].schedule is None


def test_nothing_follows_an_unanswered_question(dags):
    question = dags["roster_approve"].get_task("question")
    assert question.defaults == ["Reject"]
    assert question.ignore_downstream_trigger_rules
    assert question.downstream_task_ids == {"reopen"}
    assert not question.do_xcom_push  # it would keep who answered


def test_a_reason_may_be_given_with_an_answer_and_need_not(dags):
    (name,) = dags["roster_approve"].get_task("question").params
    reason = dags["roster_approve"].get_task("question").params.get_param(name)
    assert (name, reason.value, reason.schema["type"]) == ("reason", None, ["null", "string"])


def test_the_form_of_a_reset_names_districts_and_explains_every_field(dags):
    params = dags["roster_reset"].params
    district = params.get_param("district")
    assert district.schema["enum"] == ["bay", "harbor"]
    assert district.schema["values_display"]["harbor"] == "District harbor (harbor)"
    assert list(params) == ["district", "preview_only", "max_deleted_percent", "include_manual", "reason"]
    for name in params:
        assert params.get_param(name).schema["title"]
        assert len(params.get_param(name).schema["description_md"]) > 30


@pytest.mark.parametrize(
    ("dag_id", "name", "value"),
    [
        ("roster_reset", "district", "cove"),
        ("roster_reset", "max_deleted_percent", 101),
        ("roster_reset", "include_manual", "yes"),
        ("roster_sync__harbor", "preview_only", "true"),
        ("roster_sync__harbor", "max_deleted_percent", -1),
        ("roster_undo", "run_id", "newest"),
        ("roster_approve", "run_id", None),
    ],
)
def test_a_wrong_parameter_is_refused_before_a_run_exists(dags, dag_id, name, value):
    with pytest.raises(ParamValidationError):
        dags[dag_id].params.get_param(name).resolve(value)


def test_parsing_twice_makes_the_same_dags(tmp_path):
    """Anything that differs makes a new version of the DAG at every parse."""
    found = registry_file.load_registry(registry(tmp_path, ["harbor"]))
    first, second = (DagSerialization.to_dict(dag_factory.build_all(found)["roster_sync__harbor"]) for _ in range(2))
    assert first == second


def test_dags_test_gets_no_deadline_and_no_retries(tmp_path, monkeypatch):
    monkeypatch.setenv("ROSTER_DAGS_TEST", "1")
    (dag,) = dag_factory.build_all(registry_file.load_registry(registry(tmp_path, ["harbor"]))).values()
    assert not dag.deadline
    assert {task.retries for task in dag.tasks} == {0}


def test_a_broken_registry_is_one_import_error_that_lists_all_and_takes_no_other_dag_away(tmp_path, monkeypatch):
    path = registry(tmp_path, ["harbor"])
    path.write_text(path.read_text().replace("America/Chicago", "Mars/Base").replace("night-shift", "x, nmae: y"))
    monkeypatch.setenv(registry_file.DISTRICTS_VARIABLE, str(path))
    bag = DagBag(str(REPOSITORY / "dags"))
    ((file, error),) = bag.import_errors.items()
    assert file.endswith("roster_sync.py")
    assert "Mars/Base" in error
    assert "did you mean 'name'" in error
    assert set(bag.dags) == {"roster_housekeeping", *MANUAL}


def test_a_disabled_district_has_no_dag(tmp_path):
    path = registry(tmp_path, ["harbor"])
    path.write_text(path.read_text().replace("night-shift", "x, enabled: false"))
    assert dag_factory.build_all(registry_file.load_registry(path)) == {}


def freshened(folder: Path) -> Path:
    path = registry(folder, ["bay", "cove"], "clever")
    path.write_text(path.read_text().replace("key: bay,", "key: bay, freshen: hourly,"))
    return path


def test_a_district_whose_events_are_read_has_a_second_dag(tmp_path):
    dags = dag_factory.build_all(registry_file.load_registry(freshened(tmp_path)))
    assert set(dags) == {"roster_sync__bay", "roster_sync__cove", "roster_freshen__bay"}
    dag = dags["roster_freshen__bay"]
    minute, *rest = str(getattr(dag.timetable, "expression", "")).split()
    assert (0 <= int(minute) < 60, rest) == (True, ["*"] * 4)
    assert (dag.catchup, dag.max_active_runs, dag.owner) == (False, 1, "night-shift")
    assert {task.task_id for task in dag.tasks} == {"start", *STEPS}
    assert dag.get_task("extract").pool == "source_clever"
    assert "never removes" in str(dag.doc_md)
    assert "red" in str(dag.doc_md)
    assert dict(dag.params) == {}


def test_a_worker_builds_only_one_of_a_districts_two_dags(tmp_path, monkeypatch):
    monkeypatch.setenv(registry_file.DISTRICTS_VARIABLE, str(freshened(tmp_path)))
    for dag_id in ("roster_sync__bay", "roster_freshen__bay"):
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)
        assert list(dag_factory.build_all()) == [dag_id]


def test_a_worker_builds_only_the_dag_that_it_runs(tmp_path, monkeypatch):
    monkeypatch.setenv(registry_file.DISTRICTS_VARIABLE, str(registry(tmp_path, ["harbor", "bay"])))
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "roster_sync__bay")
    assert list(dag_factory.build_all()) == ["roster_sync__bay"]
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "roster_reset")
    assert dag_factory.build_all() == {}


def test_a_worker_reads_only_the_file_of_its_district_where_there_is_one(tmp_path, monkeypatch):
    registry(tmp_path, ["bay"]).rename(tmp_path / "bay.yaml")
    (tmp_path / "cove.yaml").write_text("broken")
    monkeypatch.setenv(registry_file.DISTRICTS_VARIABLE, str(tmp_path))
    assert registry_file.find("bay").key == "bay"


def test_twelve_hundred_districts_are_parsed_in_eight_seconds_of_processor_time(tmp_path):
    path = registry(tmp_path, [f"district_{number}" for number in range(1200)])
    started = time.process_time()
    dags = dag_factory.build_all(registry_file.load_registry(path))
    assert len(dags) == 1200
    assert time.process_time() - started < 8


@pytest.mark.parametrize(
    ("error", "try_number", "action", "seconds"),
    [
        (RateLimited("wait", retry_after=90), 1, "retry", 90),
        (RateLimited("wait", retry_after=1), 1, "retry", 10),
        (RateLimited("wait", retry_after=999_999), 1, "retry", 1800),
        (RateLimited("wait"), 1, "retry", 30),
        (SourceUnavailable("down"), 1, "retry", 30),
        (SourceUnavailable("down"), 3, "retry", 120),
        (PlanStale("moved"), 1, "retry", 10),
        (DatabaseFailure("x", "40001"), 1, "retry", 30),
        (DatabaseFailure("x", "57P01"), 1, "retry", 30),
        (DatabaseFailure("x", None), 2, "retry", 60),
        (DatabaseFailure("x", "23505"), 1, "fail", None),
        (AuthError("no"), 1, "fail", None),
        (FeedRejected("bad"), 1, "fail", None),
        (KeyError("x"), 1, "retry", 30),
        (KeyError("x"), 2, "fail", None),
    ],
)
def test_time_heals_some_errors_and_no_others(error, try_number, action, seconds):
    decision = retry_policy.RetryByError().evaluate(error, try_number, 3)
    assert decision.action.value == action
    assert decision.retry_delay == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["airflow", "scheduler"], True),
        (["-m", "scheduler", "--pid", "x"], True),
        (["airflow", "celery", "worker", "-q", "default"], True),
        (["airflow", "api-server"], False),
        (["airflow", "dag-processor"], False),
        (["airflow", "triggerer"], False),
        (["airflow", "dags", "test", "x"], False),
        (["airflow", "celery", "flower"], False),
        (["airflow"], False),
    ],
)
def test_heavy_packages_are_preloaded_where_tasks_are_forked_and_nowhere_else(arguments, expected):
    assert cluster_policies.forks_tasks(arguments) is expected


@pytest.mark.parametrize(("command", "expected"), [("scheduler", "True"), ("dag-processor", "False")])
def test_airflow_reads_our_settings_and_preloads_before_it_forks(command, expected):
    program = (
        f"import sys; sys.argv = ['airflow', '{command}']; import airflow, airflow_local_settings;"
        "from airflow.settings import get_policy_plugin_manager as policies;"
        "print(*(len(getattr(policies().hook, name).get_hookimpls()) for name in ('task_policy', 'dag_policy')));"
        "print('great_expectations' in sys.modules and 'pandas' in sys.modules)"
    )
    folders = [str(REPOSITORY / name) for name in ("config", "plugins")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-2:] == ["1 1", expected]


def test_airflow_calls_our_rules_and_they_refuse_a_task_without_a_time_limit():
    from airflow.exceptions import AirflowClusterPolicyViolation
    from airflow.providers.standard.operators.empty import EmptyOperator

    with DAG("roster_careless") as dag:
        task = EmptyOperator(task_id="careless")
    with pytest.raises(AirflowClusterPolicyViolation, match="an owner and an execution_timeout"):
        cluster_policies.check_task(task)
    with pytest.raises(AirflowClusterPolicyViolation, match="tags, doc_md, description"):
        cluster_policies.check_dag(dag)
    with DAG("someone_elses"):
        cluster_policies.check_task(EmptyOperator(task_id="theirs"))
