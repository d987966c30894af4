"""The HTTP API: everything that the pages show and do, for the publisher's own portal to call with an Airflow token."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from roster_sync.ui.api import district_api, roster_api, run_api, settings_api, trend_api, worklist_api
from roster_sync.ui.api.base import responses

router = APIRouter(
    prefix="/api/v1",
    responses=responses({
        401: "No Airflow login",
        403: "No permission to view (reads) or to trigger (changes) the district's DAG",
        404: "The district, run or row does not exist",
        409: "Not possible now; `detail` says why",
        422: "The request is not valid; `detail` names the fields",
    }),
)  # fmt: skip
for part in (district_api, run_api, settings_api, roster_api, worklist_api, trend_api):
    router.include_router(part.router)


def operations(schema: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """OpenAPI's paths by tag, for the page that shows them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            name = body.get("$ref", "").rpartition("/")[2]
            fields = schema.get("components", {}).get("schemas", {}).get(name, {}).get("properties", {})
            found.setdefault(operation.get("tags", ["Other"])[0], []).append(
                {
                    "method": method.upper(), "path": path, "description": operation.get("description", ""),
                    "query": [one for one in operation.get("parameters", []) if one["in"] == "query"], "body": fields,
                }
            )  # fmt: skip
    return found
