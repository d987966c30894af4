"""Builds the DAGs from the registry. No database, no network and no clock here: this runs at every parse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, cast

from airflow.sdk import (
    DAG,
    Asset,
    AssetAlias,
    CronTriggerTimetable,
    Param,
    TriggerRule,
    XComArg,
    chain,
    cross_downstream,
    get_parsing_context,
    task,
)
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from roster_sync import dag_docs, deadline, districts, freshen_tasks, policies, tasks
from roster_sync import params as forms
from roster_sync.approval import APPROVE_DAG_ID, AskPerson, StartQuestion
from roster_sync.districts import District
from roster_sync.errors import ConfigError
from roster_sync.registry import hourly_schedule

if TYPE_CHECKING:
    from airflow.sdk import Context

SYNC_PREFIX: Final = "roster_sync__"
FRESHEN_PREFIX: Final = "roster_freshen__"
SINCE: Final = datetime(2026, 1, 1, tzinfo=timezone.utc)
LATE_AFTER_HOURS: Final = 4
LONGEST_QUESTION: Final = timedelta(hours=24)
"""Until the question is asked: from then on its own due time counts."""
WAITING_QUESTIONS: Final = 10_000
POOLS: Final = {"clever": "source_clever", "oneroster": "source_oneroster", "oneroster_csv": "source_oneroster"}
MANUAL_POOL: Final = "source_manual"
RESULT: Final = AssetAlias("roster", group="roster")
"""For DAGs whose district is a parameter: the event lands on the district's own asset."""

MINUTES: Final = {
    # how long a step may take before it is stopped; `start` may wait an hour for another run of the district
    "start": 90, "extract": 240, "validate": 60, "plan": 90, "apply": 120, "undo": 120, "notify": 30, "ask": 10,
    "question": 10, "reopen": 90, "finish": 30, "purge": 120, "settle": 30, "warn": 30,
}  # fmt: skip


@dataclass(frozen=True)
class Flow:
    """What differs between the DAGs that share the steps of a sync."""

    district_of: Callable[[Context], District]
    mode_of: Callable[[Context], str]
    run_id_of: Callable[[Context], int]
    pool: str
    outlet: Asset | AssetAlias
    keeps_staged: Callable[[Context], bool] = lambda _: False
    """Whether the run goes on with the feed that it staged before it was held: an approved Edit does."""
    is_of_events: bool = False
    """Whether it reads what happened since the last read, and not a whole roster."""


def build_all(registry: Iterable[District] | None = None) -> dict[str, DAG]:
    """One DAG per enabled district, a second one where its events are read between the nights.

    Only the wanted district's where a worker parses the file for a single task.
    """
    wanted = get_parsing_context().dag_id
    if wanted is None:
        every = districts.load_registry() if registry is None else registry
    elif wanted.startswith((SYNC_PREFIX, FRESHEN_PREFIX)):
        every = [districts.find(wanted.removeprefix(SYNC_PREFIX).removeprefix(FRESHEN_PREFIX))]
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
        run_id_of=_run_id_of_start,
        pool=POOLS[district.source.kind],
        outlet=tasks.asset_of(district),
    )
    with _dag(
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
        _run_from_start(flow)
    return dag


def build_freshen_dag(district: District) -> DAG:
    """What happened at a Clever district since it was last read, hour by hour: adds and updates, never removals."""
    flow = Flow(
        district_of=lambda _: district,
        mode_of=lambda _: "edit",
        run_id_of=_run_id_of_start,
        pool=POOLS[district.source.kind],
        outlet=tasks.asset_of(district),
        is_of_events=True,
    )
    with _dag(
        FRESHEN_PREFIX + district.key,
        description=f"What happened at {district.name} since the last sync; only adds and updates",
        doc_md=dag_docs.freshen_doc(district),
        tags=["roster", "freshen", district.source.kind],
        owner=district.owner,
        schedule=CronTriggerTimetable(hourly_schedule(district.key), timezone=district.timezone),
        max_active_runs=1,
    ) as dag:
        _run_from_start(flow)
    return dag


def build_reset_dag() -> DAG:
    """The one DAG for the Resets of all districts."""
    flow = Flow(
        district_of=_district_of_params,
        mode_of=lambda _: "reset",
        run_id_of=_run_id_of_start,
        pool=MANUAL_POOL,
        outlet=RESULT,
    )
    with _dag(
        "roster_reset",
        description="Makes a district's portal hold exactly what is shared now; deletes, and can be undone",
        doc_md=dag_docs.RESET,
        tags=["roster", "manual"],
        params=forms.reset_params(_choices(only_enabled=True)),
        is_paused_upon_creation=False,
    ) as dag:
        _run_from_start(flow)
    return dag


def build_undo_dag() -> DAG:
    """The one DAG for the Undos of all districts."""
    flow = Flow(
        district_of=_district_of_params,
        mode_of=lambda _: "undo",
        run_id_of=_run_id_of_start,
        pool=MANUAL_POOL,
        outlet=RESULT,
    )
    with _dag(
        "roster_undo",
        description="Puts back what a run removed or changed",
        doc_md=dag_docs.UNDO,
        tags=["roster", "manual"],
        params=forms.undo_params(_choices(only_enabled=False)),
        is_paused_upon_creation=False,
    ) as dag:

        @_task("start")
        def start(**context: Any) -> int:
            now = _now(context)
            return tasks.start_undo(now, flow.district_of(now))

        @_task("undo", outlets=[flow.outlet])
        def undo(**context: Any) -> str:
            now = _now(context)
            return tasks.undo(now, flow.district_of(now), flow.run_id_of(now))

        opened = start()
        notified = _notify(flow, TriggerRule.ALL_SUCCESS)
        chain(opened, undo(), notified)
        _finish(flow, opened, [notified])
    return dag


def build_approve_dag() -> DAG:
    """Where the questions of held runs wait, and what was approved is done."""
    flow = Flow(
        district_of=_district_of_params,
        mode_of=_mode_of_reopen,
        run_id_of=lambda context: int(context["params"]["run_id"]),
        pool=MANUAL_POOL,
        outlet=RESULT,
        keeps_staged=lambda context: _mode_of_reopen(context) == "edit",
    )
    with _dag(
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

        @_task("reopen")
        def reopen(**context: Any) -> int:
            now = _now(context)
            return tasks.reopen(now, flow.district_of(now))

        opened = reopen()
        question >> opened
        _steps(flow, opened)
    return dag


def build_housekeeping_dag() -> DAG:
    """The daily purge and the warnings of syncs that expire soon."""
    with _dag(
        "roster_housekeeping",
        description="Purges what is past its keep-by date and warns of syncs that expire soon",
        doc_md=dag_docs.HOUSEKEEPING,
        tags=["roster", "housekeeping"],
        schedule=CronTriggerTimetable("30 6 * * *", timezone="UTC"),
        max_active_runs=1,
        is_paused_upon_creation=False,
    ) as dag:

        @_task("purge")
        def purge(**context: Any) -> dict[str, int]:
            return tasks.purge(_now(context))

        @_task("settle")
        def settle(**context: Any) -> int:
            return tasks.settle(_now(context))

        @_task("warn")
        def warn(**context: Any) -> int:
            return tasks.warn(_now(context))

        purge()
        settle()
        warn()
    return dag


def _run_from_start(flow: Flow) -> None:
    @_task("start")
    def start(**context: Any) -> int:
        now = _now(context)
        if flow.is_of_events:
            return freshen_tasks.start(now, flow.district_of(now))
        return tasks.start(now, flow.district_of(now), flow.mode_of(now))

    _steps(flow, start())


def _steps(flow: Flow, opened: XComArg) -> None:
    """The steps that Edit, Reset and an approved run share, from the setup that opened the run to the teardown.

    Nothing but `extract` follows the setup directly: what does must have the trigger rule all_success (Airflow 3.3.2).
    """

    @_task("extract", pool=flow.pool)
    def extract(**context: Any) -> dict[str, int]:
        now = _now(context)
        if flow.keeps_staged(now):
            return tasks.go_on_with_staged()
        if flow.is_of_events:
            return freshen_tasks.extract(now, flow.district_of(now), flow.run_id_of(now))
        return tasks.extract(now, flow.district_of(now), flow.run_id_of(now))

    @_task("validate")
    def validate(**context: Any) -> None:
        now = _now(context)
        if not flow.keeps_staged(now) and not flow.is_of_events:  # a part of a roster says nothing of the whole
            tasks.validate(now, flow.district_of(now), flow.run_id_of(now))

    @_task("plan")
    def plan(**context: Any) -> str:
        now = _now(context)
        return tasks.plan(now, flow.district_of(now), flow.run_id_of(now), flow.mode_of(now))

    @_task("apply", outlets=[flow.outlet])
    def apply(decision: str, **context: Any) -> str:
        now = _now(context)
        return tasks.apply(now, flow.district_of(now), flow.run_id_of(now), decision)

    planned = plan()
    applied = apply(planned)
    notified = _notify(flow, TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    asked = StartQuestion(
        task_id="ask",
        district_of=flow.district_of,
        run_id_of=flow.run_id_of,
        trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
        **_limits("ask"),
    )
    chain(opened, extract(), validate(), planned)
    # The question does not wait for the mails: a mail server that is down must not keep it from being asked.
    cross_downstream([planned, applied], [notified, asked])
    _finish(flow, opened, [notified, asked])


def _notify(flow: Flow, rule: TriggerRule) -> XComArg:
    @_task("notify", trigger_rule=rule)
    def notify(**context: Any) -> int:
        now = _now(context)
        return tasks.notify(now, flow.district_of(now), flow.run_id_of(now))

    return notify()


def _finish(flow: Flow, opened: Any, last: list[Any]) -> None:
    """The teardown: runs whatever happened. It must not decide the run's colour, or a failed plan would end green."""

    @_task("finish")
    def finish(**context: Any) -> None:
        now = _now(context)
        tasks.finish(now, flow.district_of(now), flow.run_id_of(now))

    last >> finish().as_teardown(setups=opened, on_failure_fail_dagrun=False)


@contextmanager
def _dag(
    dag_id: str, *, params: dict[str, Param] | None = None, owner: str = District.owner, **settings: Any
) -> Iterator[DAG]:
    is_test = policies.is_dags_test()
    with DAG(
        dag_id,
        start_date=SINCE,
        catchup=False,
        default_args={
            "owner": owner,
            "retries": 0 if is_test else policies.RETRIES,
            "retry_delay": policies.PAUSE,
            "retry_policy": policies.RetryByError(),
        },
        **{"schedule": None, **settings},
    ) as dag:
        yield dag
    # Only now: a task made in a DAG that has params copies them all, and each copy is validated at every parse and
    # written to the metadata database (Airflow 3.3.2; half of the time and size of 1,200 DAGs).
    dag.params.update(params or {})


def _task(step: str, **settings: Any) -> Callable[[Callable[..., Any]], Callable[..., XComArg]]:
    """Airflow's @task with the step's time limit; typed, which Airflow's own is not for keyword arguments."""
    return cast(
        "Callable[[Callable[..., Any]], Callable[..., XComArg]]",
        task(multiple_outputs=False, **_limits(step), **settings),
    )


def _limits(step: str) -> dict[str, Any]:
    return {"execution_timeout": timedelta(minutes=MINUTES[step])}


def _deadline(district: District) -> DeadlineAlert | None:
    """Late, counted from the nightly start; whoever starts a run by hand watches it.

    Not from when the run was queued: with that reference no task of a run can be cleared any more, the API answers 500
    (Airflow 3.3.2, `_recalculate_dagrun_queued_at_deadlines`).
    """
    if policies.is_dags_test():
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
        interval=timedelta(hours=LATE_AFTER_HOURS),
        callback=AsyncCallback(deadline.tell_late, kwargs={"district": district.key, "hours": LATE_AFTER_HOURS}),
    )


def _choices(*, only_enabled: bool) -> list[District]:
    """The districts of a drop-down. A broken registry is one import error, that of dags/roster_sync.py."""
    try:
        return [one for one in districts.load_registry() if one.enabled or not only_enabled]
    except ConfigError:
        return []


def _district_of_params(context: Context) -> District:
    return districts.find(context["params"]["district"])


def _run_id_of_start(context: Context) -> int:
    return int(context["ti"].xcom_pull(task_ids="start"))


def _mode_of_reopen(context: Context) -> str:
    return str(context["ti"].xcom_pull(task_ids="reopen", key="mode"))


def _now(context: dict[str, Any]) -> Any:
    """The task's keyword arguments are Airflow's context, which Airflow itself types as a closed dictionary."""
    return context
