"""What happens to a task that fails: whether it is tried again, when, and with which words it ends."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import RetryPolicy
from airflow.sdk.definitions.retry_policy import RetryDecision
from airflow.sdk.exceptions import AirflowFailException

from roster_sync.core.errors import DatabaseFailure, PlanStale, RateLimited, RosterError, SourceUnavailable

if TYPE_CHECKING:
    from airflow.sdk import Context

RETRIES: Final = 3
SHORTEST: Final = timedelta(seconds=10)
LONGEST: Final = timedelta(minutes=30)
PAUSE: Final = timedelta(seconds=30)
_TRANSIENT: Final = ("08", "40", "53", "57", "55P03", "58")
"""SQLSTATE: connection lost, serialization or deadlock, out of resources, shut down, lock not available, disk."""


def is_dags_test() -> bool:
    """Whether this is `dags test`: Airflow 3.3.2 sleeps out retry delays in it and dies at its end of a deadline."""
    return os.environ.get("ROSTER_DAGS_TEST") == "1"


class RetryByError(RetryPolicy):
    """Retries what time can fix and nothing else; waits as long as the source itself asks."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decides by the kind of error; the task's `retries` stay the upper limit."""
        if isinstance(exception, RateLimited) and exception.retry_after is not None:
            wait = min(max(timedelta(seconds=exception.retry_after), SHORTEST), LONGEST)
            return RetryDecision.retry(wait, f"The source asked to wait {wait.total_seconds():.0f} s.")
        if isinstance(exception, (RateLimited, SourceUnavailable)):
            return RetryDecision.retry(_doubled(try_number), "The source may answer later.")
        if isinstance(exception, PlanStale):
            return RetryDecision.retry(SHORTEST, "The portal changed meanwhile.")
        if isinstance(exception, DatabaseFailure) and is_transient(exception):
            return RetryDecision.retry(_doubled(try_number), "The database may be back later.")
        if isinstance(exception, RosterError):
            return RetryDecision.fail("Trying again cannot help.")
        if try_number > 1:
            return RetryDecision.fail("It failed twice with an unexpected error.")
        return RetryDecision.retry(PAUSE, "Unexpected: tried once more.")

    def serialize(self) -> dict[str, Any]:
        """It has no settings."""
        return {}


def is_transient(failure: DatabaseFailure) -> bool:
    """Whether the database may take the same statement later; a failure without SQLSTATE is a lost connection."""
    return failure.sqlstate is None or failure.sqlstate.startswith(_TRANSIENT)


def will_retry(exception: BaseException, context: Context) -> bool:
    """Whether Airflow will try the running task again after this exception."""
    instance: Any = context["ti"]
    if isinstance(exception, AirflowFailException) or instance.try_number > instance.max_tries:
        return False
    decision = RetryByError().evaluate(exception, instance.try_number, instance.max_tries)
    return decision.action.value == "retry"


def _doubled(try_number: int) -> timedelta:
    return timedelta(seconds=min(PAUSE.total_seconds() * 2 ** (max(try_number, 1) - 1), LONGEST.total_seconds()))
