"""The forms that people fill in when they start a run in Airflow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from airflow.sdk import Param

from roster_sync.config.districts import District

_PREVIEW: Final = "Nothing is written to the portal. The run's page shows what would change."
_LIMIT: Final = (
    "The share of rows, in percent, that may be removed (marked as no longer shared, ended or deleted) before someone "
    "has to approve. Empty: the district's own limits. **100: no limit applies, and nobody is asked.**"
)


def preview_only(default: bool = False) -> Param:
    """Whether the run only shows what it would do."""
    return Param(default, type="boolean", title="Preview only", description_md=_PREVIEW)


def max_deleted_percent() -> Param:
    """The run's own limit."""
    return Param(
        None, type=["null", "number"], minimum=0, maximum=100, title="Removal limit (%)", description_md=_LIMIT
    )


def district(districts: Iterable[District], what: str) -> Param:
    """A drop-down of districts by name; a text where the registry cannot be read just now."""
    names = {one.key: f"{one.name} ({one.key})" for one in sorted(districts, key=lambda one: one.name.casefold())}
    choices: dict[str, Any] = {"enum": list(names), "values_display": names} if names else {}
    return Param(None, type="string", title="District", description_md=what, **choices)


def reset_params(districts: Iterable[District]) -> dict[str, Param]:
    """The form of roster_reset."""
    return {
        "district": district(districts, "The district to reset to exactly what it shares now."),
        "preview_only": preview_only(),
        "max_deleted_percent": max_deleted_percent(),
        "include_manual": Param(
            False,
            type="boolean",
            title="Also delete manually added rows",
            description_md="Without this, people, classes and enrollments that were added manually in the portal stay. "
            "A school admin is deleted only with their last school, and a district admin never.",
        ),
        "reason": Param(
            "",
            type=["null", "string"],
            format="multiline",
            maxLength=2000,
            title="Reason",
            description_md="Why you are resetting the district. It is saved with the run.",
        ),
    }


def undo_params(districts: Iterable[District]) -> dict[str, Param]:
    """The form of roster_undo."""
    return {
        "district": district(districts, "The district whose run to undo."),
        "run_id": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Run",
            description_md="The run's number, as shown on its page. Empty: the newest run that can be undone.",
        ),
        "preview_only": preview_only(),
    }


def approve_params() -> dict[str, Param]:
    """What a held run hands to its question; nobody fills this in."""
    return {
        "district": Param(None, type="string", title="District", description_md="Filled in by the held run."),
        "run_id": Param(None, type="integer", minimum=1, title="Run", description_md="Filled in by the held run."),
        "hold_id": Param(
            None, type=["null", "integer"], minimum=1, title="Question",
            description_md="Filled in by the held run. Empty: the open question of the run.",
        ),
    }  # fmt: skip


def answer_params() -> dict[str, Param]:
    """What a person may add to an answer."""
    # null is what makes it optional: the page asks for an answer to every text that may not be null (Airflow 3.3.2)
    return {"reason": Param(None, type=["null", "string"], title="Reason", description="Saved with your answer.")}
