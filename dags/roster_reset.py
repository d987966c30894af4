"""Airflow DAG roster_reset: makes a district's portal hold exactly what is shared now."""

from __future__ import annotations

from roster_sync.orchestration.dag_factory import build_reset_dag

dag = build_reset_dag()
