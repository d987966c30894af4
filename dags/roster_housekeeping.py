"""Airflow DAG roster_housekeeping: purges what is past its keep-by date and warns of syncs that expire soon."""

from __future__ import annotations

from roster_sync.orchestration.dag_factory import build_housekeeping_dag

dag = build_housekeeping_dag()
