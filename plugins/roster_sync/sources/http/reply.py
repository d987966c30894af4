"""What a server answered: the status, the headers, and the body, of which nothing is parsed before it is asked for."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import requests

from roster_sync.core.errors import FeedBroken


@dataclass(frozen=True)
class Reply:
    """What came back: the status, the headers and the body as bytes, parsed only when asked."""

    status: int
    headers: Mapping[str, str]
    pieces: deque[bytes]
    """The body as it came. Joined it would be a block of megabytes, which glibc keeps for its thread once freed."""
    what: str

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.pieces)

    def text(self) -> str:
        """The body as text.

        Raises:
            FeedBroken: it is a web page, or not UTF-8.
        """
        self.refuse_web_page()
        try:
            return self.body.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise self._broken() from None

    def refuse_web_page(self) -> None:
        """Looks at how the body begins.

        Raises:
            FeedBroken: it is a web page.
        """
        if b"".join(islice(self.pieces, 64))[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            raise FeedBroken(
                f"{self.what} came as a web page instead of JSON: the address leads to a login page, or the kind of "
                "token is wrong; check both in the connection."
            )

    def json(self) -> Any:
        """The parsed body.

        Raises:
            FeedBroken: it is a web page, cut off, or something else that is not JSON.
        """
        try:
            return json.loads(self.text())
        except (ValueError, RecursionError):
            raise self._broken() from None

    def _broken(self) -> FeedBroken:
        return FeedBroken(f"{self.what} came cut off or is not JSON: the server or a proxy before it is at fault.")

    def number(self, header: str) -> int | None:
        """A header's value as a number, None where it is missing or not a number."""
        value = (self.headers.get(header) or "").strip()
        return int(value) if value.isascii() and value.isdigit() and len(value) < 15 else None


def next_link(header: str | None) -> str | None:
    """The target of rel=next in a Link header (RFC 8288), or None."""
    for link in requests.utils.parse_header_links(header or ""):
        if "next" in (link.get("rel") or "").lower().split():
            return link.get("url") or None
    return None
