"""Airflow DAGs roster_sync__<key>: the nightly Edit of each enabled district of the registry."""

from __future__ import annotations

from roster_sync.orchestration.dag_factory import build_all

globals().update(build_all())
