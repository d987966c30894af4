"""How many classes repeat an id is counted where they are united: what was read and given up counts for nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from roster_sync.core.errors import FeedRejected
from roster_sync.feed import checks, staging
from roster_sync.sources.base import FeedReport, Sink, Source
from tests.dsl.csv_files import csv_files
from tests.dsl.roster import MemorySource, Roster
from tests.dsl.world import World


class MovedOnce(MemorySource):
    """A source that changed while it was read, and is read again."""

    def fetch(self, sink: Sink) -> FeedReport:
        super().fetch(sink)
        sink.discard()
        return super().fetch(sink)


def _classes(count: int) -> Roster:
    roster = Roster().school("S1").teacher("t1", "S1")
    for number in range(1, count + 1):
        roster.class_(f"c{number}", "S1", teachers="t1")
    return roster


def _repeating(count: int, again: int) -> Roster:
    """Classes, and some of them once more."""
    roster = _classes(count)
    rows = roster.collections["classes"]
    rows.extend(dict(row) for row in rows[:again])
    return roster


def _judged(world: World, feed: Source | Mapping[str, str]) -> checks.Verdict:
    """What the checks say of a feed once it is staged."""
    run_id = world.begin()
    staging.load(world.app, run_id, world.district, world._source(feed))
    assert world.value("select count(*) from staging.classes where run_id = %s", run_id)
    return checks.validate(world.app, run_id, world.district, world.folder)


def test_classes_of_a_source_that_is_read_twice_repeat_no_id(world: World) -> None:
    assert _judged(world, MovedOnce(_classes(100))).is_ok


def test_classes_of_a_file_in_which_lines_were_joined_repeat_no_id(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    files = csv_files(_classes(100))
    for said, stray in (("Class c10,", 'Class "c10,'), ("Class c12,", 'Class c12",')):
        files["classes.csv"] = files["classes.csv"].replace(said, stray)
    assert _judged(world, files).is_ok
    assert "joined lines" in caplog.text


def test_classes_of_a_file_that_is_refused_late_and_read_line_by_line_repeat_no_id(world: World) -> None:
    files = csv_files(_classes(100))
    files["classes.csv"] = re.sub(r"(?m)^c60,[^\r\n]*", "c60,active", files["classes.csv"])
    assert _judged(world, files).is_ok


def test_classes_of_a_file_with_many_blank_lines_repeat_no_id(world: World) -> None:
    files = csv_files(_classes(100))
    header, rows = files["classes.csv"].split("\r\n", 1)
    blank = "," * header.count(",")
    files["classes.csv"] = "\r\n".join([header, *[blank] * 40, rows])
    assert _judged(world, files).is_ok


@pytest.mark.parametrize("source", [MemorySource, MovedOnce])
def test_classes_that_do_repeat_an_id_stop_the_run_beyond_a_fifth(world: World, source: type[MemorySource]) -> None:
    assert _judged(world, source(_repeating(80, 20))).is_ok
    with pytest.raises(FeedRejected, match=r"^21 rows of classes \(21%\) repeat the id of another"):
        _judged(world, source(_repeating(79, 21)))
