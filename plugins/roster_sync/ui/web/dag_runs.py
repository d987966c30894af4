"""What the pages ask of Airflow itself: start a DAG run in a person's name, answer a question, see a run's state."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from airflow.api.common.trigger_dag import trigger_dag
from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from airflow.sdk.exceptions import AirflowException
from airflow.utils.session import create_session
from airflow.utils.state import TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType
from fastapi import HTTPException
from sqlalchemy import select

from roster_sync.core.errors import RosterError
from roster_sync.engine import holds

APPROVE_DAG: Final = "roster_approve"
QUESTION_TASK: Final = "question"
APPROVE: Final = "Approve"
REJECT: Final = "Reject"
Question = Literal["coming", "open", "answered"]
_REFUSALS: Final = {
    404: "The question is still being asked, or has timed out. Reload the page in a minute.",
    409: "The question was already answered. Reload the page.",
}


class NotPossible(RosterError):
    """Airflow cannot do now what was asked for."""


def start(dag_id: str, conf: dict[str, Any], user: Any) -> str:
    """Starts a run of the DAG in the user's name and returns Airflow's id of it.

    The right was checked over the district; the DAG may be one on which only staff hold rights themselves.
    """
    model = DagModel.get_current(dag_id)
    if model is None or model.is_stale:
        raise NotPossible(f"Airflow has not loaded the DAG {dag_id}. Wait a minute, or check its import errors.")
    if model.is_paused:
        raise NotPossible(f"The DAG {dag_id} is paused in Airflow. Unpause it there first.")
    try:
        started = trigger_dag(
            dag_id, triggered_by=DagRunTriggeredByType.UI, triggering_user_name=str(user.get_name()), conf=conf
        )
    except (AirflowException, ValueError) as error:
        raise NotPossible(f"Airflow did not start the run: {error}") from None
    if started is None:
        raise NotPossible("Airflow did not start the run. Try again in a minute.")
    return str(started.run_id)


def state_of(dag_id: str, airflow_run_id: str) -> str | None:
    """queued, running, success, failed; None where Airflow has no such run."""
    found = DagRun.find(dag_id=dag_id, run_id=airflow_run_id)
    return str(found[0].state) if found else None


def is_paused(dag_id: str) -> bool | None:
    """Whether Airflow starts the DAG at all; None where it does not know it."""
    model = DagModel.get_current(dag_id)
    return None if model is None or model.is_stale else bool(model.is_paused)


def question(key: str, run_id: int, asked_at: datetime) -> Question:
    """How far a question of a held run is in Airflow: `roster_approve` needs some seconds to ask it."""
    with create_session() as session:
        found = session.execute(
            select(HITLDetail.responded_at, TaskInstance.state)
            .join(TaskInstance, TaskInstance.id == HITLDetail.ti_id)
            .where(
                TaskInstance.dag_id == APPROVE_DAG,
                TaskInstance.task_id == QUESTION_TASK,
                TaskInstance.run_id == holds.question_run(key, run_id, asked_at),
            )
        ).first()
    if found is None:
        return "coming"
    if found[0] is not None:
        return "answered"
    # an answer before the task waits can be lost (Airflow 3.3.2)
    is_waiting = found[1] in (TaskInstanceState.AWAITING_INPUT, TaskInstanceState.DEFERRED)
    return "open" if is_waiting else "coming"


def answer(key: str, run_id: int, asked_at: datetime, *, is_approved: bool, reason: str, user: Any) -> None:
    """Answers this question of a held run as Airflow's own page does, in the user's name."""
    payload = UpdateHITLDetailPayload(
        chosen_options=[APPROVE if is_approved else REJECT], params_input={"reason": reason}
    )
    with create_session() as session:
        try:
            update_hitl_detail(
                dag_id=APPROVE_DAG, dag_run_id=holds.question_run(key, run_id, asked_at), task_id=QUESTION_TASK,
                update_hitl_detail_payload=payload, user=user, session=session,
            )  # fmt: skip
        except HTTPException as error:
            refusal = _REFUSALS.get(error.status_code, f"Airflow did not accept the answer: {error.detail}")
            raise NotPossible(refusal) from None
