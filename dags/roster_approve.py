"""Airflow DAG roster_approve: where the questions of held runs wait for a person."""

from __future__ import annotations

from roster_sync.orchestration.dag_factory import build_approve_dag

dag = build_approve_dag()
