"""Rules of asking a source for single records that fails at it: soon given up, and nothing is gone for that."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from roster_sync.core.errors import SourceUnavailable
from tests.dsl.roster import MemorySource, Roster
from tests.dsl.world import World

PUPILS = tuple(f"s{number}" for number in range(1, 8))


def school() -> Roster:
    roster = Roster().school("north").teacher("t1", "north")
    for pupil in PUPILS:
        roster.student(pupil, "north")
    return roster.class_("c1", "north", "t1", " ".join(PUPILS))


@dataclass
class FailingSource(MemorySource):
    """Fails at every single record but those that it answers."""

    answers: set[int] = field(default_factory=set)
    """Which of its questions it answers, counted from one."""

    def is_live(self, collection: str, source_id: str) -> bool | None:
        """Gone, or no answer at all."""
        is_live = super().is_live(collection, source_id)
        if len(self.asked) not in self.answers:
            raise SourceUnavailable("It did not answer in time.")
        return is_live


def pupils(harbor: World) -> int:
    return int(harbor.value("select count(*) from portal.users where role = 'student'"))


def test_a_source_that_fails_three_times_in_a_row_is_not_asked_for_the_rest_and_all_are_kept(
    harbor: World, caplog: pytest.LogCaptureFixture
) -> None:
    harbor.edit(school())
    source = FailingSource(school().without(*PUPILS))
    assert harbor.reset(source) == "launched"
    assert len(source.asked) == 3
    assert pupils(harbor) == len(PUPILS)
    assert harbor.value("select count(*) from sync.findings where run_id = %(r)s and rule = 'still_live'",
                      r=harbor.run_id) == len(PUPILS)  # fmt: skip
    (told,) = [record.getMessage() for record in caplog.records if "not asked for" in record.getMessage()]
    assert "4 missing records" in told


def test_an_answer_between_two_failures_shows_that_asking_on_makes_sense(harbor: World) -> None:
    harbor.edit(school())
    source = FailingSource(school().without(*PUPILS), answers={3, 6})
    harbor.reset(source)
    assert len(source.asked) == len(PUPILS)
    assert pupils(harbor) == len(PUPILS) - 2
