"""Airflow's plugin scan executes every Python file in plugins/ under its bare name: it must find one file only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

SCAN = """
import json, sys
from airflow import plugins_manager
plugins, errors = plugins_manager._get_plugins()
ours = [plugin.name for plugin in plugins if plugin.name == "roster_sync"]
import types, email
scanned = sorted(
    name for name, module in list(sys.modules.items())
    if "." not in name and "/plugins/" in (getattr(module, "__file__", None) or "")
)
print(json.dumps({
    "ours": ours, "errors": errors, "scanned": scanned,
    "types": hasattr(types, "SimpleNamespace"), "email": hasattr(email, "message_from_bytes"),
}))
"""


def scan() -> dict[str, object]:
    """Runs the scan in a process of its own, as each of Airflow's does."""
    import json

    environment = {**os.environ, "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins")}
    done = subprocess.run(
        [sys.executable, "-c", SCAN], env=environment, capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_plugin_is_found_and_nothing_else_of_ours_is_executed():
    found = scan()
    assert found["errors"] == {}
    assert found["ours"] == ["roster_sync"]
    assert found["scanned"] == ["roster_sync", "roster_sync_plugin"] or found["scanned"] == ["roster_sync_plugin"]
    assert found["types"]
    assert found["email"]


def test_the_package_is_hidden_from_the_scan():
    assert (REPOSITORY / "plugins" / ".airflowignore").read_text().split() == ["roster_sync/"]
    assert [path.name for path in (REPOSITORY / "plugins").glob("*.py")] == ["roster_sync_plugin.py"]
