"""One made-up district that shares through Clever, OneRoster REST and OneRoster CSV at once, day by day."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, cast

from include.simulator.clever_site import CleverDistrict, CleverSite
from include.simulator.district import MadeUpDistrict
from include.simulator.oneroster_csv import CsvOptions, Version, write_csv
from include.simulator.serving import DEMO_SECRET, serve, serve_clever
from include.simulator.web import Simulator
from roster_sync.config.districts import SourceSettings
from roster_sync.core.errors import RosterError, SourceNotReady, SyncRefused
from roster_sync.engine import apply, runs
from roster_sync.engine.planning import plan
from roster_sync.feed import staging
from roster_sync.sources.base import Access, Source
from roster_sync.sources.clever.source import Clever
from roster_sync.sources.kinds import open_source
from tests.dsl.world import Ran, World

WAYS: Final = ("clever", "rest11", "rest12", "csv11", "csv12")
"""How one district may share."""
Way = Literal["clever", "rest11", "rest12", "csv11", "csv12"]


@dataclass
class Everywhere:
    """The servers of one made-up district, and the words in which a test tells what it does."""

    district: MadeUpDistrict
    world: World
    keep_empty_sections: bool = True
    """Clever shares no classes without students, OneRoster does: asked of Clever where both are compared."""
    settings: dict[str, Any] = field(default_factory=dict)
    """More settings of the simulated Clever."""
    day: int = 1
    _stack: ExitStack = field(default_factory=ExitStack)
    _servers: dict[str, Simulator] = field(default_factory=dict)

    def __enter__(self) -> Everywhere:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # -- what is shared -------------------------------------------------------------------------------------------

    def set_day(self, day: int) -> None:
        """The district lives on to a day, in all sources."""
        self.day = day
        for server in self._servers.values():
            server.set_day(day)

    def server(self, way: str) -> Simulator:
        """The server of one way, started when it is first asked for."""
        if way not in self._servers:
            if way == "clever":
                started = serve_clever(self.district, day=self.day, rate_limit=None)
                started.configure(keep_empty_sections=self.keep_empty_sections, **self.settings)
            else:
                version, auth = ("1.1", "oauth1") if way == "rest11" else ("1.2", "oauth2")
                started = serve(self.district, version=version, auth=auth, day=self.day)
            self._servers[way] = self._stack.enter_context(started)
        return self._servers[way]

    @property
    def at_clever(self) -> CleverDistrict:
        """The district as the simulated Clever has it."""
        return cast("CleverSite", self.server("clever").site()).of()

    @property
    def access(self) -> Access:
        """How Clever lets us in."""
        return Access(self.server("clever").url, password=self.at_clever.token)

    def clever(self, **tuning: Any) -> Clever:
        """The district's Clever source."""
        found = open_source(SourceSettings("clever", "conn"), self.access, "x", **{"budget": None, **tuning})
        return cast("Clever", found)

    def source(self, way: str) -> Source:
        """The district's source of one kind, on the day that it is."""
        if way == "clever":
            return self.clever()
        if way.startswith("csv"):
            path = self.world.folder / f"{way}-{self.district.seed}-{self.day}.zip"
            version: Version = "1.1" if way == "csv11" else "1.2"
            write_csv(self.district.day(self.day), path, CsvOptions(version=version, metadata=True))
            return open_source(SourceSettings("oneroster_csv", path=str(path)), None, f"made-{self.district.seed}")
        server, version, auth = self.server(way), "1.1" if way == "rest11" else "1.2", "oauth1"
        extra = {}
        if way == "rest12":
            auth, extra = "oauth2", {"token_url": f"{server.url}/oauth/token"}
        settings = SourceSettings("oneroster", "conn", version=version, auth=auth)
        return open_source(settings, Access(server.url, "demo-key", DEMO_SECRET, extra), "x", budget=None)

    # -- runs -----------------------------------------------------------------------------------------------------

    def portal_of(self, way: str) -> World:
        """The portal's district that this way fills: each has its own, in one database."""
        kind = "oneroster_csv" if way.startswith("csv") else "clever" if way == "clever" else "oneroster"
        there = self.world.elsewhere(f"d{self.district.seed}_{way}")
        return there.registry(source=SourceSettings(kind))

    def sync(self, way: str, **parameters: Any) -> Ran:
        """A run of this way into its own district of the portal."""
        return run(self.portal_of(way), self.source(way), **parameters)


def run(world: World, source: Source, **more: Any) -> Ran:
    """A whole run, ended as the DAG's tasks end it: a source that is not ready skips, a refusal says how."""
    run_id = world.begin(**more)
    try:
        staging.load(world.app, run_id, world.district, source)
        askable: Any = source if more.get("mode") == "reset" else None
        plan.make(world.app, run_id, world.district, askable)
        if runs.status_of(world.app, run_id) == "in_progress":
            apply.apply(world.app, run_id, world.district)
    except (SourceNotReady, SyncRefused) as refusal:
        status = refusal.status if isinstance(refusal, SyncRefused) else "skipped"
        runs.close(world.app, run_id, status, str(refusal))
    except RosterError as error:
        runs.close(world.app, run_id, "failed", str(error))
    return world.ran(run_id)


__all__ = ["WAYS", "Everywhere", "Way", "replace", "run"]
