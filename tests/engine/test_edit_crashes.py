"""A run that is killed anywhere, and started again, ends in the same portal as one that was never killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dsl.database import REPOSITORY
from tests.dsl.roster import MemorySource, Roster, town
from tests.dsl.world import World

pytestmark = pytest.mark.slow


def _next_day() -> Roster:
    """Of everything something: adds, updates, ends, a new id, a restore and a doubtful match."""
    roster = town().without("a2", "c-t4").renamed({"t2": "t2-new"}).with_("a3", family_name="Changed")
    roster.student("n1", "S2").enroll("c-t3", "n1").school("S3").teacher("n2", "S3").class_("c-n2", "S3", teachers="n2")
    return roster.student("n3", "S1", given_name="Given-a2", family_name="Family-a2", identifier="", email="")


def _portal(world: World) -> dict[str, list[Any]]:
    """What the portal holds, told without its own numbers and times."""
    queries = {
        "schools": "select source_id, name, is_shared from portal.schools where district_id = %s",
        "users": "select source_id, role, email, given_name, family_name, grade, is_enabled, is_shared,"
                 " last_shared_at is null from portal.users where district_id = %s",
        "classes": "select c.source_id, s.source_id, c.title, c.is_shared from portal.classes c"
                   " join portal.schools s on s.id = c.school_id where c.district_id = %s",
        "enrollments": "select c.source_id, u.source_id, e.role, e.is_primary, e.is_active, e.ended_at is null"
                       " from portal.enrollments e join portal.classes c on c.id = e.class_id"
                       " join portal.users u on u.id = e.user_id where e.district_id = %s",
        "user_schools": "select u.source_id, s.source_id, us.is_primary, us.is_active from portal.user_schools us"
                        " join portal.users u on u.id = us.user_id join portal.schools s on s.id = us.school_id"
                        " where u.district_id = %s",
        "licenses": "select u.source_id from portal.license_assignments l join portal.users u on u.id = l.user_id"
                    " where l.district_id = %s",
        "reviews": "select a.source_id, b.source_id from sync.worklist w join portal.users a on a.id = w.subject_id"
                   " join portal.users b on b.id = w.second_subject_id where w.district_id = %s",
        "selection": "select source_id, name, is_selected from sync.school_selection where district_id = %s",
        "changes": "select x.table_name, x.action, x.changed, count(*) from sync.changes x join sync.runs r"
                   " on r.id = x.run_id where r.district_id = %s group by 1, 2, 3",
        "counts": "select k.entity, k.added, k.updated, k.unchanged, k.unshared, k.restored, k.received, k.held"
                  " from sync.run_counts k join sync.runs r on r.id = k.run_id where r.district_id = %s",
        "runs": "select status, mode from sync.runs where district_id = %s",
    }  # fmt: skip
    found: dict[str, list[Any]] = {}
    with world.owner.cursor() as cursor:
        for name, query in queries.items():
            cursor.execute(query, (world.district_id,))
            found[name] = sorted(cursor.fetchall(), key=str)
    return found


def _first_day(world: World) -> None:
    world.run(town().without("b4"))
    world.run(town().without("b1"))
    world.license(user="t2")
    world.license(user="a2")


@pytest.mark.parametrize("stop_at", [
    "staging/schools", "staging/stage_enrollments", "checks/row_findings", "checks/feed", "after:extract",
    "plan/resolve_users", "plan/join_enrollments", "plan/adds", "plan/record", "after:plan",
    "apply/schools", "apply/enrollments", "apply/worklist", "apply/counts", "apply/close", "after:apply",
])  # fmt: skip
def test_a_run_killed_there_and_started_again_ends_in_the_same_portal(
    world: World, stop_at: str, tmp_path: Path
) -> None:
    undisturbed = world.elsewhere("glen")
    for district in (world, undisturbed):
        _first_day(district)
    undisturbed.run(_next_day(), airflow_run_id="second-glen")
    before = world.versions()

    _kill_at(stop_at, world, tmp_path)
    if stop_at != "after:apply":
        assert world.versions() == before  # the portal is as it was, or as it should be, and nothing between

    run_id = world.begin(airflow_run_id="second", is_alive=lambda *_: True)
    assert run_id == world.value("select max(id) from sync.runs where district_id = %s", world.district_id)
    assert world.go_on(run_id, MemorySource(_next_day())).status == "launched"
    expected, got = _portal(undisturbed), _portal(world)
    if stop_at == "after:apply":  # the second try found nothing left to do: what it saw unchanged is all there is
        for portal in (expected, got):
            portal["counts"] = [row[:3] + row[4:] for row in portal["counts"]]
    assert got == expected


def test_the_next_night_closes_a_killed_run_and_does_its_work(world: World, tmp_path: Path) -> None:
    undisturbed = world.elsewhere("glen")
    for district in (world, undisturbed):
        _first_day(district)
    _kill_at("apply/enrollments", world, tmp_path)
    ran = world.run(_next_day())
    undisturbed.run(_next_day())
    assert ran.status == "launched"
    statuses = world.rows("select status from sync.runs where district_id = %s order by id", world.district_id)
    assert [row["status"] for row in statuses] == ["launched", "launched", "failed", "launched"]
    expected, got = _portal(undisturbed), _portal(world)
    for name in ("counts", "runs"):
        del expected[name], got[name]
    assert got == expected


def _kill_at(stop_at: str, world: World, folder: Path) -> None:
    """Starts the second day in another process, and ends that with SIGKILL where it stands still."""
    roster = folder / "roster.json"
    roster.write_text(json.dumps(_next_day().collections))
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.engine.crash_child", world.database.dsn_app, "second", str(roster), stop_at],
        cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'plugins'}"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "here\n", child.communicate()[1]
    finally:
        child.kill()
        child.communicate()
