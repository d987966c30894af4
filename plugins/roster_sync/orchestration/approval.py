"""The question of a held run: who starts it, how it waits for a person, and what is kept of the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunLink, TriggerDagRunOperator
from airflow.sdk.exceptions import AirflowSkipException

from roster_sync.database import db
from roster_sync.orchestration import hooks
from roster_sync.orchestration.task_runtime import refusals, refuse_unknown_keys

if TYPE_CHECKING:
    from airflow.sdk import Context

    from roster_sync.config.districts import District

APPROVE_DAG_ID: Final = "roster_approve"
SHORTEST_WAIT: Final = timedelta(minutes=1)


class QuestionLink(TriggerDagRunLink):
    """A button on the task that leads to the run in which the question waits."""

    name = "Question"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Empty where nothing was asked; Airflow's own would log an error there (standard provider 1.21)."""
        return str(super().get_link(operator, ti_key=ti_key)) if operator.trigger_run_id else ""


class StartQuestion(TriggerDagRunOperator):
    """Starts the run of roster_approve in which a held run's question waits; skipped where nothing is held."""

    operator_extra_links = [QuestionLink()]  # noqa: RUF012 - the base class declares a plain list

    def __init__(
        self,
        *,
        district_of: Callable[[Context], District],
        run_id_of: Callable[[Context], int],
        **kwargs: Any,
    ) -> None:
        super().__init__(
            trigger_dag_id=APPROVE_DAG_ID,
            logical_date=None,
            skip_when_already_exists=True,  # a repeated task finds the question that it already asked
            openlineage_inject_parent_info=False,  # would be a key of conf that roster_approve does not know
            **kwargs,
        )
        self._district_of = district_of
        self._run_id_of = run_id_of

    def execute(self, context: Context) -> None:
        """Asks once per hold: the question's run is named after it, and an answer to it answers no other."""
        from roster_sync.engine import holds

        district, run_id = self._district_of(context), self._run_id_of(context)
        with closing(hooks.portal_connection()) as connection, db.acting_as(connection, "roster_read") as cursor:
            hold = db.one(cursor, "runs/open_hold", {"run_id": run_id})
        if hold is None:
            raise AirflowSkipException("Nothing is held, so nobody is asked.")
        self.conf = {"district": district.key, "run_id": run_id, "hold_id": hold["id"]}
        self.trigger_run_id = holds.question_run(district.key, run_id, hold["asked_at"])
        super().execute(context)


class AskPerson(ApprovalOperator):
    """Waits in Required Actions for a person, and keeps who answered what, when and why in sync.holds.

    Only what is kept there counts: marking this task as success by hand approves nothing.
    """

    # What the question says is made when it is asked; nothing of it is rendered, kept or shown beforehand.
    template_fields = ()

    def __init__(
        self, *, district_of: Callable[[Context], District], response_timeout: timedelta, **kwargs: Any
    ) -> None:
        super().__init__(
            subject="A held run asks",
            defaults=self.REJECT,  # without it a question that nobody answers would fail, and ask again
            ignore_downstream_trigger_rules=True,
            response_timeout=response_timeout,
            do_xcom_push=False,  # it would hold the name of whoever answered
            **kwargs,
        )
        self._district_of = district_of

    def execute(self, context: Context) -> Any:
        """Asks, unless the question is already closed."""
        from roster_sync.engine import holds

        refuse_unknown_keys(context)
        run_id = int(context["params"]["run_id"])
        with closing(hooks.portal_connection()) as connection, refusals("question"):
            question = holds.question(connection, run_id, hooks.links(), context["params"].get("hold_id"))
        self.subject = question.subject
        self.body = question.body
        # A repeated task waits for what is left, not for another day.
        self.response_timeout = max(question.due_at - datetime.now(timezone.utc), SHORTEST_WAIT)
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Keeps the answer first, then lets the rest run or be skipped."""
        from roster_sync.engine import holds

        run_id = int(context["params"]["run_id"])
        answer, answered_by = answer_of(event, self.APPROVE)
        if answer is None:
            raise AirflowSkipException("No person gave this answer, so it does not count.")
        reason = str((event.get("params_input") or {}).get("reason") or "").strip() or None
        with closing(hooks.portal_connection()) as connection, refusals("question"):
            is_kept = holds.record_answer(
                connection, run_id, answer, answered_by, reason,
                answered_at=event.get("responded_at"), hold_id=context["params"].get("hold_id"),
            )  # fmt: skip
        if not is_kept:
            raise AirflowSkipException(f"The question of run {run_id} was already closed: this answer changes nothing.")
        super().execute_complete(context, event)


def answer_of(event: Mapping[str, Any], approve: str) -> tuple[str | None, str | None]:
    """What a response means, and who gave it: only a person approves or rejects, and only time times out."""
    person = event.get("responded_by_user") or {}
    name = person.get("name") or person.get("id")
    if event.get("timedout"):
        return "timed_out", None
    if not name:
        return None, None
    return ("approved" if event.get("chosen_options") == [approve] else "rejected"), str(name)
