"""Where Airflow finds `tell_late`: deadlines that wait in its database keep this module's path."""

from __future__ import annotations

from roster_sync.orchestration.deadline import tell_late

__all__ = ["tell_late"]
