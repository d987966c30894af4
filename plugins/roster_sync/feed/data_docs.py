"""The Data Docs: one small static site per district with every run's checks, readable without any other host.

The results are Great Expectations' own, kept with each page as JSON. Its own site builder is not used: as shipped its
site is 4.2 MB and loads from six other hosts (1.24.1).
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from roster_sync.config.districts import District
from roster_sync.config.expectations import NOT_COMPLETE, STOP, WARN
from roster_sync.config.templates import TEMPLATES_FOLDER, render
from roster_sync.feed import suites
from roster_sync.feed.suites import Judged

KEPT_RUNS: Final = 60
_ASSETS: Final = TEMPLATES_FOLDER / "data_docs" / "assets"
_RANK: Final = {WARN: 1, NOT_COMPLETE: 2, STOP: 3}


def write(
    docs: Path,
    district: District,
    run: Mapping[str, Any],
    profile: Mapping[str, Mapping[str, Any]],
    judged: list[Judged],
    results: Mapping[str, Any],
    message: str,
    sentences: Mapping[str, str],
) -> str:
    """Writes the run's page, its JSON and the district's index; returns the page's path relative to `docs`."""
    folder = docs / district.key / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    _copy_assets(docs / "assets")
    record = {
        "run": {
            "id": run["id"],
            "mode": run["mode"],
            "trigger": run["trigger"],
            "started_at": run["started_at"].astimezone(ZoneInfo(district.timezone)).isoformat(timespec="seconds"),
            "issuer": run["issuer"],
        },
        "outcome": _outcome(judged),
        "message": message,
        "profile": {entity: _plain(numbers) for entity, numbers in profile.items()},
        "checks": [_check_record(one, sentences) for one in judged],
        "results": results,
    }
    _put(folder / f"{run['id']}.json", json.dumps(record, separators=(",", ":")))
    _forget_old(folder)
    page = render("data_docs/run.html", district=district, record=record, entities=suites.ENTITIES)
    _put(folder / f"{run['id']}.html", page)
    _put(docs / district.key / "index.html", _index(district, folder))
    return f"{district.key}/runs/{run['id']}.html"


def _index(district: District, folder: Path) -> str:
    records = [json.loads(path.read_text(encoding="utf-8")) for path in _newest_first(folder)]
    most = {
        entity: max((record["profile"][entity]["seen"] for record in records), default=0) for entity in suites.ENTITIES
    }
    return render(
        "data_docs/index.html", district=district, records=records, most=most, entities=suites.ENTITIES, kept=KEPT_RUNS
    )


def _outcome(judged: list[Judged]) -> str:
    """The worst effect of a check that is not met, or `met`."""
    failed = [one.check.effect for one in judged if not one.is_met]
    return max(failed, key=_RANK.__getitem__, default="met")


def _check_record(one: Judged, sentences: Mapping[str, str]) -> dict[str, Any]:
    check = one.check
    return {
        "entity": check.entity,
        "key": check.key,
        "title": check.title,
        "effect": check.effect,
        "most": check.most,
        "observed": one.observed,
        "is_met": one.is_met,
        "sentence": sentences.get(check.key, ""),
    }


def _plain(numbers: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if value is None or isinstance(value, (bool, int, str)) else round(float(value), 4)
        for name, value in numbers.items()
    }


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"), key=lambda path: int(path.stem), reverse=True)


def _forget_old(folder: Path) -> None:
    for path in _newest_first(folder)[KEPT_RUNS:]:
        path.with_suffix(".html").unlink(missing_ok=True)
        path.unlink()


def _copy_assets(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for asset in _ASSETS.iterdir():
        wanted = asset.read_text(encoding="utf-8")
        target = folder / asset.name
        if not target.exists() or target.read_text(encoding="utf-8") != wanted:
            _put(target, wanted)


def _put(target: Path, text: str) -> None:
    """Readers see the old file or the new one, never half of it."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, delete=False) as partial:
        partial.write(text)
    os.chmod(partial.name, 0o644)
    os.replace(partial.name, target)
