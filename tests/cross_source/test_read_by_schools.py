"""Clever read school by school, and read as a whole: the same staging rows, findings and proofs."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.simulator.district import MadeUpDistrict
from roster_sync.feed import staging
from tests.cross_source.everywhere import Everywhere
from tests.dsl.world import World

STAGED = {
    "schools": "select row(source_id, status, name, sis_id, state_id, nces_id, is_rejected, keep)::text as line"
    " from staging.schools where run_id = %s order by 1",
    "users": "select row(source_id, status, source_roles, roles, school_source_ids, primary_school_source_id, email,"
    " username, given_name, family_name, grade, sis_id, state_id, is_enabled, is_rejected, keep)::text as line"
    " from staging.users where run_id = %s order by 1",
    "classes": "select row(source_id, status, school_source_id, sis_id, title, subject, grade, period, term_name,"
    " starts_on, ends_on, is_rejected, keep)::text as line from staging.classes where run_id = %s order by 1",
    "enrollments": "select row(c.source_id, u.source_id, e.role, e.is_primary, e.is_active, e.begins_on, e.ends_on,"
    " e.is_rejected, e.keeps_dates, e.is_unusual)::text as line from staging.enrollments e"
    " left join staging.classes c on c.run_id = e.run_id and c.n = e.class_n"
    " left join staging.users u on u.run_id = e.run_id and u.n = e.user_n where e.run_id = %s order by 1",
    "unusual_enrollments": "select row(class_source_id, user_source_id, role, is_primary, is_active, begins_on,"
    " ends_on, is_rejected, keep, is_elsewhere, is_padded)::text as line"
    " from staging.unusual_enrollments where run_id = %s order by 1",
    "terms": "select row(source_id, status, title, starts_on, ends_on)::text as line"
    " from staging.terms where run_id = %s order by 1",
    "findings": "select entity, source_id, severity, rule, field, message from sync.findings where run_id = %s"
    " order by 1, 4, 2, 6",
    "said": "select issuer, source_revision, proof, feed - 'requests' as feed from sync.runs where id = %s",
}
"""Everything that a run staged, in an order of its own; where a row stood in the feed is left out."""


def staged(world: World, made_up: Everywhere, read_by: str, page_size: int) -> dict[str, Any]:
    """What one run stages."""
    run_id = world.begin()
    source = made_up.clever(read_by=read_by, page_size=page_size)
    counts = staging.load(world.app, run_id, world.district, source)
    found: dict[str, Any] = {name: world.rows(query, run_id) for name, query in STAGED.items()}
    found["counts"] = {name: count for name, count in counts.items() if name != "requests"}
    world.do("update sync.runs set status = 'previewed' where id = %s", run_id)
    return found


@settings(max_examples=8, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    seed=st.integers(1, 10_000), students=st.integers(0, 120), schools=st.integers(1, 5),
    day=st.sampled_from([1, 3, 6]), page_size=st.sampled_from([7, 40, 10_000]), keep_empty_sections=st.booleans(),
    hidden_students=st.none() | st.integers(2, 9), shared=st.none() | st.sets(st.integers(0, 4), min_size=1),
)  # fmt: skip
def test_both_ways_of_reading_stage_the_same(
    world: World, seed: int, students: int, schools: int, day: int, page_size: int, keep_empty_sections: bool,
    hidden_students: int | None, shared: set[int] | None,
) -> None:  # fmt: skip
    how = {"hidden_students": hidden_students, "shared_schools": sorted(shared) if shared else None}
    district = MadeUpDistrict(seed, students, schools, churn=0.05)
    with Everywhere(district, world, keep_empty_sections, how, day) as made_up:
        whole = staged(world, made_up, "district", page_size)
        by_school = staged(world, made_up, "schools", page_size)
    for name, rows in whole.items():
        assert by_school[name] == rows, name
    if hidden_students and students > 50 and not shared:
        assert any(row["rule"] == "dangling_user" for row in whole["findings"])
