"""Plays the steps of a case: runs as the DAG's tasks make them, and what people do in the portal between two nights."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from roster_sync.config.districts import SourceSettings
from roster_sync.core.errors import RosterError, SourceNotReady, SyncRefused
from roster_sync.core.links import Links
from roster_sync.engine import apply, matching, runs, worklist
from roster_sync.engine.planning import plan
from roster_sync.feed import checks, staging
from roster_sync.notices import outbox
from roster_sync.notices.mails import Mail
from roster_sync.sources.base import Access, Askable, ProbeReport, Source
from roster_sync.sources.kinds import open_source
from tests.cases.rosters import clever_collections, rest_collections
from tests.cases.servers import Collections, Quirk, RosterServer, serve_roster
from tests.cases.state import RunEnd, State, read_run, read_state
from tests.dsl.csv_files import csv_files, write_zip
from tests.dsl.roster import Roster
from tests.dsl.world import World
from tests.sources.stub import TOKEN, Time

DATA: Final = Path(__file__).parent / "data"
DESK: Final = "desk@district.example"
"""The address that subscribes to the district's emails in every case."""
Feed = Roster | Mapping[str, str] | Path
"""What a source sends: a roster for any source; for CSV also its files by name, or a zip."""


@dataclass
class Play:
    """One district and its source, from night to night."""

    world: World
    kind: str = "oneroster_csv"
    version: str = "1.1"
    auth: str = "bearer"
    quirks: Sequence[Quirk] = ()
    totals: bool = True
    page_size: int = 10_000
    night: int = 0
    ends: list[RunEnd] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)
    _server: RosterServer | None = None
    _source: Source | None = None

    def __post_init__(self) -> None:
        self.world.registry(source=SourceSettings(self.kind, conn_id="conn"))

    def close(self) -> None:
        self._stack.close()

    # -- what the source sends ------------------------------------------------------------------------------------

    @property
    def server(self) -> RosterServer:
        """The server of this district, started when it is first asked for."""
        if self._server is None:
            self._server = self._stack.enter_context(serve_roster(self.version, self.quirks, totals=self.totals))
        return self._server

    def source(self, feed: Feed | Collections, *, file_age_days: float = 0) -> Source:
        """The district's source with what it sends tonight."""
        if self.kind == "oneroster_csv":
            path = self._zip(feed)
            moment = time.time() - file_age_days * 86_400
            os.utime(path, (moment, moment))
            return open_source(SourceSettings("oneroster_csv", path=str(path)), None, self.world.district.key)
        self.server.show(self.night, self._collections(feed))
        tuning: dict[str, Any] = {**Time(now=time.time()).session, "budget": None, "page_size": self.page_size}
        if self.kind == "clever":
            settings = SourceSettings("clever", "conn")
            return open_source(settings, Access(self.server.url, password=TOKEN), "brook", **tuning)
        settings = SourceSettings("oneroster", "conn", version=self.version, auth=self.auth)
        extra = {"token_url": f"{self.server.url}/oauth/token"} if self.auth == "oauth2" else {}
        access = Access(self.server.url, "" if self.auth == "bearer" else "key", "secret", extra)
        return open_source(settings, access, "brook", **tuning)

    def _zip(self, feed: Feed | Collections) -> Path:
        path = self.world.folder / "brook.zip"
        if isinstance(feed, Path):
            path.write_bytes(feed.read_bytes())
            return path
        files = csv_files(feed, version=self.version) if isinstance(feed, Roster) else feed
        return write_zip(path, files)  # type: ignore[arg-type]

    def _collections(self, feed: Feed | Collections) -> Collections:
        if isinstance(feed, Roster):
            return clever_collections(feed) if self.kind == "clever" else rest_collections(feed, self.version)
        assert isinstance(feed, dict)
        return feed

    def probe(self, feed: Feed | Collections) -> ProbeReport:
        """'Test connection' with what the source sends."""
        return self.source(feed).probe()

    # -- runs -----------------------------------------------------------------------------------------------------

    def run(
        self, feed: Feed | Collections, mode: str = "edit", *, file_age_days: float = 0, **parameters: Any
    ) -> RunEnd:
        """A whole run: extract, validate, plan, apply, notify, finish."""
        self.night += 1
        source = self._source = self.source(feed, file_age_days=file_age_days)
        trigger = "nightly" if mode == "edit" and not parameters else "manual"
        try:
            run_id = self.world.begin(mode, trigger, **parameters)
        except SyncRefused:
            run_id = int(
                self.world.value("select max(id) from sync.runs where district_id = %s", self.world.district_id)
            )
            return self._end(run_id)
        return self._carry_on(run_id, source, mode)

    def edit(self, feed: Feed | Collections, **more: Any) -> RunEnd:
        return self.run(feed, "edit", **more)

    def reset(self, feed: Feed | Collections, **more: Any) -> RunEnd:
        return self.run(feed, "reset", **more)

    def approve(self) -> RunEnd:
        """A person says yes to the question of the last run, and the run goes on."""
        run_id = self.ends[-1].id
        assert self.world.answer(run=run_id), "the last run asks nothing"
        app, district = self.world.app, self.world.district
        mode = runs.reopen(app, district, run_id, "roster_approve", f"approve-{run_id}")
        return self._carry_on(run_id, self._source if mode == "reset" else None, mode)

    def _carry_on(self, run_id: int, source: Source | None, mode: str) -> RunEnd:
        app, district = self.world.app, self.world.district
        try:
            if source is not None:
                staging.load(app, run_id, district, source)
                checks.validate(app, run_id, district, self.world.folder / "docs")
            asked = source if mode == "reset" and isinstance(source, Askable) else None
            plan.make(app, run_id, district, asked)
            if runs.status_of(app, run_id) == "in_progress":
                apply.apply(app, run_id, district)
        except (SourceNotReady, SyncRefused) as refusal:
            runs.close(app, run_id, refusal.status if isinstance(refusal, SyncRefused) else "skipped", str(refusal))
        except RosterError as error:
            runs.close(app, run_id, "failed", str(error))
        worklist.refresh(app, run_id)
        return self._end(run_id)

    def _end(self, run_id: int) -> RunEnd:
        mails: list[Mail] = []
        outbox.send(self.world.app, run_id, self.world.district, mails.append, Links("https://ui.example/"))
        runs.fail_if_open(self.world.app, run_id, "The run was still open at its end.")
        end = read_run(self.world, run_id, mails)
        self.ends.append(end)
        return end

    # -- what people do -------------------------------------------------------------------------------------------

    def license(self, *people: str, schools: Sequence[str] = ()) -> Play:
        """Gives a license to each of these people and schools."""
        for person in people:
            self.world.license(user=person)
        for school in schools:
            self.world.license(school=school)
        return self

    def books(self, class_id: str, *students: str, title: str = "Book one") -> Play:
        """Gives a class a book, and some students their copies."""
        world = self.world
        world.do("insert into portal.books (code, title) values (%s, %s) on conflict do nothing", title, title)
        book, class_id = world.value("select id from portal.books where code = %s", title), world.class_(class_id)["id"]
        world.do("insert into portal.class_books (class_id, book_id) values (%s, %s) on conflict do nothing",
                 class_id, book)  # fmt: skip
        for student in students:
            world.do("insert into portal.student_books (user_id, class_id, book_id) values (%s, %s, %s)",
                     world.person(student)["id"], class_id, book)  # fmt: skip
        return self

    def subscribe(self, address: str = DESK) -> Play:
        self.world.do("insert into sync.subscriptions (district_id, email) values (%s, %s)",
                      self.world.district_id, address)  # fmt: skip
        return self

    def same_person(self, new: str, old: str) -> None:
        """A person answers the match review of two source ids: they are the same."""
        item = self.world.value(
            "select w.id from sync.worklist w join portal.users n on n.id = w.subject_id"
            " join portal.users o on o.id = w.second_subject_id"
            " where w.kind = 'match_review' and w.resolved_at is null and n.source_id = %s and o.source_id = %s",
            new, old,
        )  # fmt: skip
        matching.same_person(self.world.app, item, "Pat Approver")

    def pass_days(self, days: int) -> Play:
        """Lets time go by: what the sync remembers of runs, notices and items becomes older."""
        for table in ("runs", "notices", "worklist", "holds"):
            columns = [row["column_name"] for row in self.world.rows(
                "select column_name from information_schema.columns where table_schema = 'sync' and table_name = %s"
                " and data_type = 'timestamp with time zone' and is_generated = 'NEVER'", table)]  # fmt: skip
            sets = ", ".join(f"{name} = {name} - make_interval(days => %s)" for name in columns)
            self.world.do(f"update sync.{table} set {sets}", *[days] * len(columns))  # noqa: S608 (names of our own)
        return self

    def state(self) -> State:
        """The end state."""
        return read_state(self.world, self.ends)


# -- cases that were handed over --------------------------------------------------------------------------------------


def play_case(world: World, name: str, *, until: int | None = None) -> Play:
    """Plays the steps of data/<name>; the caller closes the play.

    Args:
        world: an empty portal.
        name: the case's folder.
        until: how many runs to play; None = all.
    """
    folder = DATA / name
    case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    world.registry(roles=tuple(case.get("roles", ("teacher", "student"))))
    exchange: list[dict[str, Any]] = case.get("exchange", [])
    quirks = [
        Quirk(**quirk | ({"replace": tuple(quirk["replace"])} if "replace" in quirk else {})) for quirk in exchange
    ]
    play = Play(world, case["source"], case.get("version", "1.1"), case.get("auth", "bearer"), quirks)
    for step in case["steps"]:
        if "run" in step and until is not None and len(play.ends) >= until:
            break
        _do(play, folder, step)
    return play


def _do(play: Play, folder: Path, step: dict[str, Any]) -> None:
    match step:
        case {"run": mode, "day": day}:
            age = step.get("file_age_days", 0)
            play.page_size = step.get("page_size", play.page_size)
            if age and play.ends:
                play.pass_days(1)
            play.run(_feed(play, folder, day), mode, file_age_days=age, **step.get("params", {}))
        case {"license": {"to": people}}:
            play.license(*people)
        case {"license": {"schools": schools}}:
            play.license(schools=schools)
        case {"book": book}:
            play.books(book["class"], *book["students"], title=book["title"])
        case {"subscribe": address}:
            play.subscribe(address)
        case {"approve": True}:
            play.approve()
        case _:
            raise ValueError(f"unknown step {step}")


def _feed(play: Play, folder: Path, day: int) -> Feed | Collections:
    if play.kind == "oneroster_csv":
        return folder / f"day{day}.zip"
    own = folder / f"day{day}.json"
    if own.exists():
        return dict(json.loads(own.read_text(encoding="utf-8")))
    path = DATA / ("clever_roster.json" if play.kind == "clever" else "rest_roster.json")
    collections: Collections = json.loads(path.read_text(encoding="utf-8"))
    return as_v12(collections) if play.version == "1.2" else collections


def as_v12(collections: Collections) -> Collections:
    """The REST roster as 1.2 sends it: roles within people; S00 is in no class."""
    users = []
    for user in collections["users"]:
        rest = {name: value for name, value in user.items() if name not in ("role", "orgs")}
        roles = [{"roleType": "primary", "role": user["role"], "org": org} for org in user["orgs"]]
        users.append(rest | {"roles": roles})
    kept = [line for line in collections["enrollments"] if line["user"]["sourcedId"] != "S00"]
    return collections | {"users": users, "enrollments": kept}


__all__ = ["DESK", "Feed", "Play", "play_case"]
