"""What a whole feed must be like: the Great Expectations suites per staged entity, and their judgment of one profile.

Each suite judges a frame of one row: the numbers that include/sql/checks/profile.sql made of the staged entity. So a
result holds shares and counts, and never a value of the feed.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from roster_sync.core.limits import Limits

STOP: Final = "stop"
NOT_COMPLETE: Final = "not_complete"
WARN: Final = "warn"
_SEVERITY: Final = {STOP: "critical", NOT_COMPLETE: "warning", WARN: "info"}

ACCEPTED_PERCENT: Final = 20.0
"""How much of a collection may be unusable before the run stops (docs/rules.md, R6.1)."""
TRUSTED_FALL: Final = 50.0
"""A smaller fall than this is for the plan's own limits to hold: then a person is asked. A larger one is no proof."""

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
class Check:
    """One expectation: how far one number of a profile may go, and what follows where it goes further."""

    entity: str
    column: str
    title: str
    effect: str
    most: float | None = None
    """The largest share accepted, in percent; None: the column must be true."""
    sentence: str = ""
    """What to say where it fails, filled from the profile; what is wrong, and what to do."""
    collections: tuple[str, ...] = ()
    """The collections that prove no absence where it fails (NOT_COMPLETE)."""

    @property
    def key(self) -> str:
        """Its name in results, for ever: entity, column, effect."""
        return f"{self.entity}.{self.column}.{self.effect}"


@dataclass(frozen=True, slots=True)
class Judged:
    """A check with what Great Expectations said of it."""

    check: Check
    is_met: bool
    observed: float | None


def checks_for(limits: Limits) -> list[Check]:
    """All checks of a feed under these limits, in the order in which people read them."""
    return [check for entity in ENTITIES for check in (*_errors(entity), *_warnings(entity, limits))]


def judge(
    profile: Mapping[str, Mapping[str, Any]], checks: list[Check]
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


def _validate(context: Any, source: Any, entity: str, numbers: Mapping[str, Any], checks: list[Check]) -> Any:
    import great_expectations as gx
    import pandas

    suite = gx.ExpectationSuite(name=entity, expectations=[_expectation(check) for check in checks])
    frame = pandas.DataFrame([{check.column: _observed(numbers, check.column) for check in checks}], dtype="float64")
    batch = source.add_dataframe_asset(entity).add_batch_definition_whole_dataframe("run")
    return batch.get_batch({"dataframe": frame}).validate(context.suites.add(suite), result_format="BOOLEAN_ONLY")


def _expectation(check: Check) -> Any:
    from great_expectations import expectations

    bounds = {"min_value": 1.0} if check.most is None else {"max_value": check.most}
    return expectations.ExpectColumnValuesToBeBetween(
        column=check.column,
        severity=_SEVERITY[check.effect],
        notes=check.title,
        meta={"check": check.key, "effect": check.effect},
        **bounds,
    )


def _observed(numbers: Mapping[str, Any], column: str) -> float | None:
    value = numbers[column]
    return None if value is None else float(value)


def _errors(entity: str) -> list[Check]:
    one, many = ENTITIES[entity]
    found = [
        Check(
            entity, "percent_rejected", "Rows that had to be rejected", STOP, ACCEPTED_PERCENT,
            f"{{rejected:,}} of {{seen:,}} {many} ({{percent_rejected}}) had to be rejected, and a run accepts 20 %: "
            "mend them at the source as the run's rejected rows say, then start the sync again.",
        ),
        Check(
            entity, "percent_without_id", "Rows without an id", STOP, ACCEPTED_PERCENT,
            f"{{without_id:,}} of {{seen:,}} {many} ({{percent_without_id}}) came without an id: have the source "
            f"give every {one} its id, then start the sync again.",
        ),
        Check(
            entity, "percent_repeated", "Ids that are given more than once", STOP, ACCEPTED_PERCENT,
            f"{{repeated:,}} rows of {many} ({{percent_repeated}}) repeat the id of another, and a run accepts 20 %: "
            "have the source give each its own id, then start the sync again.",
        ),
    ]  # fmt: skip
    if entity != "enrollments":
        found.append(
            Check(
                entity, "percent_unknown_status", "Words for the status that no standard knows", STOP, ACCEPTED_PERCENT,
                f"{{unknown_status:,}} of {{seen:,}} {many} ({{percent_unknown_status}}) have a status that is neither "
                "active nor tobedeleted: correct the status at the source, then start the sync again.",
            )
        )  # fmt: skip
    if entity == "users":
        found.append(
            Check(
                entity, "percent_unknown_role", "Words for the role that no standard knows", STOP, ACCEPTED_PERCENT,
                f"{{unknown_role:,}} of {{judged_roles:,}} {many} ({{percent_unknown_role}}) have no role that "
                "OneRoster or Clever knows: correct the roles at the source, then start the sync again.",
            )
        )  # fmt: skip
    if entity in ("schools", "users"):
        found.insert(
            0,
            Check(
                entity, "has_what_it_must", f"The feed has its {many}", STOP, None,
                f"The source did not share any collection of {many}: share it with us at the source, then start the "
                "sync again.",
            ),
        )  # fmt: skip
    return found


def _warnings(entity: str, limits: Limits) -> list[Check]:
    share = limits.enrollments_percent if entity == "enrollments" else limits.deleted_percent
    found = [_dangling(entity, target, share) for target in _REFERENCES.get(entity, ())]
    for kind in _KINDS.get(entity, (entity,)):
        if share < TRUSTED_FALL:
            found.append(_fewer(entity, kind, WARN, share))
        found.append(_fewer(entity, kind, NOT_COMPLETE, max(share, TRUSTED_FALL)))
    return found


_REFERENCES: Final = {"users": ("schools",), "enrollments": ("users", "classes")}
_KINDS: Final = {"users": ("teachers", "students")}


def _dangling(entity: str, target: str, share: float) -> Check:
    many, targets = ENTITIES[entity][1], ENTITIES[target][1]
    what = f"{many} none of whose schools" if entity == "users" else f"{many} whose {ENTITIES[target][0]} never"
    column = f"percent_dangling_{target}"
    return Check(
        entity, column, f"{what.capitalize()} came", NOT_COMPLETE, share,
        f"{{{column}}} of the {many} name {targets} that did not come with them.",
        collections=(target, entity),
    )  # fmt: skip


def _fewer(entity: str, kind: str, effect: str, most: float) -> Check:
    what = {"enrollments": "enrollments"}.get(kind, kind)
    column = f"percent_fewer_{kind}"
    return Check(
        entity, column, f"{'Far fewer' if effect == NOT_COMPLETE else 'Fewer'} {what} than in the last good run",
        effect, most,
        f"{{{column}}} fewer {what} came than in the last good run ({{now_{kind}:,}} after {{before_{kind}:,}}).",
        collections=(entity,) if effect == NOT_COMPLETE else (),
    )  # fmt: skip
