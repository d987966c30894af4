"""bin/bench: runs one benchmark, or lists them."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ops.bench import clever, edit, memory, ui
from ops.console import Parser, run_command
from ops.home import Home
from ops.postgres.cluster import Server, migrated, running


def bench(arguments: list[str]) -> int:
    """Runs the benchmark that the first argument names."""
    parser = Parser(
        prog="bin/bench",
        description="Measures one part of the product on a database of its own. Prints a table, writes the same as JSON"
        " to ROSTER_HOME/bench, and exits with 1 if a limit is passed.",
    )
    benchmarks = parser.add_subparsers(metavar="NAME", required=True)
    for module in (edit, clever, memory, ui):
        summary = (module.__doc__ or "").partition(":")[0]
        one = benchmarks.add_parser(module.__name__.rpartition(".")[2], help=summary, description=summary)
        module.add_options(one)
        one.set_defaults(run=module.main)
    options = parser.parse_args(arguments)
    run: Callable[[Home, Server, argparse.Namespace], int] = options.run
    home = Home.from_environment()
    with running(home) as server:
        migrated(server)
        return run(home, server, options)


if __name__ == "__main__":
    run_command("bin/bench", bench)
