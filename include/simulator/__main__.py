"""The simulator's command line: `python -m include.simulator csv ...` and `... serve ...`."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

import yaml

from include.simulator.district import Churn, MadeUpDistrict
from include.simulator.oneroster_csv import CsvOptions, write_csv
from include.simulator.serving import DEMO, sites_from_file
from include.simulator.web import Simulator


def main(argv: list[str] | None = None) -> int:
    """Runs one command."""
    parser = argparse.ArgumentParser(prog="python -m include.simulator", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_csv(commands.add_parser("csv", help="write a day of a made-up district as OneRoster CSV"))
    _add_serve(commands.add_parser("serve", help="serve made-up districts over HTTP on loopback"))
    arguments = parser.parse_args(argv)
    return _csv(arguments) if arguments.command == "csv" else _serve(arguments)


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, help="0 (the default): any free one")
    parser.add_argument("--settings", type=Path, default=DEMO, help="a YAML file such as include/simulator/demo.yaml")
    parser.add_argument("--print-url", action="store_true", help="print the server's address once it listens")
    parser.add_argument("--url-file", type=Path, help="write the server's address there once it listens")
    parser.add_argument("--day", type=int, help="the day that all districts are on")
    parser.add_argument("--warm", action="store_true", help="serialize everything before the address is printed")


def _serve(arguments: argparse.Namespace) -> int:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        simulator = Simulator(sites_from_file(arguments.settings), arguments.port)
    except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError) as error:
        sys.stderr.write(f"The simulator cannot start: {error}\n")
        return 2
    with simulator:
        if arguments.day:
            simulator.set_day(arguments.day)
        if arguments.warm:
            simulator.warm()
        if arguments.url_file:
            arguments.url_file.write_text(simulator.root + "\n", encoding="utf-8")
        if arguments.print_url:
            sys.stdout.write(simulator.root + "\n")
            sys.stdout.flush()
        sys.stderr.write(f"{simulator.summary()}\nCtrl-C stops it.\n")
        stopped.wait()
    return 0


def _add_csv(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument("--schools", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--classes-per-student", type=float, default=6.0)
    parser.add_argument("--churn", type=float, default=0.01, help="share of people to whom something happens in a day")
    parser.add_argument("--keep-schools", action="store_true", help="no school opens or closes")
    parser.add_argument("--no-contacts", action="store_true")
    parser.add_argument("--day", type=int, default=1)
    parser.add_argument("--delta-from", type=int, help="only what changed since that day")
    parser.add_argument("--version", choices=("1.1", "1.2"), default="1.1")
    parser.add_argument("--out", required=True, help="a .zip or a folder")
    parser.add_argument("--shuffle", type=int, nargs="?", const=1, help="another order of rows for each number")
    parser.add_argument("--bom", action="store_true")
    parser.add_argument("--crlf", action="store_true")
    parser.add_argument("--metadata", action="store_true", help="metadata.* columns on orgs and users")
    parser.add_argument("--demographics", action="store_true")
    parser.add_argument("--folder", default="", help="a folder inside the zip")


def _csv(arguments: argparse.Namespace) -> int:
    district = MadeUpDistrict(
        arguments.seed, arguments.students, arguments.schools, classes_per_student=arguments.classes_per_student,
        churn=Churn(arguments.churn, not arguments.keep_schools), contacts=not arguments.no_contacts,
    )  # fmt: skip
    options = CsvOptions(
        arguments.version, arguments.bom, arguments.crlf, arguments.metadata, arguments.shuffle,
        arguments.demographics, arguments.folder,
    )  # fmt: skip
    before = district.day(arguments.delta_from) if arguments.delta_from else None
    path = write_csv(district.day(arguments.day), arguments.out, options, before)
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
