"""bin/airflow: the real Airflow CLI in this project's environment."""

from __future__ import annotations

from contextlib import nullcontext

from ops.airflow.dags_test import newest_run, say_why
from ops.airflow.environment import airflow_environment
from ops.airflow.metadata_database import set_up
from ops.airflow.programs import airflow_program
from ops.airflow.task_locks import scheduling, testing_dags
from ops.console import run_command, show
from ops.foreground import run_in_foreground
from ops.home import Home
from ops.postgres.cluster import Server, migrated, running

HELP = """\
bin/airflow dags test roster_sync__lakeside    a whole run of a district's DAG in this terminal
bin/airflow dags list                          all arguments are Airflow's; `bin/airflow cheat-sheet` lists them
bin/airflow --help                             this page

It is Airflow's own command line with the DAGs, plugins and databases of this project. Everything that it keeps is in
ROSTER_HOME (var/ in the repository if that is not set). The databases are started and migrated if needed, and stopped
when no command uses them any more."""

_SCHEDULERS = (["scheduler"], ["standalone"])


def airflow(arguments: list[str]) -> int:
    """Starts what is needed and hands over to the CLI."""
    if arguments == ["--help"]:
        show(HELP)
        return 0
    home = Home.from_environment()
    with running(home) as server:
        migrated(server)
        environment = airflow_environment(home, server)
        set_up(home, server, environment)
        if arguments[:2] == ["dags", "test"]:
            return _test_dag(home, server, arguments, environment | {"ROSTER_DAGS_TEST": "1"})
        with scheduling(home, server) if arguments[:1] in _SCHEDULERS else nullcontext():
            return run_in_foreground([airflow_program(), *arguments], environment)


def _test_dag(home: Home, server: Server, arguments: list[str], environment: dict[str, str]) -> int:
    before = newest_run(server)
    with testing_dags(home, server):
        code = run_in_foreground([airflow_program(), *arguments], environment)
    if code:
        say_why(server, next((name for name in arguments[2:] if not name.startswith("-")), ""), before)
    return code


if __name__ == "__main__":
    run_command("bin/airflow", airflow)
