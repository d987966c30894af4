"""The Data Docs: every run of a district, nobody's data, and no other host."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from psycopg2.extensions import connection as Connection

from roster_sync.core.errors import FeedRejected
from roster_sync.feed import checks, data_docs
from tests.feed import feeds


@pytest.fixture
def site(owner: Connection, app: Connection, tmp_path: Path) -> Path:
    """A sound run, one with a warning, one that was stopped."""
    feeds.finish(owner, run(owner, app, tmp_path))
    feeds.finish(owner, run(owner, app, tmp_path, students=140))
    run_id = feeds.open_run(owner)
    with owner.cursor() as cursor:
        cursor.execute(
            "update staging.users set is_rejected = true, family_name = 'Hidden' where run_id = %s", (run_id,)
        )
    with pytest.raises(FeedRejected):
        checks.validate(app, run_id, feeds.district(), tmp_path)
    return tmp_path


def run(owner: Connection, app: Connection, docs: Path, students: int = 300) -> int:
    run_id = feeds.open_run(owner, students=students)
    checks.validate(app, run_id, feeds.district(), docs)
    return run_id


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_the_index_lists_every_run_with_its_outcome_newest_first(site: Path) -> None:
    index = (site / "harbor" / "index.html").read_text()
    outcomes = re.findall(r'<span class="mark \w+">([^<]+)<', index)
    assert outcomes == ["Stopped", "Warnings", "All checks passed"]


def test_times_are_reported_with_the_districts_time_zone(site: Path) -> None:
    for name in ("index.html", "runs/1.html"):
        assert re.search(r"\d{4}, \d+:\d\d [AP]M C[SD]T<", (site / "harbor" / name).read_text()), name


def test_every_link_of_the_site_leads_to_a_file_of_it(site: Path) -> None:
    for page in pages(site):
        for address in re.findall(r'(?:href|src)="([^"]+)"', page.read_text()):
            assert (page.parent / address).is_file(), f"{page.name} leads to {address}"


def test_nothing_is_loaded_from_another_host_and_no_script_runs(site: Path) -> None:
    for file in [*pages(site), *(site / "assets").iterdir()]:
        text = file.read_text()
        assert "//" not in re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL), file
        assert "<script" not in text
        assert "@import" not in text
        assert "url(" not in text


def test_pages_and_results_hold_no_value_of_the_feed(site: Path) -> None:
    for file in site.rglob("*"):
        if file.is_file():
            assert "Hidden" not in file.read_text()
            assert not re.search(r'"(u|t|c|s)\d+"', file.read_text()), f"{file.name} holds an id of the feed"


def test_the_results_are_great_expectations_own_with_the_effect_of_each(site: Path) -> None:
    record = json.loads((site / "harbor" / "runs" / "1.json").read_text())
    assert set(record["results"]) == {"schools", "users", "classes", "enrollments"}
    users = record["results"]["users"]
    assert users["success"] is True
    assert users["statistics"]["evaluated_expectations"] == len(users["results"])
    assert {one["expectation_config"]["severity"] for one in users["results"]} == {"critical", "warning", "info"}
    assert all(one["result"] == {} for one in users["results"]), "a result holds more than met or not met"


def test_only_the_last_runs_are_kept(
    owner: Connection, app: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_docs, "KEPT_RUNS", 2)
    for _ in range(3):
        feeds.finish(owner, run(owner, app, tmp_path))
    assert [path.name for path in sorted((tmp_path / "harbor" / "runs").iterdir())] == [
        "2.html",
        "2.json",
        "3.html",
        "3.json",
    ]


def test_sixty_runs_are_kept() -> None:
    assert data_docs.KEPT_RUNS == 60


def test_a_repeated_check_of_a_run_replaces_its_page(owner: Connection, app: Connection, tmp_path: Path) -> None:
    run_id = run(owner, app, tmp_path)
    before = (tmp_path / "harbor" / "runs" / f"{run_id}.json").read_text()
    with owner.cursor() as cursor:
        cursor.execute("delete from staging.classes where run_id = %s and n > 35", (run_id,))
    checks.validate(app, run_id, feeds.district(), tmp_path)
    assert (tmp_path / "harbor" / "runs" / f"{run_id}.json").read_text() != before
    assert len(list((tmp_path / "harbor" / "runs").iterdir())) == 2
