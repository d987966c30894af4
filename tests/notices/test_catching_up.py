"""A run that wrote and died before its mails: the next one reports it, once."""

from __future__ import annotations

import pytest
from psycopg2.extensions import connection as Connection

from roster_sync.engine import runs
from tests.dsl.rows_by_hand import World
from tests.engine.worklist.newcomers import newcomer, wrote
from tests.notices.outbox import ADMIN, Outbox, tell


def tell_to_the_end(world: World, app: Connection, outbox: Outbox) -> int:
    with runs.step(app, world.run_id, "notify"):
        return tell(world, app, outbox)


def test_the_next_run_reports_once_what_a_run_that_died_before_its_mails_would_have_reported(
    world: World, app: Connection, outbox: Outbox
) -> None:
    world.subscribe(ADMIN)
    world.person("teacher", world.school(), given="Maria", family="Montfort")
    world.count("students", added=31)
    wrote(world)
    world.begin()
    assert tell_to_the_end(world, app, outbox) == 1
    mail = outbox.only()
    assert "Maria Montfort" in mail.text
    assert "31" in mail.text
    assert tell_to_the_end(world, app, outbox) == 0
    world.begin()
    assert tell_to_the_end(world, app, outbox) == 0


def test_teachers_hear_of_their_students_of_such_a_run_once(world: World, app: Connection, outbox: Outbox) -> None:
    class_, _ = newcomer(world)
    world.enroll(class_, world.person("teacher", email="mona@school.example.com"), "teacher")
    wrote(world)
    dead = world.run_id
    world.begin()
    assert tell_to_the_end(world, app, outbox) == 1
    assert outbox.only().to == "mona@school.example.com"
    world.run_id = dead  # its own `notify`, cleared by hand
    assert tell_to_the_end(world, app, outbox) == 0


@pytest.mark.parametrize("why", ["undone", "two rows put together", "told"])
def test_nobody_is_notified_of_what_is_no_news_any_more(
    world: World, app: Connection, outbox: Outbox, why: str
) -> None:
    world.subscribe(ADMIN)
    world.count("students", added=31)
    wrote(world)
    if why == "told":
        assert tell_to_the_end(world, app, outbox) == 1
    elif why == "undone":
        world.end("undone")
    else:
        world.rows("update sync.runs set issuer = null where id = %(run)s")
    outbox.take()
    world.begin()
    assert tell_to_the_end(world, app, outbox) == 0
