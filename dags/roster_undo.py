"""Airflow DAG roster_undo: puts back what a run removed or changed.

start -> undo -> notify -> finish
The steps are put together in roster_sync/orchestration/dag_factory.py; tasks.py has what each one does.
"""

from __future__ import annotations

from roster_sync.orchestration.dag_factory import build_undo_dag

dag = build_undo_dag()
