"""bin/airflow: the real Airflow CLI in this project's environment."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ops.airflow_env import airflow_environment
from ops.airflow_locks import scheduling, testing_dags
from ops.airflow_setup import airflow_program, set_up
from ops.children import run_in_front
from ops.console import run_command, take_verbose
from ops.home import Home
from ops.postgres import Server, migrated, running


def airflow(arguments: list[str]) -> int:
    """Starts what is needed and hands over to the CLI."""
    home = Home.from_environment()
    with running(home) as server:
        migrated(server)
        environment = airflow_environment(home, server)
        set_up(home, server, environment)
        if arguments[:2] == ["dags", "test"]:
            environment["ROSTER_DAGS_TEST"] = "1"
        with _right_to_run_tasks(home, server, arguments):
            return run_in_front([airflow_program(), *arguments], environment)


def _right_to_run_tasks(home: Home, server: Server, arguments: list[str]) -> AbstractContextManager[Any]:
    if arguments[:2] == ["dags", "test"]:
        return testing_dags(home, server)
    if arguments[:1] in (["scheduler"], ["standalone"]):
        return scheduling(home, server)
    return nullcontext()


if __name__ == "__main__":
    rest, verbose = take_verbose(sys.argv[1:])
    sys.exit(run_command("bin/airflow", airflow, rest, verbose=verbose))
