"""Airflow DAG roster_undo: puts back what a run removed or changed."""

from __future__ import annotations

from roster_sync.orchestration.dag_factory import build_undo_dag

dag = build_undo_dag()
