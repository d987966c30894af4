"""Rules for every Airflow process of this installation, called by config/airflow_local_settings.py.

Airflow imports that file while it is itself half imported: nothing here may import Airflow at module level.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any, Final

log = logging.getLogger(__name__)

OURS: Final = "roster_"
HEAVY: Final = ("psycopg2", "pandas", "great_expectations", "great_expectations.expectations")
PRELOAD_VARIABLE: Final = "ROSTER_PRELOAD"


def quiet() -> None:
    """Keeps a warning that Airflow 3.3.2 itself causes with pathspec 1.x out of the log of every single task."""
    warnings.filterwarnings("ignore", message="GitWildMatchPattern", category=DeprecationWarning)


def preload(arguments: Sequence[str] | None = None) -> bool:
    """Imports the heavy packages in processes that fork tasks; each task then finds them in shared memory.

    Measured on Airflow 3.3.2: Great Expectations costs a task 6 to 9 CPU-seconds, and 0.0 s if its parent holds it.
    """
    if not forks_tasks(sys.argv if arguments is None else arguments):
        return False
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    for name in HEAVY:
        try:
            importlib.import_module(name)
        except ImportError as error:
            # No reason to keep a scheduler down: the task that needs the package says so itself.
            log.warning(
                "could not preload %s (%s): tasks that use it will be slower or fail", name, type(error).__name__
            )
    return True


def forks_tasks(arguments: Sequence[str]) -> bool:
    """Whether this process is a scheduler (LocalExecutor forks tasks from it) or a Celery worker.

    The command line tells: Airflow imports its settings before it sets any mark of its own.
    """
    wanted = os.environ.get(PRELOAD_VARIABLE, "")
    if wanted:
        return wanted == "1"
    words = [word for word in arguments[1:] if not word.startswith("-")]
    return words[:1] == ["scheduler"] or words[:2] == ["celery", "worker"]


def check_task(task: Any) -> None:
    """Refuses a task of ours that has no owner or could run for ever."""
    if not str(task.dag_id).startswith(OURS):
        return
    faults = []
    if task.owner in ("", "airflow"):
        faults.append("an owner")
    if task.execution_timeout is None:
        faults.append("an execution_timeout")
    if faults:
        from airflow.exceptions import AirflowClusterPolicyViolation

        raise AirflowClusterPolicyViolation(f"Task {task.task_id} of {task.dag_id} lacks {' and '.join(faults)}.")


def check_dag(dag: Any) -> None:
    """Refuses a DAG of ours that the data team could not find, read or understand in the list."""
    if not str(dag.dag_id).startswith(OURS):
        return
    faults = [name for name in ("tags", "doc_md", "description") if not getattr(dag, name)]
    if faults:
        from airflow.exceptions import AirflowClusterPolicyViolation

        raise AirflowClusterPolicyViolation(f"DAG {dag.dag_id} lacks {', '.join(faults)}.")
