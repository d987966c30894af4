"""What the HTTP API takes and gives, as OpenAPI shows it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """Takes what it names and refuses the rest: a misspelled field must not be passed over."""

    model_config = ConfigDict(extra="forbid")


class Told(BaseModel):
    """Why something was refused, in a sentence."""

    detail: str


class DistrictLine(BaseModel):
    """One district in the list."""

    key: str
    name: str
    source: str
    is_enabled: bool
    status: str | None = Field(description="Of the last run; null where the district was never synced")
    last_run_id: int | None
    last_message: str | None
    last_good_sync: datetime | None
    answer_due_at: datetime | None = Field(description="Set where a question waits for an answer")
    open_worklist_items: int
    shared: dict[str, int] = Field(description="Rows shared at the last good sync, by kind")


class DistrictPage(BaseModel):
    """One page of districts, those that need a person first."""

    districts: list[DistrictLine]
    next: str | None = Field(description="Pass as `after` for the next page; null at the end")


class RunLine(BaseModel):
    """One run in short."""

    id: int
    mode: str
    trigger: str
    status: str
    started_at: datetime
    finished_at: datetime | None
    started_by: str | None
    message: str | None
    undoes_run_id: int | None


class RunPage(BaseModel):
    """A district's runs, newest first."""

    runs: list[RunLine]
    next: int | None = Field(description="Pass as `before` for the next page; null at the end")


class Counts(BaseModel):
    """What a run counted for one kind of row."""

    entity: str
    received: int
    rejected: int
    warned: int
    added: int
    updated: int
    unchanged: int
    unshared: int
    restored: int
    deleted: int
    held: int


class Run(RunLine):
    """A run as a whole."""

    step: str | None = Field(description="The step at work")
    steps: list[dict[str, Any]]
    reason: str | None
    parameters: dict[str, Any]
    airflow_dag_id: str | None
    airflow_run_id: str | None
    plan: dict[str, Any]
    counts: list[Counts]
    waits_for_answer: bool
    hold_id: int | None = Field(description="The question that waits, for an answer to name; null where none does")


class ChangeLine(BaseModel):
    """One row that a run changed, or would change."""

    label: str
    detail: str
    source_id: str
    action: str
    fields: list[dict[str, Any]]


class ChangePage(BaseModel):
    """Changed rows in the order of their ids."""

    changes: list[ChangeLine]
    next: str | None = Field(description="Pass as `after` for the next page; null at the end")


class Finding(BaseModel):
    """A row that a rule rejected or warned of."""

    id: int
    entity: str
    source_id: str | None
    severity: str
    rule: str
    field: str | None
    message: str
    line: int | None


class Settings(BaseModel):
    """A district's settings."""

    school_mode: Literal["all", "listed"]
    expires_on: date | None


class NewSettings(Model):
    """Settings to keep; what is left out stays as it is, and a null date means never."""

    school_mode: Literal["all", "listed"] | None = None
    expires_on: date | None = None
    chosen_schools: list[str] | None = Field(
        None, description="The schools' ids at the source; all others are not synced"
    )


class Chosen(Model):
    """The schools that stay chosen."""

    chosen_schools: list[str] = Field(description="The schools' ids at the source")


class Effect(BaseModel):
    """What hangs on the schools that are not chosen. People and classes are counted up to 50,001."""

    schools: int
    people: int
    classes: int
    licenses: int = Field(description="Of these schools, and of people who stand in no other school")


class SettingChange(BaseModel):
    """One change of a setting."""

    changed_at: datetime
    changed_by: str | None
    setting: str
    before: Any
    after: Any


class Subscription(BaseModel):
    """An address that gets the sync emails."""

    id: int
    email: str
    created_at: datetime


class NewSubscription(Model):
    """An address to add."""

    email: str = Field(max_length=254)


class School(BaseModel):
    """A school that the source listed."""

    source_id: str
    name: str
    is_selected: bool
    first_seen_at: datetime
    is_new: bool


class Sync(Model):
    """What to start. A Reset that is no preview needs the district's name."""

    mode: Literal["edit", "reset"] = "edit"
    preview: bool = False
    include_manual: bool = Field(False, description="Reset only: delete also what was made by hand")
    confirm_name: str = Field("", description="Reset only: the district's name, as it is")
    reason: str = Field("", max_length=2000)


class Started(BaseModel):
    """A DAG run that was started in the caller's name."""

    dag_id: str
    dag_run_id: str


class Answer(Model):
    """The answer to a held run."""

    hold_id: int = Field(ge=1, description="The question that was read, as the run named it")
    choice: Literal["approve", "reject"]
    reason: str = Field("", max_length=2000)


class Preview(Model):
    """Whether only to look."""

    preview: bool = False


class Item(BaseModel):
    """One open item of the worklist."""

    id: int
    kind: str
    subject_type: str
    subject_id: int
    second_subject_id: int | None
    label: str | None
    email: str | None
    schools: str | None
    opened_at: datetime
    opened_run_id: int | None
    detail: dict[str, Any]


class Ticked(Model):
    """Which items."""

    items: list[int] = Field(min_length=1, max_length=5000)


class Licenses(Ticked):
    """Which items, and which product."""

    product_id: int
    expires_on: date | None = None


class Admin(Model):
    """The admin that a school gets."""

    item: int
    given_name: str = Field("", max_length=100)
    family_name: str = Field("", max_length=100)
    email: str = Field("", max_length=254)
    dummy: bool = False


class Match(Model):
    """The decision on a match review."""

    item: int
    same_person: bool


class Count(BaseModel):
    """How many items that closed."""

    closed: int


class ProbeLine(BaseModel):
    """One step of the connection test."""

    name: str
    is_ok: bool
    message: str


class Probe(BaseModel):
    """What the connection test found."""

    is_ok: bool
    state: str
    reason: str
    steps: list[ProbeLine]
    schools: int
    data_as_of: str | None


class Series(BaseModel):
    """Parallel lists over runs, oldest first."""

    runs: list[int]
    at: list[float] = Field(description="When each run started, in seconds since 1970")
    lines: dict[str, list[float | None]]


class Trends(BaseModel):
    """How a district went over its last runs."""

    roster: Series
    durations: Series = Field(description="Seconds by step")
    rejects: Series = Field(description="Rejected rows by rule")
