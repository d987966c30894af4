"""bin/demo: plays the nights, shows what they did, and checks it."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from types import FrameType
from typing import Any

from ops.airflow.environment import USERS, airflow_environment, passwords
from ops.airflow.metadata_database import set_up
from ops.airflow.programs import start_airflow
from ops.airflow.rest_api import AirflowApi, answers_without_login, wait_until_healthy
from ops.airflow.task_locks import scheduling
from ops.console import Parser, Problem, progress, run_command, say, show
from ops.demo import report
from ops.demo.districts import (
    REGISTRY,
    SERVED,
    DemoDistrict,
    connections,
    demo_districts,
    move_to_day,
    subscribe,
    work_in_the_portal,
)
from ops.home import Home
from ops.locks import Lock
from ops.mail_catcher import caught
from ops.postgres.cluster import Server, migrated, running
from ops.services import Services, services
from roster_sync import __version__

_START_SECONDS, _RUN_SECONDS, _NIGHTLY_SECONDS = 300.0, 900.0, 16.0


class Stopped(BaseException):
    """SIGTERM or SIGHUP came: stop everything and end."""


def demo(arguments: list[str]) -> int:
    """Starts everything, plays the nights, shows what happened; then waits for Ctrl-C, or checks and ends."""
    parser = Parser(
        prog="bin/demo",
        description="Runs the whole product on this machine: PostgreSQL, simulated district servers, a mail catcher"
        " and Airflow. Plays two nights (later one more each time), shows what they changed, and then serves the pages"
        " until Ctrl-C, which stops everything. Its state is in ROSTER_HOME (var/ in the repository if not set).",
    )
    parser.add_argument(
        "--check", action="store_true", help="compare the outcome with the simulated districts, stop, exit with 0 or 1"
    )
    options = parser.parse_args(arguments)
    home = Home.from_environment()
    try:
        with _signals(), _only_one(home), running(home) as server:
            migrated(server)
            home.choose_ports()
            environment = {**airflow_environment(home, server), **connections(home), "ROSTER_DISTRICTS": str(REGISTRY)}
            set_up(home, server, environment)
            with scheduling(home, server) as lock, services(home.logs, [lock.descriptor]) as group:
                return _play(home, server, group, environment, check=options.check)
    except (Stopped, KeyboardInterrupt):
        say("stopped; `bin/demo` continues from here with the next night")
        return 130 if options.check else 0


def _play(home: Home, server: Server, group: Services, environment: dict[str, str], *, check: bool) -> int:
    address = environment["AIRFLOW__API__BASE_URL"]
    _start(home, group, environment)
    with progress("waiting for Airflow", every=20):
        wait_until_healthy(address, group, _START_SECONDS)
    districts = demo_districts()
    people = {name: AirflowApi(address, name, password) for name, password in passwords(home).items()}
    for district in districts:
        people["admin"].wait_for_dag(district.dag_id, group, _START_SECONDS)
    subscribe(server)
    faults: list[str] = []
    for day in _nights(home):
        faults += _night(home, server, group, people, districts, day)
    faults += _an_hour_later(home, server, group, people["admin"], districts, day)
    _say_where(home, address)
    if check:
        faults += ["the API answers without a login"] if answers_without_login(address) else []
        faults += [] if any(True for _ in caught(home.mail)) else ["no mail was caught"]
        for fault in faults:
            say(f"bin/demo --check: {fault}")
        show(f"\nThe check failed: {len(faults)}." if faults else "\nThe check found nothing wrong.")
        return 1 if faults else 0
    show("\nCtrl-C stops everything.")
    while True:
        group.check()
        time.sleep(1)


def _start(home: Home, group: Services, environment: dict[str, str]) -> None:
    say("starting the simulated district servers, the mail catcher and Airflow")
    simulator = [sys.executable, "-m", "include.simulator", "serve", "--settings", str(SERVED)]
    at = ["--port", str(home.oneroster_port), "--day", str(next(iter(_nights(home))))]
    group.start("simulator", [*simulator, *at], environment)
    start_airflow(group, home, environment)


def _nights(home: Home) -> Iterator[int]:
    """The days to play: the first two on a fresh home, later one more each time."""
    file = home.run / "demo-day"
    last = int(file.read_text()) if file.exists() else 0
    for day in range(last + 1, max(3, last + 2)):
        yield day
        file.write_text(str(day))


def _night(
    home: Home,
    server: Server,
    group: Services,
    people: dict[str, AirflowApi],
    districts: list[DemoDistrict],
    day: int,
) -> list[str]:
    """Runs one night: the districts' DAGs through the scheduler. Returns what is wrong with its outcome."""
    say(f"night {day}: the scheduler runs the sync of {len(districts)} districts")
    began = time.time()
    move_to_day(home, day)
    before = {district.key: report.portal(server, district) for district in districts}
    runs = _start_runs(people, districts)
    states = people["staff"].wait_for_runs(runs, group, _RUN_SECONDS)
    rows = report.changes(server, runs)
    mails = list(caught(home.mail, began))
    lines = [f"Night {day}: what changed", *report.changes_in_words(rows), f"\n  {len(mails)} mails were sent:"]
    lines += [f"    to {mail.to}: {mail.subject}" for mail in mails[:20]]
    lines += [f"    ... and {len(mails) - 20} more in {home.mail}"] if len(mails) > 20 else []
    show("\n" + "\n".join(lines) + "\n")
    faults = [f"night {day}: {dag_id} ended {state}" for dag_id, state in states.items() if state != "success"]
    faults += [f"night {day}: {row[0]} is {row[2]}, not launched" for row in rows if row[2] != "launched"]
    for district in districts:
        now, shared = report.portal(server, district), report.truth(district, day)
        faults += [
            f"night {day}: the portal shows {now[name]} {name} of {district.key}, the district shares {count}"
            for name, count in shared.items()
            if now[name] != count
        ]
        faults += [
            f"night {day}: {before[district.key][name] - now[name]} {name} of {district.key} were lost"
            for name in ("licenses", "books")
            if now[name] < before[district.key][name]
        ]
    if day == 1:
        work_in_the_portal(server)
        say("staff and teachers assign licenses and books")
    return faults


def _an_hour_later(
    home: Home, server: Server, group: Services, admin: AirflowApi, districts: list[DemoDistrict], day: int
) -> list[str]:
    """Reads what happened at Clever since the night, from its events. Returns what is wrong with its outcome.

    Its DAG is paused again at the end, because an hour of the demo passes only when the demo says so.
    """
    fresh = [district for district in districts if district.freshens]
    say("an hour later: the scheduler reads what happened at Clever since the night")
    before = {district.key: report.portal(server, district) for district in fresh}
    move_to_day(home, day + 1, only="")
    runs = {}
    for district in fresh:
        began = datetime.now(timezone.utc)
        admin.unpause(district.freshen_dag_id)
        run = admin.nightly_run(district.freshen_dag_id, began, _NIGHTLY_SECONDS)
        runs[district.freshen_dag_id] = run or admin.trigger(district.freshen_dag_id)
    states = admin.wait_for_runs(runs, group, _RUN_SECONDS)
    for dag_id in runs:
        admin.pause(dag_id)
    rows = report.changes(server, runs)
    show("\n" + "\n".join(["An hour later: what changed", *report.changes_in_words(rows)]) + "\n")
    faults = [f"{dag_id} ended {state}" for dag_id, state in states.items() if state != "success"]
    return faults + [
        fault for district in fresh for fault in _faults_of_events(server, district, rows, before[district.key])
    ]


def _faults_of_events(
    server: Server, district: DemoDistrict, rows: list[tuple[Any, ...]], before: dict[str, int]
) -> list[str]:
    """What is wrong with what the events did: they must add and update, and remove nothing."""
    mine = [row for row in rows if row[0] == district.key]
    if not mine or any(row[2] != "launched" for row in mine):
        return [f"the events of {district.key} were not applied"]
    now = report.portal(server, district)
    faults = [f"events removed {name} of {district.key}" for name in now if now[name] < before[name]]
    faults += [f"events hid {row[10]} {row[4]} of {district.key}" for row in mine if row[10]]
    if not any(row[7] + row[8] for row in mine):
        faults.append(f"the events of {district.key} changed nothing")
    return faults


def _start_runs(people: dict[str, AirflowApi], districts: list[DemoDistrict]) -> dict[str, str]:
    """Starts one run per district. Unpausing a DAG makes up for last night at once; else a person triggers it."""
    began = datetime.now(timezone.utc)
    nightly = [district for district in districts if people["admin"].unpause(district.dag_id)]
    runs = {}
    for district in districts:
        seconds = _NIGHTLY_SECONDS if district in nightly else 0.0
        run = people["admin"].nightly_run(district.dag_id, began, seconds)
        runs[district.dag_id] = run or people["staff"].trigger(district.dag_id)
    return runs


def _say_where(home: Home, address: str) -> None:
    lines = [f"Roster sync {__version__}: {address}/roster/", f"Airflow: {address}"]
    lines += [f"  {user:<8} {passwords(home)[user]}   (role {role})" for user, role in USERS.items()]
    lines += [f"Mails: {home.mail}", f"Logs:  {home.logs}"]
    show("\n".join(lines))


@contextmanager
def _only_one(home: Home) -> Iterator[None]:
    lock = Lock(home.run / "demo.lock")
    try:
        if not lock.try_take():
            raise Problem("a demo of this ROSTER_HOME is running already; set another ROSTER_HOME for a second one.")
        yield
    finally:
        lock.close()


@contextmanager
def _signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block like Ctrl-C. A second signal is ignored, so that stopping is not interrupted."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in caught_signals:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    caught_signals = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = {number: signal.signal(number, stop) for number in caught_signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    run_command("bin/demo", demo)
