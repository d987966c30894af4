"""Clever's Data API: tokens, pages by link, counts, and the district's own state."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from roster_sync.config.districts import SourceSettings
from roster_sync.core.errors import AuthError, ConfigError, FeedBroken
from roster_sync.sources.base import Access
from roster_sync.sources.clever.mapping import CleverDistrict, read_district
from roster_sync.sources.http.address import extra_text, is_true, parse_address
from roster_sync.sources.http.auth import Basic, Bearer, ClientCredentials
from roster_sync.sources.http.budget import shared_budget
from roster_sync.sources.http.json_stream import Envelope
from roster_sync.sources.http.json_text import as_list, as_mapping, as_text
from roster_sync.sources.http.reply import Reply
from roster_sync.sources.http.session import Session

log = logging.getLogger(__name__)

HOST: Final = "https://api.clever.com"
TOKEN_HOST: Final = "https://clever.com"  # noqa: S105 - an address
PER_MINUTE: Final = 1200
"""Requests a minute that Clever allows a token."""
VERSIONS: Final = ("v3.1", "v3.0")


@dataclass
class ListRead:
    """What came of one list."""

    received: int = 0
    pages: int = 0
    problem: str = ""
    """Why its pages do not prove that it is whole."""


class CleverApi:
    """One district at Clever."""

    def __init__(
        self, access: Access, settings: SourceSettings, *, page_size: int = 10_000, pages_at_work: int = 2,
        **session: Any,
    ) -> None:  # fmt: skip
        """Asks nothing yet.

        Args:
            access: password = token; or login and password = client id and secret.
            settings: `version`, v3.1 or v3.0; `district_id`, which the connection's extra of that name stands in for.
            page_size: what is asked for, at most 10,000.
            pages_at_work: how many pages may be on their way or in memory at a time, over all threads.
            session: keyword arguments of Session, for tests.
        """
        version = settings.version or VERSIONS[0]
        if version not in VERSIONS:
            raise ConfigError(f"The version of a Clever source must be one of {', '.join(VERSIONS)}.")
        extra = access.extra
        allows_http = is_true(extra, "allow_http")
        address = parse_address(access.host, allows_http=allows_http, default=HOST)
        self.district_id = settings.district_id or extra_text(extra, "district_id")
        self.is_by_application = bool(access.login)
        self._clock = session.get("clock", time.time)
        self._root = f"/{version}"
        self._page_size = page_size
        self._at_work = threading.BoundedSemaphore(pages_at_work)
        self._tokens: Session | None = None
        if self.is_by_application:
            if not self.district_id:
                raise ConfigError(
                    "A client id and secret open every district of the application: put this one's Clever id into the "
                    "registry (source: district_id) or into the connection's extra district_id."
                )
            token_host = extra_text(extra, "token_host") or (TOKEN_HOST if address.base == HOST else address.base)
            tokens = parse_address(token_host, allows_http=allows_http)
            self._tokens = Session(tokens, Basic(access.login, access.password), **session)
        auth = ClientCredentials(self._find_token) if self._tokens else Bearer(access.password)
        key = f"{address.host}\n{self.district_id if self.is_by_application else ''}\n{access.password}"
        options = {"budget": shared_budget(key, PER_MINUTE), "threads": pages_at_work + 1, **session}
        self.session = Session(address, auth, **options)

    @property
    def host(self) -> str:
        """The host's name, for messages."""
        return self.session.address.host

    @property
    def requests(self) -> int:
        """Requests sent so far, those for tokens included."""
        return self.session.requests + (self._tokens.requests if self._tokens else 0)

    def hurry(self) -> None:
        """From now on a person waits: says soon what is wrong."""
        for session in filter(None, (self.session, self._tokens)):
            session.hurry()

    # -- lists --------------------------------------------------------------------------------------------------------

    def records(self, path: str, list_read: ListRead, **params: str) -> Generator[dict[str, Any], None, None]:
        """The records of a list, page after page by rel=next; what is not an object comes as an empty one.

        A record that the page before has brought already is passed over, and the list then proves nothing.
        """
        query = urlencode([("limit", str(self._page_size)), *params.items()], quote_via=quote)
        link: str | None = f"{self._root}{path}?{query}"
        before: set[str] = set()
        followed: set[str] = set()
        while link:
            followed.add(link)
            with self._at_work:
                envelope = Envelope(self._page(link, path), "data")
                ids: set[str] = set()
                fresh = repeated = 0
                for item in envelope.items():
                    record = as_mapping(as_mapping(item).get("data"))
                    source_id = as_text(record.get("id")) or ""
                    if source_id in before:
                        list_read.problem = "An id came on two pages, so another one may have been skipped."
                        repeated += 1
                        continue
                    if source_id:
                        ids.add(source_id)
                    fresh += 1
                    list_read.received += 1
                    yield record
                list_read.pages += 1
            if not fresh:
                if repeated:
                    list_read.problem = "The source gave the same page twice."
                elif list_read.pages > 1:
                    # Clever links to a next page only where more is to come.
                    list_read.problem = "A page that the one before it announced came empty."
                return
            before = ids
            link = next_of(envelope.rest)
            if link in followed:
                list_read.problem = "The pages lead in a circle."
                return

    def _page(self, link: str, path: str) -> Reply:
        """One page; where Clever finds it too large (413), half of it."""
        while True:
            reply = self._follow(link, what=f"A page of {path.strip('/')}", passed=(413,))
            if reply.status != 413:
                return reply
            base, _, query = link.partition("?")
            params = dict(parse_qsl(query, keep_blank_values=True))
            size = int(params.get("limit") or self._page_size) // 2
            if size < 1:
                raise FeedBroken(f"{self.host} finds even a page of one record too large (413): ask Clever's support.")
            log.info("%s finds a page too large; asking for %s records", self.host, size)
            link = f"{base}?{urlencode({**params, 'limit': str(size)}, quote_via=quote)}"

    def _follow(self, link: str, *, what: str, passed: tuple[int, ...] = ()) -> Reply:
        # Links are relative to the host; behind a base path of our own they still begin with the version.
        if link.startswith(f"{self._root}/"):
            link = self.session.address.path + link
        return self.session.follow(link, what=what, passed=passed)

    def count(self, path: str, **params: str) -> int | None:
        """The source's own total of a list, None where it gives none.

        The reference does not show where `count=true` puts it, so it is looked for wherever it is likely.
        """
        query = urlencode([("count", "true"), ("limit", "1"), *params.items()], quote_via=quote)
        reply = self._follow(
            f"{self._root}{path}?{query}", what=f"The count of {path.strip('/')}", passed=(400, 404, 501)
        )
        if reply.status != 200:
            return None
        answer = as_mapping(reply.json())
        total = reply.number("X-Total-Count")
        for holder in (answer, as_mapping(answer.get("paging")), as_mapping(answer.get("meta"))):
            for name in ("count", "total", "total_count"):
                value = holder.get(name)
                if total is None and isinstance(value, int) and not isinstance(value, bool):
                    total = value
        given = len(as_list(answer.get("data")))
        if total is not None and total == given and next_of(answer):
            return None  # the number of records on this page, not of the list
        return total

    def one(self, path: str) -> Reply:
        """A single record's reply; 403 and 404 are passed on."""
        return self._follow(f"{self._root}{path}", what="A single record", passed=(403, 404))

    def page(self, path: str, **params: str) -> dict[str, Any]:
        """A small page as it came."""
        query = urlencode(list(params.items()), quote_via=quote)
        reply = self._follow(f"{self._root}{path}{'?' if query else ''}{query}", what=f"A page of {path.strip('/')}")
        answer = as_mapping(reply.json())
        if not isinstance(answer.get("data"), list):
            raise FeedBroken(f"{reply.what} came without its list 'data': the server answered, but with no roster.")
        return answer

    def newest(self, path: str) -> dict[str, Any]:
        """The page with the newest record, or nothing where Clever does not take `ending_before=last`."""
        query = "ending_before=last&limit=1"
        reply = self._follow(f"{self._root}{path}?{query}", what=f"A page of {path.strip('/')}", passed=(400, 404, 501))
        return as_mapping(reply.json()) if reply.status == 200 else {}

    # -- the district -------------------------------------------------------------------------------------------------

    def district(self) -> CleverDistrict:
        """The district that the token is for, and its state."""
        records = [as_mapping(as_mapping(item).get("data")) for item in self.page("/districts")["data"]]
        if self.district_id:
            records = [record for record in records if as_text(record.get("id")) == self.district_id]
        if len(records) != 1:
            raise AuthError(
                f"{self.host} shares {'no' if not records else 'more than one'} district with this token: check that "
                "it is the token of this district, and that the district still shares with the application."
            )
        return read_district(records[0], datetime.fromtimestamp(self._clock(), timezone.utc).date())

    def _find_token(self) -> tuple[str, float | None]:
        """The district's present token, by the application's own credentials: a rotated one is picked up."""
        if self._tokens is None:
            raise ConfigError("The Clever connection holds no client id and secret.")
        reply = self._tokens.get(
            "/oauth/tokens", [("owner_type", "district"), ("district", self.district_id)], what="The list of tokens"
        )
        answer = as_mapping(reply.json())
        if not isinstance(answer.get("data"), list):
            raise FeedBroken(f"{reply.what} came without its list 'data': check the extra token_host.")
        mine = [
            entry for entry in map(as_mapping, answer["data"])
            if as_text(as_mapping(entry.get("owner")).get("id")) == self.district_id and entry.get("access_token")
        ]  # fmt: skip
        if not mine:
            raise AuthError(
                "Clever lists no token of this district for the application: check the district_id, and that the "
                "district still shares with the application."
            )
        # While a token is being replaced, two may be listed.
        newest = max(mine, key=lambda entry: as_text(entry.get("created")) or "")
        return as_text(newest["access_token"]) or "", None


def next_of(answer: Mapping[str, Any]) -> str | None:
    """The rel=next link of an envelope."""
    for link in map(as_mapping, as_list(answer.get("links"))):
        if link.get("rel") == "next":
            return as_text(link.get("uri"))
    return None
