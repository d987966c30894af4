"""The made-up district as each kind of source has it: what the contract suite runs against."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import time as now
from typing import Any, cast

from include.simulator.clever_site import CleverDistrict, CleverSite
from include.simulator.district import DistrictDay, MadeUpDistrict
from include.simulator.oneroster_csv import CsvOptions, Version, write_csv
from include.simulator.serving import DEMO_SECRET, serve, serve_clever
from include.simulator.web import Simulator
from roster_sync.config.districts import SourceSettings
from roster_sync.sources.base import Access, FeedReport, Source
from roster_sync.sources.clever.mapping import ROLES
from roster_sync.sources.kinds import open_source
from tests.sources.conftest import MemorySink
from tests.sources.stub import Time

CONTACTS = {"parent", "guardian", "relative"}
WRONG = "wrong-7c1e-not-to-be-seen"
Ids = dict[str, list[str]]


@dataclass
class Provider:
    """One district at one kind of source."""

    settings: SourceSettings
    access: Access | None
    ids: Ids
    """What a whole read brings: the ids of each collection."""
    schools: dict[str, str]
    simulator: Simulator | None = None
    tuning: dict[str, Any] = field(default_factory=dict)
    break_off: Callable[[], object] = lambda: None
    """From now on a record of the people is missing, and the source does not say so."""
    garble: Callable[[], object] = lambda: None
    """From now on it gives something that is not a roster."""
    time: Time = field(default_factory=lambda: Time(now=now()))

    def open(self, **tuning: Any) -> Source:
        """The source; with a server, on the provider's own clock."""
        session = self.time.session if self.simulator else {}
        return open_source(self.settings, self.access, "harbor", **{**session, **self.tuning, **tuning})

    def with_wrong_secret(self) -> Provider:
        """The same with a secret that the server refuses."""
        assert self.access is not None
        return replace(self, access=replace(self.access, password=WRONG))


def oneroster_ids(day: DistrictDay) -> Ids:
    """The ids of all that OneRoster gives of a day, contacts left out."""
    people = [person for person in day.users() if not {role.role for role in person.roles} <= CONTACTS]
    return {
        "orgs": [day.district.office.sourced_id] + [school.sourced_id for school in day.schools()],
        "terms": [term.sourced_id for term in day.terms()],
        "classes": [class_.sourced_id for class_ in day.classes()],
        "users": [person.sourced_id for person in people],
        "enrollments": [line.sourced_id for line in day.enrollments()],
    }


def clever_ids(district: CleverDistrict) -> Ids:
    """The ids of all that Clever shares; enrollments are named by section, person and role."""
    view = district.view(district.day, "v3.1")
    records = {name: list(make()) for name, make in view.makers().items()}
    return {
        "orgs": [record["id"] for record in records["schools"]] + [district.id],
        "terms": [record["id"] for record in records["terms"]],
        "courses": [record["id"] for record in records["courses"]],
        "classes": [record["id"] for record in records["sections"]],
        "users": [record["id"] for record in records["users"] if set(record["roles"]) & set(ROLES)],
        "enrollments": [
            f"{record['id']}:{user}:{role}"
            for record in records["sections"]
            for role in ("teacher", "student")
            for user in record[f"{role}s"]
        ],
    }


def check_whole(report: FeedReport, sink: MemorySink, ids: Ids) -> None:
    """Everything that the district has is in the sink, once, and proved."""
    for collection, wanted in ids.items():
        assert sorted(map(str, sink.ids(collection))) == sorted(wanted), collection
    assert sink.rejects == []
    assert {name for name, collection in report.collections.items() if not collection.is_complete} == set()
    assert report.adds_only == ""


@contextmanager
def oneroster(district: MadeUpDistrict, _folder: Path, version: str, auth: str) -> Iterator[Provider]:
    """OneRoster over REST."""
    with serve(district, version=version, auth=auth) as simulator:
        extra = {"token_url": f"{simulator.url}/oauth/token"} if auth == "oauth2" else {}
        yield Provider(
            SourceSettings("oneroster", "conn", version=version, auth=auth),
            Access(simulator.url, "" if auth == "bearer" else "demo-key", DEMO_SECRET, extra),
            oneroster_ids(district.day(1)),
            {school.sourced_id: school.name for school in district.day(1).schools()},
            simulator,
            {"page_size": 100},
            break_off=lambda: simulator.fault("skipped", "*/users", match="offset=100"),
            garble=lambda: simulator.fault("garbled"),
        )


@contextmanager
def clever(district: MadeUpDistrict, _folder: Path, version: str) -> Iterator[Provider]:
    """Clever, by the district's token."""
    with serve_clever(district, rate_limit=None) as simulator:
        entry = cast("CleverSite", simulator.site()).of()
        yield Provider(
            SourceSettings("clever", "conn", version=version),
            Access(simulator.url, password=entry.token),
            clever_ids(entry),
            {school.clever_id: school.name for school in district.day(1).schools()},
            simulator,
            {"page_size": 50, "budget": None},
            break_off=lambda: simulator.fault("skipped", match="role=student&starting_after"),
            garble=lambda: simulator.fault("garbled"),
        )


@contextmanager
def oneroster_csv(district: MadeUpDistrict, folder: Path, version: Version) -> Iterator[Provider]:
    """OneRoster files in a zip on this machine."""
    path = folder / "roster.zip"
    write_csv(district.day(1), path, CsvOptions(version=version))
    yield Provider(
        SourceSettings("oneroster_csv", path=str(path)),
        None,
        {**oneroster_ids(district.day(1)), "users": [person.sourced_id for person in district.day(1).users()]},
        {school.sourced_id: school.name for school in district.day(1).schools()},
        break_off=lambda: _cut_file(path, "users.csv"),
        garble=lambda: path.write_bytes(b"<html>"),
    )


def _cut_file(path: Path, name: str) -> None:
    """The last line of a file of the zip ends in its middle."""
    with zipfile.ZipFile(path) as packed:
        files = {each: packed.read(each) for each in packed.namelist()}
    files[name] = files[name].rstrip()[:-3]
    with zipfile.ZipFile(path, "w") as packed:
        for each, data in files.items():
            packed.writestr(each, data)


PROVIDERS: dict[str, Callable[[MadeUpDistrict, Path], Any]] = {
    "oneroster 1.1 oauth1": lambda district, folder: oneroster(district, folder, "1.1", "oauth1"),
    "oneroster 1.1 bearer": lambda district, folder: oneroster(district, folder, "1.1", "bearer"),
    "oneroster 1.2 oauth2": lambda district, folder: oneroster(district, folder, "1.2", "oauth2"),
    "clever v3.0": lambda district, folder: clever(district, folder, "v3.0"),
    "clever v3.1": lambda district, folder: clever(district, folder, "v3.1"),
    "oneroster_csv 1.1": lambda district, folder: oneroster_csv(district, folder, "1.1"),
    "oneroster_csv 1.2": lambda district, folder: oneroster_csv(district, folder, "1.2"),
}
"""By the kind's name and what differs within it."""
