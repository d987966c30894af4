"""The stages of a plan as docs/architecture.md shows them: a picture and a table, made of planning/stages.py."""

from __future__ import annotations

from typing import Final

from ops.home import REPOSITORY
from roster_sync.engine.planning.stages import PARTS, STAGES, Part, Stage, When

PAGE: Final = REPOSITORY / "docs" / "architecture.md"
BEGIN: Final = "<!-- stages: begin (generated from the code; do not edit by hand) -->\n"
END: Final = "<!-- stages: end -->\n"
STAGING: Final = "staging."
PARALLEL: Final[tuple[Part, ...]] = ("sort", "join")
"""The parts that a second connection does."""


def page(text: str) -> str:
    """The page with its section as the code has it."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + section() + END + rest.split(END)[1]


def section() -> str:
    """The picture and the table."""
    return f"\n{_picture()}\n{_table()}\n"


def _picture() -> str:
    """A Mermaid flowchart: an arrow is a table that one part leaves and another reads."""
    lines = ["```mermaid", "flowchart TB"]
    for part, about in PARTS.items():
        names = "<br/>".join(stage.name for stage in STAGES if stage.part == part)
        shape = ("[[", "]]") if part in PARALLEL else ("[", "]")
        lines.append(f'  {part}{shape[0]}"<b>{about}</b><br/>{names}"{shape[1]}')
    for (source, target), tables in _arrows().items():
        lines.append(f'  {source} -->|"{"<br/>".join(tables)}"| {target}')
    return "\n".join([*lines, "```", ""])


def _arrows() -> dict[tuple[Part, Part], list[str]]:
    """From part to part, the temporary tables that pass; and the staging tables that one part leaves for one other."""
    arrows: dict[tuple[Part, Part], list[str]] = {}
    for stage in STAGES:
        for name in stage.reads:
            source = _last_maker(stage, name)
            if source is not None and source.part != stage.part and _is_drawn(name):
                tables = arrows.setdefault((source.part, stage.part), [])
                if name not in tables:
                    tables.append(name)
    return arrows


def _last_maker(reader: Stage, table: str) -> Stage | None:
    """The stage that made a table: the first that leaves it."""
    earlier = STAGES[: STAGES.index(reader)]
    return next((stage for stage in earlier if table in stage.leaves), None)


def _is_drawn(table: str) -> bool:
    """All but the tables of the feed and the plan, which nearly every stage reads or fills."""
    return table not in ("staging.users", "staging.classes", "staging.schools", "staging.enrollments", "staging.plan")


def _table() -> str:
    lines = ["| Stage | When | Reads | Leaves |", "|---|---|---|---|"]
    for stage in STAGES:
        file = f"[{stage.name}](../include/sql/{stage.file}.sql)"
        when = "" if stage.when is When.ALWAYS else stage.when.value
        lines.append(f"| {file} | {when} | {_names(stage.reads)} | {_names(stage.leaves)} |")
    return "\n".join(lines) + "\n"


def _names(tables: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in tables)
