"""Reads the list in a JSON envelope item by item, so that a page of ten thousand records is never held as objects."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from typing import Any, Final

from roster_sync.errors import FeedBroken
from roster_sync.sources.session import Reply

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODE: Final = json.JSONDecoder().raw_decode


class Envelope:
    """One reply: `items` gives the list's items; `rest` then holds what stands beside the list."""

    def __init__(self, reply: Reply, key: str) -> None:
        """Guards the reply against web pages; parses nothing yet.

        Args:
            reply: what came.
            key: the name of the list.
        """
        self._text = reply.text()
        self._what = reply.what
        self._key = key
        self.rest: dict[str, Any] = {}

    def items(self) -> Generator[Any, None, None]:
        """The list's items.

        Raises:
            FeedBroken: the reply is no whole JSON object, or the list is not in it.
        """
        try:
            is_found = yield from self._walk()
        except (ValueError, RecursionError):
            raise FeedBroken(
                f"{self._what} came cut off or is no JSON: the server or a proxy before it is at fault."
            ) from None
        if not is_found:
            raise FeedBroken(
                f"{self._what} came without its list {self._key!r}: the server answered, but with no roster; tell its "
                "operator."
            )

    def _walk(self) -> Generator[Any, None, bool]:
        is_found = False
        place = self._after("{", 0)
        if self._at(place) == "}":
            return is_found
        while True:
            name, place = _DECODE(self._text, place)
            place = self._after(":", place)
            if name == self._key and self._at(place) == "[":
                is_found = True
                place = yield from self._list(place)
            else:
                self.rest[str(name)], place = _DECODE(self._text, place)
            place = self._skip(place)
            if self._at(place) == "}":
                if self._skip(place + 1) != len(self._text):
                    raise ValueError
                return is_found
            place = self._after(",", place)

    def _list(self, place: int) -> Generator[Any, None, int]:
        place = self._skip(place + 1)
        if self._at(place) == "]":
            return place + 1
        while True:
            item, place = _DECODE(self._text, place)
            yield item
            place = self._skip(place)
            if self._at(place) == "]":
                return place + 1
            place = self._after(",", place)

    def _skip(self, place: int) -> int:
        found = _SPACE.match(self._text, place)
        return found.end() if found else place

    def _at(self, place: int) -> str:
        return self._text[place : place + 1]

    def _after(self, sign: str, place: int) -> int:
        """The place after a sign that must stand here, and after the space around it."""
        place = self._skip(place)
        if self._at(place) != sign:
            raise ValueError
        return self._skip(place + 1)
