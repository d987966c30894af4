"""The list of a plan's stages says what the SQL does: which file makes a table, which reads it, in which order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from psycopg2.extensions import cursor as Cursor

from ops import plan_stages
from roster_sync.database import db
from roster_sync.engine.planning.stages import PARTS, STAGES, Stage
from tests.dsl.roster import MemorySource, town
from tests.dsl.world import World

NOT_STAGES: Final = {"run", "record", "answer", "fits", "still_live"}
"""Files of include/sql/plan that share no temporary table with a stage: they ask for one row, or keep one."""
OF_THE_FEED: Final = {
    f"staging.{name}" for name in ("schools", "users", "classes", "enrollments", "unusual_enrollments")
}
READ_BY_FUNCTIONS: Final = {
    "match_users_by_id": {"staging.users"},
    "sort_enrollments": {"staging.enrollments"},
    "join_enrollments": {"staging.enrollments", "staging.resolved", "staging.sorted_enrollments"},
    "plan_enrollments": {"staging.made_plan"},
}
LEFT_BY_FUNCTIONS: Final = {
    "match_users_by_id": {"staging.resolved"},
    "sort_enrollments": {"staging.sorted_enrollments"},
    "join_enrollments": {"staging.made_plan"},
    "plan_enrollments": {"staging.plan"},
}
VIEWS: Final = {"school_values", "class_values", "user_values", "resolved_enrollments"}
"""Views of schema staging, over the tables of the feed and staging.resolved."""


def _code(stage: Stage) -> str:
    """The file without comments and quoted texts."""
    return re.sub(r"'(?:[^']|'')*'", "''", re.sub(r"--.*", "", db.statement(stage.file)))


def _comment(stage: Stage, begin: str, end: str) -> str:
    """The part of the file's header from one word to the other."""
    header = re.match(r"(?:--.*\n)+", db.statement(stage.file))
    assert header is not None
    words = re.sub(r"\s*\n-- ", " ", header.group())
    return words.partition(f" {begin}: ")[2].partition(f" {end}: ")[0]


CODE: Final = {stage.name: _code(stage) for stage in STAGES}
MADE: Final = {name: set(re.findall(r"create temporary (?:table|view) (\w+)", code)) for name, code in CODE.items()}
MAKER: Final = {table: name for name, tables in MADE.items() for table in tables}


def _temporary_reads(stage: Stage) -> set[str]:
    words = set(re.findall(r"(?<![.\w])\w+", CODE[stage.name]))
    return {table for table in MAKER if MAKER[table] != stage.name and table in words}


def _written(stage: Stage) -> set[str]:
    """What the file's own statements change: tables of schema staging, and temporary tables of other stages."""
    found = set(re.findall(r"(?:insert into|update|delete from) ([\w.]+)", CODE[stage.name]))
    return {name for name in found if name.startswith("staging.") or MAKER.get(name, stage.name) != stage.name}


def _staging_reads(stage: Stage) -> set[str]:
    read = re.sub(r"(?:insert into|update|delete from) staging\.\w+", "", CODE[stage.name])
    found = {f"staging.{name}" for name in re.findall(r"staging\.(\w+)\b(?!\()", read)}
    # an update reads what it changes, where it asks for it
    changed = re.findall(r"(?:update|delete from) (staging\.\w+)", CODE[stage.name])
    return found | {name for name in changed if name in stage.reads}


def _functions(stage: Stage) -> list[str]:
    return [name for name in re.findall(r"staging\.(\w+)\(", CODE[stage.name]) if name in READ_BY_FUNCTIONS]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_stage_reads_what_it_says(stage: Stage) -> None:
    by_functions = set[str]().union(*(READ_BY_FUNCTIONS[name] for name in _functions(stage)))
    assert set(stage.reads) == _temporary_reads(stage) | _staging_reads(stage) | by_functions


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_stage_leaves_what_it_says(stage: Stage) -> None:
    read_by_others = {table for other in STAGES if other is not stage for table in _temporary_reads(other)}
    by_functions = set[str]().union(*(LEFT_BY_FUNCTIONS[name] for name in _functions(stage)))
    assert set(stage.leaves) == (MADE[stage.name] & read_by_others) | _written(stage) | by_functions


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_stage_reads_only_what_came_before_it(stage: Stage) -> None:
    before = set(OF_THE_FEED) | {f"staging.{name}" for name in VIEWS} | set(stage.leaves)
    for other in STAGES[: STAGES.index(stage)]:
        before |= set(other.leaves)
    assert set(stage.reads) <= before


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_the_header_of_a_stage_names_what_it_reads_and_leaves(stage: Stage) -> None:
    known = "|".join(re.escape(name) for name in {name for other in STAGES for name in (*other.reads, *other.leaves)})
    for begin, end, tables in (("In", "Out", stage.reads), ("Out", "speed", stage.leaves)):
        listed = re.findall(rf"(?<![\w./])(?:{known})\b(?!\w|/)", _comment(stage, begin, end).partition(" Also ")[0])
        assert set(listed) == set(tables), begin


def test_every_file_of_a_plan_is_a_stage_or_asks_for_one_row() -> None:
    files = {path.stem for path in (db.SQL_FOLDER / "plan").glob("*.sql")}
    assert {stage.name for stage in STAGES} == files - NOT_STAGES


def test_the_stages_are_in_the_order_of_their_parts() -> None:
    parts = list(PARTS)
    assert [stage.part for stage in STAGES] == sorted((stage.part for stage in STAGES), key=parts.index)


def _header(path: Path) -> str:
    found = re.match(r"(?:--.*\n)+", path.read_text(encoding="utf-8"))
    return found.group() if found else ""


@pytest.mark.parametrize("folder", ["plan", "apply", "reset", "undo"])
def test_every_file_says_what_it_needs_and_what_it_leaves(folder: str) -> None:
    for path in (db.SQL_FOLDER / folder).glob("*.sql"):
        assert re.search(r"\bIn: .*\bOut: ", _header(path), re.DOTALL), path.name


RUNS: Final[dict[str, dict[str, Any]]] = {"an Edit": {}, "a Reset": {"mode": "reset", "max_deleted_percent": 100}}


@pytest.mark.parametrize("kind", RUNS)
def test_a_plan_runs_its_stages_in_their_order(world: World, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    world.run(town())
    ran: list[str] = []
    run_file = db.run

    def watching(cursor: Cursor, name: str, params: Mapping[str, Any] | None = None) -> int:
        ran.append(name)
        return run_file(cursor, name, params)

    monkeypatch.setattr(db, "run", watching)
    assert world.run(MemorySource(town().without("a1")), **RUNS[kind]).status == "launched"
    files = {stage.file: stage for stage in STAGES}
    parts = [files[name].part for name in ran if name in files]
    order = [part for part in parts if part not in plan_stages.PARALLEL]
    planned = order[: order.index("decide")]
    assert planned == sorted(planned, key=list(PARTS).index)
    assert set(parts) == set(PARTS)
    ran_here = [files[name] for name in ran if name in files and files[name].part not in plan_stages.PARALLEL]
    within = [stage for stage in ran_here if stage.part in ("resolve", "view", "add")]
    assert within == sorted(within, key=STAGES.index)


def test_the_page_shows_the_stages(request: pytest.FixtureRequest) -> None:
    text = plan_stages.PAGE.read_text(encoding="utf-8")
    if request.config.getoption("--update-docs"):
        plan_stages.PAGE.write_text(plan_stages.page(text), encoding="utf-8")
    assert plan_stages.PAGE.read_text(encoding="utf-8") == plan_stages.page(text), (
        "docs/architecture.md is out of date: run bin/test tests/engine/planning --update-docs and look at the diff."
    )
