"""The kinds of sources: described in one place, from which the registry, the DAGs and the pages know a new one."""

from __future__ import annotations

import json
import pkgutil
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from importlib import import_module
from typing import Any

import pytest

from roster_sync import sources
from roster_sync.config.districts import SourceSettings
from roster_sync.config.paths import REPOSITORY
from roster_sync.config.registry_file import load_registry
from roster_sync.core import source_kinds
from roster_sync.core.errors import ConfigError
from roster_sync.core.source_kinds import SourceKind
from roster_sync.orchestration import dag_factory
from roster_sync.sources import kinds
from roster_sync.sources.base import Access, CollectionReport, FeedReport, ProbeReport, Sink
from roster_sync.ui.web import registry_cache
from tests.sources.conftest import MemorySink

SHARED = {"http", "files"}
"""Packages below sources/ that several kinds use."""

PAPER = SourceKind(
    name="paper",
    label="Paper Lists",
    pool="source_paper",
    opens="tests.sources.test_kinds:PaperLists",
    needs=("path",),
    may=("version",),
    versions=("A4", "Letter"),
    is_paged=False,
)

REGISTRY = """\
districts:
  - key: harbor
    name: Harbor
    timezone: UTC
    source: {kind: paper, path: lists, version: A4}
"""


@dataclass
class PaperLists:
    """A made-up source of one school."""

    settings: SourceSettings
    access: Access | None
    district_key: str

    def probe(self) -> ProbeReport:
        return ProbeReport(issuer=f"paper:{self.district_key}")

    def fetch(self, sink: Sink) -> FeedReport:
        taken = sink.copy_rows("orgs", ("source_id", "name", "type"), [("s1", "North School", "school")])
        return FeedReport(f"paper:{self.district_key}", {"orgs": CollectionReport(taken, is_complete=True)})


@pytest.fixture
def with_paper(monkeypatch):
    monkeypatch.setattr(source_kinds, "KINDS", (*source_kinds.KINDS, PAPER))


def registry(folder: Any, text: str = REGISTRY) -> Any:
    path = folder / "registry.yaml"
    path.write_text(text)
    return path


@pytest.mark.usefixtures("with_paper")
def test_a_new_kind_is_known_everywhere_from_its_one_description(tmp_path):
    (district,) = load_registry(registry(tmp_path))
    assert district.source == SourceSettings("paper", path=str(tmp_path / "lists"), version="A4")

    (dag,) = dag_factory.build_all([district]).values()
    assert dag.get_task("extract").pool == "source_paper"
    assert "paper" in dag.tags
    assert "Paper Lists" in str(dag.doc_md)
    assert registry_cache.source_name(district) == "Paper Lists"
    assert registry_cache.source_name(None, "paper:harbor") == "Paper Lists"

    sink = MemorySink()
    report = kinds.open_source(district.source, None, district.key).fetch(sink)
    assert report.collections["orgs"].received == 1
    assert sink.ids("orgs") == ["s1"]


@pytest.mark.usefixtures("with_paper")
@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ("{kind: paper}", "lacks 'path'"),
        ("{kind: paper, path: x, version: A5}", "'version' must be one of A4, Letter"),
        ("{kind: paper, path: x, auth: bearer}", "'auth' does not belong to the paper source"),
        ("{kind: papper, path: x}", "did you mean 'paper'?"),
    ],
)
def test_a_new_kinds_entry_is_checked_by_its_description(tmp_path, wrong, part):
    with pytest.raises(ConfigError, match=part.replace("?", r"\?")):
        load_registry(registry(tmp_path, REGISTRY.replace("{kind: paper, path: lists, version: A4}", wrong)))


@pytest.mark.parametrize("kind", source_kinds.KINDS, ids=lambda kind: kind.name)
def test_a_kind_names_code_pool_and_settings_that_exist(kind):
    for path in filter(None, (kind.opens, kind.events)):
        module, _, name = path.partition(":")
        assert callable(getattr(import_module(module), name))
    assert kind.pool in json.loads((REPOSITORY / "include" / "pools.json").read_text())
    assert {*kind.needs, *kind.may} <= {field.name for field in fields(SourceSettings)} - {"kind"}
    assert bool(kind.versions) == ("version" in kind.needs + kind.may)
    assert bool(kind.auths) == ("auth" in kind.needs + kind.may)


def test_each_package_of_the_sources_is_a_kind_or_shared_by_several():
    packages = {found.name for found in pkgutil.iter_modules(sources.__path__) if found.ispkg}
    assert packages == {*source_kinds.names()} | SHARED


def test_each_kind_is_in_the_pages_about_the_configuration():
    text = (REPOSITORY / "docs" / "configuration.md").read_text(encoding="utf-8")
    for name in source_kinds.names():
        assert f"`{name}" in text, name


def test_an_unknown_kind_a_missing_connection_and_missing_events_are_refused_in_a_sentence():
    with pytest.raises(ConfigError, match="no source of kind 'paper'; known kinds are clever, oneroster"):
        kinds.open_source(SourceSettings("paper"), None, "harbor")
    for kind in source_kinds.KINDS:
        if "conn_id" in kind.needs:
            with pytest.raises(ConfigError, match=r"district harbor is of kind .* needs a `conn_id`"):
                kinds.open_source(SourceSettings(kind.name), None, "harbor")
        if not kind.events:
            now = datetime.now(tz=timezone.utc)
            with pytest.raises(ConfigError, match="District harbor has no events"):
                kinds.open_events(SourceSettings(kind.name), None, "harbor", since_id="", since=now)
