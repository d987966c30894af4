"""bin/psql: psql on the embedded portal database, as its owner."""

from __future__ import annotations

import os
import sys

from ops.console import run_command, say, take_verbose
from ops.foreground import run_in_front
from ops.home import Home
from ops.postgres.cluster import OWNER, PORTAL_DATABASE, migrated, running

_OTHER_SERVER = {"PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGPASSFILE", "PGSERVICE"}
"""What a caller may have set for a server of their own."""
_PORTAL = "AIRFLOW_CONN_PORTAL_DB"


def psql(arguments: list[str]) -> int:
    """Starts what is needed and hands over to psql."""
    home = Home.from_environment()
    say(f"bin/psql: the embedded database of {home.folder}{_not_another()}")
    with running(home) as server:
        migrated(server)
        environment = {name: value for name, value in os.environ.items() if name not in _OTHER_SERVER}
        environment |= {"PGHOST": server.host, "PGUSER": OWNER, "PGDATABASE": PORTAL_DATABASE}
        environment |= {"PSQL_HISTORY": str(home.run / "psql-history")}
        return run_in_front([str(server.layout.bin / "psql"), *arguments], environment)


def _not_another() -> str:
    """A word to whoever expects the answers of the portal that the DAGs write to."""
    return f", not the one that {_PORTAL} names" if os.environ.get(_PORTAL) else ""


if __name__ == "__main__":
    rest, verbose = take_verbose(sys.argv[1:])
    sys.exit(run_command("bin/psql", psql, rest, verbose=verbose))
