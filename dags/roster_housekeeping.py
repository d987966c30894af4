"""Airflow DAG roster_housekeeping: deletes what is past its keep-by date and warns of syncs that expire soon.

purge, refresh_worklists, warn (each by itself; what each does is in roster_sync/orchestration/tasks.py)
"""

from __future__ import annotations

from roster_sync.orchestration.dag_factory import build_housekeeping_dag

dag = build_housekeeping_dag()
