"""A page read in pieces gives what the whole text would have given, wherever a piece ends."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roster_sync.core.errors import FeedBroken
from roster_sync.sources.http.json_stream import Envelope
from roster_sync.sources.http.reply import Reply

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def read(body: bytes, piece: int) -> tuple[list[Any], dict[str, Any]]:
    pieces = deque(body[start : start + piece] for start in range(0, len(body), piece))
    envelope = Envelope(Reply(200, {}, pieces, "A page"), "data")
    return list(envelope.items()), envelope.rest


@settings(max_examples=80, deadline=None)
@given(
    records=st.lists(VALUES, max_size=6), beside=st.dictionaries(TEXT, VALUES, max_size=3), first=st.booleans(),
    indent=st.sampled_from([None, 1]), is_ascii=st.booleans(), piece=st.integers(1, 40), mark=st.booleans(),
)  # fmt: skip
def test_pieces_of_any_size_give_what_the_whole_gives(
    records: list[Any], beside: dict[str, Any], first: bool, indent: int | None, is_ascii: bool, piece: int, mark: bool
) -> None:
    beside.pop("data", None)
    page = {"data": records, **beside} if first else {**beside, "data": records}
    body = json.dumps(page, indent=indent, ensure_ascii=is_ascii).encode("utf-8-sig" if mark else "utf-8")
    assert read(body, piece) == (records, beside)


@settings(max_examples=80, deadline=None)
@given(records=st.lists(VALUES, min_size=1, max_size=4), cut=st.floats(0, 0.999), piece=st.integers(1, 40))
def test_a_page_that_ends_early_is_refused_wherever_it_ends(records: list[Any], cut: float, piece: int) -> None:
    body = json.dumps({"data": records, "links": []}, ensure_ascii=False).encode()
    with pytest.raises(FeedBroken):
        read(body[: int(len(body) * cut)], piece)


@pytest.mark.parametrize("body", [b'{"data":[1]} x', b'{"data":[1,]}', b'{"data":[1],}', b'{"data":[1]"x":2}',
                                  b'{"data":["\xff"]}', b"[1]", b"", b'{"data":[1 2]}', b'{"data":[1.]}'])  # fmt: skip
def test_a_page_that_is_not_json_is_refused(body: bytes) -> None:
    for piece in (1, 3, 100):
        with pytest.raises(FeedBroken):
            read(body, piece)
