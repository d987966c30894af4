"""Random rosters, random work of people, and random sequences of Edit, Reset, Undo and decisions: what always holds.

Deterministic as it stands; ROSTER_HYPOTHESIS_EXAMPLES=500 looks further, with other examples each time, and
ROSTER_HYPOTHESIS_SHRINK=1 makes a failing one small (minutes).
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from roster_sync import matching, undo
from roster_sync.districts import Limits
from roster_sync.errors import SyncRefused
from tests.memory_portal import empty
from tests.properties import rules
from tests.properties.picture import Picture, take
from tests.rosters_memory import Portal, Roster

EXAMPLES = int(os.environ.get("ROSTER_HYPOTHESIS_EXAMPLES", "0"))
PHASES = (Phase.generate, Phase.shrink) if os.environ.get("ROSTER_HYPOTHESIS_SHRINK") else (Phase.generate,)
SCHOOLS = st.sampled_from(["a", "b", "c"])
PEOPLE = st.sampled_from(["p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"])
CLASSES = st.sampled_from(["k1", "k2", "k3", "k4", "k5"])
ROLES = st.sampled_from(["teacher", "student"])
NAMES = st.sampled_from(["Ana", "Ben"])
PICK = st.integers(0, 30)


def neighbours_roster() -> Roster:
    return Roster().school("a").teacher("p1", "a").student("p2", "a").course("k1", "a", "p1", "p2")


class Sequences(RuleBasedStateMachine):
    """A district at work, and a neighbour that has the same ids."""

    portal: Portal
    neighbour: Portal

    def __init__(self) -> None:
        super().__init__()
        empty(self.portal.owner)
        self.roster = Roster()
        self.theirs: Picture | None = None
        self.steps: list[tuple[int, Picture, Picture]] = []

    @initialize(twins=st.booleans())
    def begin(self, twins: bool) -> None:
        self.neighbour.edit(neighbours_roster())
        self.neighbour.license(user="p1")
        self.theirs = take(self.neighbour)
        self.roster.school("a").school("b").teacher("p1", "a").student("p2", "a", "b").student("p3", "b")
        self.roster.course("k1", "a", "p1", "p2").course("k2", "b", "p1", "p2 p3")
        if twins:  # the same full name in the same school
            self.roster.student("p4", "a", given_name="Ana", family_name="Same", email="")
        self.run("edit")

    # --- What the district shares ---

    @rule(school=SCHOOLS, name=NAMES)
    def share_school(self, school: str, name: str) -> None:
        self.roster.school(school, name=f"School {school} {name}")

    @rule(school=SCHOOLS)
    def close_school(self, school: str) -> None:
        if set(self.roster.orgs) - {school} and school in self.roster.orgs:
            self.roster = self.roster.without(school)

    @rule(person=PEOPLE, role=ROLES, schools=st.lists(SCHOOLS, max_size=2, unique=True), name=NAMES, twin=st.booleans())
    def share_person(self, person: str, role: str, schools: list[str], name: str, twin: bool) -> None:
        named = [school for school in schools if school in self.roster.orgs]
        family = "Same" if twin else f"Family {person}"
        self.roster.person(person, role, *named, given_name=name, family_name=family)

    @rule(person=PEOPLE)
    def no_longer_share_person(self, person: str) -> None:
        if len(self.roster.users) > 1:
            self.roster = self.roster.without(person)

    @rule(person=PEOPLE)
    def call_person_gone(self, person: str) -> None:
        if person in self.roster.users and sum(row["status"] == "active" for row in self.roster.users.values()) > 1:
            self.roster.users[person]["status"] = "tobedeleted"

    @rule(person=PEOPLE, other=PEOPLE)
    def give_person_another_id(self, person: str, other: str) -> None:
        if person in self.roster.users and other not in self.roster.users:
            row = self.roster.users.pop(person)
            self.roster.users[other] = row | {"source_id": other}
            held = [key for key in self.roster.enrollments if key[1] == person]
            for class_id, _, role in held:
                del self.roster.enrollments[class_id, person, role]
                self.roster.enroll(class_id, other, role)

    @rule(course=CLASSES, school=SCHOOLS, name=NAMES)
    def share_class(self, course: str, school: str, name: str) -> None:
        if school in self.roster.orgs:
            self.roster.course(course, school, title=f"Class {course} {name}")

    @rule(course=CLASSES)
    def no_longer_share_class(self, course: str) -> None:
        if len(self.roster.classes) > 1:
            self.roster = self.roster.without(course)

    @rule(course=CLASSES, person=PEOPLE, role=ROLES)
    def enroll(self, course: str, person: str, role: str) -> None:
        if course in self.roster.classes and person in self.roster.users:
            self.roster.enroll(course, person, role)

    @rule(pick=PICK)
    def leave_a_class(self, pick: int) -> None:
        if len(self.roster.enrollments) > 1:
            del self.roster.enrollments[sorted(self.roster.enrollments)[pick % len(self.roster.enrollments)]]

    # --- What people do in the portal ---

    def row_of(self, table: str, pick: int, where: str = "true") -> Any:
        found = self.portal.rows(f"select id from portal.{table} t where district_id = %(d)s and {where} order by id")  # noqa: S608
        return found[pick % len(found)][0] if found else None

    @rule(pick=PICK, to_school=st.booleans())
    def give_licence(self, pick: int, to_school: bool) -> None:
        owner = self.row_of("schools" if to_school else "users", pick)
        column = "school_id" if to_school else "user_id"
        if owner is not None:
            self.portal.rows(f"insert into portal.license_assignments (district_id, product_id, {column})"  # noqa: S608
                             " values (%(d)s, %(p)s, %(o)s)", p=self.portal.product(), o=owner)  # fmt: skip

    @rule(pick=PICK)
    def give_books(self, pick: int) -> None:
        class_id, book = self.row_of("classes", pick), self.portal.book()
        if class_id is not None:
            self.portal.rows("insert into portal.class_books values (%(c)s, %(b)s) on conflict do nothing",
                             c=class_id, b=book)  # fmt: skip
            self.portal.rows(
                "insert into portal.student_books select user_id, class_id, %(b)s from portal.enrollments"
                " where class_id = %(c)s and role = 'student' order by 1 limit %(n)s on conflict do nothing",
                c=class_id, b=book, n=pick % 3 + 1,
            )  # fmt: skip

    @rule(pick=PICK, role=st.sampled_from(["school_admin", "district_admin", "teacher"]))
    def add_person_by_hand(self, pick: int, role: str) -> None:
        school = self.row_of("schools", pick)
        user = self.portal.add_by_hand(role)
        if school is not None and pick % 4:
            self.portal.join(user, school)

    @rule(pick=PICK, other=PICK, role=ROLES)
    def enroll_by_hand(self, pick: int, other: int, role: str) -> None:
        class_id, user_id = self.row_of("classes", pick), self.row_of("users", other)
        if class_id is not None and user_id is not None:
            self.portal.rows("insert into portal.enrollments (district_id, class_id, user_id, role)"
                             " values (%(d)s, %(c)s, %(u)s, %(r)s) on conflict do nothing",
                             c=class_id, u=user_id, r=role)  # fmt: skip

    @rule(pick=PICK)
    def make_class_by_hand(self, pick: int) -> None:
        school = self.row_of("schools", pick)
        if school is not None:
            self.portal.rows("insert into portal.classes (district_id, school_id, title)"
                             " values (%(d)s, %(s)s, 'Club')", s=school)  # fmt: skip

    @rule(pick=PICK, role=st.sampled_from(["school_admin", "teacher", "student"]))
    def give_role(self, pick: int, role: str) -> None:
        self.portal.rows("update portal.users set role = %(r)s where id = %(u)s", r=role, u=self.row_of("users", pick))

    @rule(pick=PICK)
    def disable_by_hand(self, pick: int) -> None:
        self.portal.rows("update portal.users set is_enabled = false where id = %(u)s", u=self.row_of("users", pick))

    @rule(schools=st.sets(SCHOOLS, min_size=1))
    def select_schools(self, schools: set[str]) -> None:
        self.portal.select_schools(*schools)

    @rule()
    def select_all_schools(self) -> None:
        self.portal.rows("update sync.settings set school_mode = 'all' where district_id = %(d)s")

    # --- Runs ---

    def run(self, mode: str, **parameters: Any) -> None:
        before = take(self.portal)
        source = self.roster.copy()
        try:
            status = getattr(self.portal, mode)(source, **parameters)
        except SyncRefused:  # none of the selected schools is shared
            assert take(self.portal).tables() == before.tables()
            return
        assert status in ("launched", "held")
        self.settled(mode, before, status, is_manual_kept="include_manual" not in parameters)
        if status == "launched":
            versions = self.portal.versions()
            assert getattr(self.portal, mode)(source, **parameters) == "launched"
            assert self.portal.versions() == versions  # the same run twice changes nothing

    def settled(self, mode: str, before: Picture, status: str, *, is_manual_kept: bool = True) -> None:
        after = take(self.portal)
        rules.roles_never_change(before, after)
        rules.ids_stay(self.roster, before, after)
        rules.who_was_disabled_by_hand_stays_so(before, after)
        if mode == "edit":
            rules.nothing_is_deleted(before, after)
            rules.work_of_people_is_untouched(before, after)
            rules.deselected_schools_are_untouched(before, after)
        elif status == "held":
            assert after.without_quiet_columns() == before.without_quiet_columns()
        else:
            rules.what_hangs_on_kept_rows_is_kept(before, after)
            if is_manual_kept:
                rules.rows_made_by_hand_stay_with_their_school(before, after)
            rules.synced_rows_equal_the_feed(self.roster, before, after)
        assert take(self.neighbour) == self.theirs
        if self.portal.one("select wrote_at from sync.runs where id = %(r)s", r=self.portal.run):
            self.steps.append((self.portal.run, before, after))

    @rule()
    def edit(self) -> None:
        self.run("edit", max_deleted_percent=100)

    @rule(approve=st.booleans())
    def edit_under_tight_limits(self, approve: bool) -> None:
        self.portal.limits = Limits(deleted_percent=1, updated_percent=75, enrollments_percent=1, floor=1)
        before = take(self.portal)
        source = self.roster.copy()
        try:
            status = self.portal.edit(source)
        except SyncRefused:
            return
        finally:
            self.portal.limits = Limits()
        self.settled("edit", before, status)
        if status == "held" and approve:
            assert self.portal.answer()
            between = take(self.portal)
            assert self.portal.go_on_after_approval(source) == "launched"
            if self.steps and self.steps[-1][0] == self.portal.run:
                self.steps.pop()
                self.settled("edit", before, "launched")
            else:
                self.settled("edit", between, "launched")

    @rule()
    def reset(self) -> None:
        self.run("reset")

    @rule()
    def reset_with_what_people_made(self) -> None:
        self.run("reset", include_manual=True)

    @rule(approve=st.booleans())
    def reset_with_a_question(self, approve: bool) -> None:
        before = take(self.portal)
        source = self.roster.copy()
        try:
            status = self.portal.ask_to_reset(source)
        except SyncRefused:
            return
        self.settled("reset", before, status)
        if status == "held" and approve:
            assert self.portal.answer()
            assert self.portal.go_on_after_approval(source) == "launched"
            self.settled("reset", before, "launched")

    @precondition(lambda self: self.steps)
    @rule(pick=PICK, newest=st.booleans())
    def undo(self, pick: int, newest: bool) -> None:
        run_id, before_it, after_it = self.steps[-1 if newest else pick % len(self.steps)]
        try:
            undo.choose(self.portal.app, self.portal.district, run_id)
        except SyncRefused:
            return
        now = take(self.portal)
        self.portal.undo(run_id)
        after = take(self.portal)
        rules.roles_never_change(now, after)
        rules.no_work_is_lost_by_an_undo(now, after)
        if now.without_quiet_columns() == after_it.without_quiet_columns():  # nothing came between
            assert after.without_quiet_columns() == before_it.without_quiet_columns()
        assert take(self.neighbour) == self.theirs
        self.steps = [step for step in self.steps if step[0] != run_id]

    @rule(pick=PICK, same=st.booleans())
    def settle_a_match_review(self, pick: int, same: bool) -> None:
        found = self.portal.rows(
            "select w.id from sync.worklist w join portal.users n on n.id = w.subject_id"
            " join portal.users o on o.id = w.second_subject_id"
            " where w.district_id = %(d)s and kind = 'match_review' and resolved_at is null order by 1"
        )
        if not found:
            return
        now = take(self.portal)
        settle = matching.same_person if same else matching.not_the_same
        settle(self.portal.app, found[pick % len(found)][0], "Ada Approver")
        after = take(self.portal)
        rules.roles_never_change(now, after)
        rules.no_work_is_lost_by_an_undo(now, after)
        if same:
            run_id = int(self.portal.one("select max(id) from sync.runs where district_id = %(d)s"))
            self.steps.append((run_id, now, after))


def test_what_always_holds(harbor: Portal, neighbour: Portal) -> None:
    class Here(Sequences):
        portal = harbor

    Here.neighbour = neighbour
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=EXAMPLES or 25, stateful_step_count=14, deadline=None, derandomize=not EXAMPLES,
            database=None, print_blob=True, phases=PHASES, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
