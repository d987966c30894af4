"""bin/demo: the main job, from an empty home, through the scheduler; and nothing is left running."""

from __future__ import annotations

import pytest

from tests.ops.commands import new_home, processes_of, run, wait_for

pytestmark = pytest.mark.slow


def test_the_demo_finds_its_own_outcome_right_and_leaves_nothing_running() -> None:
    with new_home() as home:
        done = run("demo", "--check", home=home)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Night 1: what changed" in done.stdout
        assert "foxglove" in done.stdout  # Clever; the other two are OneRoster
        assert "The check found nothing wrong." in done.stdout
        assert wait_for(lambda: processes_of(home) == [], 5)
        # the first night was the scheduler's own, the second a person's; the hour after it the scheduler's again
        query = "select trigger, started_by, status, coalesce(parameters ->> 'events', '') from sync.runs order by id"
        runs = run("psql", "-Atc", query, home=home).stdout
        assert runs.split() == (
            ["nightly|schedule|launched|"] * 3 + ["manual|staff|launched|"] * 3 + ["nightly|schedule|launched|true"]
        )
        assert "An hour later: what changed" in done.stdout
