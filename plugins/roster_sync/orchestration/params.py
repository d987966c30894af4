"""The forms that people fill when they start a run by hand, in plain words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from airflow.sdk import Param

from roster_sync.config.districts import District

_PREVIEW: Final = "Only look: nothing is written to the portal. The run's page then shows what would change."
_LIMIT: Final = (
    "How many percent may go (be marked as not shared, ended or deleted) before a person is asked. "
    "Empty: the district's own limits. **100: no limit of any kind holds, and nobody is asked.**"
)


def preview_only(default: bool = False) -> Param:
    """Whether the run only looks."""
    return Param(default, type="boolean", title="Preview only", description_md=_PREVIEW)


def max_deleted_percent() -> Param:
    """The run's own limit."""
    return Param(None, type=["null", "number"], minimum=0, maximum=100, title="Limit in percent", description_md=_LIMIT)


def district(districts: Iterable[District], what: str) -> Param:
    """A drop-down of districts by name; a text where the registry cannot be read just now."""
    names = {one.key: f"{one.name} ({one.key})" for one in sorted(districts, key=lambda one: one.name.casefold())}
    choices: dict[str, Any] = {"enum": list(names), "values_display": names} if names else {}
    return Param(None, type="string", title="District", description_md=what, **choices)


def reset_params(districts: Iterable[District]) -> dict[str, Param]:
    """The form of roster_reset."""
    return {
        "district": district(districts, "Whose portal is to hold exactly what the district shares now."),
        "preview_only": preview_only(),
        "max_deleted_percent": max_deleted_percent(),
        "include_manual": Param(
            False,
            type="boolean",
            title="Also delete rows made by hand",
            description_md="People, classes and enrollments that were made in the portal itself are kept unless this "
            "is on. Even then a school admin goes only with the last of their schools, and a district admin never.",
        ),
        "reason": Param(
            "",
            type=["null", "string"],
            format="multiline",
            maxLength=2000,
            title="Reason",
            description_md="Why this Reset is made. It is kept with the run, for whoever asks later.",
        ),
    }


def undo_params(districts: Iterable[District]) -> dict[str, Param]:
    """The form of roster_undo."""
    return {
        "district": district(districts, "Whose run is to be undone."),
        "run_id": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Run",
            description_md="The run's number, as its page shows it. Empty: the district's newest that can be undone.",
        ),
        "preview_only": preview_only(),
    }


def approve_params() -> dict[str, Param]:
    """What a held run hands to its question; nobody fills this by hand."""
    return {
        "district": Param(None, type="string", title="District", description_md="Filled by the held run."),
        "run_id": Param(None, type="integer", minimum=1, title="Run", description_md="Filled by the held run."),
        "hold_id": Param(
            None, type=["null", "integer"], minimum=1, title="Question",
            description_md="Filled by the held run. Empty: the question of the run that is open.",
        ),
    }  # fmt: skip


def answer_params() -> dict[str, Param]:
    """What a person may add to an answer."""
    # null is what makes it optional: the page asks for an answer to every text that may not be null (Airflow 3.3.2)
    return {"reason": Param(None, type=["null", "string"], title="Reason", description="Kept with your answer.")}
