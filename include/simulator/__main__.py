"""The simulator's command line: `python -m include.simulator csv ...` and `... serve ...`."""

from __future__ import annotations

import argparse
import sys

from include.simulator.district import Churn, MadeUpDistrict
from include.simulator.oneroster_csv import CsvOptions, write_csv


def main(argv: list[str] | None = None) -> int:
    """Runs one command."""
    parser = argparse.ArgumentParser(prog="python -m include.simulator", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_csv(commands.add_parser("csv", help="write a day of a made-up district as OneRoster CSV"))
    arguments = parser.parse_args(argv)
    return _csv(arguments)


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
