"""The made-up district: always the same, and correct about what changed when."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from include.simulator.district import Churn, DistrictDay, MadeUpDistrict

ROOT = Path(__file__).parents[2]
DAYS = 13


def everything(day: DistrictDay) -> dict[str, dict[str, Any]]:
    return {
        "schools": {record.sourced_id: record for record in day.schools()},
        "users": {record.sourced_id: record for record in day.users()},
        "terms": {record.sourced_id: record for record in day.terms()},
        "classes": {record.sourced_id: record for record in day.classes()},
        "enrollments": {record.sourced_id: record for record in day.enrollments()},
    }


@pytest.fixture(scope="module")
def days() -> list[dict[str, dict[str, Any]]]:
    district = MadeUpDistrict(7, 600, 4)
    return [everything(district.day(number)) for number in range(1, DAYS + 1)]


DIGEST = """
import hashlib
from include.simulator.district import MadeUpDistrict
day = MadeUpDistrict(5, 200, 3).day(6)
text = "".join(map(repr, [*day.schools(), *day.users(), *day.courses(), *day.terms(), *day.classes(), *day.sections(),
                          *day.enrollments()]))
print(hashlib.sha256(text.encode()).hexdigest())
"""


def test_another_process_with_another_hash_seed_makes_the_same_district():
    prints = set()
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", DIGEST], env=environment, check=True, capture_output=True, text=True
        )
        prints.add(done.stdout.strip())
    assert len(prints) == 1
    assert prints != {hashlib.sha256(b"").hexdigest()}


def test_a_day_is_the_same_whether_the_days_before_were_looked_at_or_not():
    walked, jumped = MadeUpDistrict(3, 200, 3), MadeUpDistrict(3, 200, 3)
    for number in range(1, 9):
        walked.day(number)
    assert everything(walked.day(9)) == everything(jumped.day(9))
    assert everything(walked.day(2)) == everything(MadeUpDistrict(3, 200, 3).day(2))


def test_another_seed_is_another_district():
    assert not everything(MadeUpDistrict(1, 50, 1).day(1))["users"].keys() & (
        everything(MadeUpDistrict(2, 50, 1).day(1))["users"].keys()
    )


def test_no_id_is_given_twice(days):
    district = MadeUpDistrict(7, 600, 4)
    for number in (1, DAYS):
        day = district.day(number)
        users = list(day.users())
        lines = list(day.enrollments())
        assert len({person.sourced_id for person in users}) == len(users)
        assert len({person.clever_id for person in users}) == len(users)
        assert len({line.sourced_id for line in lines}) == len(lines)
        assert len({(line.class_index, line.kind, line.person) for line in lines}) == len(lines)


def test_what_changes_says_so_on_its_day_and_nothing_else_does(days):
    for number, (before, after) in enumerate(pairwise(days), start=2):
        for collection in after:
            for key, record in after[collection].items():
                changed_day = record.since_day if collection == "enrollments" else record.modified_day
                is_changed = before[collection].get(key) != record
                assert is_changed == (changed_day == number), (number, record)


def test_every_reference_leads_somewhere(days):
    for day in days:
        schools = {school.key for school in day["schools"].values()}
        for person in day["users"].values():
            assert set(person.schools) <= schools
        for line in day["enrollments"].values():
            person = day["users"][line.person_sourced_id]
            assert day["classes"][line.class_sourced_id].school == line.school
            assert line.school in person.schools


def test_people_come_go_come_back_marry_change_class_and_school(days):
    seen: Counter[str] = Counter()
    ever: set[str] = set()
    for before, after in pairwise(days):
        ever |= before["users"].keys()
        for key in after["users"].keys() - before["users"].keys():
            seen["back" if key in ever else "new"] += 1
        seen["gone"] += len(before["users"].keys() - after["users"].keys())
        for key in after["users"].keys() & before["users"].keys():
            old, new = before["users"][key], after["users"][key]
            seen["married"] += old.family_name != new.family_name
            seen["moved"] += old.schools[:1] != new.schools[:1]
            seen["promoted"] += old.kind == "teacher" and old.roles[0].role != new.roles[0].role
            seen["another sis id"] += old.sis_id != new.sis_id
            assert (old.clever_id == new.clever_id) == (old.sis_id == new.sis_id)
        seen["class opened"] += len(after["classes"].keys() - before["classes"].keys())
        seen["class closed"] += len(before["classes"].keys() - after["classes"].keys())
        seen["school opened"] += len(after["schools"].keys() - before["schools"].keys())
        seen["school closed"] += len(before["schools"].keys() - after["schools"].keys())
        seen["left a class"] += len(before["enrollments"].keys() - after["enrollments"].keys())
    assert all(seen[what] for what in seen), seen
    assert len(seen) == 12


def test_without_churn_nothing_ever_changes():
    district = MadeUpDistrict(7, 100, 2, churn=0)
    assert list(district.day(1).users()) == list(district.day(20).users())
    assert list(district.day(1).sections())[1:] == list(district.day(4).sections())[1:]


def test_the_shapes_are_those_of_a_real_district():
    district = MadeUpDistrict(2, 7000, churn=Churn(0.01, schools=False))
    day = district.day(1)
    schools, teachers, classes = (sum(1 for _ in rows) for rows in (day.schools(), day.users("teacher"), day.classes()))
    lines = Counter(line.kind for line in day.enrollments())
    assert schools == 10
    assert 16 < 7000 / teachers < 18
    assert lines["student"] == 6 * 7000
    assert 23 < 6 * 7000 / classes < 27


def test_there_are_people_who_break_careless_code():
    people = list(MadeUpDistrict(4, 3000, 4).day(1).users())
    emails = Counter(person.email for person in people)
    assert any(not person.email for person in people)
    assert any(count > 1 for email, count in emails.items() if email)
    assert any("'" in person.family_name for person in people)
    assert any(not person.family_name.isascii() for person in people)
    assert any(len(person.schools) > 1 for person in people if person.kind == "teacher")
    assert any(len({held.role for held in person.roles}) > 1 for person in people)
    assert {person.kind for person in people} == {"admin", "staff", "teacher", "student", "contact"}
    assert {person.roles[0].role for person in people} >= {"principal", "districtAdministrator", "aide", "guardian"}
    teachers = {person.email for person in people if person.kind == "teacher"}
    assert any(person.email in teachers for person in people if person.kind == "contact")
    assert all(email.rpartition("@")[2].endswith("example.org") for email in emails if "@" in email)


def test_a_class_with_two_teachers_has_one_lead():
    sections = list(MadeUpDistrict(4, 1500, 2).day(1).sections())
    pairs = [section for section in sections if len(section.teachers) == 2]
    assert pairs
    assert all(section.teachers[0] != section.teachers[1] for section in pairs)
    primaries = Counter(line.class_index for line in MadeUpDistrict(4, 1500, 2).day(1).enrollments() if line.is_primary)
    assert set(primaries.values()) == {1}


def test_sections_and_enrollments_agree():
    day = MadeUpDistrict(9, 800, 3).day(6)
    from_lines = {(line.class_index, line.kind, line.person) for line in day.enrollments()}
    from_sections = set()
    for section in day.sections():
        from_sections |= {(section.record.key, "teacher", number) for number in section.teachers}
        from_sections |= {(section.record.key, "student", number) for number in section.students}
    assert from_lines == from_sections
