"""A OneRoster server and a Clever API on loopback that serve given collections, with the quirks of real servers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.sources.stub import TOKEN, Answer, Asked, Stub, answer, serving

Collections = dict[str, list[dict[str, Any]]]
ROOTS = {"1.1": "/ims/oneroster/v1p1/", "1.2": "/ims/oneroster/rostering/v1p2/"}
CLEVER_DISTRICT = "5f0000000000000000000001"
LAST_SYNC = "2026-11-30T00:00:00.000Z"


@dataclass(frozen=True)
class Quirk:
    """One thing that a server does in another way than most; without `night` it does so every night.

    Each field but `night` and `path` changes the answer in one way; what is not set changes nothing.
    """

    path: str
    """The collection asked for; `token` for the token endpoint, `districts` for Clever's."""
    night: int | None = None
    status: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    limit_over: int | None = None
    """`status` is given only to pages of more than this many records."""
    failures: int | None = None
    """`status` is given only to this many requests."""
    offset_from: int | None = None
    """`status` is given only to pages that begin here or later."""
    requests_per_token: int | None = None
    """A token is good for so many requests, then `status` comes until a new one is used."""
    replace: tuple[str, str] | None = None
    """Text in the JSON that becomes another, byte for byte."""
    list_as_object: bool = False
    roles_as_object_of: str | None = None
    """The person whose list of roles comes as its only entry."""
    refused_field: str | None = None
    """A name in `fields` to which the server answers `status`."""
    state: str | None = None
    """Clever: the district's state."""
    last_sync: str | None = None
    cookie: str | None = None
    """Set with a token or a first answer, and asked for in every later request."""


@dataclass
class RosterServer:
    """Serves the collections of the night that it is, by either API."""

    stub: Stub
    night: int = 1
    version: str = "1.1"
    collections: Collections = field(default_factory=dict)
    quirks: Sequence[Quirk] = ()
    totals: bool = True
    """Whether a page says how many records there are."""
    tokens: int = 0
    used: int = 0
    """Requests with the newest token."""
    failed: int = 0

    @property
    def url(self) -> str:
        return self.stub.base

    def show(self, night: int, collections: Collections) -> None:
        """The next night, with what the source has then."""
        self.night, self.collections, self.failed = night, collections, 0

    def handle(self, asked: Asked) -> Answer:
        """Answers one request."""
        if asked.path.endswith("/oauth/token"):
            return self._token()
        if quirk := self._find("token", requests_per_token=True):
            self.used += 1
            if self.used > (quirk.requests_per_token or 0):
                return answer({"error": "token"}, quirk.status or 500)
        if quirk := self._cookie_missing(asked):
            return answer({"error": "no session"}, quirk.status or 401)
        root = ROOTS[self.version]
        if asked.path.startswith(root):
            reply = self._oneroster(asked, asked.path.removeprefix(root))
        elif asked.path.startswith("/v3."):
            reply = self._clever(asked, asked.path.split("/", 2)[2])
        else:
            return answer({"error": "no such path"}, 404)
        for quirk in self._quirks():
            if quirk.cookie:
                reply.headers["Set-Cookie"] = f"{quirk.cookie}; Path=/"
        return reply

    # -- quirks ---------------------------------------------------------------------------------------------------

    def _quirks(self, path: str | None = None) -> Iterator[Quirk]:
        for quirk in self.quirks:
            if quirk.night in (None, self.night) and path in (None, quirk.path):
                yield quirk

    def _find(self, path: str, **fields: bool) -> Quirk | None:
        found = (quirk for quirk in self._quirks(path) if all(getattr(quirk, name) for name in fields))
        return next(found, None)

    def _cookie_missing(self, asked: Asked) -> Quirk | None:
        if len([one for one in self.stub.asked if "/oauth/" not in one.path]) <= 1:
            return None
        cookies = asked.headers.get("cookie", "")
        return next((quirk for quirk in self._quirks() if quirk.cookie and quirk.cookie not in cookies), None)

    def _token(self) -> Answer:
        quirk = next(self._quirks("token"), None)
        self.tokens, self.used = self.tokens + 1, 0
        body: dict[str, Any] = {"access_token": f"{TOKEN}-{self.tokens}", "token_type": "bearer"}
        if quirk and quirk.requests_per_token:
            return answer(body)
        return answer(quirk.body or body | {"expires_in": 3600} if quirk else body | {"expires_in": 3600},
                      (quirk.status if quirk else None) or 200)  # fmt: skip

    def _refusal(self, asked: Asked, name: str, size: int, offset: int) -> Answer | None:
        for quirk in self._quirks(name):
            if quirk.status is None and quirk.body is None:
                continue
            if quirk.limit_over is not None and size <= quirk.limit_over:
                continue
            if quirk.offset_from is not None and offset < quirk.offset_from:
                continue
            if quirk.refused_field and quirk.refused_field not in asked.query.get("fields", "").split(","):
                continue
            if quirk.failures is not None:
                if self.failed >= quirk.failures:
                    continue
                self.failed += 1
            body = {"error": "made up"} if quirk.body is None else quirk.body
            return Answer(quirk.status or 200, json.dumps(body).encode(), dict(quirk.headers))
        return None

    # -- OneRoster ------------------------------------------------------------------------------------------------

    def _oneroster(self, asked: Asked, path: str) -> Answer:
        name, _, source_id = path.partition("/")
        records = self.collections.get(name)
        if records is None:
            return answer({"error": "no such collection"}, 404)
        if source_id:
            found = next((record for record in records if record["sourcedId"] == source_id), None)
            return answer({name.rstrip("s"): found}) if found else answer({"error": "unknown"}, 404)
        size, offset = int(asked.query.get("limit", "100")), int(asked.query.get("offset", "0"))
        if refused := self._refusal(asked, name, size, offset):
            return refused
        page: Any = [self._record(name, record) for record in records[offset : offset + size]]
        if (quirk := self._find(name, list_as_object=True)) is not None and len(page) == 1:
            page = page[0]
        text = json.dumps({name: page}, ensure_ascii=False)
        for quirk in self._quirks(name):
            if quirk.replace:
                assert quirk.replace[0] in text, f"{quirk.replace[0]!r} is not in this page"
                text = text.replace(*quirk.replace)
        headers = {"X-Total-Count": str(len(records))} if self.totals else {}
        return Answer(200, text.encode("utf-8", "surrogateescape"), headers)

    def _record(self, name: str, record: dict[str, Any]) -> dict[str, Any]:
        for quirk in self._quirks(name):
            if quirk.roles_as_object_of == record["sourcedId"]:
                return record | {"roles": record["roles"][0]}
        return record

    # -- Clever ---------------------------------------------------------------------------------------------------

    def _clever(self, asked: Asked, path: str) -> Answer:
        name, _, source_id = path.partition("/")
        if name == "districts":
            quirk = next(self._quirks("districts"), Quirk("districts"))
            district = {"id": CLEVER_DISTRICT, "name": "Brook District", "state": quirk.state or "success",
                        "last_sync": quirk.last_sync or LAST_SYNC}  # fmt: skip
            return answer({"data": [{"data": district}], "links": []})
        records = self.collections.get(name, [])
        if source_id:
            found = next((record for record in records if record["id"] == source_id), None)
            return answer({"data": found}) if found else answer({"error": "unknown"}, 404)
        role = asked.query.get("role")
        if refused := self._refusal(asked, f"{name}/{role}" if role else name, int(asked.query.get("limit", "1")), 0):
            return refused
        mine = [record for record in records if role is None or role in record["roles"]]
        if "count" in asked.query:
            return answer({"data": [], "count": len(mine)})
        return answer({"data": [{"data": record} for record in mine], "links": []})


@contextmanager
def serve_roster(version: str = "1.1", quirks: Sequence[Quirk] = (), **manners: Any) -> Iterator[RosterServer]:
    """A server without a roster yet: RosterServer.show() gives it one."""
    with serving(lambda asked: served.handle(asked)) as stub:
        served = RosterServer(stub, version=version, quirks=quirks, **manners)
        yield served
