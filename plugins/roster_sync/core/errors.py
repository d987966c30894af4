"""Every error that this package raises on purpose, as one tree; each message is one sentence that says what to do.

RosterError
├── ConfigError            the registry or a connection is wrong; nothing was read
├── SourceError            the source could not be read
│   ├── AuthError          it refused our credentials (never retried)
│   ├── RateLimited        it asked us to wait (retried after `retry_after` seconds)
│   ├── SourceUnavailable  it did not answer, or with 500, 502, 503 (retried)
│   └── FeedBroken         it answered with something that is not a roster (never retried)
├── SourceNotReady         the source says itself that it is not ready: the run is skipped
├── SyncRefused            our own rules refuse the run: expired, no school selected, another run in progress
├── FeedRejected           the checks stopped the feed before anything was written
├── PlanStale              the portal changed between plan and apply: plan again
├── NotExactlyOne          a SQL file that must give one row gave none, or several: a fault of ours
└── DatabaseFailure        PostgreSQL refused a statement; SQLSTATE and file only, never a row
"""

from __future__ import annotations


class RosterError(Exception):
    """The root: a sentence for people, without a name, an email or a token in it."""


class ConfigError(RosterError):
    """The registry or a connection is wrong."""


class SourceError(RosterError):
    """The source could not be read."""


class AuthError(SourceError):
    """The source refused our credentials: asking again with the same ones cannot help."""


class RateLimited(SourceError):
    """The source asked us to wait: by a 429, or by a 503 that names a time."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds to wait, as the source said; None where it did not say."""


class SourceUnavailable(SourceError):
    """The source did not answer, or answered with a server error: later may be better."""


class FeedBroken(SourceError):
    """The source answered, but what came is not a whole, readable roster."""


class SourceNotReady(RosterError):
    """The source says that its data is pending or in error: the run is skipped, and says why."""


class SyncRefused(RosterError):
    """A rule of ours refuses the run before it starts; `status` is how the run ends (sync.runs.status)."""

    def __init__(self, message: str, *, status: str = "failed") -> None:
        super().__init__(message)
        self.status = status


class FeedRejected(RosterError):
    """The checks of the whole feed stopped the run before anything was written."""


class PlanStale(RosterError):
    """What the portal holds is no longer what the plan was made from."""


class NotExactlyOne(RosterError):
    """A row must be there, and is not (or there are several): the code or the database is wrong, not the roster."""

    def __init__(self, where: str, count: int) -> None:
        super().__init__(f"{where} gave {count} rows where exactly one must be: this is a fault of the program.")


class DatabaseFailure(RosterError):
    """PostgreSQL refused a statement. Its own text may hold a whole row, so only SQLSTATE and file are kept."""

    def __init__(self, where: str, sqlstate: str | None) -> None:
        super().__init__(
            f"PostgreSQL refused {where} (SQLSTATE {sqlstate})." if sqlstate
            else f"PostgreSQL was not reached, or broke off, at {where}: check that its server runs, and the host, port"
            " and login of the connection portal_db."
        )  # fmt: skip
        self.where = where
        self.sqlstate = sqlstate
