"""The checks of a whole feed stop what is unusable, and doubt what shrank."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import connection as Connection

from roster_sync.core.errors import FeedRejected
from roster_sync.core.limits import Limits
from roster_sync.feed import checks, suites
from tests.feed import feeds


def spoil(owner: Connection, text: str, run_id: int) -> None:
    with owner.cursor() as cursor:
        cursor.execute(text, {"run": run_id})


def test_a_sound_feed_passes_every_check_and_links_its_page(owner: Connection, app: Connection, tmp_path: Path) -> None:
    run_id = feeds.open_run(owner)
    verdict = checks.validate(app, run_id, feeds.district(), tmp_path)
    assert verdict.is_ok
    assert verdict.not_complete == {}
    assert (tmp_path / "harbor" / "runs" / f"{run_id}.html").is_file()
    with owner.cursor() as cursor:
        cursor.execute("select data_docs, proof from sync.runs where id = %(run)s", {"run": run_id})
        assert cursor.fetchone() == (f"harbor/runs/{run_id}.html", {"not_complete": {}})


def test_a_fifth_of_a_collection_may_be_rejected_and_one_row_more_stops_the_run(
    owner: Connection, app: Connection, tmp_path: Path
) -> None:
    run_id = feeds.open_run(owner, teachers=0, students=100)
    spoil(owner, "update staging.users set is_rejected = true where n <= 20", run_id)
    assert checks.validate(app, run_id, feeds.district(), tmp_path).is_ok
    spoil(owner, "update staging.users set is_rejected = true where source_id = 'u21'", run_id)
    with pytest.raises(FeedRejected, match=r"^21 of 100 people \(21%\) had to be rejected.*correct them at the source"):
        checks.validate(app, run_id, feeds.district(), tmp_path)


def test_records_that_could_not_even_be_read_count_as_rejected(
    owner: Connection, app: Connection, tmp_path: Path
) -> None:
    run_id = feeds.open_run(owner, classes=80)
    feeds.find(owner, run_id, "classes", "ragged_line", 20, severity="error", named=False)
    assert checks.validate(app, run_id, feeds.district(), tmp_path).is_ok
    feeds.find(owner, run_id, "classes", "bad_utf8", 1, severity="error", named=False)
    with pytest.raises(FeedRejected, match="21 of 101 classes"):
        checks.validate(app, run_id, feeds.district(), tmp_path)


def test_two_errors_of_one_row_reject_one_row(owner: Connection, app: Connection, tmp_path: Path) -> None:
    run_id = feeds.open_run(owner, classes=100)
    spoil(owner, "update staging.classes set is_rejected = true where n <= 15", run_id)
    feeds.find(owner, run_id, "classes", "class_without_school", 15, severity="error")
    feeds.find(owner, run_id, "classes", "nul_byte", 15, severity="error")
    assert checks.validate(app, run_id, feeds.district(), tmp_path).is_ok


def test_a_collection_without_ids_stops_the_run_and_says_so(owner: Connection, app: Connection, tmp_path: Path) -> None:
    run_id = feeds.open_run(owner)
    spoil(owner, "update staging.classes set source_id = null, is_rejected = true", run_id)
    feeds.find(owner, run_id, "classes", "missing_id", 40, severity="error", named=False)
    with pytest.raises(
        FeedRejected, match=r"^40 of 40 classes .* came without an id: have the source give every class"
    ):
        checks.validate(app, run_id, feeds.district(), tmp_path)


@pytest.mark.parametrize(("lacking", "people_say"), [("orgs", "schools"), ("users", "people")])
def test_a_feed_without_its_schools_or_people_stops_the_run(
    owner: Connection, app: Connection, tmp_path: Path, lacking: str, people_say: str
) -> None:
    run_id = feeds.open_run(owner, collections=tuple(name for name in feeds.ORGS if name != lacking))
    with pytest.raises(FeedRejected, match=f"did not share any collection of {people_say}"):
        checks.validate(app, run_id, feeds.district(), tmp_path)


def test_a_delta_file_may_leave_collections_out(owner: Connection, app: Connection, tmp_path: Path) -> None:
    run_id = feeds.open_run(owner, schools=0, collections=("users",), is_complete=False)
    assert checks.validate(app, run_id, feeds.district(), tmp_path).is_ok


def test_a_source_that_shares_nothing_at_all_is_not_stopped_here(
    owner: Connection, app: Connection, tmp_path: Path
) -> None:
    """The plan says 'nothing is shared', or that a Reset is refused."""
    run_id = feeds.open_run(owner, schools=0, students=0, teachers=0, classes=0, enrollments=0)
    assert checks.validate(app, run_id, feeds.district(), tmp_path).is_ok


def test_role_words_that_no_standard_knows_stop_the_run(owner: Connection, app: Connection, tmp_path: Path) -> None:
    run_id = feeds.open_run(owner, teachers=0, students=100)
    spoil(owner, "update staging.users set source_roles = '{pupil}', roles = '{}' where n <= 21",
          run_id)  # fmt: skip
    with pytest.raises(FeedRejected, match=r"21 of 100 people .* have no role that OneRoster or Clever knows"):
        checks.validate(app, run_id, feeds.district(), tmp_path)


def test_people_without_any_role_stop_a_whole_feed_and_not_a_delta_file(
    owner: Connection, app: Connection, tmp_path: Path
) -> None:
    for is_complete in (False, True):
        run_id = feeds.open_run(owner, teachers=0, students=100, is_complete=is_complete)
        spoil(owner, "update staging.users set source_roles = '{}', roles = '{}' where run_id = %(run)s", run_id)
        if not is_complete:
            assert checks.validate(app, run_id, feeds.district(), tmp_path).is_ok
            feeds.finish(owner, run_id)
    with pytest.raises(FeedRejected, match="100 of 100 people"):
        checks.validate(app, run_id, feeds.district(), tmp_path)


def test_known_role_words_that_map_to_nothing_stop_no_run(owner: Connection, app: Connection, tmp_path: Path) -> None:
    run_id = feeds.open_run(owner, teachers=0, students=100)
    spoil(owner, "update staging.users set source_roles = '{siteAdministrator,aide}', roles = '{}'", run_id)
    assert checks.validate(app, run_id, feeds.district(), tmp_path).is_ok


def test_status_words_that_no_standard_knows_stop_the_run(owner: Connection, app: Connection, tmp_path: Path) -> None:
    run_id = feeds.open_run(owner, teachers=0, students=100)
    feeds.find(owner, run_id, "users", "unknown_status", 21)
    with pytest.raises(FeedRejected, match=r"21 of 100 people .* neither active nor tobedeleted"):
        checks.validate(app, run_id, feeds.district(), tmp_path)


def test_the_feeds_own_total_of_unknown_status_words_goes_before_the_capped_findings(
    owner: Connection, app: Connection, tmp_path: Path
) -> None:
    run_id = feeds.open_run(owner, teachers=0, students=100)
    feeds.find(owner, run_id, "users", "unknown_status", 5)
    spoil(owner, """update sync.runs set feed = feed || '{"found": {"unknown_status": {"users": 60}}}'
                    where id = %(run)s""", run_id)  # fmt: skip
    with pytest.raises(FeedRejected, match="60 of 100 people"):
        checks.validate(app, run_id, feeds.district(), tmp_path)


@pytest.mark.parametrize(("table", "people_say"), [("users", "people"), ("classes", "classes")])
def test_repeated_ids_stop_the_run_beyond_a_fifth(
    owner: Connection, app: Connection, tmp_path: Path, table: str, people_say: str
) -> None:
    """What was united is gone; how much it was is kept with the run."""
    run_id = feeds.open_run(owner, teachers=0, students=100, classes=100)
    feeds.unite(owner, run_id, table, 20)
    assert checks.validate(app, run_id, feeds.district(), tmp_path).is_ok
    feeds.unite(owner, run_id, table, 21)
    with pytest.raises(FeedRejected, match=rf"21 rows of {people_say} \(21%\) repeat the id of another"):
        checks.validate(app, run_id, feeds.district(), tmp_path)


def test_a_first_run_has_nothing_to_be_compared_with(owner: Connection, app: Connection, tmp_path: Path) -> None:
    run_id = feeds.open_run(owner, students=1)
    assert checks.validate(app, run_id, feeds.district(), tmp_path).not_complete == {}


def test_a_collection_that_lost_more_than_half_proves_no_absence(
    owner: Connection, app: Connection, tmp_path: Path
) -> None:
    feeds.finish(owner, feeds.open_run(owner, students=300))
    run_id = feeds.open_run(owner, students=140)
    verdict = checks.validate(app, run_id, feeds.district(), tmp_path)
    assert verdict.is_ok
    assert verdict.not_complete == {"users": "53.3% fewer students came than in the last good run (140 after 300)."}
    with owner.cursor() as cursor:
        cursor.execute("select proof -> 'not_complete' from sync.runs where id = %(run)s", {"run": run_id})
        assert cursor.fetchone() == (verdict.not_complete,)


def test_a_smaller_fall_only_warns_for_the_plan_holds_it_and_asks(
    owner: Connection, app: Connection, tmp_path: Path
) -> None:
    feeds.finish(owner, feeds.open_run(owner, students=300))
    run_id = feeds.open_run(owner, students=260)
    verdict = checks.validate(app, run_id, feeds.district(), tmp_path)
    assert verdict.not_complete == {}
    assert verdict.message == "13.3% fewer students came than in the last good run (260 after 300)."


def test_teachers_who_vanish_are_seen_although_students_are_many(
    owner: Connection, app: Connection, tmp_path: Path
) -> None:
    feeds.finish(owner, feeds.open_run(owner, teachers=20, students=3000))
    run_id = feeds.open_run(owner, teachers=2, students=3000)
    assert set(checks.validate(app, run_id, feeds.district(), tmp_path).not_complete) == {"users"}


def test_a_fall_below_the_floor_does_not_count(owner: Connection, app: Connection, tmp_path: Path) -> None:
    feeds.finish(owner, feeds.open_run(owner, schools=6))
    run_id = feeds.open_run(owner, schools=2)
    assert checks.validate(app, run_id, feeds.district(), tmp_path).not_complete == {}


def test_a_limit_of_100_lifts_the_doubt_for_a_district_and_for_a_run(
    owner: Connection, app: Connection, tmp_path: Path
) -> None:
    feeds.finish(owner, feeds.open_run(owner, students=300))
    run_id = feeds.open_run(owner, students=30)
    assert checks.validate(app, run_id, feeds.district(deleted_percent=100), tmp_path).not_complete == {}
    feeds.finish(owner, run_id, "failed")
    run_id = feeds.open_run(owner, students=30, parameters={"max_deleted_percent": 100})
    assert checks.validate(app, run_id, feeds.district(), tmp_path).not_complete == {}


def test_a_failed_run_and_another_issuers_are_no_measure(owner: Connection, app: Connection, tmp_path: Path) -> None:
    feeds.finish(owner, feeds.open_run(owner, students=3000), "failed")
    feeds.finish(owner, feeds.open_run(owner, students=3000, issuer="clever:example.com"))
    run_id = feeds.open_run(owner, students=300)
    assert checks.validate(app, run_id, feeds.district(), tmp_path).not_complete == {}


def test_a_collection_that_came_empty_is_left_to_the_plan(owner: Connection, app: Connection, tmp_path: Path) -> None:
    feeds.finish(owner, feeds.open_run(owner))
    run_id = feeds.open_run(owner, classes=0, enrollments=0)
    assert checks.validate(app, run_id, feeds.district(), tmp_path).not_complete == {}


def test_enrollments_of_people_who_did_not_come_doubt_both_beyond_the_limit(
    owner: Connection, app: Connection, tmp_path: Path
) -> None:
    run_id = feeds.open_run(owner, students=100, enrollments=100, strangers=50)
    assert checks.validate(app, run_id, feeds.district(), tmp_path).not_complete == {}
    feeds.finish(owner, run_id, "failed")
    run_id = feeds.open_run(owner, students=100, enrollments=100, strangers=51)
    verdict = checks.validate(app, run_id, feeds.district(), tmp_path)
    assert verdict.is_ok
    assert set(verdict.not_complete) == {"users", "enrollments"}


def test_people_none_of_whose_schools_came_doubt_the_schools(
    owner: Connection, app: Connection, tmp_path: Path
) -> None:
    run_id = feeds.open_run(owner, teachers=0, students=100)
    spoil(owner, "update staging.users set school_source_ids = '{gone,s1}' where n <= 60", run_id)
    assert checks.validate(app, run_id, feeds.district(), tmp_path).not_complete == {}
    spoil(owner, "update staging.users set school_source_ids = '{gone}' where n <= 11", run_id)
    assert set(checks.validate(app, run_id, feeds.district(), tmp_path).not_complete) == {"schools", "users"}


def test_references_of_a_delta_file_are_not_counted_as_dangling(
    owner: Connection, app: Connection, tmp_path: Path
) -> None:
    run_id = feeds.open_run(owner, is_complete=False, strangers=900)
    assert checks.validate(app, run_id, feeds.district(), tmp_path).not_complete == {}


def test_every_sentence_of_a_check_can_be_filled_from_the_profile(owner: Connection, app: Connection) -> None:
    run_id = feeds.open_run(owner)
    with app, app.cursor() as cursor:
        cursor.execute("set local role roster_edit")
        profile = checks._profile(cursor, run_id, Limits())
    for check in suites.checks_for(Limits()):
        one = suites.Judged(check, False, 100.0)
        assert "{" not in checks._sentence(profile[check.entity], one)


def test_half_a_million_enrollments_are_profiled_well_under_a_second_and_judged_in_half(
    owner: Connection, app: Connection
) -> None:
    run_id = feeds.open_run(owner, students=100_000, teachers=5_000, classes=20_000, enrollments=480_000)
    spoil(owner, "select staging.analyze_run(%(run)s, array['schools', 'users', 'classes', 'enrollments'])", run_id)
    times: list[float] = []
    profile: dict[str, Any] = {}
    for _ in range(2):
        with app, app.cursor() as cursor:
            cursor.execute("set local role roster_edit")
            started = time.perf_counter()
            profile = checks._profile(cursor, run_id, Limits())
            times.append(time.perf_counter() - started)
    assert min(times) < 1.5  # 0.3 s on two idle cores; the margin is for a busy machine
    suites.judge(profile, suites.checks_for(Limits()))  # the import
    started = time.perf_counter()
    suites.judge(profile, suites.checks_for(Limits()))
    assert time.perf_counter() - started < 2  # 0.25 s idle
