"""What an entry of the registry may say, as pydantic models: the check of every value, and the JSON schema for editors.

A scalar comes as `yaml_nodes.Scalar`: its text as it is written, and what YAML makes of it (1.1 is a number to YAML,
'1.1' to us).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Annotated, Any, Final, Literal, Union
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationError,
    ValidationInfo,
    WrapValidator,
    create_model,
    field_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_before_validator_function

from roster_sync.config.districts import District
from roster_sync.config.expectations import thresholds
from roster_sync.config.yaml_nodes import Scalar
from roster_sync.core import source_kinds
from roster_sync.core.limits import Limits
from roster_sync.core.source_kinds import SourceKind
from roster_sync.core.vocabulary import PORTAL_ROLES

FRESHEN: Final = ("off", "hourly")
_CONNECTION: Final = re.compile(r"[\w.-]{1,200}", re.ASCII)
_CRON_FIELDS: Final = (
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31"),
    ("month", "1 to 12"),
    ("day of the week", "0 to 7"),
)


def cron_problem(expression: str) -> str:
    """What is wrong with a cron expression, in words; empty where it is right. Airflow reads it by croniter as well."""
    fields = expression.split()
    if len(fields) != len(_CRON_FIELDS):
        return "it needs five fields: minute, hour, day of the month, month, day of the week"
    is_random = re.search(r"(?i)\b[hr]\b", expression)  # croniter's H and R: another time at each parse
    if not is_random and croniter.is_valid(expression, strict=fields[4] == "*"):
        return ""
    for position, (text, (name, allowed)) in enumerate(zip(fields, _CRON_FIELDS, strict=True)):
        alone = " ".join(["*"] * position + [text] + ["*"] * (len(fields) - position - 1))
        if re.search(r"(?i)\b[hr]\b", text) or not croniter.is_valid(alone):
            return (
                f"the {name} {text!r} is not a number from {allowed}, a list, a range or a step (1,15 or 1-5 or */15)"
            )
    return "no month of it has such a day"


def split_address(path: str) -> tuple[str, str]:
    """A path without the connection that it names before its @, as in Airflow's ObjectStoragePath; and that name."""
    scheme, _, rest = path.partition("://")
    authority, slash, inside = rest.partition("/")
    named, _, host = authority.rpartition("@")
    return (f"{scheme}://{host}{slash}{inside}", named) if named else (path, "")


def _path(path: str, info: ValidationInfo) -> str:
    _, named = split_address(path)
    if named and not _CONNECTION.fullmatch(named):
        # the text may hold a password: it is not repeated
        raise ValueError(
            "a name and password in the path belong into an Airflow connection: write 'conn_id', or the connection's id"
            " before the @"
        )
    if named and info.data.get("conn_id") not in (None, "", named):
        raise ValueError(f"the path names the connection {named!r} and conn_id another: keep one of them")
    return path


def _must_be(allowed: str, words: tuple[str, ...] = ()) -> PydanticCustomError:
    """Read after the key and before the value in the file; `words` are what it may be, where it is one of them."""
    return PydanticCustomError("must_be", "must be {allowed}", {"allowed": allowed, "words": words})


def _says(allowed: str) -> WrapValidator:
    """Lets pydantic check what YAML made of a scalar, and says in our words what it must be."""

    def check(value: Any, handler: Any) -> Any:
        try:
            return handler(value.data if isinstance(value, Scalar) else value)
        except ValidationError:
            raise _must_be(allowed) from None

    return WrapValidator(check)


def _written(value: Any) -> str:
    if not isinstance(value, Scalar) or isinstance(value.data, bool) or value.data is None or not value.strip():
        raise _must_be("a text")
    return value.strip()


@dataclass(frozen=True)
class _OneOf:
    """A text that is one of these words; editors may also take 1.1 for the number as which YAML reads it."""

    words: tuple[str, ...]

    def _check(self, value: Any) -> str:
        if value not in self.words:
            raise _must_be(f"one of {', '.join(self.words)}", self.words)
        return str(value)

    def __get_pydantic_core_schema__(self, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(self._check, handler(str))

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        return {"enum": [*self.words, *(float(word) for word in self.words if re.fullmatch(r"\d+\.\d+", word))]}


@cache
def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone: write it as in America/Chicago") from None
    return name


def _key(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]{1,50}", text):
        raise ValueError(f"the key {text!r} must be 1 to 50 of a-z, 0-9 and _")
    return text


def _schedule(text: str) -> str:
    if problem := cron_problem(text):
        raise ValueError(f"the schedule {text!r} is not a cron expression: {problem}")
    return text


def _connection(text: str) -> str:
    if not _CONNECTION.fullmatch(text):
        raise ValueError(f"the connection id {text!r} may hold letters, digits, _ . and - only")
    return text


Text = Annotated[str, BeforeValidator(_written)]
Percent = Annotated[float, Field(strict=True, ge=0, le=100, allow_inf_nan=False), _says("a number from 0 to 100")]
Whole = Annotated[int, Field(strict=True, ge=0), _says("a whole number, 0 or more")]
Role = Annotated[str, _OneOf(PORTAL_ROLES)]
Freshen = Annotated[str, _OneOf(FRESHEN)]
Flag = Annotated[bool, Field(strict=True), _says("true or false")]


class Strict(BaseModel):
    """A mapping of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LimitsEntry(Strict):
    """How much one run may change before a person is asked; percentages, 100 lifts a limit."""

    deleted_percent: Percent = Limits.deleted_percent
    updated_percent: Percent = Limits.updated_percent
    enrollments_percent: Percent = Limits.enrollments_percent
    floor: Whole = Field(default=Limits.floor, description="Below so many rows no limit applies")


class DistrictEntry(Strict):
    """One district."""

    key: Annotated[Text, AfterValidator(_key)] = Field(description="Its name in DAG ids and addresses; never changes")
    name: Text = Field(description="What people call it")
    timezone: Annotated[Text, AfterValidator(_timezone)] = Field(description="As in America/Chicago")
    schedule: Annotated[Text, AfterValidator(_schedule)] = Field(
        default="", description="Cron, in the district's time zone"
    )
    source: Any
    roles: list[Role] = Field(default=list(District.roles), description="Which portal roles the sync may create")
    limits: LimitsEntry = Field(
        default=LimitsEntry(), description="How much one run may change before a person is asked"
    )
    enabled: Flag = District.enabled
    freshen: Freshen = Field(default=District.freshen, description="Whether events are read between two nights")
    owner: Text = Field(default=District.owner, description="Whose DAG it is")
    expectations: Any = None

    @field_validator("roles", mode="before")
    @classmethod
    def _check_list(cls, roles: Any) -> Any:
        if not isinstance(roles, list):
            raise _must_be(f"a list of {', '.join(PORTAL_ROLES)}")
        return roles

    @field_validator("freshen")
    @classmethod
    def _check_events(cls, freshen: str, info: ValidationInfo) -> str:
        source = info.data.get("source")  # missing where it is wrong itself
        if freshen != "off" and source and not source_kinds.find(source.kind).events:
            raise ValueError(f"'freshen' reads events, and a source of kind {source.kind} has none")
        return freshen


class RegistryFile(Strict):
    """One file of the registry; `model_of` completes it with the kinds of sources."""

    districts: list[DistrictEntry]


@lru_cache(maxsize=4)
def model_of(kinds: tuple[SourceKind, ...]) -> type[RegistryFile]:
    """The model of a file whose districts' sources are of these kinds."""
    source: Any = Union[tuple(_source_of(kind) for kind in kinds)]  # noqa: UP007 - the kinds are known at run time
    found = Field(discriminator="kind", description="Where its roster comes from")
    own = Field(default=None, description="Thresholds of its own, in place of those in include/expectations")
    entry: Any = create_model(
        "District",
        __base__=DistrictEntry,
        __doc__="One district.",
        source=(source, found),
        expectations=(_suites(), own),
    )
    return create_model("Registry", __base__=RegistryFile, __doc__="A registry.", districts=(list[entry], ...))


def _source_of(kind: SourceKind) -> type[Strict]:
    def check_auth(auth: str, info: ValidationInfo) -> str:
        for version, excluded, sentence in kind.excludes:
            if (info.data.get("version"), auth) == (version, excluded):
                raise ValueError(sentence)
        return auth

    settings: dict[str, tuple[Any, str]] = {
        "conn_id": (Annotated[Text, AfterValidator(_connection)], "The Airflow connection that holds its secrets"),
        "path": (Annotated[Text, AfterValidator(_path)], "The zip or folder: an address, or relative to this file"),
        "version": (Annotated[str, _OneOf(kind.versions)], "Of the source's API"),
        "auth": (Annotated[str, _OneOf(kind.auths), AfterValidator(check_auth)], "How it lets us in"),
        "district_id": (Text, "Which district, where one connection serves several"),
    }
    fields: dict[str, Any] = {"kind": (Literal[kind.name], ...)}
    for name, (annotation, text) in settings.items():  # in this order: the later ones are checked by the earlier
        if name in kind.settings:
            fields[name] = (annotation, Field(... if name in kind.needs else "", description=text))
    return create_model(f"{kind.name}_source", __base__=Strict, __doc__=f"{kind.label}.", **fields)


def _suites() -> type[Strict]:
    """The model of a district's own thresholds: by entity and column, in percent."""
    entities: dict[str, Any] = {}
    for entity, columns in thresholds().items():
        fields: dict[str, Any] = {column: (Percent, None) for column in columns}
        entities[entity] = (create_model(f"{entity}_expectations", __base__=Strict, **fields), None)
    return create_model("expectations", __base__=Strict, __doc__="The largest shares accepted, in percent.", **entities)
