"""A run that waits for an answer."""

from __future__ import annotations

from roster_sync.engine import holds
from tests.ui.conftest import Pages

HARBOR = "/roster/districts/harbor"


def put_question(pages: Pages, hold: int) -> str:
    """A question as the scheduler leaves it: its task waits for input; returns Airflow's id of its run."""
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.models.hitl import HITLDetail
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState
    from airflow.utils.types import DagRunTriggeredByType

    run = pages.one("select run_id from sync.holds where id = %s", hold)
    question = holds.question_run("harbor", run, pages.one("select asked_at from sync.holds where id = %s", hold))
    trigger_dag(
        "roster_approve", run_id=question, conf={"district": "harbor", "run_id": run, "hold_id": hold},
        triggered_by=DagRunTriggeredByType.OPERATOR,
    )  # fmt: skip
    with create_session() as session:
        task = session.query(TaskInstance).filter_by(dag_id="roster_approve", run_id=question, task_id="question").one()
        task.state = TaskInstanceState.AWAITING_INPUT
        session.add(HITLDetail(ti_id=task.id, options=["Approve", "Reject"], subject="A held run asks", params={}))
    return question
