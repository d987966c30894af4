"""Random rosters, random work of people, and random sequences of Edit, Reset, Undo and decisions: what always holds.

Deterministic as it stands; ROSTER_HYPOTHESIS_EXAMPLES=500 looks further, with other examples each time, and
ROSTER_HYPOTHESIS_SHRINK=1 makes a failing one small (minutes).
"""

from __future__ import annotations

import itertools
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from roster_sync.core.errors import SyncRefused
from roster_sync.core.limits import Limits
from roster_sync.engine import undo
from tests.dsl.roster import Roster
from tests.dsl.world import World
from tests.properties import rules, rules_of_undo
from tests.properties.desk import Desk
from tests.properties.picture import Picture, differences, take
from tests.properties.stories import Chapter, Day, Source, Work, chapters

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("ROSTER_HYPOTHESIS_EXAMPLES", "0"))
PHASES = (Phase.generate, Phase.shrink) if os.environ.get("ROSTER_HYPOTHESIS_SHRINK") else (Phase.generate,)
TIGHT = Limits(deleted_percent=1, updated_percent=75, enrollments_percent=1, floor=1)


class Life:
    """A district from its first day on, checked at every step."""

    def __init__(self, portal: World, neighbor: World, theirs: Picture) -> None:
        """On its first day, synced for the first time."""
        self.portal, self.neighbor, self.theirs = portal, neighbor, theirs
        self.source = Source()
        self.desk = Desk(portal)
        self.yesterday: dict[str, str] = {}
        self.runs: list[tuple[int, str, Picture, Picture]] = []
        self.edit(Day({}, "=", (), "", "edit"))

    def live(self, chapter: Chapter) -> None:
        """Some days; then people work once more, and a run is undone."""
        for day in chapter.days:
            self.live_a_day(day)
        if chapter.undo:
            self.work(chapter.work)
            self.undo(chapter.undo)

    def live_a_day(self, day: Day) -> None:
        """The feed changes, people work, then a run."""
        if day.selected != "=":
            self.select(day.selected)
        self.source.live(day.fates)
        self.desk.concerned = self.source.ids_of(self.yesterday | day.fates)
        self.yesterday = day.fates
        self.work(day.work)
        self.settle(day.decisions)
        runs = {
            "edit": self.edit, "edit with a question": self.edit_with_a_question, "reset": self.reset,
            "reset with manual rows": self.reset, "reset with a question": self.reset_with_a_question,
        }  # fmt: skip
        runs[day.run](day)

    def select(self, schools: str) -> None:
        if schools:
            self.portal.select_schools(*schools)
        else:
            self.portal.do("update sync.settings set school_mode = 'all' where district_id = %(d)s")

    def work(self, works: tuple[Work, ...]) -> None:
        for work in works:
            self.desk.do(work)

    def settle(self, decision: str) -> None:
        """Answers what the sync could not tell; two rows that become one are a run too, which can be undone."""
        while decision and (reviews := self.desk.reviews()):
            before = take(self.portal)
            self.desk.settle(reviews[0], decision)
            if decision == "same":
                after = take(self.portal)
                run_id = int(self.portal.value("select max(id) from sync.runs where district_id = %(d)s"))
                rules.roles_never_change(before, after)
                for rule in rules_of_undo.OF_ROWS_MADE_ONE:
                    rule(rules_of_undo.Undone(run_id, before, before, before, after))
                self.runs.append((run_id, "same person", before, after))

    # --- Runs ---

    def edit(self, day: Day) -> None:
        before, roster = take(self.portal), self.source.roster()
        if self.run("edit", roster, max_deleted_percent=100) == "launched":
            self.edited(roster, before, is_whole=True)
            self.repeat(day, "edit", roster, max_deleted_percent=100)

    def edit_with_a_question(self, day: Day) -> None:
        before, roster = take(self.portal), self.source.roster()
        self.portal.registry(limits=TIGHT)
        status = self.run("edit", roster)
        self.portal.registry(limits=Limits())
        if status:
            self.edited(roster, before, is_whole=False)
        if status == "held" and day.is_answered:
            assert self.portal.answer()
            self.portal.go_on_after_approval(roster)
            if self.runs and self.runs[-1][0] == self.portal.run_id:
                self.runs.pop()
            self.edited(roster, before, is_whole=True)

    def reset(self, day: Day) -> None:
        before, roster = take(self.portal), self.source.roster()
        parameters: dict[str, Any] = {"include_manual": True} if day.run == "reset with manual rows" else {}
        status = self.run("reset", roster, **parameters)
        if status:
            self.has_reset(roster, before, status, **parameters)
        if status == "launched":
            self.repeat(day, "reset", roster, **parameters)

    def reset_with_a_question(self, day: Day) -> None:
        before, roster = take(self.portal), self.source.roster()
        status = self.run("ask_to_reset", roster)
        if status:
            self.has_reset(roster, before, status)
        if status == "held" and day.is_answered:
            assert self.portal.answer()
            assert self.portal.go_on_after_approval(roster) == "launched"
            self.has_reset(roster, before, "launched")

    def run(self, mode: str, roster: Roster, **parameters: Any) -> str:
        """The run's status; '' where it was refused, as none of the selected schools is shared."""
        before = take(self.portal)
        try:
            status: str = getattr(self.portal, mode)(roster, **parameters)
        except SyncRefused:
            assert take(self.portal).tables() == before.tables()
            return ""
        assert status in ("launched", "held")
        return status

    def repeat(self, day: Day, mode: str, roster: Roster, **parameters: Any) -> None:
        """The same run twice changes nothing."""
        if day.is_repeated:
            versions = self.portal.versions()
            assert getattr(self.portal, mode)(roster, **parameters) == "launched"
            assert self.portal.versions() == versions

    # --- What holds after them ---

    def edited(self, roster: Roster, before: Picture, *, is_whole: bool) -> None:
        after = self.written("edit", roster, before)
        rules.nothing_is_deleted(before, after)
        rules.work_of_people_is_untouched(before, after)
        rules.deselected_schools_are_untouched(before, after)
        rules.whoever_stands_in_deselected_schools_stays_shared(roster, before, after)
        if is_whole:
            rules.what_is_shared_is_shown(roster, after)
            rules.what_is_no_longer_shared_is_out_of_sight(roster, before, after)

    def has_reset(self, roster: Roster, before: Picture, status: str, include_manual: bool = False) -> None:
        if status == "held":
            assert differences(before, take(self.portal)) == []
            return
        after = self.written("reset", roster, before)
        rules.what_hangs_on_kept_rows_is_kept(before, after)
        rules.admins_and_candidates_are_kept(before, after)
        rules.what_is_shared_is_shown(roster, after)
        rules.synced_rows_equal_the_feed(roster, before, after)
        if include_manual:
            rules.what_people_made_is_gone(before, after)
        else:
            rules.rows_made_by_hand_stay_with_their_school(before, after)

    def written(self, mode: str, roster: Roster, before: Picture) -> Picture:
        after = take(self.portal)
        rules.roles_never_change(before, after)
        rules.what_is_shared_keeps_its_row(roster, before, after)
        rules.every_id_ever_given_still_leads_to_its_row(before, after)
        rules.who_was_disabled_by_hand_stays_so(before, after)
        rules.the_new_get_nothing(before, after)
        assert take(self.neighbor) == self.theirs  # two districts never touch each other
        if self.portal.value("select wrote_at from sync.runs where id = %(r)s", r=self.portal.run_id):
            self.runs.append((self.portal.run_id, mode, before, after))
        return after

    # --- Undo ---

    def undo(self, which: str) -> None:
        found = [run for run in self.runs if which == "newest run" or run[1] == "reset"]
        if not found:
            return
        chosen = found[0 if which == "oldest reset" else -1]
        try:
            undo.choose(self.portal.app, self.portal.district, chosen[0])
        except SyncRefused:  # an Edit, and it is not the newest
            return
        before = take(self.portal)
        assert self.portal.undo(chosen[0]) == "launched"
        after = take(self.portal)
        rules.roles_never_change(before, after)
        for rule in rules_of_undo.ALL:
            rule(rules_of_undo.Undone(chosen[0], chosen[2], chosen[3], before, after))
        assert take(self.neighbor) == self.theirs
        self.runs.remove(chosen)


def test_what_always_holds(harbor: World, neighbor: World) -> None:
    numbers = itertools.count(1)
    neighbor.edit(Source().roster())  # the same ids at the same address: only the district tells them apart
    for name in ("t1", "t2"):
        neighbor.license(user=name)
    neighbor.give_book("k1", "s1")
    theirs = take(neighbor)

    @settings(
        max_examples=EXAMPLES or 15, deadline=None, derandomize=not EXAMPLES, database=None, print_blob=True,
        phases=PHASES, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.lists(chapters(), min_size=3, max_size=3))
    def stories(story: list[Chapter]) -> None:
        life = Life(harbor.elsewhere(f"district_{next(numbers)}"), neighbor, theirs)
        for chapter in story:
            life.live(chapter)

    stories()
