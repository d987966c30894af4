"""The suites of include/expectations: data that Great Expectations reads too, with thresholds to be changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from roster_sync.config import expectations
from roster_sync.config.districts import Threshold
from roster_sync.config.expectations import FOLDER, NOT_COMPLETE, STOP, WARN
from roster_sync.core.errors import ConfigError
from roster_sync.core.limits import Limits
from roster_sync.feed import suites


def most_of(thresholds: tuple[Threshold, ...] = (), limits: Limits | None = None) -> dict[str, float | None]:
    return {one.key: one.most for one in suites.checks_for(limits or Limits(), thresholds)}


def test_each_entity_has_a_file_and_each_expectation_a_name_of_its_own() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{entity}.json" for entity in expectations.ENTITIES}
    assert tuple(suites.ENTITIES) == expectations.ENTITIES
    keys = [one.key for one in expectations.load()]
    assert len(keys) == len(set(keys)) == 31


def test_great_expectations_reads_the_files_as_suites_of_its_own() -> None:
    import great_expectations as gx

    for entity in expectations.ENTITIES:
        suite = gx.ExpectationSuite(**json.loads((FOLDER / f"{entity}.json").read_text()))
        mine = [one for one in expectations.load() if one.entity == entity]
        assert [one.column for one in suite.expectations] == [one.column for one in mine]
        assert [one.severity for one in suite.expectations] == [one.severity for one in mine]


def test_a_fifth_stops_the_run_and_half_takes_the_proof() -> None:
    for one in suites.checks_for(Limits()):
        if one.effect == STOP and one.most is not None:
            assert one.most == 20, one.key
        if one.effect == NOT_COMPLETE and one.column.startswith("percent_fewer"):
            assert one.most == 50, one.key


@pytest.mark.parametrize("limits", [Limits(), Limits(deleted_percent=60), Limits(5, 75, 20)])
def test_a_warning_is_the_districts_limit_and_below_what_takes_the_proof(limits: Limits) -> None:
    most = most_of(limits=limits)
    for one in suites.checks_for(limits):
        if one.effect == WARN:
            assert one.most == getattr(limits, str(one.limit))
            proof = most[f"{one.entity}.{one.column}.{NOT_COMPLETE}"]
            assert proof is not None
            assert one.most is not None
            assert one.most < proof


def test_a_districts_own_threshold_takes_the_place_of_the_file_s() -> None:
    own = (
        Threshold("users", "percent_rejected", 0),
        Threshold("users", "percent_fewer_teachers", 80),
        Threshold("classes", "percent_fewer_classes", 5),
        Threshold("enrollments", "percent_dangling_users", 70),
    )
    changed = {key: most for key, most in most_of(own).items() if most_of().get(key) != most}
    assert changed == {
        "users.percent_rejected.stop": 0,
        "users.percent_fewer_teachers.not_complete": 80,
        "classes.percent_fewer_classes.not_complete": 10,  # never stricter than the limit
        "enrollments.percent_dangling_users.not_complete": 70,
    }
    assert "classes.percent_fewer_classes.warn" not in most_of(own), "the same fall is not reported twice"


def test_a_run_that_lifts_its_limits_lifts_the_thresholds_that_follow_them() -> None:
    own = (Threshold("enrollments", "percent_dangling_users", 70), Threshold("users", "percent_fewer_teachers", 60))
    lifted = most_of(own, Limits(100, 100, 100))
    assert lifted["enrollments.percent_dangling_users.not_complete"] == 100
    assert lifted["users.percent_fewer_teachers.not_complete"] == 100
    assert lifted["users.percent_rejected.stop"] == 20


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ('"max_value": 20', '"max_value": 120', r"users\.json.*max_value"),
        ('"severity": "critical"', '"severity": "fatal"', r"users\.json.*severity"),
        ('"deleted_percent"', '"deletd_percent"', r"users\.json"),
        ('"name"', "name", r"users\.json"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_name_and_the_place(
    tmp_path: Path, old: str, new: str, part: str
) -> None:
    for path in FOLDER.iterdir():
        text = path.read_text()
        (tmp_path / path.name).write_text(text.replace(old, new, 1) if path.name == "users.json" else text)
    with pytest.raises(ConfigError, match=part):
        expectations.load(tmp_path)
