"""Airflow DAG roster_reset: makes a district's portal hold exactly what is shared now.

start -> extract -> validate -> plan -> apply -> notify, ask -> finish
The steps are put together in roster_sync/orchestration/dag_steps.py; tasks.py has what each one does.
"""

from __future__ import annotations

from roster_sync.orchestration.dag_factory import build_reset_dag

dag = build_reset_dag()
