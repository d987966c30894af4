"""A script makes certain things happen on certain days, and with no chance nothing else."""

from __future__ import annotations

import pytest

from include.simulator.district import MadeUpDistrict
from include.simulator.script import VERBS


def test_only_what_the_script_says_happens():
    script = {
        2: [("student_leaves", 10), ("teacher_is_promoted", 3), ("student_marries", 20)],
        4: [("student_returns", 10), ("student_gets_new_sis_id", 30), ("student_joins", 1)],
    }
    district = MadeUpDistrict(7, 240, 3, churn=0, script=script)
    first, second, third, fourth = (
        {person.sourced_id: person for person in district.day(number).users("teacher", "student")}
        for number in (1, 2, 3, 4)
    )
    gone = first.keys() - second.keys()
    assert [first[key].key for key in gone] == [10]
    changed = sorted((second[key].kind, second[key].key) for key in second if second[key] != first[key])
    assert changed == [("student", 20), ("teacher", 3)]
    assert second == third
    assert {fourth[key].key for key in fourth.keys() - third.keys()} == {10, 240}
    (renumbered,) = [key for key in third if fourth[key] != third[key]]
    assert fourth[renumbered].sis_id != third[renumbered].sis_id
    assert fourth[renumbered].clever_id != third[renumbered].clever_id


def test_a_promoted_teacher_gives_up_the_classes():
    district = MadeUpDistrict(7, 240, 3, churn=0, script={2: [("teacher_is_promoted", 3)]})
    assert any(3 in section.teachers for section in district.day(1).sections())
    assert not any(3 in section.teachers for section in district.day(2).sections())
    person = district.day(2).person("teacher", 3)
    assert person is not None
    assert {held.role for held in person.roles} == {"siteAdministrator"}


def test_after_three_hundred_days_away_clever_has_another_id():
    script = {
        2: [("student_leaves", 4), ("student_leaves", 5)],
        40: [("student_returns", 4)],
        310: [("student_returns", 5)],
    }
    district = MadeUpDistrict(7, 60, 1, churn=0, script=script)
    before, after = district.day(1), district.day(310)
    assert before.person_clever_id("student", 4) == after.person_clever_id("student", 4)
    assert before.person_clever_id("student", 5) != after.person_clever_id("student", 5)
    first, last = before.person("student", 5), after.person("student", 5)
    assert first is not None
    assert last is not None
    assert (first.sourced_id, first.sis_id) == (last.sourced_id, last.sis_id)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_changes_the_day_of_its_script(verb):
    number = {"teacher_returns": 2, "student_returns": 2}.get(verb, 1)
    script = {2: [(verb.replace("returns", "leaves"), 2)] if "returns" in verb else [], 3: [(verb, number)]}
    district = MadeUpDistrict(7, 240, 4, churn=0, script=script)
    before, after = district.day(2), district.day(3)
    days = [
        (list(day.schools()), list(day.users()), list(day.classes()), list(day.enrollments()))
        for day in (before, after)
    ]  # fmt: skip
    assert days[0] != days[1]
    known = {person.sourced_id for person in days[1][1]}
    assert all(line.person_sourced_id in known for line in days[1][3])


def test_a_script_that_cannot_be_played_is_refused():
    with pytest.raises(ValueError, match="dances"):
        MadeUpDistrict(1, 10, 1, script={2: [("student_dances", 1)]})
    with pytest.raises(ValueError, match="day 2"):
        MadeUpDistrict(1, 10, 1, script={1: [("student_leaves", 1)]})
