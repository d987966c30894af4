"""The checks of the whole feed in a process of its own: `python -m ops.bench.expectations HOST DATABASE RUN PATH DOCS`.

Prints the seconds of the import and of the evaluation as JSON. Not a benchmark by itself: a line of `bin/bench edit`.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg2


def _measure(host: str, database: str, run_id: int, path: str, docs: Path) -> dict[str, float]:
    started = time.perf_counter()
    importlib.import_module("great_expectations")
    imported = time.perf_counter()
    from ops.bench.edit import district_of
    from roster_sync.feed import checks

    with closing(psycopg2.connect(host=host, user="roster_app", dbname=database)) as connection:
        checks.validate(connection, run_id, district_of(Path(path)), docs)
    return {"import": imported - started, "validate": time.perf_counter() - imported}


if __name__ == "__main__":
    found = _measure(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], Path(sys.argv[5]))
    sys.stdout.write(json.dumps(found) + "\n")
