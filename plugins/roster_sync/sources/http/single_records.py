"""Asks a source for single records: is someone who is missing from the feed really gone?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from roster_sync.sources.http.json_text import as_mapping
from roster_sync.sources.http.reply import Reply


class SingleRecords:
    """What base.Askable asks, for a source with one address per record."""

    def __init__(
        self,
        ask: Callable[[str, str], Reply],
        any_id: Callable[[str], str | None],
        is_it: Callable[[dict[str, Any], str], bool | None],
    ) -> None:
        """Asks nothing yet.

        Args:
            ask: gets one record by collection and id; passes 403 and 404 on.
            any_id: an id that the source lists in the collection just now.
            is_it: whether a reply's object is the record and live; None where it is something else.
        """
        self._ask = ask
        self._any_id = any_id
        self._is_it = is_it
        self._answers: dict[str, bool] = {}

    def is_live(self, collection: str, source_id: str) -> bool | None:
        """Whether the record is still there; None where the source could not tell.

        Raises:
            SourceError: the source failed at it.
        """
        reply = self._ask(collection, source_id)
        if reply.status == 200:
            return self._is_it(as_mapping(reply.json()), source_id)
        if reply.status != 404:
            return None
        # A server without single reads, or a district that is shared no more, answers 404 to everything: that
        # would confirm every deletion. So one id that it lists must be found first.
        if collection not in self._answers:
            known = self._any_id(collection)
            self._answers[collection] = known is not None and self._ask(collection, known).status == 200
        return False if self._answers[collection] else None
