"""bin/psql: psql on the embedded portal database, as its owner."""

from __future__ import annotations

import os

from ops.console import run_command, say, show
from ops.foreground import run_in_foreground
from ops.home import Home
from ops.postgres.cluster import OWNER, PORTAL_DATABASE, migrated, running

HELP = """\
bin/psql                       an SQL prompt on the embedded portal database, as its owner
bin/psql -c 'select 1'         all arguments are psql's; `bin/psql -?` lists them
bin/psql --help                this page

It is the database of ROSTER_HOME (var/ in the repository if that is not set). It is started and brought to the newest
migration if needed, and stopped when no command uses it any more."""

_OTHER_SERVER = {"PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGPASSFILE", "PGSERVICE"}
"""What a caller may have set for a server of their own."""
_PORTAL = "AIRFLOW_CONN_PORTAL_DB"


def psql(arguments: list[str]) -> int:
    """Starts what is needed and hands over to psql."""
    if arguments == ["--help"]:
        show(HELP)
        return 0
    home = Home.from_environment()
    say(f"bin/psql: the embedded database of {home.folder}{_not_another()}")
    with running(home) as server:
        migrated(server)
        environment = {name: value for name, value in os.environ.items() if name not in _OTHER_SERVER}
        environment |= {"PGHOST": server.host, "PGUSER": OWNER, "PGDATABASE": PORTAL_DATABASE}
        environment |= {"PSQL_HISTORY": str(home.run / "psql-history")}
        return run_in_foreground([str(server.layout.bin / "psql"), *arguments], environment)


def _not_another() -> str:
    """A hint for those who expect the portal that the DAGs write to."""
    return f", not the one that {_PORTAL} names" if os.environ.get(_PORTAL) else ""


if __name__ == "__main__":
    run_command("bin/psql", psql)
