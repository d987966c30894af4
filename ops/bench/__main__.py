"""The command behind bin/bench: runs one benchmark, or lists them."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import ops.bench
from ops.console import Problem, run_command, take_verbose
from ops.home import Home
from ops.postgres.cluster import migrated, running

_NO_BENCHMARKS = {"__main__", "report", "fixtures", "databases", "expectations"}


def bench(arguments: list[str]) -> int:
    """Runs `ops.bench.NAME.main(home, server, arguments)`, which returns the exit code."""
    names = sorted({module.name for module in pkgutil.iter_modules(ops.bench.__path__)} - _NO_BENCHMARKS)
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write(f"usage: bin/bench NAME [options]\nbenchmarks: {', '.join(names) or 'none yet'}\n")
        return 0
    if arguments[0] not in names:
        raise Problem(f"there is no benchmark {arguments[0]!r}; there is {', '.join(names) or 'none yet'}.")
    module = importlib.import_module(f"ops.bench.{arguments[0]}")
    home = Home.from_environment()
    with running(home) as server:
        migrated(server)
        return int(module.main(home, server, arguments[1:]))


if __name__ == "__main__":
    rest, verbose = take_verbose(sys.argv[1:])
    sys.exit(run_command("bin/bench", bench, rest, verbose=verbose))
