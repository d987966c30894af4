"""A OneRoster server (1.1 or 1.2 rostering service, with ClassLink's differences) over a made-up district."""

from __future__ import annotations

import json
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlencode

from include.simulator.district import MadeUpDistrict
from include.simulator.faults import Faults
from include.simulator.oneroster_auth import Auth, Refused
from include.simulator.oneroster_json import JsonView, dump
from include.simulator.oneroster_query import BadFilter
from include.simulator.oneroster_snapshot import STORED, Positions, Snapshot
from include.simulator.rate import RateLimit
from include.simulator.web import Reply, Request, json_reply

ROOTS: Final = {"1.1": "/ims/oneroster/v1p1", "1.2": "/ims/oneroster/rostering/v1p2"}
TOKEN_PATH: Final = "/oauth/token"  # noqa: S105 - a path
RELATIONS: Final = {
    "schools": ("classes", "enrollments", "students", "teachers", "courses", "terms"),
    "classes": ("students", "teachers"), "courses": ("classes",), "terms": ("classes", "gradingPeriods"),
    "students": ("classes",), "teachers": ("classes",), "users": ("classes",),
}  # fmt: skip
_IN_CLASS_OF_SCHOOL: Final = ("enrollments", "students", "teachers")
_MINOR: Final = {
    400: "invalid_selection_field", 401: "unauthorisedrequest", 403: "forbidden", 404: "unknownobject",
    422: "invaliddata", 429: "server_busy",
}  # fmt: skip


@dataclass
class Settings:
    """How providers differ; all can be changed while running."""

    total_count: bool = True
    """Sends X-Total-Count."""
    links: bool = True
    """Sends Link."""
    bare_links: bool = False
    """Links hold limit and offset only, relative to the request's address: fields, sort and filter are left out."""
    counts_page: bool = False
    """X-Total-Count is the number of records in the page, as some servers send it."""
    classlink: bool = False
    """Sends x-count and x-perm-rev, as ClassLink does."""
    default_limit: int = 100
    max_limit: int | None = None
    """A larger limit is reduced without an error, as Ed-Fi's service does."""
    tombstones: str = ""
    """'tobedeleted' or 'inactive': what is gone since the day before is still listed, with that status."""
    rate_limit: int | None = None
    """Requests per window; above it 429 with Retry-After."""
    rate_seconds: float = 60.0
    token_seconds: float = 3600.0


class ProblemError(Exception):
    """An error that the specification defines."""

    def __init__(
        self, status: int, description: str, minor: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """HTTP status, message, the code minor value and more headers."""
        super().__init__(description)
        self.status, self.description, self.minor, self.headers = status, description, minor, dict(headers or {})


class OneRosterSite:
    """One district's OneRoster server."""

    def __init__(
        self, district: MadeUpDistrict, version: str = "1.1", auth: Auth | None = None, prefix: str = "", day: int = 1,
        **settings: Any,
    ) -> None:  # fmt: skip
        """Serves the district from the day given.

        Args:
            district: the made-up district.
            version: "1.1" or "1.2".
            auth: how clients are authenticated; OAuth 1.0a with demo-key and demo-secret by default.
            prefix: the path before /ims, e.g. "/harbor".
            day: the day that is served first.
            settings: those of Settings.
        """
        self.district, self.version, self.auth = district, version, auth or Auth()
        self.prefix, self.faults, self.settings = prefix, Faults(), Settings()
        self._root = ROOTS[version]
        self._day, self._bumps = day, 0
        self._snapshots: OrderedDict[tuple[int, str, str], Snapshot] = OrderedDict()
        self._pages: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._rate = RateLimit()
        self.configure(settings)

    # -- what the server and the tests call -----------------------------------------------------------------------

    @property
    def day(self) -> int:
        """The day that is served."""
        return self._day

    @property
    def revision(self) -> str:
        """What x-perm-rev says."""
        return f"{self._day}.{self._bumps}"

    @property
    def _minor_of_sort(self) -> str:
        """1.1 defines a code for a bad sort, 1.2 does not."""
        return "invalid_sort_field" if self.version == "1.1" else "invalid_filter_field"

    def set_day(self, number: int) -> None:
        """Moves the district to another day."""
        self.district.day(number)
        self._day = number

    def bump(self, *, data: bool) -> None:
        """Moves the revision, and (data) the data to the next day."""
        if data:
            self.set_day(self._day + 1)
        else:
            self._bumps += 1

    def expire_tokens(self) -> None:
        """Expires the access tokens issued so far."""
        self.auth.expire()

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Changes settings while running."""
        for name, value in settings.items():
            if not hasattr(self.settings, name):
                raise ValueError(f"A OneRoster server has no setting {name!r}.")
            setattr(self.settings, name, value)
        self._rate.requests, self._rate.seconds = self.settings.rate_limit, self.settings.rate_seconds
        self.auth.token_seconds = self.settings.token_seconds

    def describe(self) -> dict[str, Any]:
        """What is set, without secrets."""
        kind = {"kind": "oneroster", "version": self.version, "auth": self.auth.kind, "root": self._root,
                "district": self.district.office.name}  # fmt: skip
        return {**kind, "day": self._day, "revision": self.revision, **vars(self.settings)}

    def warm(self, root: str, names: Sequence[str] = ()) -> None:
        """Serializes the stored collections of the present day: users, enrollments ... (none named = all)."""
        snapshot = self._snapshot(f"{root}{self.prefix}")
        for name in names or snapshot.view.makers():
            snapshot.spool(name)

    def handle(self, request: Request) -> Reply:
        """Answers a request."""
        if request.path == TOKEN_PATH:
            return self.auth.give_token(request, self.version)
        try:
            scopes = self.auth.check(request)
            self._limit_rate()
            if request.method not in ("GET", "HEAD"):
                raise ProblemError(405, "Rosters can only be read.", "invaliddata", {"Allow": "GET, HEAD"})
            return self._read(request, scopes)
        except Refused as refusal:
            return self.error(401, str(refusal))
        except ProblemError as problem:
            reply = self.error(problem.status, problem.description, problem.minor)
            reply.headers.update(problem.headers)
            return reply
        except BadFilter as bad:
            return self.error(400, str(bad), "invalid_filter_field")

    def error(self, status: int, description: str, minor: str = "") -> Reply:
        """An error in the form of the specification."""
        minor = minor or _MINOR.get(status, "internal_server_error")
        info: dict[str, Any] = {
            "imsx_codeMajor": "unsupported" if status in (405, 501) else "failure", "imsx_severity": "error",
            "imsx_description": description,
            "imsx_CodeMinor": {
                "imsx_codeMinorField": [
                    {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor}
                ]
            },
        }  # fmt: skip
        headers = {"WWW-Authenticate": self.auth.challenge} if status == 401 else {}
        return json_reply(info if self.version == "1.2" else {"statusInfoSet": [info]}, status, headers)

    # -- reading --------------------------------------------------------------------------------------------------

    def _limit_rate(self) -> None:
        is_allowed, _, ends = self._rate.take("")
        if not is_allowed:
            seconds = max(1, math.ceil(ends - time.time()))
            raise ProblemError(429, "Too many requests in this window.", headers={"Retry-After": str(seconds)})

    def _snapshot(self, address: str) -> Snapshot:
        base = f"{address}{self._root}"
        key = (self._day, base, self.settings.tombstones)
        with self._lock:
            if key not in self._snapshots:
                view = JsonView(self.district.day(self._day), base, self.version)
                before = None
                if self.settings.tombstones and self._day > 1:
                    before = JsonView(self.district.day(self._day - 1), base, self.version)
                self._snapshots[key] = Snapshot(view, before, self.settings.tombstones)
                while len(self._snapshots) > 3:
                    self._snapshots.popitem(last=False)
                self._pages.clear()
            return self._snapshots[key]

    def _read(self, request: Request, scopes: frozenset[str]) -> Reply:
        if not request.path.startswith(f"{self._root}/"):
            raise ProblemError(404, "There is no such address.")
        parts = [unquote(part) for part in request.path[len(self._root) + 1 :].removesuffix("/").split("/")]
        self._check_scope(parts, scopes)
        snapshot = self._snapshot(request.url[: len(request.url) - len(request.path)])
        if len(parts) == 1 and parts[0] in STORED:
            stored = STORED[parts[0]][0]
            return self._page(request, snapshot, stored, parts[0], snapshot.positions(parts[0]))
        if len(parts) == 2 and parts[0] in STORED:
            return self._one(request, snapshot, parts[0], parts[1])
        found = self._related(snapshot, parts)
        if found is None:
            raise ProblemError(404, "Unknown Object")
        return self._page(request, snapshot, found[0], "/".join(parts), found[1])

    def _check_scope(self, parts: list[str], scopes: frozenset[str]) -> None:
        wanted = {"roster.readonly"} if len(parts) > 2 else {"roster.readonly", "roster-core.readonly"}
        if parts[0] == "demographics":
            wanted = {"roster-demographics.readonly"}
        if not wanted & scopes:
            raise ProblemError(403, "The granted scopes do not allow this.")

    def _related(self, snapshot: Snapshot, parts: list[str]) -> tuple[str, Positions] | None:
        if len(parts) == 3 and parts[2] in RELATIONS.get(parts[0], ()):
            return snapshot.related(parts[0], parts[1], parts[2])
        if len(parts) == 5 and parts[::2][:2] == ["schools", "classes"] and parts[4] in _IN_CLASS_OF_SCHOOL:
            return snapshot.related("schools", parts[1], parts[4], within=parts[3])
        return None

    def _one(self, request: Request, snapshot: Snapshot, collection: str, sourced_id: str) -> Reply:
        stored, name = STORED[collection]
        position = snapshot.find(collection, sourced_id)
        if position is None:
            raise ProblemError(404, "Unknown Object")
        chosen = self._chosen_fields(request, snapshot, stored)
        record = snapshot.record(stored, position)
        if chosen:
            record = {key: value for key, value in record.items() if key in chosen}
        key = "data" if "no_envelope" in request.faults else name
        return json_reply({key: record}, headers=self._marks(None))

    def _marks(self, count: int | None) -> dict[str, str]:
        if not self.settings.classlink:
            return {}
        marks = {"x-perm-rev": self.revision}
        return marks if count is None else {**marks, "x-count": str(count)}

    # -- pages ----------------------------------------------------------------------------------------------------

    def _page(self, request: Request, snapshot: Snapshot, stored: str, key: str, positions: Positions) -> Reply:
        limit, offset = self._number(request, "limit", 1), self._number(request, "offset", 0)
        if self.settings.max_limit is not None:
            limit = min(limit, self.settings.max_limit)
        fields = self._chosen_fields(request, snapshot, stored)
        condition, sort, order = request.first("filter"), request.first("sort"), request.first("orderBy") or "asc"
        if sort and sort.partition(".")[0] not in snapshot.fields(stored):
            raise ProblemError(400, "The sort names an unknown field.", self._minor_of_sort)
        if order not in ("asc", "desc"):
            raise ProblemError(400, "orderBy is asc or desc.", self._minor_of_sort)
        if condition or sort:
            positions = snapshot.select(stored, key, positions, condition, sort, order)
        window = _Window(len(positions), limit, offset)
        numbers = window.numbers(request.faults)
        memory = (
            id(snapshot),
            stored,
            key,
            condition,
            sort,
            order,
            fields,
            tuple(numbers[:1]),
            tuple(numbers[-1:]),
            limit,
        )
        records = self._records(snapshot, stored, [positions[number] for number in numbers], fields, memory)
        envelope = "records" if "no_envelope" in request.faults else stored
        headers = self._page_headers(request, window, len(numbers))
        return Reply(200, b'{"%s":[%s]}' % (envelope.encode(), records), headers)

    def _records(
        self, snapshot: Snapshot, stored: str, positions: list[int], fields: tuple[str, ...], memory: tuple[Any, ...]
    ) -> bytes:
        if not positions:
            return b""
        spool = snapshot.spool(stored)
        is_run = positions[-1] - positions[0] == len(positions) - 1 and positions == list(
            range(positions[0], positions[-1] + 1)
        )
        raw = spool.slice(positions[0], positions[-1] + 1) if is_run else spool.pick(positions)
        if not fields:
            return raw
        memory = (*memory, len(positions))
        with self._lock:
            if memory in self._pages:
                return self._pages[memory]
        chosen = frozenset(fields)
        kept = [{key: value for key, value in row.items() if key in chosen} for row in json.loads(b"[%s]" % raw)]
        body = b",".join([dump(row) for row in kept])
        with self._lock:
            self._pages[memory] = body
            while len(self._pages) > 60:
                self._pages.popitem(last=False)
        return body

    def _page_headers(self, request: Request, window: _Window, count: int) -> dict[str, str]:
        headers = self._marks(count)
        if self.settings.total_count:
            off = request.faults["wrong_total"].by if "wrong_total" in request.faults else 0
            headers["X-Total-Count"] = str((count if self.settings.counts_page else window.total) + off)
        if self.settings.links:
            headers["Link"] = ", ".join(self._links(request, window))
        return headers

    def _links(self, request: Request, window: _Window) -> list[str]:
        if "foreign_link" in request.faults:
            url = f"https://elsewhere.example.net{request.path}"
        else:
            url = "" if self.settings.bare_links else request.url
        rest = [
            (k, v)
            for k, v in request.parameters
            if not self.settings.bare_links and k not in ("limit", "offset") and not k.startswith("oauth_")
        ]
        return [
            f'<{url}?{urlencode([("limit", window.limit), ("offset", start), *rest])}>; rel="{rel}"'
            for rel, start in window.links(request.faults).items()
        ]

    def _chosen_fields(self, request: Request, snapshot: Snapshot, stored: str) -> tuple[str, ...]:
        names = [name.strip() for text in request.all("fields") for name in text.split(",") if name.strip()]
        if any(name not in snapshot.fields(stored) for name in names):
            raise ProblemError(400, "The fields parameter names an unknown field.", "invalid_selection_field")
        return tuple(names)

    def _number(self, request: Request, name: str, least: int) -> int:
        text = request.first(name)
        if not text:
            return self.settings.default_limit if name == "limit" else 0
        if not text.isdigit() or int(text) < least:
            raise ProblemError(422, f"The {name} must be a whole number of at least {least}.", "invaliddata")
        return int(text)


@dataclass(frozen=True)
class _Window:
    """Which of `total` records a page holds."""

    total: int
    limit: int
    offset: int

    def numbers(self, faults: Mapping[str, Any]) -> list[int]:
        """The numbers of the records in the page, which some faults make wrong."""
        if "empty" in faults:
            return []
        offset = 0 if "same_page" in faults else self.offset
        numbers = list(range(offset, min(self.total, offset + self.limit)))
        if "duplicate" in faults and offset > 0 and numbers:
            numbers[0] = offset - 1
        if "skipped" in faults:
            numbers = numbers[1:]
        return numbers

    def links(self, faults: Mapping[str, Any]) -> dict[str, int]:
        """Offsets of the pages around this one (RFC 8288 names)."""
        last = max(0, (self.total - 1) // self.limit * self.limit)
        found = {"first": 0, "last": last}
        if self.offset > 0:
            found["prev"] = max(0, self.offset - self.limit)
        if self.offset + self.limit < self.total:
            found["next"] = self.offset + self.limit
        if "circular_link" in faults:
            found["next"] = self.offset + self.limit if self.offset < 2 * self.limit else self.limit
        return found
