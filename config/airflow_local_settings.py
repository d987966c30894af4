"""Airflow reads this file in each of its processes: the rules for our DAGs, and heavy imports ahead of the tasks."""

from __future__ import annotations

from typing import Any

from roster_sync.orchestration import cluster_policies

__all__ = ["dag_policy", "task_policy"]


def task_policy(task: Any) -> None:
    """Called for every task of every DAG that is parsed."""
    cluster_policies.check_task(task)


def dag_policy(dag: Any) -> None:
    """Called for every DAG that is parsed."""
    cluster_policies.check_dag(dag)


cluster_policies.quiet()
cluster_policies.preload()
