"""People at work in the very moment in which a Reset, an undo or a decision writes: nothing of theirs is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager

import psycopg2

from roster_sync.engine import matching
from tests.dsl.database import Cluster, Database
from tests.dsl.world import World
from tests.engine.schools import people, two_schools
from tests.engine.summer import put_up_for_review, review


@contextmanager
def while_a_license_is_being_given(
    harbor: World, cluster: Cluster, database: Database, user_id: int, run: Callable[[], str | None]
) -> Iterator[Future[str | None]]:
    """A license is inserted and not yet committed when the run comes to its owner; then it is committed."""
    with ThreadPoolExecutor(1) as thread, closing(psycopg2.connect(database.dsn_owner)) as other:
        with other.cursor() as cursor:
            cursor.execute(
                "insert into portal.license_assignments (district_id, product_id, user_id)"
                " select district_id, %s, id from portal.users where id = %s",
                (harbor.product(), user_id),
            )
        running = thread.submit(run)
        limit = time.monotonic() + 20
        with cluster.admin() as watcher:
            while time.monotonic() < limit and not running.done():
                waits = "select exists (select from pg_stat_activity where datname = %s and wait_event_type = 'Lock')"
                watcher.execute(waits, (database.name,))
                if watcher.fetchone()[0]:
                    break
                time.sleep(0.02)
        assert not running.done()
        other.commit()
        yield running


def licenses_of(harbor: World, user_id: int) -> int:
    return int(harbor.value("select count(*) from portal.license_assignments where user_id = %(u)s", u=user_id))


def test_a_license_given_while_a_reset_begins_to_write_is_asked_about(
    harbor: World, cluster: Cluster, shared_database: Database
) -> None:
    harbor.edit(two_schools())
    harbor.begin("reset")
    assert harbor.load_and_plan(two_schools().without("s1")) == "apply"
    owner = harbor.id_of("users", "s1")
    with while_a_license_is_being_given(harbor, cluster, shared_database, owner, harbor.write) as running:
        assert running.result(20) == "held"
    assert licenses_of(harbor, owner) == 1


def test_a_license_given_while_an_undo_takes_its_owner_out_keeps_the_owner(
    harbor: World, cluster: Cluster, shared_database: Database
) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().teacher("t9", "north"))
    owner = harbor.id_of("users", "t9")
    with while_a_license_is_being_given(harbor, cluster, shared_database, owner, harbor.undo) as running:
        assert running.result(20) == "launched"
    assert "t9" in people(harbor)
    assert licenses_of(harbor, owner) == 1


def test_a_license_given_while_two_rows_become_one_goes_with_them(
    harbor: World, cluster: Cluster, shared_database: Database
) -> None:
    old, new = put_up_for_review(harbor)
    item = review(harbor)

    def join() -> None:
        matching.same_person(harbor.app, item, "Ada Approver")

    with while_a_license_is_being_given(harbor, cluster, shared_database, new, join) as running:
        running.result(20)
    assert licenses_of(harbor, old) == 3


def test_a_run_that_was_planned_before_two_rows_became_one_plans_again(harbor: World) -> None:
    old, _ = put_up_for_review(harbor)
    harbor.begin("edit")
    roster = two_schools().student("new", "north", given_name="Kim", family_name="Reed", email="kim@other.example")
    assert harbor.load_and_plan(roster) in ("apply", "held")
    matching.same_person(harbor.app, review(harbor), "Ada Approver")
    harbor.write()
    assert harbor.tuples("select id from portal.users where family_name = 'Reed'") == [(old,)]
