"""Clever's paging: ranges of ascending ids, relative links."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from include.simulator.clever_snapshot import IdList, boundary
from include.simulator.web import Reply, Request

_FOREIGN: Final = "https://elsewhere.example.net"


class BadRequest(Exception):
    """The request is not valid."""

    def __init__(self, status: int, description: str) -> None:
        """HTTP status and message."""
        super().__init__(description)
        self.status = status


@dataclass(frozen=True)
class Page:
    """Some records of a collection."""

    ranks: Sequence[int]
    total: int
    links: list[tuple[str, list[tuple[str, str]]]]
    """(rel, query) of each link."""

    def reply(self, body: bytes, path: str, request: Request, *, is_counted: bool) -> Reply:
        """The envelope around the records; a link's address has no host, and starts with the path asked for."""
        host = _FOREIGN if "foreign_link" in request.faults else ""
        links = []
        for rel, query in self.links:
            start = host if rel == "next" else ""
            links.append({"rel": rel, "uri": f"{start}{path}" + (f"?{urlencode(query)}" if query else "")})
        tail: dict[str, Any] = {"links": links}
        if is_counted and request.first("count") == "true":
            off = request.faults["wrong_total"].by if "wrong_total" in request.faults else 0
            tail["count"] = self.total + off
        rest = json.dumps(tail, separators=(",", ":")).encode()
        if "no_envelope" in request.faults:
            return Reply(200, rest)
        return Reply(200, b'{"data":[' + body + b"]," + rest[1:])


def page_of(every: Sequence[int], ids: IdList, request: Request, default_limit: int, max_limit: int) -> Page:
    """The page that a request asks for. `ids` are ascending; `every` are the ranks of the records of the collection."""
    limit = _limit(request, default_limit, max_limit)
    after, before = request.first("starting_after"), request.first("ending_before")
    if after and before:
        raise BadRequest(400, "starting_after and ending_before exclude each other.")
    if before:
        end = len(every) if before == "last" else boundary(ids, every, before, after=False)
        start = max(0, end - limit)
    else:
        start = boundary(ids, every, after, after=True) if after and "same_page" not in request.faults else 0
        end = min(len(every), start + limit)
    kept = [(key, value) for key, value in request.parameters if key not in ("starting_after", "ending_before")]
    links = [("self", list(request.parameters))]
    if start < end:
        first, last = ids[every[start]].hex(), ids[every[end - 1]].hex()
        if end < len(every) or before:
            links.append(("next", [*kept, ("starting_after", last)]))
        if start > 0 or after:
            links.append(("prev", [*kept, ("ending_before", first)]))
    ranks = list(every[start:end])
    if "duplicate" in request.faults and start > 0 and ranks:
        ranks[0] = every[start - 1]
    if "skipped" in request.faults:
        ranks = ranks[1:]
    if "empty" in request.faults:
        ranks, links = [], links[:1]
    return Page(ranks, len(every), links)


def _limit(request: Request, default: int, largest: int) -> int:
    text = request.first("limit")
    if not text:
        return default
    if not text.isdigit() or int(text) < 1:
        raise BadRequest(400, "limit must be a whole number of at least 1.")
    if int(text) > largest:
        raise BadRequest(413, f"limit must be at most {largest}.")
    return int(text)
