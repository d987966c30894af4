"""The HTTP API's trends: how a district's roster, durations and rejected rows went over its last runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from roster_sync.ui.api.base import OF_DISTRICT
from roster_sync.ui.pages import trend_pages
from roster_sync.ui.web.pool import reading
from roster_sync.ui.web.rights import ViewerDep

router = APIRouter(prefix=OF_DISTRICT + "/trends", tags=["Trends"])


class Series(BaseModel):
    """Parallel lists over runs, oldest first."""

    runs: list[int]
    at: list[float] = Field(description="When each run started, in seconds since 1970")
    lines: dict[str, list[float | None]]


class Trends(BaseModel):
    """A district's last runs as lines."""

    roster: Series
    durations: Series = Field(description="Seconds by step")
    rejects: Series = Field(description="Rejected rows by rule")


@router.get("")
def get_trends(here: ViewerDep, runs: Annotated[int, Query(ge=1, le=365)] = 90) -> Trends:
    """Roster, durations and rejected rows over the last runs."""
    with reading() as cursor:
        return Trends.model_validate(trend_pages.series(cursor, here, runs))
