"""Every address of the pages and of the API."""

from __future__ import annotations

import re

from fastapi.routing import APIRoute

from roster_sync.ui.app import PREFIX, app

FILLED = {
    "key": "harbor", "run_id": "1", "row_id": "1", "dag_id": "roster_sync__harbor", "airflow_run_id": "x",
    "kind": "teachers", "name": "app.css", "path": "runs/1.html", "subscription_id": "1",
}  # fmt: skip


def routes() -> list[tuple[str, str]]:
    found = []
    for route in app().routes:
        assert isinstance(route, APIRoute), f"{route} is no route of ours: a mounted folder answers without login"
        path = re.sub(r"{(\w+)(:path)?}", lambda match: FILLED[match[1]], route.path)
        found += [(method, PREFIX + path) for method in sorted(route.methods) if method != "HEAD"]
    assert len(found) > 50
    return found
