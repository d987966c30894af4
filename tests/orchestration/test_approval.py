"""The question of a held run: what it says, whose answer counts, and what follows from it."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.standard.operators import hitl
from airflow.sdk import DAG
from airflow.sdk.exceptions import (
    AirflowSkipException,
    DagRunTriggerException,
    DownstreamTasksSkipped,
    TaskAwaitingInput,
)

from roster_sync.config import registry_file
from roster_sync.engine import plan_text, runs
from roster_sync.engine.runs import RunRequest
from roster_sync.orchestration import dag_factory, tasks
from roster_sync.orchestration.approval import answer_of
from tests.dsl.database import Database

PLAN = {
    "sentence": "16 of 128 classes would be removed; the limit is 10%.",
    "counts": {"classes": {"unshare": 16}},
    "bases": {"classes": 128},
    "schools": {"added": [], "removed": ["Cedar Elementary"], "offered": []},
    "licenses_to_free": 0,
    "manual": 0,
}
STAFF = {"id": "7", "name": "sam"}


@dataclass
class Instance:
    """What Airflow gives a task of itself."""

    id: str = "5f0c"
    map_index: int = -1
    pushed: dict[str, Any] = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


@dataclass
class Held:
    """A run on hold, and the DAG in which its question waits."""

    portal: Database
    run_id: int
    dag: DAG
    asked: int | None = None
    """The hold that this run of roster_approve asks about; none where a person started it."""

    def context(self, task_id: str) -> Any:
        params = {"district": "bay", "run_id": self.run_id, "hold_id": self.asked}
        instance = Instance()
        return {
            "params": params,
            "dag_run": SimpleNamespace(conf=params),
            "dag": self.dag,
            "run_id": "bay__question",
            "task": self.dag.get_task(task_id),
            "ti": instance,
            "task_instance": instance,
        }

    def ask(self, task_id: str = "question") -> Any:
        task: Any = self.dag.get_task(task_id)
        return task.execute(self.context(task_id))

    def answer(self, *options: str, by: dict[str, str] | None = STAFF, timedout: bool = False, reason: str = "") -> Any:
        event = {
            "chosen_options": list(options),
            "params_input": {"reason": reason},
            "responded_at": datetime.now(timezone.utc),
            "responded_by_user": by,
            "timedout": timedout,
        }
        question: Any = self.dag.get_task("question")
        return question.execute_complete(self.context("question"), event)

    def hold(self) -> dict[str, Any]:
        return self.row("select answer, answered_by, reason, superseded_by from sync.holds where run_id = %s")

    def hold_id(self) -> int:
        return int(self.row("select max(id) as id from sync.holds where run_id = %s")["id"])

    def status(self) -> str:
        return str(self.row("select status from sync.runs where id = %s")["status"])

    def row(self, statement: str) -> dict[str, Any]:
        with closing(self.portal.owner()) as connection, connection.cursor() as cursor:
            cursor.execute(statement, (self.run_id,))
            names = [column.name for column in cursor.description or ()]
            return dict(zip(names, cursor.fetchone() or (), strict=True))


@pytest.fixture
def held(portal: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Held:
    registry = tmp_path / "registry.yaml"
    registry.write_text(
        "districts:\n  - {key: bay, name: Bay, timezone: UTC, source: {kind: oneroster_csv, path: bay.zip}}\n"
    )
    monkeypatch.setenv(registry_file.DISTRICTS_VARIABLE, str(registry))
    monkeypatch.setenv("AIRFLOW_CONN_PORTAL_DB", portal.airflow_connection)
    run_id = begin(portal, "first")
    with closing(portal.owner()) as connection, connection.cursor() as cursor:
        cursor.execute("update sync.runs set status = 'held' where id = %s", (run_id,))
        cursor.execute(
            "insert into sync.holds (run_id, plan_digest, scope, summary, due_at)"
            " values (%s, 'x', 'removals', %s, now() + interval '5 hours')",
            (run_id, json.dumps(PLAN)),
        )
    return Held(portal, run_id, dag_factory.build_approve_dag())


def begin(portal: Database, airflow_run_id: str) -> int:
    request = RunRequest("edit", "nightly", "schedule", "roster_sync__bay", airflow_run_id)
    with closing(portal.connect()) as connection:
        return runs.begin(connection, registry_file.find("bay"), request, is_alive=lambda *_: True)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What would reach Airflow's API server, which is not there."""
    sent: dict[str, Any] = {}
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **payload: sent.update(payload))
    return sent


def test_the_question_holds_numbers_and_waits_until_it_is_due(held, asked, monkeypatch):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example")
    with pytest.raises(TaskAwaitingInput) as caught:
        held.ask()
    assert f"run {held.run_id}" in asked["subject"]
    assert "16 of 128 classes would be removed" in asked["body"]
    assert "Cedar Elementary" in asked["body"]
    assert f"[The page of run {held.run_id}](https://airflow.example/roster/runs/{held.run_id})" in asked["body"]
    assert asked["defaults"] == ["Reject"]
    assert list(asked["params"]) == ["reason"]
    assert timedelta(hours=4, minutes=59) < caught.value.timeout < timedelta(hours=5)


def test_the_question_calls_the_kinds_of_rows_as_the_pages_do():
    plan = {**PLAN, "counts": {"enrollments": {"end": 4812}}, "bases": {"enrollments": 9100}}
    text = plan_text.question(
        {"run_id": 7, "mode": "edit", "scope": "removals", "summary": plan}, "https://airflow.example"
    )
    assert "| Enrollments | 4,812 | 9,100 |" in text


def test_nothing_of_the_question_is_rendered_or_kept_beforehand(held):
    question = held.dag.get_task("question")
    assert tuple(question.template_fields) == ()
    assert question.body is None


def test_a_closed_question_is_not_asked(held, asked):
    begin(held.portal, "second")
    with pytest.raises(AirflowSkipException):
        held.ask()
    assert asked == {}


def test_an_unknown_parameter_of_a_question_is_refused(held, asked):
    context = held.context("question")
    context["dag_run"].conf["run"] = 1
    with pytest.raises(Exception, match="'run'"):
        held.dag.get_task("question").execute(context)
    assert asked == {}


def test_an_approval_keeps_who_and_why_and_lets_the_rest_run(held):
    assert held.answer("Approve", reason=" the closure is known ") is None
    hold = held.hold()
    assert (hold["answer"], hold["answered_by"], hold["reason"]) == ("approved", "sam", "the closure is known")
    assert held.status() == "held"


def test_a_rejection_is_kept_and_everything_but_the_teardown_is_skipped(held):
    with pytest.raises(DownstreamTasksSkipped) as caught:
        held.answer("Reject")
    skipped = {task if isinstance(task, str) else task.task_id for task in caught.value.tasks}
    assert skipped == {"reopen", "extract", "validate", "plan", "apply", "notify", "ask"}
    assert (held.hold()["answer"], held.status()) == ("rejected", "rejected")


def test_silence_is_kept_as_silence_and_the_run_stays_held(held):
    with pytest.raises(DownstreamTasksSkipped):
        held.answer("Reject", by=None, timedout=True)
    hold = held.hold()
    assert (hold["answer"], hold["answered_by"], held.status()) == ("timed_out", None, "held")


def test_an_answer_behind_which_nobody_stands_counts_as_none(held):
    with pytest.raises(AirflowSkipException):
        held.answer("Approve", by=None)
    assert held.hold()["answer"] is None


def test_an_answer_that_comes_too_late_changes_nothing_and_says_so(held):
    begin(held.portal, "second")
    with pytest.raises(AirflowSkipException, match="changes nothing"):
        held.answer("Approve")
    assert held.hold()["answer"] is None


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"chosen_options": ["Approve"], "responded_by_user": STAFF}, ("approved", "sam")),
        ({"chosen_options": ["Approve"], "responded_by_user": {"id": "7", "name": ""}}, ("approved", "7")),
        ({"chosen_options": ["Reject"], "responded_by_user": STAFF}, ("rejected", "sam")),
        ({"chosen_options": ["Approve", "Reject"], "responded_by_user": STAFF}, ("rejected", "sam")),
        ({"chosen_options": [], "responded_by_user": STAFF}, ("rejected", "sam")),
        ({"chosen_options": ["Approve"], "timedout": True, "responded_by_user": None}, ("timed_out", None)),
        ({"chosen_options": ["Approve"], "responded_by_user": None}, (None, None)),
        ({"chosen_options": ["Approve"]}, (None, None)),
    ],
)
def test_only_a_person_approves_or_rejects(event, expected):
    assert answer_of(event, "Approve") == expected


def test_a_question_marked_as_success_by_hand_approves_nothing(held):
    context = held.context("reopen")
    with pytest.raises(AirflowSkipException, match="Nobody has approved"):
        tasks.reopen(context, registry_file.find("bay"))
    assert held.status() == "held"


def test_an_approved_run_goes_on_as_the_same_run(held):
    held.answer("Approve")
    context = held.context("reopen")
    assert tasks.reopen(context, registry_file.find("bay")) == held.run_id
    assert context["ti"].pushed == {"mode": "edit"}
    assert held.status() == "in_progress"


def test_a_held_run_starts_one_question_named_after_its_hold(held):
    names = []
    for _ in range(2):
        with pytest.raises(DagRunTriggerException) as caught:
            held.ask("ask")
        names.append(caught.value.dag_run_id)
        assert caught.value.trigger_dag_id == "roster_approve"
        assert caught.value.conf == {"district": "bay", "run_id": held.run_id, "hold_id": held.hold_id()}
        assert caught.value.skip_when_already_exists
    assert names[0] == names[1]
    assert names[0].startswith(f"bay__run_{held.run_id}__question_")


def test_where_nothing_is_held_nobody_is_asked(held):
    held.answer("Approve")
    with pytest.raises(AirflowSkipException, match="nobody is asked"):
        held.ask("ask")


def test_an_answer_to_a_question_that_another_one_replaced_changes_nothing(held, asked):
    """A held run that is cleared and planned again takes its question back; the old one still waits in Airflow."""
    first = held.hold_id()
    with closing(held.portal.owner()) as connection, connection.cursor() as cursor:
        cursor.execute("delete from sync.holds")
        cursor.execute(
            "insert into sync.holds (run_id, plan_digest, scope, summary, due_at)"
            " values (%s, 'y', 'removals', %s, now() + interval '5 hours')",
            (held.run_id, json.dumps(PLAN)),
        )
    held.asked = first
    with pytest.raises(AirflowSkipException, match="is not waiting for an answer"):
        held.ask()
    with pytest.raises(AirflowSkipException, match="changes nothing"):
        held.answer("Approve")
    assert (held.hold()["answer"], asked) == (None, {})
    held.asked = held.hold_id()
    held.answer("Approve")
    assert held.hold()["answer"] == "approved"
