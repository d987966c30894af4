"""The registry as the pages hold it: read when it changes, and one wrong line hides no district."""

from __future__ import annotations

import os

import pytest

from roster_sync.core.errors import ConfigError
from roster_sync.ui.web import registry_cache

ENTRY = "  - {{key: {}, name: {}, timezone: America/Chicago, source: {{kind: clever, conn_id: c}}}}\n"


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "registry.yaml"
    monkeypatch.setenv("ROSTER_DISTRICTS", str(path))
    return path


def write(file, text, moment):
    file.write_text("districts:\n" + text)
    os.utime(file, (moment, moment))


def test_a_changed_file_is_read_again(file):
    write(file, ENTRY.format("harbor", "Harbor"), 1000)
    assert [entry.name for entry in registry_cache.all_districts().values()] == ["Harbor"]
    write(file, ENTRY.format("harbor", "New Harbor") + ENTRY.format("bay", "Bay"), 2000)
    assert sorted(registry_cache.all_districts()) == ["bay", "harbor"]
    assert registry_cache.all_districts()["harbor"].name == "New Harbor"


def test_while_the_file_is_refused_the_last_good_one_counts(file):
    write(file, ENTRY.format("harbor", "Harbor"), 1000)
    assert sorted(registry_cache.all_districts()) == ["harbor"]
    write(file, "  - {key: harbor}\n", 2000)
    assert sorted(registry_cache.all_districts()) == ["harbor"]


def test_a_registry_that_never_was_good_is_reported(file):
    write(file, "  - {key: harbor}\n", 1000)
    with pytest.raises(ConfigError):
        registry_cache.all_districts()


def test_a_registry_that_is_missing_is_reported_and_its_districts_stay_where_it_was_read_once(file):
    with pytest.raises(ConfigError, match="There is no registry at"):
        registry_cache.all_districts()
    write(file, ENTRY.format("harbor", "Harbor"), 1000)
    assert sorted(registry_cache.all_districts()) == ["harbor"]
    file.unlink()
    assert sorted(registry_cache.all_districts()) == ["harbor"]
