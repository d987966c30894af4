"""What every part of the HTTP API shares: strict request bodies, errors, page sizes."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import BaseModel, ConfigDict

MOST: Final = 500
OF_DISTRICT: Final = "/districts/{key}"
Limit = Annotated[int, Query(ge=1, le=MOST)]
After = Annotated[int, Query(ge=0, description="The ID of the last row of the previous page")]


class Body(BaseModel):
    """A request body. It accepts only the fields that it names: a misspelled one must not be ignored."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """Why a request was refused, in a sentence."""

    detail: str


class Started(BaseModel):
    """A DAG run that was started in the caller's name."""

    dag_id: str
    dag_run_id: str


def responses(descriptions: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, as OpenAPI documents them."""
    return {status: {"description": text, "model": Problem} for status, text in descriptions.items()}
