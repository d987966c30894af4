"""Airflow DAG roster_approve: where the questions of held runs wait for a person.

question -> reopen -> extract -> validate -> plan -> apply -> notify, ask -> finish
The question is in roster_sync/orchestration/approval.py; the steps after it are those of every run (dag_steps.py).
"""

from __future__ import annotations

from roster_sync.orchestration.dag_factory import build_approve_dag

dag = build_approve_dag()
