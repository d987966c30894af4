"""The HTTP API's list of districts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from roster_sync.ui.api.base import Limit
from roster_sync.ui.pages import district_pages

router = APIRouter(tags=["Districts"])


class DistrictLine(BaseModel):
    """One district in the list."""

    key: str
    name: str
    source: str
    is_enabled: bool
    status: str | None = Field(description="Status of the last run; null if the district was never synced")
    last_run_id: int | None
    last_message: str | None
    last_good_sync: datetime | None
    answer_due_at: datetime | None = Field(description="Set while a question is waiting for an answer")
    open_worklist_items: int
    shared: dict[str, int] = Field(description="Rows shared at the last good sync, by kind")


class DistrictPage(BaseModel):
    """One page of districts, those that need attention first."""

    districts: list[DistrictLine]
    next: str | None = Field(description="Pass as `after` for the next page; null at the end")


@router.get("/districts")
def list_districts(
    user: GetUserDep, view: district_pages.View = "all", q: Annotated[str, Query(max_length=100)] = "",
    after: Annotated[str, Query(max_length=60)] = "", limit: Limit = 50,
) -> DistrictPage:  # fmt: skip
    """Every district that the caller may see, those that need attention first."""
    found = district_pages.listed(user, view=view, search=q.strip(), source="", after=after, limit=limit)
    lines = [
        DistrictLine(
            key=row["key"], name=row["name"], source=row["source"], is_enabled=row["is_enabled"],
            status=row["last_status"], last_run_id=row["last_id"], last_message=row["last_message"],
            last_good_sync=row["good_at"], answer_due_at=row["due_at"], open_worklist_items=row["open_items"],
            shared=row["shared"],
        )
        for row in found["rows"]
    ]  # fmt: skip
    return DistrictPage(districts=lines, next=lines[-1].key if found["more"] else None)
