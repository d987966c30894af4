"""Airflow DAGs roster_sync__<key>: the nightly Edit of each enabled district of the registry.

start -> extract -> validate -> plan -> apply -> notify, ask -> finish
Also roster_freshen__<key>, hourly, where a district's entry says so: the same steps over Clever's events.
The steps are put together in roster_sync/orchestration/dag_steps.py; tasks.py has what each one does.
"""

from __future__ import annotations

from roster_sync.orchestration.dag_factory import build_all

globals().update(build_all())
