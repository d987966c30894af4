"""Reads the list in a JSON envelope item by item: a page of ten thousand records is never held as objects, nor as text.

A page is decoded piece by piece while it is read, and what is read is let go. Whole, its text would take twice its
bytes or more as soon as one name in it needs more than Latin-1, and two pages are at work at a time.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Generator
from typing import Any, Final

from roster_sync.core.errors import FeedBroken
from roster_sync.sources.http.reply import Reply

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODE: Final = json.JSONDecoder().raw_decode
_ENDS: Final = tuple(" \t\n\r,:]}")


class Envelope:
    """One reply: `items` gives the list's items; `rest` then holds what is next to the list."""

    def __init__(self, reply: Reply, *keys: str) -> None:
        """Guards the reply against web pages; parses nothing yet.

        Args:
            reply: what came; its pieces are used up.
            keys: the name of the list, or those that it may have.
        """
        reply.refuse_web_page()
        self._pieces = reply.pieces
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._place = 0
        """Where in the text to read on."""
        self._what = reply.what
        self._keys = keys
        self.rest: dict[str, Any] = {}

    def items(self) -> Generator[Any, None, None]:
        """The list's items.

        Raises:
            FeedBroken: the reply is not a whole JSON object, or the list is not in it.
        """
        try:
            is_found = yield from self._walk()
        except (ValueError, RecursionError):
            raise FeedBroken(
                f"{self._what} came cut off or is not JSON: the server or a proxy before it is at fault."
            ) from None
        if not is_found:
            raise FeedBroken(
                f"{self._what} came without its list {self._keys[0]!r}: the server answered, but with no roster; tell "
                "its operator."
            )

    def _walk(self) -> Generator[Any, None, bool]:
        is_found = False
        self._take("{")
        while self._sign() != "}":
            name = self._value()
            self._take(":")
            if name in self._keys and not is_found and self._sign() == "[":
                is_found = True
                yield from self._list()
            else:
                self.rest[str(name)] = self._value()
            if self._sign() != "}":
                self._take(",")
                if self._sign() == "}":
                    raise ValueError
        self._place += 1
        if self._sign():
            raise ValueError
        return is_found

    def _list(self) -> Generator[Any, None, None]:
        self._take("[")
        if self._sign() == "]":
            self._place += 1
            return
        while True:
            yield self._value()
            if self._sign() == "]":
                self._place += 1
                return
            self._take(",")

    def _value(self) -> Any:
        """The next value, whole."""
        self._sign()
        while True:
            try:
                value, end = _DECODE(self._text, self._place)
            except ValueError:
                if not self._decode_more():
                    raise
                continue
            # At the end of a piece a number may be cut anywhere: 2 | 5, 2. | 5, 2e | 5.
            if self._text[end : end + 1] in _ENDS or not self._decode_more():
                self._place = end
                return value

    def _take(self, sign: str) -> None:
        """Goes on behind a sign that must come next."""
        if self._sign() != sign:
            raise ValueError
        self._place += 1

    def _sign(self) -> str:
        """The next character that is not a space, left in place; '' at the end."""
        while True:
            if found := _SPACE.match(self._text, self._place):
                self._place = found.end()
            if self._place < len(self._text):
                return self._text[self._place]
            if not self._decode_more():
                return ""

    def _decode_more(self) -> bool:
        """Puts another piece behind what is not read yet; False where nothing is left."""
        if not self._pieces:
            return False
        parts, size = [self._text[self._place :]], 0
        # As much again as is there: what is long or broken is not read over and over in small steps.
        while self._pieces and size <= len(parts[0]):
            piece = self._pieces.popleft()
            parts.append(self._decoder.decode(piece, not self._pieces))
            size += len(piece)
        self._text, self._place = "".join(parts), 0
        return True
