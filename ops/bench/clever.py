r"""Clever's extract: `bin/bench clever [--students 912064]`.

A district of 912,064 students in 1,596 schools, with 53,600 teachers and 219,000 sections (smaller ones in proportion),
served by the simulator in a process of its own over HTTP on loopback, its records serialized before the clock starts
and its limit of 1,200 requests a minute on. The extract is what a run's first task does until the rows are typed: the
source reads pages of 10,000 and the rows go by COPY into the session's temporary tables of an empty portal database.

Its ratio is to the floor: the same requests by the same client, in as many threads and with as many pages on their way
at a time, of which only the address of the next page is parsed. The median of three, measured before and after.
The limits: fewer than 200 requests, none that waits for the budget, and 250 MB of peak memory. The ratio has no limit:
most of it is JSON and COPY, and a real server is far slower than the floor.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from ops.bench.databases import checkpoint, portal
from ops.bench.report import Line, Report
from ops.console import Problem, progress
from ops.home import Home
from ops.postgres.cluster import APP, Server
from ops.services import Services, services
from roster_sync.config.districts import District, SourceSettings
from roster_sync.engine import runs
from roster_sync.feed import staging
from roster_sync.sources.base import Access, FeedReport, ProbeReport, Sink, Source
from roster_sync.sources.clever.api import PER_MINUTE
from roster_sync.sources.http.address import parse_address
from roster_sync.sources.http.auth import Bearer
from roster_sync.sources.http.budget import Budget
from roster_sync.sources.http.concurrent import run_concurrently
from roster_sync.sources.http.session import Session
from roster_sync.sources.kinds import open_source

STUDENTS, STUDENTS_OF_A_SCHOOL = 912_064, 571.5
CLASSES_PER_STUDENT = 6.0061
"""Gives 219,000 sections for 912,064 students."""
REQUESTS_LIMIT, MEMORY_LIMIT_MB = 200, 250.0
THREADS, PAGES_AT_WORK = 4, 2
"""Those of a real run, for the extract and the floor."""
LISTS: Final = (
    "/users?role=student", "/sections", "/users?role=teacher", "/users?role=staff", "/courses", "/terms",
    "/users?role=district_admin",
)  # fmt: skip
"""What is read concurrently once the schools are known, the longest first, as the source does it."""
_NEXT: Final = re.compile(rb'"rel":"next","uri":"([^"]+)"')
_COUNT: Final = re.compile(rb'"count":(\d+)')
_START_SECONDS: Final = 1200.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `bin/bench clever`."""
    parser.add_argument("--students", type=int, default=STUDENTS, help="the district's size (default: %(default)s)")


def main(home: Home, server: Server, options: argparse.Namespace) -> int:
    """Measures and reports; 1 if a limit is passed."""
    students = options.students
    with portal(server) as database, _served(home, students) as access:
        floor = Floor(access)
        for _ in range(2):
            floor.measure()
        checkpoint(server, database)
        extract = _extract(server, database, access)
        floor.measure()
    report = Report("clever", _setting(students, extract.feed, floor), memory_limit_mb=MEMORY_LIMIT_MB)
    records = sum(found.received for found in extract.feed.collections.values())
    requests = extract.feed.requests
    note = f"{requests} requests (limit {REQUESTS_LIMIT}), {extract.waited:.1f} s waited for {PER_MINUTE:,} a minute"
    is_late = requests >= REQUESTS_LIMIT or extract.waited > 0
    report.lines = [
        Line("floor: the same pages, not parsed", floor.median, note=floor.note()),
        Line("extract: source to COPY", extract.seconds, records, floor.median,
             note=note + ("  over the limit" if is_late else "")),
        Line("  of it: this process's own CPU", extract.cpu_seconds),
    ]  # fmt: skip
    return report.finish(home) or (1 if is_late else 0)


def _setting(students: int, feed: FeedReport, floor: Floor) -> dict[str, object]:
    found = {name: one.received for name, one in feed.collections.items()}
    return {
        "students": students, "schools": found["orgs"], "teachers": floor.counted["/users?role=teacher"],
        "sections": found["classes"], "enrollments": found["enrollments"], "threads": THREADS,
        "pages at work": PAGES_AT_WORK,
    }  # fmt: skip


# -- the server --------------------------------------------------------------------------------------------------------


@contextmanager
def _served(home: Home, students: int) -> Iterator[Access]:
    """The district, served by a process of its own, whose memory does not count."""
    folder = home.folder / "bench"
    folder.mkdir(exist_ok=True)
    settings, address = folder / "clever.yaml", folder / "clever.url"
    district = {
        "name": "Bench", "seed": 7, "students": students, "schools": max(1, round(students / STUDENTS_OF_A_SCHOOL)),
        "classes_per_student": CLASSES_PER_STUDENT, "contacts": False,
        "servers": [{"kind": "clever", "token": "bench-token", "sensitive": True}],
    }  # fmt: skip
    settings.write_text(yaml.safe_dump({"districts": [district], "clever": {"rate_limit": PER_MINUTE}}))
    address.unlink(missing_ok=True)
    command = [sys.executable, "-m", "include.simulator", "serve", "--warm", "--settings", str(settings)]
    with services(home.logs) as group:
        group.start("bench-simulator", [*command, "--url-file", str(address)], dict(os.environ))
        with progress(f"serializing a district of {students:,} students", after=0):
            root = _wait_for(address, group)
        yield Access(root, password="bench-token")  # noqa: S106 - made up


def _wait_for(address: Path, group: Services) -> str:
    end = time.monotonic() + _START_SECONDS
    while not (address.exists() and (found := address.read_text().strip())):
        group.check()
        if time.monotonic() > end:
            raise Problem(f"the simulator was not ready within {_START_SECONDS:.0f} s: try fewer --students.")
        time.sleep(0.2)
    return found


# -- what is measured --------------------------------------------------------------------------------------------------


@dataclass
class Extract:
    """One extract, measured."""

    feed: FeedReport
    seconds: float
    cpu_seconds: float
    waited: float
    """Seconds for which requests were held back for the budget."""


def _extract(server: Server, database: str, access: Access) -> Extract:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(seconds)

    budget = Budget(PER_MINUTE, sleep=wait)
    settings = SourceSettings("clever", "bench")
    measured = _Measured(
        open_source(settings, access, "bench", threads=THREADS, pages_at_work=PAGES_AT_WORK, budget=budget)
    )
    district = District("bench", "Bench", "UTC", settings, "15 2 * * *")
    request = runs.RunRequest(
        mode="edit", trigger="manual", started_by="bench", airflow_dag_id="bench", airflow_run_id="clever"
    )
    with progress("measuring: the extract"), closing(server.connect(APP, database)) as connection:
        run_id = runs.begin(connection, district, request, is_alive=lambda _dag, _run: False)
        with suppress(_Finished):
            staging.load(connection, run_id, district, measured)
    feed = measured.feed
    if feed is None:
        raise Problem("the extract did not finish.")
    for name, found in feed.collections.items():
        if not found.is_complete:
            raise Problem(f"the extract is incomplete: {name}: {found.reason}")
    return Extract(feed, measured.seconds, measured.cpu_seconds, sum(waits))


class _Finished(Exception):
    """The extract has finished; what follows it is measured elsewhere."""


class _Measured:
    """A source that measures its reading, and ends the load after it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.feed: FeedReport | None = None
        self.seconds = self.cpu_seconds = 0.0

    def probe(self) -> ProbeReport:
        """The source's own."""
        return self._source.probe()

    def fetch(self, sink: Sink) -> FeedReport:
        """The source's own, timed.

        Raises:
            _Finished: always, once all is in the sink.
        """
        started, cpu = time.perf_counter(), time.process_time()
        self.feed = self._source.fetch(sink)
        self.seconds, self.cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
        raise _Finished


@dataclass
class Floor:
    """The same requests by the same client; nothing of the pages is parsed or kept."""

    access: Access
    seconds: list[float] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)
    """The source's own totals, by list."""
    megabytes: float = 0.0

    @property
    def median(self) -> float:
        """The floor: the median of what was measured so far."""
        return statistics.median(self.seconds)

    def note(self) -> str:
        """What was read, and how long it took each time."""
        return f"{self.megabytes:,.0f} MB; median of " + ", ".join(f"{took:.2f}" for took in self.seconds)

    def measure(self) -> None:
        """Reads everything once more."""
        session = Session(parse_address(self.access.host), Bearer(self.access.password), threads=PAGES_AT_WORK + 1)
        at_work = threading.BoundedSemaphore(PAGES_AT_WORK)

        def walk(listed: str) -> Callable[[], Iterable[int]]:
            return lambda: self._walk(session, at_work, listed)

        with progress("measuring: the floor"), closing(session):
            started = time.perf_counter()
            sizes = sum(self._walk(session, at_work, "/schools"))
            with closing(run_concurrently([walk(listed) for listed in LISTS], threads=THREADS, ahead=THREADS)) as pages:
                sizes += sum(pages)
            self.seconds.append(time.perf_counter() - started)
        self.megabytes = sizes / 2**20

    def _walk(self, session: Session, at_work: threading.BoundedSemaphore, listed: str) -> Iterator[int]:
        """The sizes of a list's pages; its total is asked for first, as the source does it."""
        mark = "&" if "?" in listed else "?"
        total = session.get(f"/v3.1{listed}{mark}count=true&limit=1", what="A count")
        found = _COUNT.search(total.body)
        self.counted[listed] = int(found[1]) if found else 0
        link: str | None = f"/v3.1{listed}{mark}limit=10000"
        while link:
            with at_work:
                pieces = session.follow(link, what="A page").pieces
                size, tail = sum(map(len, pieces)), b"".join(list(pieces)[-2:])
                del pieces
            yield size
            onward = _NEXT.search(tail)
            link = onward[1].decode() if onward else None
