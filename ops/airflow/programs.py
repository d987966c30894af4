"""Airflow's programs, started from the environment that we run in."""

from __future__ import annotations

import sys
from pathlib import Path

from ops.home import Home
from ops.services import Services

_PROGRAMS = ("api-server", "scheduler", "dag-processor", "triggerer")


def airflow_program() -> str:
    """The path of Airflow's command line."""
    return str(Path(sys.executable).parent / "airflow")


def start_airflow(services: Services, home: Home, environment: dict[str, str]) -> None:
    """Starts Airflow, and the mail catcher to which it sends; `rest_api.wait_until_healthy` waits for it."""
    catcher = [sys.executable, "-m", "ops.mail_catcher", str(home.mail), str(home.mail_port)]
    services.start("mail-catcher", catcher, environment)
    for name in _PROGRAMS:
        services.start(name, [airflow_program(), name], environment)
