"""bin/airflow: the real Airflow CLI in this project's environment."""

from __future__ import annotations

import sys
from contextlib import nullcontext

from ops.airflow.dags_test import newest_run, say_why
from ops.airflow.environment import airflow_environment
from ops.airflow.metadata_database import airflow_program, set_up
from ops.airflow.task_locks import scheduling, testing_dags
from ops.console import run_command, take_verbose
from ops.foreground import run_in_front
from ops.home import Home
from ops.postgres.cluster import Server, migrated, running

_SCHEDULERS = (["scheduler"], ["standalone"])


def airflow(arguments: list[str]) -> int:
    """Starts what is needed and hands over to the CLI."""
    home = Home.from_environment()
    with running(home) as server:
        migrated(server)
        environment = airflow_environment(home, server)
        set_up(home, server, environment)
        if arguments[:2] == ["dags", "test"]:
            return _test_dag(home, server, arguments, environment | {"ROSTER_DAGS_TEST": "1"})
        with scheduling(home, server) if arguments[:1] in _SCHEDULERS else nullcontext():
            return run_in_front([airflow_program(), *arguments], environment)


def _test_dag(home: Home, server: Server, arguments: list[str], environment: dict[str, str]) -> int:
    before = newest_run(server)
    with testing_dags(home, server):
        code = run_in_front([airflow_program(), *arguments], environment)
    if code:
        say_why(server, next((name for name in arguments[2:] if not name.startswith("-")), ""), before)
    return code


if __name__ == "__main__":
    rest, verbose = take_verbose(sys.argv[1:])
    sys.exit(run_command("bin/airflow", airflow, rest, verbose=verbose))
