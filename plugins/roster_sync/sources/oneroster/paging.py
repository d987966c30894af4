"""Walks one OneRoster collection page by page, with a stop rule that survives every provider."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from roster_sync.core.errors import FeedBroken
from roster_sync.sources.http.json_stream import Envelope
from roster_sync.sources.http.reply import Reply, next_link
from roster_sync.sources.http.session import Params, Session
from roster_sync.sources.oneroster.mapping import Page, Wanted, read_page

_REFUSED: Final = (400, 413, 422)
"""What servers say to a parameter that they do not take."""
_SMALLER: Final = (1000, 100)
"""Page sizes for a server that refuses a large one in place of giving less."""


class SourceMoved(Exception):
    """The source's data changed while it was read: what was read is void."""


@dataclass
class Watch:
    """The source's revision mark (x-perm-rev): the same on every reply, or the read is void."""

    ends_at_once: bool = True
    """Raise at the first change; in the last try it is only noted."""
    revision: str | None = None
    has_moved: bool = False

    def see(self, reply: Reply) -> None:
        """Compares a reply's mark with the first one."""
        mark = reply.headers.get("x-perm-rev")
        if not mark:
            return
        if self.revision is None:
            self.revision = mark
        elif mark != self.revision:
            self.has_moved = True
            if self.ends_at_once:
                raise SourceMoved


@dataclass
class CollectionRead:
    """What came of one collection."""

    received: int = 0
    pages: int = 0
    total: int | None = None
    is_known: bool = True
    """False where the server has no such collection (404)."""
    problem: str = ""
    """Why the pages do not prove that the collection is whole."""
    _first: set[str] = field(default_factory=set)
    _before: set[str] = field(default_factory=set)
    _seen: set[int] = field(default_factory=set)
    """A mark of each page: its ids, as one number."""

    def add(self, page: Page) -> bool:
        """Counts a page; False where it is empty or brings nothing new, so that the collection_read must end."""
        if not page.received:
            return False
        ids, mark = page.ids, hash(frozenset(page.ids))
        if self.pages and ids and (ids <= self._before or ids <= self._first or mark in self._seen):
            self.problem = "The source gave the same page twice."
            return False
        if not ids.isdisjoint(self._before):
            self.problem = "An id came on two pages, so another one may have been skipped."
        self._first = self._first or ids
        self._before = ids
        self._seen.add(mark)
        self.received += page.received
        self.pages += 1
        return True

    def end(self) -> None:
        """Holds what was read against the source's own total."""
        if self.total is not None and self.total != self.received:
            self.problem = f"The source says that it has {self.total} records and gave {self.received}."


class Paging:
    """Reads collections of one server."""

    def __init__(self, session: Session, root: str, version: str, *, page_size: int, look_ahead: int) -> None:
        self._session = session
        self._root = root
        self._version = version
        self._page_size = page_size
        self._look_ahead = look_ahead
        self._sorts = True
        self._no_fields: set[str] = set()

    def pages(
        self, wanted: Wanted, collection_read: CollectionRead, watch: Watch, *, is_careful: bool
    ) -> Generator[Page, None, None]:
        """The collection page by page; `collection_read` tells at the end what the pages prove.

        Args:
            wanted: the collection.
            collection_read: a fresh one, filled while reading.
            watch: sees every reply.
            is_careful: one page after the other, each starting where the last one really ended.
        """
        first, path = self._find(wanted)
        if first is None:
            collection_read.is_known = False
            return
        watch.see(first)
        page = read_reply(first, wanted)
        size = page.received
        collection_read.total = self._total(first, size)
        link = next_link(first.headers.get("Link"))
        if collection_read.add(page):
            yield page
            del page, first  # they would stay in memory until the last page
            if collection_read.total is not None and collection_read.received < collection_read.total:
                if is_careful:
                    yield from self._one_by_one(wanted, path, collection_read, watch)
                else:
                    yield from self._concurrently(wanted, path, size, collection_read, watch)
            elif link:
                yield from self._by_link(wanted, path, link, collection_read, watch)
            elif collection_read.total is None:
                yield from self._one_by_one(wanted, path, collection_read, watch)
        collection_read.end()

    def _concurrently(
        self, wanted: Wanted, path: str, size: int, collection_read: CollectionRead, watch: Watch
    ) -> Generator[Page, None, None]:
        """The remaining pages, a few at a time; `size` is what the server gave for a page, maybe less than asked."""
        offsets = iter(range(size, collection_read.total or 0, size))
        with _pool(self._look_ahead) as pool:
            waiting: deque[Future[Reply]] = deque()

            def start_one() -> None:
                offset = next(offsets, None)
                if offset is not None:
                    waiting.append(pool.submit(self._page, wanted, path, offset, size))

            for _ in range(self._look_ahead):
                start_one()
            while waiting:
                reply = waiting.popleft().result()
                start_one()
                page = self._checked(reply, wanted, collection_read, watch)
                if not collection_read.add(page):
                    return
                yield page

    def _one_by_one(
        self, wanted: Wanted, path: str, collection_read: CollectionRead, watch: Watch
    ) -> Generator[Page, None, None]:
        """Page after page up to the total, or to an empty page: a short one may only be a server's smaller page."""
        while collection_read.total is None or collection_read.received < collection_read.total:
            page = self._checked(
                self._page(wanted, path, collection_read.received, self._page_size), wanted, collection_read, watch
            )
            if not collection_read.add(page):
                return
            yield page

    def _by_link(
        self, wanted: Wanted, path: str, link: str | None, collection_read: CollectionRead, watch: Watch
    ) -> Generator[Page, None, None]:
        """Page after page as the server's links lead; one that was followed before leads in a circle."""
        ours = self._more(wanted, self._sorts, wanted.path not in self._no_fields)
        followed: set[str] = set()
        while link:
            if link in followed:
                collection_read.problem = "The source's links lead in a circle."
                return
            followed.add(link)
            reply = self._session.follow(with_params(link, ours), at=path, what=f"A page of {wanted.path}")
            page = self._checked(reply, wanted, collection_read, watch)
            if not collection_read.add(page):
                return
            yield page
            link = next_link(reply.headers.get("Link"))

    def _checked(self, reply: Reply, wanted: Wanted, collection_read: CollectionRead, watch: Watch) -> Page:
        watch.see(reply)
        total = reply.number("X-Total-Count")
        if collection_read.total is not None and total is not None and total != collection_read.total:
            collection_read.problem = "The source's own total changed while it was read."
        return read_reply(reply, wanted)

    def sample(self, wanted: Wanted) -> Reply | None:
        """One record of a collection with nothing but what is mapped; None where the server has no such collection."""
        for name in filter(None, (wanted.path, wanted.other_path)):
            for has_fields in (True, False):
                params = [("limit", "1"), *self._more(wanted, False, has_fields)]
                what = f"A record of {wanted.path}"
                reply = self._session.get(f"{self._root}/{name}", params, what=what, passed=(404, *_REFUSED))
                if reply.status == 200:
                    return reply
        if reply.status == 404:
            return None
        raise self._refusal(reply, wanted)

    def _find(self, wanted: Wanted) -> tuple[Reply | None, str]:
        """The first page and the path where it was found; None where an optional collection is nowhere."""
        for name in filter(None, (wanted.path, wanted.other_path)):
            path = f"{self._root}/{name}"
            reply = self._first_page(wanted, path)
            if reply.status != 404:
                return reply, path
        if wanted.is_required:
            raise self._refusal(reply, wanted)
        return None, ""

    def _first_page(self, wanted: Wanted, path: str) -> Reply:
        """The first page, with `fields`, `sort` and a page size that the server takes."""
        for size, has_fields, has_sort in self._variants(wanted):
            params = self._params(wanted, 0, size, has_fields, has_sort)
            reply = self._session.get(path, params, what=f"A page of {wanted.path}", passed=(404, *_REFUSED))
            if reply.status not in _REFUSED:
                self._page_size, self._sorts = size, has_sort
                if not has_fields:
                    self._no_fields.add(wanted.path)
                return reply
        raise self._refusal(reply, wanted)

    def _variants(self, wanted: Wanted) -> Iterator[tuple[int, bool, bool]]:
        """What to ask with, the best first: (page size, with fields, with sort)."""
        fields = (True, False) if wanted.path not in self._no_fields else (False,)
        sorts = (True, False) if self._sorts else (False,)
        for has_fields in fields:
            for has_sort in sorts:
                yield self._page_size, has_fields, has_sort
        for size in _SMALLER:
            if size < self._page_size:
                yield size, fields[0], sorts[0]

    def _refusal(self, reply: Reply, wanted: Wanted) -> FeedBroken:
        return FeedBroken(
            f"{self._session.address.host} answered {reply.status} to a page of {wanted.path}: check the address and "
            "the version in the registry."
        )

    def _page(self, wanted: Wanted, path: str, offset: int, size: int) -> Reply:
        params = self._params(wanted, offset, size, wanted.path not in self._no_fields, self._sorts)
        return self._session.get(path, params, what=f"A page of {wanted.path}")

    def _params(
        self, wanted: Wanted, offset: int, size: int, has_fields: bool, has_sort: bool
    ) -> list[tuple[str, str]]:
        return [("limit", str(size)), ("offset", str(offset)), *self._more(wanted, has_sort, has_fields)]

    def _more(self, wanted: Wanted, has_sort: bool, has_fields: bool) -> list[tuple[str, str]]:
        """The parameters that are the same for every page."""
        params = [("sort", "sourcedId"), ("orderBy", "asc")] if has_sort else []
        return [*params, ("fields", wanted.asked(self._version))] if has_fields else params

    def _total(self, reply: Reply, received: int) -> int | None:
        """The collection's total, None where the server gives none.

        ClassLink's x-count may be that of the page alone, so it counts only if it is more. A total that is no more
        than a page which was filled to the brim may be the page's own as well: whether there is another page tells.
        """
        total = reply.number("X-Total-Count")
        if total is not None:
            return None if total == received == self._page_size else total
        count = reply.number("x-count")
        return count if count is not None and count > received else None


def read_reply(reply: Reply, wanted: Wanted) -> Page:
    """A page's rows; the reply is used up.

    Raises:
        FeedBroken: it is not JSON, or the list is missing: an empty answer is not an empty collection.
    """
    return read_page(wanted, Envelope(reply, *wanted.keys).items())


def with_params(link: str, params: Params) -> str:
    """A link with those of our parameters that the server left out of it: without `fields` more would travel."""
    given = {name for name, _ in parse_qsl(urlsplit(link).query, keep_blank_values=True)}
    missing = urlencode([(name, value) for name, value in params if name not in given], quote_via=quote)
    return f"{link}{'&' if given else '?'}{missing}" if missing else link


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that start nothing more once their reader has ended."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="roster-page")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
