"""The steps that the DAGs share, and what every DAG of ours has: dag_factory puts them together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, cast

from airflow.sdk import DAG, Asset, AssetAlias, Param, TriggerRule, XComArg, chain, cross_downstream, task

from roster_sync.config.districts import District
from roster_sync.orchestration import freshen_tasks, retry_policy, tasks
from roster_sync.orchestration.approval import StartQuestion

if TYPE_CHECKING:
    from airflow.sdk import Context

SINCE: Final = datetime(2026, 1, 1, tzinfo=timezone.utc)
MINUTES: Final = {
    # how long a step may take before it is stopped; `start` may wait an hour for another run of the district
    "start": 90, "extract": 240, "validate": 60, "plan": 90, "apply": 120, "undo": 120, "notify": 30, "ask": 10,
    "question": 10, "reopen": 90, "finish": 30, "purge": 120, "refresh_worklists": 30, "warn": 30,
}  # fmt: skip


@dataclass(frozen=True)
class Flow:
    """What differs between the DAGs that share the steps of a sync."""

    district_of: Callable[[Context], District]
    mode_of: Callable[[Context], str]
    run_id_of: Callable[[Context], int]
    pool: str
    outlet: Asset | AssetAlias
    reuses_staged_feed: Callable[[Context], bool] = lambda _: False
    """Whether the run goes on with the feed that it staged before it was held: an approved Edit does."""
    is_of_events: bool = False
    """Whether it reads what happened since the last read, and not a whole roster."""


def run_from_start(flow: Flow) -> None:
    """The DAGs that open a run of their own: `start`, and the steps after it."""

    @step_task("start")
    def start(**kwargs: Any) -> int:
        context = as_context(kwargs)
        if flow.is_of_events:
            return freshen_tasks.start(context, flow.district_of(context))
        return tasks.start(context, flow.district_of(context), flow.mode_of(context))

    steps(flow, start())


def steps(flow: Flow, opened: XComArg) -> None:
    """The steps that Edit, Reset and an approved run share, from the setup that opened the run to the teardown.

    Nothing but `extract` follows the setup directly: what does must have the trigger rule all_success (Airflow 3.3.2).
    """

    @step_task("extract", pool=flow.pool)
    def extract(**kwargs: Any) -> dict[str, int]:
        context = as_context(kwargs)
        if flow.reuses_staged_feed(context):
            return tasks.reuse_staged_feed()
        if flow.is_of_events:
            return freshen_tasks.extract(context, flow.district_of(context), flow.run_id_of(context))
        return tasks.extract(context, flow.district_of(context), flow.run_id_of(context))

    @step_task("validate")
    def validate(**kwargs: Any) -> None:
        context = as_context(kwargs)
        # events are a part of a roster, which says nothing of the whole
        if not flow.reuses_staged_feed(context) and not flow.is_of_events:
            tasks.validate(context, flow.district_of(context), flow.run_id_of(context))

    @step_task("plan")
    def plan(**kwargs: Any) -> str:
        context = as_context(kwargs)
        return tasks.plan(context, flow.district_of(context), flow.run_id_of(context), flow.mode_of(context))

    @step_task("apply", outlets=[flow.outlet])
    def apply(decision: str, **kwargs: Any) -> str:
        context = as_context(kwargs)
        return tasks.apply(context, flow.district_of(context), flow.run_id_of(context), decision)

    planned = plan()
    applied = apply(planned)
    notified = notify_step(flow, TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    asked = StartQuestion(
        task_id="ask",
        district_of=flow.district_of,
        run_id_of=flow.run_id_of,
        trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
        **time_limit("ask"),
    )
    chain(opened, extract(), validate(), planned)
    # The question does not wait for the mails: a mail server that is down must not keep it from being asked.
    cross_downstream([planned, applied], [notified, asked])
    finish_step(flow, opened, [notified, asked])


def notify_step(flow: Flow, rule: TriggerRule) -> XComArg:
    """The mails and the worklist."""

    @step_task("notify", trigger_rule=rule)
    def notify(**kwargs: Any) -> int:
        context = as_context(kwargs)
        return tasks.notify(context, flow.district_of(context), flow.run_id_of(context))

    return notify()


def finish_step(flow: Flow, opened: Any, last: list[Any]) -> None:
    """The teardown: runs whatever happened. It must not decide the run's color, or a failed plan would end green."""

    @step_task("finish")
    def finish(**kwargs: Any) -> None:
        context = as_context(kwargs)
        tasks.finish(context, flow.district_of(context), flow.run_id_of(context))

    last >> finish().as_teardown(setups=opened, on_failure_fail_dagrun=False)


@contextmanager
def one_dag(
    dag_id: str, *, params: dict[str, Param] | None = None, owner: str = District.owner, **settings: Any
) -> Iterator[DAG]:
    """A DAG with what all of ours have: owner, retries by kind of error, no catching up."""
    is_test = retry_policy.is_dags_test()
    with DAG(
        dag_id,
        start_date=SINCE,
        catchup=False,
        default_args={
            "owner": owner,
            "retries": 0 if is_test else retry_policy.RETRIES,
            "retry_delay": retry_policy.PAUSE,
            "retry_policy": retry_policy.RetryByError(),
        },
        **{"schedule": None, **settings},
    ) as dag:
        yield dag
    # Only now: a task made in a DAG that has params copies them all, and each copy is validated at every parse and
    # written to the metadata database (Airflow 3.3.2; half of the time and size of 1,200 DAGs).
    dag.params.update(params or {})


def step_task(step: str, **settings: Any) -> Callable[[Callable[..., Any]], Callable[..., XComArg]]:
    """Airflow's @task with the step's time limit; typed, which Airflow's own is not for keyword arguments."""
    return cast(
        "Callable[[Callable[..., Any]], Callable[..., XComArg]]",
        task(multiple_outputs=False, **time_limit(step), **settings),
    )


def time_limit(step: str) -> dict[str, Any]:
    """How long the step may take."""
    return {"execution_timeout": timedelta(minutes=MINUTES[step])}


def run_id_of_start(context: Context) -> int:
    """The sync run that `start` opened."""
    return int(context["ti"].xcom_pull(task_ids="start"))


def as_context(kwargs: dict[str, Any]) -> Any:
    """The task's keyword arguments are Airflow's context, which Airflow itself types as a closed dictionary."""
    return kwargs
