"""A stateful Clever: token listing, Data API and Events API (v3.0, v3.1) of one application with its districts.

Choices where the public documentation says nothing: the total of `count=true` is `count` at the top level;
an application without events gets an empty list; `previous_attributes` holds whole top-level attributes; 401, 403 and
404 say `{"message": ...}`; without Secure Sync all but the district is 403; a record's links are named as their paths.
`ending_before=last` gives the newest records: undocumented, but public clients rely on it.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from email.utils import formatdate
from typing import Any, Final

from include.simulator.clever_events import Events, schools_of
from include.simulator.clever_json import ROLES, CleverView, Json, dump
from include.simulator.clever_page import BadRequest, page_of
from include.simulator.clever_person import ME, PREFIX, is_open_to, me_of
from include.simulator.clever_relations import ONE, RELATIONS, links_of, related
from include.simulator.clever_snapshot import CleverSnapshot
from include.simulator.district import MadeUpDistrict
from include.simulator.faults import Faults
from include.simulator.oneroster_auth import basic_credentials
from include.simulator.rate import RateLimit
from include.simulator.web import HTML_PAGE, Reply, Request, json_reply

VERSIONS: Final = ("v3.0", "v3.1")
COUNTED: Final = ("districts", "schools", "users", "sections", "courses", "terms")
ROLES_AT_SCHOOL: Final = ("staff", "student", "teacher")
STATES: Final = ("running", "pending", "error", "paused", "", "success")
SECTION_ROLES: Final = ("student", "teacher")


@dataclass
class CleverDistrict:
    """A district that shares with the application, and its state."""

    district: MadeUpDistrict
    token: str = ""
    """The bearer token; made from the seed when empty."""
    day: int = 1
    state: str = "success"
    error: str = ""
    pause_start: str | None = None
    pause_end: str | None = None
    last_sync: str | None = None
    """What the district object reports; None = the morning of the day that is served."""
    shared_schools: Sequence[int] | None = None
    """Indexes of the schools that are shared; None = all."""
    hidden_students: int | None = None
    """Every k-th student cannot be read although sections name them."""
    keep_empty_sections: bool = False
    """Lists sections without students too; Clever itself does not."""
    events: bool = True
    events_since_day: int = 1
    """Changes up to this day made no events: they were not switched on yet."""
    sensitive: bool = False
    """Students come with race, language, lunch status ... too, as a district may share them."""
    secure_sync: bool = True
    """False: the token reads nothing but its district."""
    is_connected: bool = True
    """False: the district has ended the connection; its token is refused and no longer listed."""
    bumps: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        self.token = self.token or f"district-token-{self.district.seed}"

    @property
    def id(self) -> str:
        """The district's Clever id."""
        return self.district.office.clever_id

    def reported_last_sync(self) -> str:
        """What the district object reports as its last sync."""
        if self.last_sync is not None:
            return self.last_sync
        moment = datetime.strptime(self.district.timestamp(self.day), "%Y-%m-%dT%H:%M:%S.%fZ")
        moved = moment + timedelta(hours=1, minutes=self.bumps)
        return moved.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def view(self, day: int, version: str) -> CleverView:
        """The objects of a day."""
        shared = None if self.shared_schools is None else frozenset(self.shared_schools)
        return CleverView(
            self.district.day(day), version, shared, self.hidden_students, self.keep_empty_sections, self.sensitive
        )  # fmt: skip


_DISTRICT_SETTINGS: Final = {item.name for item in fields(CleverDistrict)} - {"district", "bumps"}


@dataclass
class CleverSettings:
    """What can be set for the whole application."""

    default_limit: int = 100
    max_limit: int = 10_000
    rate_limit: int | None = 1200
    rate_seconds: float = 60.0
    counts: bool = True
    """Whether count=true is answered with a total."""
    rate_headers: bool = False
    """Sends X-RateLimit-* on every reply, not only on refusals."""


class CleverSite:
    """One application at Clever."""

    def __init__(
        self, districts: Iterable[CleverDistrict], client_id: str = "demo-client", client_secret: str = "",
        prefix: str = "", **settings: Any,
    ) -> None:  # fmt: skip
        """Serves the districts; the secret is 'demo-secret' unless given."""
        self.prefix, self.faults, self.settings = prefix, Faults(), CleverSettings()
        self.client = (client_id, client_secret or "demo-secret")
        self.districts = list(districts)
        self._snapshots: OrderedDict[tuple[Any, ...], CleverSnapshot] = OrderedDict()
        self._events: dict[tuple[Any, ...], Events] = {}
        self.rate = RateLimit()
        self.configure(settings)

    # -- what the server and the tests call -----------------------------------------------------------------------

    def of(self, district: str | MadeUpDistrict | None = None) -> CleverDistrict:
        """A district by its Clever id, name or itself; without one the first."""
        for entry in self.districts:
            if district is None or district is entry.district or district in (entry.id, entry.district.name):
                return entry
        raise ValueError("That district shares nothing with this application.")

    def set_day(self, number: int, district: str | MadeUpDistrict | None = None) -> None:
        """Moves one district, or all, to another day."""
        for entry in self.districts if district is None else [self.of(district)]:
            entry.district.day(number)
            entry.day = number

    def bump(self, *, data: bool) -> None:
        """Moves last_sync of all districts, and (data) their data to the next day."""
        for entry in self.districts:
            if data:
                entry.district.day(entry.day + 1)
                entry.day += 1
            else:
                entry.bumps += 1

    def expire_tokens(self) -> None:
        """Gives every district another token; the old ones are refused."""
        for entry in self.districts:
            entry.token = f"district-token-{secrets.token_hex(8)}"

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Changes settings of the application, or of one district (named by `district`) or all."""
        rest = dict(settings)
        named = rest.pop("district", None)
        entries = self.districts if named is None else [self.of(named)]
        for name, value in rest.items():
            if name in _DISTRICT_SETTINGS:
                if name == "state" and value not in STATES:
                    raise ValueError(f"A district's state is one of {', '.join(filter(None, STATES))}.")
                for entry in entries:
                    setattr(entry, name, value)
            elif hasattr(self.settings, name):
                setattr(self.settings, name, value)
            else:
                raise ValueError(f"Clever has no setting {name!r}.")
        self.rate.requests, self.rate.seconds = self.settings.rate_limit, self.settings.rate_seconds

    def describe(self) -> dict[str, Any]:
        """What is set, without secrets."""
        districts = [
            {"id": entry.id, "name": entry.district.name, "day": entry.day, "state": entry.state,
             "last_sync": entry.reported_last_sync()}
            for entry in self.districts
        ]  # fmt: skip
        return {"kind": "clever", "districts": districts, **vars(self.settings)}

    def error(self, status: int, description: str) -> Reply:
        """An error in the form that Clever uses."""
        return json_reply({"message": description}, status)

    def warm(self, root: str, names: Sequence[str] = ()) -> None:
        """Serializes collections of every district's present day for v3.1 (none named = all)."""
        for entry in self.districts:
            snapshot = self.snapshot(entry, VERSIONS[-1])
            for name in names or snapshot.view.makers():
                snapshot.collection(name)
            if not names or "users" in names:
                for role in ROLES:
                    snapshot.users(role)

    def handle(self, request: Request) -> Reply:
        """Answers a request."""
        if request.method != "GET":
            return self.error(501, "Only GET is served.")
        if request.path == "/oauth/tokens":
            return self._list_tokens(request)
        version, _, rest = request.path.lstrip("/").partition("/")
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if token.startswith(PREFIX):
            return self._limited(token, lambda: self._read_as_person(token.removeprefix(PREFIX), request))
        entry = next((entry for entry in self._connected() if entry.token == token), None)
        if kind.lower() != "bearer" or entry is None:
            return self.error(401, "The bearer token is not known.")
        if request.path == "/oauth/tokeninfo":
            return json_reply({"client_id": self.client[0], "scopes": _SCOPES})
        if version not in VERSIONS:
            return self.error(404, "There is no such version of the API.")
        return self._limited(token, lambda: self._read(entry, version, rest.split("/"), request))

    def _connected(self) -> list[CleverDistrict]:
        return [entry for entry in self.districts if entry.is_connected]

    # -- tokens ---------------------------------------------------------------------------------------------------

    def _list_tokens(self, request: Request) -> Reply:
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic" or basic_credentials(value) != self.client:
            return self.error(401, "The client id and secret are not known.")
        wanted, owner = request.first("district"), request.first("owner_type")
        if not wanted and owner not in ("", "district"):
            return json_reply({"data": [], "links": []})
        tokens = [
            {"id": f"{entry.district.seed & 0xFFFFFFFF:024x}", "created": entry.district.timestamp(1),
             "owner": {"type": "district", "id": entry.id}, "access_token": entry.token, "scopes": _SCOPES}
            for entry in self._connected()
            if wanted in ("", entry.id)
        ]  # fmt: skip
        uri = f"{self.prefix}{request.path}" + (f"?{request.query}" if request.query else "")
        return json_reply({"data": tokens, "links": [{"rel": "self", "uri": uri}]})

    def _limited(self, token: str, read: Callable[[], Reply]) -> Reply:
        is_allowed, left, ends = self.rate.take(token)
        reply = read() if is_allowed else self.error(429, "Too many requests.")
        if self.settings.rate_limit is not None and (self.settings.rate_headers or not is_allowed):
            reply.headers["Date"] = formatdate(self.rate.clock(), usegmt=True)  # one clock for the whole server
            reply.headers["X-RateLimit-Reset"] = str(int(ends) + 1)
            reply.headers["X-RateLimit-Limit"] = str(self.settings.rate_limit)
            reply.headers["X-RateLimit-Remaining"] = str(left)
        return reply

    # -- reading --------------------------------------------------------------------------------------------------

    def snapshot(self, entry: CleverDistrict, version: str) -> CleverSnapshot:
        """The records of a district on its present day."""
        shared = None if entry.shared_schools is None else tuple(entry.shared_schools)
        key = (entry.id, entry.day, version, shared, entry.hidden_students, entry.keep_empty_sections, entry.sensitive)
        found = self._snapshots.get(key)
        if found is None:
            found = self._snapshots.setdefault(key, CleverSnapshot(entry.view(entry.day, version)))
            while len(self._snapshots) > 2 * len(self.districts) + 2:
                self._snapshots.popitem(last=False)
        return found

    def _read(self, entry: CleverDistrict, version: str, parts: list[str], request: Request) -> Reply:
        try:
            if parts[0] == "districts":
                return self._districts(entry, version, parts[1:], request)
            if not entry.secure_sync:
                return self.error(403, "Without Secure Sync this token can read only its district.")
            if parts[0] == "events":
                return self._read_events(entry, version, parts[1:], request)
            if parts[0] in RELATIONS:
                return self._read_records(entry, version, parts, request)
        except BadRequest as bad:
            return self.error(bad.status, str(bad))
        return self.error(404, "Resource not found")

    def _read_as_person(self, person: str, request: Request) -> Reply:
        """What a person's own token can read; the real Clever answers everything else with an HTML page."""
        version, *parts = [VERSIONS[-1], ME] if request.path == f"/{ME}" else request.path.strip("/").split("/")
        for entry in self._connected() if version in VERSIONS and not request.first("limit") else ():
            users = self.snapshot(entry, version).collection("users")
            rank = users.rank(person)
            if rank is None or not is_open_to(record := users.record(rank), parts):
                continue
            if parts == [ME]:
                return json_reply(me_of(record, f"/{version}"))
            if parts[0] == "districts":
                return self._districts(entry, version, parts[1:], request)
            return self._read_records(entry, version, parts, request)
        return Reply(401, HTML_PAGE, content_type="text/html; charset=utf-8")

    def _districts(self, entry: CleverDistrict, version: str, rest: list[str], request: Request) -> Reply:
        record = self._district(entry, version)
        if not rest:
            body: Json = {"data": [{"data": record}], "links": [{"rel": "self", "uri": f"/{version}/districts"}]}
            is_counted = self.settings.counts and request.first("count") == "true"
            return json_reply({**body, "count": 1} if is_counted else body)
        return json_reply({"data": record}) if rest == [entry.id] else self.error(404, "Resource not found")

    def _district(self, entry: CleverDistrict, version: str) -> Json:
        made_up = entry.district
        record: Json = {
            "id": entry.id, "name": made_up.name, "sis_type": "sftp_sync", "state": entry.state,
            "pause_start": entry.pause_start, "pause_end": entry.pause_end, "last_sync": entry.reported_last_sync(),
            "launch_date": made_up.date_of(1).isoformat(), "error": entry.error, "mdr_number": f"{made_up.seed:08d}",
            "nces_id": made_up.office.nces_id, "portal_url": f"https://portal.example.org/{made_up.seed}",
            "login_methods": ["sso"],
            "district_contact": {"id": f"{made_up.seed:024x}", "district": entry.id, "title": "Data Manager",
                                 "email": f"data@{made_up.domain}", "name": {"first": "Data", "last": "Manager"}},
        }  # fmt: skip
        if version == "v3.1":
            record |= {"lms_type": "", "lms_state": "", "last_attendance_sync": None}
        return record

    def _read_records(self, entry: CleverDistrict, version: str, parts: list[str], request: Request) -> Reply:
        snapshot, name = self.snapshot(entry, version), parts[0]
        if len(parts) == 1:
            ranks = snapshot.users(_role(request, ROLES)) if name == "users" else None
            return self._page(snapshot, name, ranks, version, request, is_counted=name in COUNTED)
        rank = snapshot.collection(name).rank(parts[1])
        if rank is None or len(parts) > 3:
            return self.error(404, "Resource not found")
        if len(parts) == 2:
            record = snapshot.collection(name).record(rank)
            return json_reply({"data": record, "links": links_of(name, f"{self.prefix}{request.path}")})
        return self._relation(entry, snapshot, version, parts, request)

    def _relation(
        self, entry: CleverDistrict, snapshot: CleverSnapshot, version: str, parts: list[str], request: Request
    ) -> Reply:
        name, clever_id, wanted = parts
        if wanted not in RELATIONS[name]:
            return self.error(404, "Resource not found")
        if wanted == "district":
            return json_reply({"data": self._district(entry, version)})
        allowed = ROLES_AT_SCHOOL if name == "schools" else SECTION_ROLES
        role = _role(request, allowed) if wanted == "users" else ""
        only_primary = request.first("primary") == "true"
        target, ranks = related(snapshot, name, clever_id, wanted, role, only_primary=only_primary)
        if wanted in ONE:
            if not ranks:
                return self.error(404, "Resource not found")
            return json_reply({"data": snapshot.collection(target).record(ranks[0])})
        return self._page(snapshot, target, ranks, version, request, is_counted=False)

    def _page(
        self, snapshot: CleverSnapshot, name: str, ranks: Sequence[int] | None, version: str, request: Request, *,
        is_counted: bool,
    ) -> Reply:  # fmt: skip
        collection = snapshot.collection(name)
        every = range(len(collection.ids)) if ranks is None else ranks
        page = page_of(every, collection.ids, request, self.settings.default_limit, self.settings.max_limit)
        is_counted = is_counted and self.settings.counts
        return page.reply(collection.body(page.ranks), f"{self.prefix}{request.path}", request, is_counted=is_counted)

    # -- events ---------------------------------------------------------------------------------------------------

    def _read_events(self, entry: CleverDistrict, version: str, rest: list[str], request: Request) -> Reply:
        found = self._events_of(entry, version) if entry.events else []
        if rest:
            event = next((event for event in found if rest == [event["id"]]), None)
            return json_reply({"data": event}) if event else self.error(404, "Resource not found")
        if school := request.first("school"):
            found = [event for event in found if school in schools_of(event)]
        kinds = {kind for text in request.all("record_type") for kind in text.split(",") if kind}
        if kinds:
            found = [event for event in found if kinds & {event["type"], event["type"].partition(".")[0]}]
        ids = [bytes.fromhex(event["id"]) for event in found]
        page = page_of(range(len(found)), ids, request, self.settings.default_limit, self.settings.max_limit)
        body = b",".join(dump({"data": found[rank]}) for rank in page.ranks)
        return page.reply(body, f"{self.prefix}{request.path}", request, is_counted=False)

    def _events_of(self, entry: CleverDistrict, version: str) -> list[Json]:
        shared = None if entry.shared_schools is None else tuple(entry.shared_schools)
        key = (entry.id, version, shared, entry.hidden_students, entry.keep_empty_sections, entry.sensitive)
        events = self._events.setdefault(key, Events(lambda day: entry.view(day, version)))
        return events.until(entry.day, entry.events_since_day)


_SCOPES: Final = ["read:district_admins", "read:sections", "read:students", "read:teachers", "read:users"]


def _role(request: Request, allowed: Sequence[str]) -> str:
    role = request.first("role")
    if role and role not in allowed:
        raise BadRequest(400, f"role must be one of {', '.join(allowed)}.")
    return role
