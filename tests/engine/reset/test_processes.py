"""A Reset that is killed at each step, and an Edit and a Reset that meet: with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from roster_sync.core.errors import SyncRefused
from tests.dsl.database import REPOSITORY, Cluster, Database
from tests.dsl.world import World
from tests.engine.reset.child import everything_changes
from tests.engine.schools import two_schools

pytestmark = pytest.mark.slow

# Which row to hold, so that the Reset waits at that step with its transaction open.
STEPS = {
    "lock": "select from portal.users where source_id = 's1' for update",
    "selection": "update sync.school_selection set name = 'other' where source_id = 'north'",
    "schools": "select from portal.schools where source_id = 'north' for update",
    "users": "select from portal.users where source_id = 't1' for update",
    "classes": "select from portal.classes where source_id = 'c2' for update",
    "enrollments": "lock table portal.enrollments in share mode",
    "images": "lock table portal.class_books in access exclusive mode",
    "delete": "select from portal.user_schools x join portal.users u on u.id = x.user_id"
    " where u.source_id = 's1' for update of x",
    "close": "select from sync.runs where mode = 'reset' for update",
}  # fmt: skip
WAIT_SECONDS = 20


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@contextmanager
def child(database: Database, what: str, run_id: int) -> Iterator[subprocess.Popen[str]]:
    folders = os.pathsep.join([str(REPOSITORY / "plugins"), str(REPOSITORY)])
    started = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("child.py")), database.dsn_app, what, str(run_id)],
        env=os.environ | {"PYTHONPATH": folders, "PGAPPNAME": f"child {what} {run_id}"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield started
    finally:
        started.kill()
        started.wait()
        if started.stdout:
            started.stdout.close()


@contextmanager
def holding(database: Database, statement: str) -> Iterator[None]:
    """Another session's transaction that holds a row or a table."""
    with closing(psycopg2.connect(database.dsn_owner)) as other:
        with other.cursor() as cursor:
            cursor.execute(statement)
        yield
        other.rollback()


class Watcher:
    """Sees what the sessions of this test's database do; only a superuser sees those of other roles."""

    def __init__(self, cursor: Any, database: str) -> None:
        self._cursor = cursor
        self._database = database

    def wait_until(self, name: str, what: str = "true", *, is_there: bool = True) -> None:
        """Waits until a child's session is there and does that, or until it is gone."""
        limit = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < limit:
            self._cursor.execute(
                "select exists (select from pg_stat_activity"  # noqa: S608
                f" where datname = %s and application_name = %s and {what})",
                (self._database, f"child {name}"),
            )
            if self._cursor.fetchone()[0] is is_there:
                return
            time.sleep(0.02)
        raise AssertionError(f"child {name} never came to this: {what}")


@pytest.fixture
def watcher(cluster: Cluster, shared_database: Database) -> Iterator[Watcher]:
    with cluster.admin() as cursor:  # other workers' children bear the same names, in databases of their own
        yield Watcher(cursor, shared_database.name)


WAITS = "wait_event_type = 'Lock'"
WAITS_FOR_THE_DISTRICT = "wait_event = 'advisory'"


def planned_reset(harbor: World) -> None:
    harbor.edit(two_schools())
    for owner in ("t1", "s2"):
        harbor.license(user=owner)
    harbor.give_book("c1", "s1", "s3")
    harbor.begin("reset", max_deleted_percent=100)
    assert harbor.load_and_plan(everything_changes()) == "apply"


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_leaves_the_portal_as_before_and_can_be_repeated(
    harbor: World, shared_database: Database, watcher: Watcher, step: str
) -> None:
    planned_reset(harbor)
    before, name = harbor.snapshot(()), f"apply {harbor.run_id}"
    selection = harbor.tuples("select source_id, name, is_selected from sync.school_selection order by 1")
    with holding(shared_database, STEPS[step]), child(shared_database, "apply", harbor.run_id) as process:
        watcher.wait_until(name, WAITS)
        process.send_signal(signal.SIGKILL)
        process.wait()
    watcher.wait_until(name, is_there=False)
    assert harbor.snapshot(()) == before
    assert harbor.tuples("select source_id, name, is_selected from sync.school_selection order by 1") == selection
    assert harbor.value("select count(*) from sync.changes where run_id = %(r)s", r=harbor.run_id) == 0
    assert harbor.status() == "in_progress"
    assert harbor.write() == "launched"  # the task is repeated
    after = harbor.snapshot(())
    assert harbor.tuples("select source_id from portal.users order by 1") == [
        ("s3",),
        ("s9",),
        ("t1",),
        ("t2",),
        ("t3",),
    ]
    assert harbor.write() == "launched"  # killed after the commit, repeated: as after
    assert harbor.snapshot(()) == after


def test_a_reset_that_died_is_closed_by_the_next_run_and_writes_nothing_even_if_it_still_breathes(
    harbor: World,
) -> None:
    planned_reset(harbor)
    dead, before = harbor.run_id, harbor.snapshot(())
    assert harbor.edit(two_schools()) == "launched"
    harbor.run_id = dead
    assert harbor.status() == "failed"
    with pytest.raises(SyncRefused, match="no longer open"):
        harbor.write()
    assert harbor.snapshot(()) == before


def test_while_a_reset_is_at_work_an_edit_does_not_begin(
    harbor: World, shared_database: Database, watcher: Watcher
) -> None:
    planned_reset(harbor)
    with holding(shared_database, STEPS["users"]), child(shared_database, "apply", harbor.run_id) as at_work:
        watcher.wait_until(f"apply {harbor.run_id}", WAITS)
        with child(shared_database, "begin", harbor.run_id) as other:
            output, _ = other.communicate(timeout=WAIT_SECONDS)
        assert output.startswith("skipped: Another run of this district is in progress")
        assert at_work.poll() is None
    assert harbor.value("select status from sync.runs order by id desc limit 1") == "skipped"


def test_of_two_runs_that_begin_at_once_one_is_skipped(harbor: World, shared_database: Database) -> None:
    harbor.edit(two_schools())
    with child(shared_database, "begin", 1) as one, child(shared_database, "begin", 2) as two:
        outputs = [process.communicate(timeout=WAIT_SECONDS)[0] for process in (one, two)]
    assert sorted(output.partition(":")[0] for output in outputs) == ["", "skipped"]
    assert harbor.value("select count(*) from sync.runs where status = 'in_progress'") == 1


@pytest.mark.parametrize("step", ["schools", "delete"])
def test_an_edit_and_a_reset_do_not_interleave_even_where_both_are_open(
    harbor: World, shared_database: Database, watcher: Watcher, stack: ExitStack, step: str
) -> None:
    """As after a run was taken for dead that was not: the district's lock keeps them apart."""
    planned_reset(harbor)
    reset = harbor.run_id
    with child(shared_database, "apply", reset) as resetting:
        with holding(shared_database, STEPS[step]):
            watcher.wait_until(f"apply {reset}", WAITS)
            edit = harbor.begin("edit", max_deleted_percent=100)  # takes the Reset for dead
            assert harbor.status(reset) == "failed"
            editing = stack.enter_context(child(shared_database, "edit", edit))
            watcher.wait_until(f"edit {edit}", WAITS_FOR_THE_DISTRICT)
            assert resetting.poll() is None
            assert harbor.id_of("users", "s9") is None  # nobody sees half a Reset
        assert resetting.wait(WAIT_SECONDS) == 0
        assert editing.wait(WAIT_SECONDS) == 0
    assert (harbor.status(reset), harbor.status(edit)) == ("launched", "launched")  # it wrote after all, and says so
    written = harbor.tuples("select id from sync.runs where wrote_at is not null order by wrote_at")
    assert [row[0] for row in written][-2:] == [reset, edit]
    shared = harbor.tuples("select source_id from portal.users where is_shared order by 1")
    assert [row[0] for row in shared] == ["s1", "s2", "s3", "t1", "t2", "t3"]  # what the later one read
    assert harbor.value("select is_shared from portal.users where source_id = 's9'") is False
