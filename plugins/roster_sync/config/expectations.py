"""What a whole feed must be like, as the data team keeps it: the suites of include/expectations, one per staged entity.

The files are Great Expectations' own form of a suite. What they add is in `meta`: the sentence for people, what
proves no absence, and which of the district's limits the threshold follows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from roster_sync.config.paths import REPOSITORY
from roster_sync.core.errors import ConfigError

FOLDER: Final = REPOSITORY / "include" / "expectations"
ENTITIES: Final = ("schools", "users", "classes", "enrollments")
"""The staged entities in the order in which people read them; each has a file."""

STOP: Final = "stop"
NOT_COMPLETE: Final = "not_complete"
WARN: Final = "warn"
_EFFECTS: Final = {"critical": STOP, "warning": NOT_COMPLETE, "info": WARN}

Severity = Literal["critical", "warning", "info"]
Limit = Literal["deleted_percent", "updated_percent", "enrollments_percent"]
Percent = Annotated[float, Field(ge=0, le=100)]


@dataclass(frozen=True)
class Expectation:
    """How far one number of a profile may go, and what follows where it goes further."""

    entity: str
    column: str
    title: str
    severity: Severity
    """As Great Expectations has it; `effect` is what it means here."""
    sentence: str
    """What to say where it fails, filled from the profile and with {most}."""
    collections: tuple[str, ...]
    """The collections that prove no absence where it fails (NOT_COMPLETE)."""
    most: float | None
    """The largest share accepted, in percent; None where it is the limit, or where the column must be true."""
    limit: Limit | None
    """The district's limit that is the threshold, or below which it never is."""

    @property
    def effect(self) -> str:
        """STOP the run, take from the collections the proof of absence (NOT_COMPLETE), or WARN in the digest."""
        return _EFFECTS[self.severity]

    @property
    def key(self) -> str:
        """Its name in results, for ever: entity, column, effect."""
        return f"{self.entity}.{self.column}.{self.effect}"

    @property
    def has_threshold(self) -> bool:
        """Whether a district may have its own: a warning follows the limits, which it has."""
        return self.effect != WARN and (self.most is not None or self.limit is not None)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Parameter(_Strict):
    name: Limit = Field(alias="$PARAMETER")


class _Bounds(_Strict):
    column: str
    max_value: Percent | _Parameter | None = None
    min_value: Literal[1] | None = None


class _Meta(_Strict):
    sentence: str
    collections: tuple[str, ...] = ()
    at_least: Limit | None = None


class _Check(_Strict):
    type: Literal["expect_column_values_to_be_between"]
    kwargs: _Bounds
    severity: Severity
    notes: str
    meta: _Meta


class _Suite(_Strict):
    name: str
    expectations: tuple[_Check, ...]


@cache
def load(folder: Path = FOLDER) -> tuple[Expectation, ...]:
    """Every expectation of every entity, in the order of the files.

    Raises:
        ConfigError: a file is missing or wrong; names the file and the place in it.
    """
    return tuple(
        Expectation(
            entity=entity,
            column=check.kwargs.column,
            title=check.notes,
            severity=check.severity,
            sentence=check.meta.sentence,
            collections=check.meta.collections,
            most=check.kwargs.max_value if isinstance(check.kwargs.max_value, float) else None,
            limit=check.kwargs.max_value.name
            if isinstance(check.kwargs.max_value, _Parameter)
            else check.meta.at_least,
        )
        for entity in ENTITIES
        for check in _read(folder / f"{entity}.json").expectations
    )


def thresholds() -> dict[str, tuple[str, ...]]:
    """Of each entity the columns for which a district may have a threshold of its own."""
    return {
        entity: tuple(one.column for one in load() if one.entity == entity and one.has_threshold) for entity in ENTITIES
    }


def _read(path: Path) -> _Suite:
    try:
        return _Suite.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        what: Any = error
        if isinstance(error, ValidationError):
            what = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ConfigError(f"The expectations in {path.name} cannot be read: {what}.") from None
