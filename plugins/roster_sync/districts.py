"""The command `python -m roster_sync.districts [PATH]`: checks a registry of districts, or prints its JSON schema."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from roster_sync.config.registry_file import DISTRICTS_VARIABLE, load_registry
from roster_sync.config.registry_schema import model_of
from roster_sync.core import source_kinds
from roster_sync.core.errors import ConfigError


def main(arguments: list[str] | None = None) -> int:
    """Prints what the registry holds, or every error with its file and line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m roster_sync.districts",
        description="Checks a registry of districts: all errors at once, with file and line.",
    )
    parser.add_argument("path", nargs="?", type=Path, help=f"a YAML file or a folder of them ({DISTRICTS_VARIABLE})")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema of a file, for editors, and stop")
    given = parser.parse_args(arguments)
    if given.schema:
        sys.stdout.write(schema())
        return 0
    try:
        districts = load_registry(given.path)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for district in districts:
        state = "" if district.enabled else "  (not enabled)"
        sys.stdout.write(f"{district.key}  {district.source.kind}  {district.schedule}  {district.timezone}{state}\n")
    return 0


def schema() -> str:
    """The text of include/districts/schema.json."""
    return json.dumps(model_of(source_kinds.KINDS).model_json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main())
