"""Great Expectations' judgment of one profile by the suites of include/expectations, one per staged entity.

Each suite judges a frame of one row: the numbers that include/sql/checks/profile.sql made of the staged entity. So a
result holds shares and counts, and never a value of the feed.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from roster_sync.config import expectations
from roster_sync.config.districts import Threshold
from roster_sync.config.expectations import NOT_COMPLETE, WARN, Expectation
from roster_sync.core.limits import UNLIMITED, Limits

ENTITIES: Final = {
    "schools": ("school", "schools"),
    "users": ("person", "people"),
    "classes": ("class", "classes"),
    "enrollments": ("enrollment", "enrollments"),
}

ROLE_WORDS: Final = (
    "administrator", "aide", "contact", "counselor", "counsellor", "districtadmin", "districtadministrator", "guardian",
    "parent", "principal", "proctor", "relative", "siteadministrator", "staff", "student", "systemadministrator",
    "teacher",
)  # fmt: skip
"""Every role word that OneRoster 1.1, 1.2 and Clever define, letters only; what they map to is not asked here."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A check with what Great Expectations said of it."""

    check: Expectation
    is_met: bool
    observed: float | None


def checks_for(limits: Limits, thresholds: Sequence[Threshold] = ()) -> list[Expectation]:
    """All expectations of a feed with the thresholds of one run, in the order in which people read them.

    Args:
        limits: of the run; some thresholds follow one of them, or are never below it.
        thresholds: the district's own, in place of those in include/expectations.
    """
    own = {(one.entity, one.column): one.percent for one in thresholds}
    checks = [replace(one, most=_most(one, limits, own)) for one in expectations.load()]
    proved = {(one.entity, one.column): one.most for one in checks if one.effect == NOT_COMPLETE}
    # a fall that takes the proof away is not also a warning
    return [one for one in checks if one.effect != WARN or (one.most or 0) < (proved[one.entity, one.column] or 0)]


def _most(one: Expectation, limits: Limits, own: Mapping[tuple[str, str], float]) -> float | None:
    given = own.get((one.entity, one.column)) if one.has_threshold else None
    limit = float(getattr(limits, one.limit)) if one.limit else 0.0
    if one.most is not None:
        return max(one.most if given is None else given, limit)
    if one.limit is None:
        return None
    return limit if given is None or limit >= UNLIMITED else given  # a run that lifts its limits lifts this too


def judge(
    profile: Mapping[str, Mapping[str, Any]], checks: list[Expectation]
) -> tuple[list[Judged], dict[str, dict[str, Any]]]:
    """Lets Great Expectations judge a profile; returns its verdicts, and its own results as JSON per entity."""
    context = _context()
    source = context.data_sources.add_pandas("profile")
    judged: list[Judged] = []
    results: dict[str, dict[str, Any]] = {}
    for entity, numbers in profile.items():
        mine = [check for check in checks if check.entity == entity]
        result = _validate(context, source, entity, numbers, mine)
        results[entity] = result.to_json_dict()
        by_key = {check.key: check for check in mine}
        for one in result.results:
            check = by_key[one.expectation_config.meta["check"]]
            judged.append(Judged(check, bool(one.success), _observed(numbers, check.column)))
    return judged, results


def _context() -> Any:
    """A context that keeps nothing on disk, shows no progress bars and reports to nobody."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read when it is first imported
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # its import alone tells 150 lines (1.24.1)
    import great_expectations as gx
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        progress_bars={"globally": False},
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _validate(context: Any, source: Any, entity: str, numbers: Mapping[str, Any], checks: list[Expectation]) -> Any:
    import great_expectations as gx
    import pandas

    suite = gx.ExpectationSuite(name=entity, expectations=[_expectation(check) for check in checks])
    frame = pandas.DataFrame([{check.column: _observed(numbers, check.column) for check in checks}], dtype="float64")
    batch = source.add_dataframe_asset(entity).add_batch_definition_whole_dataframe("run")
    return batch.get_batch({"dataframe": frame}).validate(context.suites.add(suite), result_format="BOOLEAN_ONLY")


def _expectation(check: Expectation) -> Any:
    from great_expectations.expectations import ExpectColumnValuesToBeBetween

    bounds = {"min_value": 1.0} if check.most is None else {"max_value": check.most}
    return ExpectColumnValuesToBeBetween(
        column=check.column,
        severity=check.severity,
        notes=check.title,
        meta={"check": check.key, "effect": check.effect},
        **bounds,
    )


def _observed(numbers: Mapping[str, Any], column: str) -> float | None:
    value = numbers[column]
    return None if value is None else float(value)
