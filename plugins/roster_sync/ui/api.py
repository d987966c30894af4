"""To be written."""

from typing import Any
from fastapi import APIRouter

router = APIRouter(prefix="/api/v1")


def operations(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return []
