"""Builds the DAGs from the registry. No database, no network and no clock here: this runs at every parse."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import DAG, AssetAlias, CronTriggerTimetable, TriggerRule, chain, get_parsing_context
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from roster_sync.config import registry_file
from roster_sync.config.districts import District
from roster_sync.core import source_kinds
from roster_sync.core.errors import ConfigError
from roster_sync.orchestration import dag_docs, deadline, retry_policy, tasks
from roster_sync.orchestration import params as forms
from roster_sync.orchestration.approval import APPROVE_DAG_ID, AskPerson
from roster_sync.orchestration.dag_steps import (
    MINUTES,
    Flow,
    as_context,
    finish_step,
    notify_step,
    one_dag,
    run_from_start,
    run_id_of_start,
    step_task,
    steps,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

SYNC_PREFIX: Final = "roster_sync__"
FRESHEN_PREFIX: Final = "roster_freshen__"
LATE_AFTER_HOURS: Final = 4
LONGEST_QUESTION: Final = timedelta(hours=24)
"""Until the question is asked: from then on its own due time counts."""
WAITING_QUESTIONS: Final = 10_000
MANUAL_POOL: Final = "source_manual"
RESULT: Final = AssetAlias("roster", group="roster")
"""For DAGs whose district is a parameter: the event lands on the district's own asset."""


def build_all(registry: Iterable[District] | None = None) -> dict[str, DAG]:
    """One DAG per enabled district, a second one where its events are read between the nights.

    Only the wanted district's where a worker parses the file for a single task.
    """
    wanted = get_parsing_context().dag_id
    if wanted is None:
        every = registry_file.load_registry() if registry is None else registry
    elif wanted.startswith((SYNC_PREFIX, FRESHEN_PREFIX)):
        every = [registry_file.find(wanted.removeprefix(SYNC_PREFIX).removeprefix(FRESHEN_PREFIX))]
    else:
        every = []
    found: dict[str, DAG] = {}
    for district in every:
        if district.enabled and not (wanted or "").startswith(FRESHEN_PREFIX):
            found[SYNC_PREFIX + district.key] = build_sync_dag(district)
        if district.enabled and district.freshen != "off" and not (wanted or "").startswith(SYNC_PREFIX):
            found[FRESHEN_PREFIX + district.key] = build_freshen_dag(district)
    return found


def build_sync_dag(district: District) -> DAG:
    """The nightly Edit of one district, also started by hand."""
    flow = Flow(
        district_of=lambda _: district,
        mode_of=lambda _: "edit",
        run_id_of=run_id_of_start,
        pool=source_kinds.find(district.source.kind).pool,
        outlet=tasks.asset_of(district),
    )
    with one_dag(
        SYNC_PREFIX + district.key,
        description=f"The nightly roster sync of {district.name}",
        doc_md=dag_docs.sync_doc(district),
        tags=["roster", "sync", district.source.kind],
        owner=district.owner,
        schedule=CronTriggerTimetable(district.schedule, timezone=district.timezone),
        max_active_runs=1,
        deadline=_deadline(district),
        params={"preview_only": forms.preview_only(), "max_deleted_percent": forms.max_deleted_percent()},
    ) as dag:
        run_from_start(flow)
    return dag


def build_freshen_dag(district: District) -> DAG:
    """What happened at a district since it was last read, hour by hour: adds and updates, never removals."""
    flow = Flow(
        district_of=lambda _: district,
        mode_of=lambda _: "edit",
        run_id_of=run_id_of_start,
        pool=source_kinds.find(district.source.kind).pool,
        outlet=tasks.asset_of(district),
        is_of_events=True,
    )
    with one_dag(
        FRESHEN_PREFIX + district.key,
        description=f"Changes at {district.name} since the last sync; only adds and updates",
        doc_md=dag_docs.freshen_doc(district),
        tags=["roster", "freshen", district.source.kind],
        owner=district.owner,
        schedule=CronTriggerTimetable(registry_file.hourly_schedule(district.key), timezone=district.timezone),
        max_active_runs=1,
    ) as dag:
        run_from_start(flow)
    return dag


def build_reset_dag() -> DAG:
    """The one DAG for the Resets of all districts."""
    flow = Flow(
        district_of=_district_of_params,
        mode_of=lambda _: "reset",
        run_id_of=run_id_of_start,
        pool=MANUAL_POOL,
        outlet=RESULT,
    )
    with one_dag(
        "roster_reset",
        description="Makes a district's portal match exactly what is shared now; deletes, and can be undone",
        doc_md=dag_docs.RESET,
        tags=["roster", "manual"],
        params=forms.reset_params(_choices(only_enabled=True)),
        is_paused_upon_creation=False,
    ) as dag:
        run_from_start(flow)
    return dag


def build_undo_dag() -> DAG:
    """The one DAG for the Undos of all districts."""
    flow = Flow(
        district_of=_district_of_params,
        mode_of=lambda _: "undo",
        run_id_of=run_id_of_start,
        pool=MANUAL_POOL,
        outlet=RESULT,
    )
    with one_dag(
        "roster_undo",
        description="Puts back what a run deleted or changed",
        doc_md=dag_docs.UNDO,
        tags=["roster", "manual"],
        params=forms.undo_params(_choices(only_enabled=False)),
        is_paused_upon_creation=False,
    ) as dag:

        @step_task("start")
        def start(**kwargs: Any) -> int:
            context = as_context(kwargs)
            return tasks.start_undo(context, flow.district_of(context))

        @step_task("undo", outlets=[flow.outlet])
        def undo(**kwargs: Any) -> str:
            context = as_context(kwargs)
            return tasks.undo(context, flow.district_of(context), flow.run_id_of(context))

        opened = start()
        notified = notify_step(flow, TriggerRule.ALL_SUCCESS)
        chain(opened, undo(), notified)
        finish_step(flow, opened, [notified])
    return dag


def build_approve_dag() -> DAG:
    """Where the questions of held runs wait, and what was approved is done."""
    flow = Flow(
        district_of=_district_of_params,
        mode_of=_mode_of_reopen,
        run_id_of=lambda context: int(context["params"]["run_id"]),
        pool=MANUAL_POOL,
        outlet=RESULT,
        reuses_staged_feed=lambda context: _mode_of_reopen(context) == "edit",
    )
    with one_dag(
        APPROVE_DAG_ID,
        description="The questions of held runs: answer them under Browse > Required Actions",
        doc_md=dag_docs.APPROVE,
        tags=["roster", "approval"],
        params=forms.approve_params(),
        is_paused_upon_creation=False,
        max_active_runs=WAITING_QUESTIONS,
    ) as dag:
        question = AskPerson(
            task_id="question",
            district_of=_district_of_params,
            params=forms.answer_params(),
            response_timeout=LONGEST_QUESTION,
            execution_timeout=timedelta(minutes=MINUTES["question"]),
            # An answer in the very instant in which the task begins to wait fails it (Airflow 3.3.2): it asks again.
            retries=3,
            retry_delay=timedelta(seconds=5),
            retry_policy=None,
        )

        @step_task("reopen")
        def reopen(**kwargs: Any) -> int:
            context = as_context(kwargs)
            return tasks.reopen(context, flow.district_of(context))

        opened = reopen()
        question >> opened
        steps(flow, opened)
    return dag


def build_housekeeping_dag() -> DAG:
    """The daily purge and the warnings of syncs that expire soon."""
    with one_dag(
        "roster_housekeeping",
        description="Deletes data past its keep-by date and warns of syncs that expire soon",
        doc_md=dag_docs.HOUSEKEEPING,
        tags=["roster", "housekeeping"],
        schedule=CronTriggerTimetable("30 6 * * *", timezone="UTC"),
        max_active_runs=1,
        is_paused_upon_creation=False,
    ) as dag:

        @step_task("purge")
        def purge(**kwargs: Any) -> dict[str, int]:
            return tasks.purge(as_context(kwargs))

        @step_task("refresh_worklists")
        def refresh_worklists(**kwargs: Any) -> int:
            return tasks.refresh_worklists(as_context(kwargs))

        @step_task("warn")
        def warn(**kwargs: Any) -> int:
            return tasks.warn(as_context(kwargs))

        purge()
        refresh_worklists()
        warn()
    return dag


def _deadline(district: District) -> DeadlineAlert | None:
    """Late, counted from the nightly start; whoever starts a run by hand watches it.

    Not from when the run was queued: with that reference no task of a run can be cleared any more, the API answers 500
    (Airflow 3.3.2, `_recalculate_dagrun_queued_at_deadlines`).
    """
    if retry_policy.is_dags_test():
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
        interval=timedelta(hours=LATE_AFTER_HOURS),
        callback=AsyncCallback(deadline.tell_late, kwargs={"district": district.key, "hours": LATE_AFTER_HOURS}),
    )


def _choices(*, only_enabled: bool) -> list[District]:
    """The districts of a drop-down. A broken registry is one import error, that of dags/roster_sync.py."""
    try:
        return [one for one in registry_file.load_registry() if one.enabled or not only_enabled]
    except ConfigError:
        return []


def _district_of_params(context: Context) -> District:
    return registry_file.find(context["params"]["district"])


def _mode_of_reopen(context: Context) -> str:
    return str(context["ti"].xcom_pull(task_ids="reopen", key="mode"))
