"""The limits of a Reset: one reading of a run's own number, and what is counted against it (docs/rules.md, R8)."""

from __future__ import annotations

import pytest

from roster_sync.config.expectations import WARN
from roster_sync.core.limits import Breach, Limits, for_run
from roster_sync.feed import suites
from tests.dsl.world import World
from tests.engine.schools import less, many


@pytest.mark.parametrize(
    ("asked", "deleted", "enrollments"), [(None, 10, 50), (0, 0, 50), (20, 20, 50), (60, 60, 60), (100, 100, 100)]
)
def test_a_runs_own_number_is_read_in_one_way_by_the_plan_and_by_the_checks_of_the_feed(
    asked: float | None, deleted: float, enrollments: float
) -> None:
    limits = for_run(Limits(), asked)
    assert (limits.deleted_percent, limits.enrollments_percent) == (deleted, enrollments)
    checked = {
        check.entity: check.most
        for check in suites.checks_for(limits)
        if check.effect == WARN and check.column.startswith("percent_fewer")
    }
    trusted = 50  # from there on a fall is not a warning but takes away the proof (include/expectations)
    assert checked.get("classes", deleted) == deleted
    assert ("classes" in checked) == (deleted < trusted)
    assert checked.get("enrollments", enrollments) == enrollments


def test_a_limit_of_a_hundred_lifts_that_of_updates_too() -> None:
    assert for_run(Limits(), 100).updated_percent == 100
    assert for_run(Limits(), 99).updated_percent == 75


def test_a_breach_is_reported_in_the_words_and_numbers_that_mails_and_pages_use() -> None:
    breach = Breach("enrollments", "removals", 4812, 9100, 50)
    assert breach.sentence() == "4,812 of 9,100 enrollments would be removed; the limit is 50%."
    breach = Breach("people", "turnover", 1204, 9100, 10)
    assert (
        breach.sentence() == "1,204 of 9,100 people are missing, and at least as many new people appear in their place."
    )


def by_hand(harbor: World, count: int) -> None:
    """As many classes made by hand, and as many of the feed's students in each."""
    for number in range(count):
        club = harbor.class_by_hand("north", f"Club {number}")
        for student in range(count):
            harbor.enroll_by_hand(club, harbor.id_of("users", f"x{student}"), "student")


def test_what_people_made_counts_neither_as_gone_nor_in_the_base(harbor: World) -> None:
    harbor.edit(many())
    by_hand(harbor, 7)
    assert harbor.ask_to_reset(many(), include_manual=True) == "launched"
    counts, bases = harbor.plan_of()["counts"], harbor.plan_of()["bases"]
    assert (counts["classes"]["delete"], counts["enrollments"]["delete"]) == (7, 49)  # told, but no limit
    assert (bases["classes"], bases["enrollments"]) == (2, 48)
    assert harbor.plan_of()["manual"] == 7
    assert harbor.plan_of()["breaches"] == []


def test_what_people_made_hides_nothing_of_what_the_sync_deletes(harbor: World) -> None:
    harbor.edit(many())
    by_hand(harbor, 7)
    assert harbor.ask_to_reset(less(many(), 6)) == "held"
    assert [(breach["kind"], breach["count"], breach["base"]) for breach in harbor.plan_of()["breaches"]] == [
        ("students", 6, 43)
    ]


def test_enrollments_have_a_limit_of_their_own_of_those_that_the_sync_made(harbor: World) -> None:
    harbor.edit(many())
    by_hand(harbor, 7)
    left = many().without_rows(*(f"e-c1-x{number}" for number in range(30)))
    assert harbor.ask_to_reset(left) == "held"  # 30 of 48, the limit is 50 %
    assert [(breach["kind"], breach["count"], breach["base"]) for breach in harbor.plan_of()["breaches"]] == [
        ("enrollments", 30, 48)
    ]
