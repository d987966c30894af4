"""How far a reading has come: reported while it reads, only then, and never at the price of the reading."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from roster_sync.core.errors import DatabaseFailure
from roster_sync.feed.progress import Teller, Watched
from roster_sync.sources.base import CopyRefused, FeedReport


class Bin:
    """A sink that takes all, and refuses a file where it is told to."""

    refuses = False

    def copy_csv(self, collection: str, columns: Any, stream: Any) -> int:
        text = b""
        while piece := stream.read(8):
            text += piece
        if self.refuses:
            raise CopyRefused("no")
        return text.count(b"\n")

    def copy_rows(self, collection: str, columns: Any, rows: Any) -> int:
        return len(list(rows))

    def reject(self, collection: str, rule: str, message: str, **known: Any) -> None:
        pass

    def discard(self) -> None:
        pass


class Scripted:
    """A source that does what it is told with the sink."""

    def __init__(self, act: Any) -> None:
        self._act = act

    def fetch(self, sink: Any) -> FeedReport:
        self._act(sink)
        return FeedReport(issuer="made-up")

    def probe(self) -> Any:
        raise NotImplementedError


def ticking(step: float) -> Any:
    times = iter(range(10_000))
    return lambda: next(times) * step


def told_of(act: Any, *, step: float = 3.0, sink: Any = None) -> list[dict[str, int]]:
    told: list[dict[str, int]] = []
    into: Any = Bin() if sink is None else sink
    Watched(Scripted(act), lambda counts: told.append(dict(counts)), ticking(step)).fetch(into)
    return told


def test_rows_are_reported_per_collection_as_they_come() -> None:
    def act(sink: Any) -> None:
        sink.copy_rows("orgs", ["source_id"], [["1"]])
        sink.copy_rows("users", ["source_id"], [["1"], ["2"]])
        sink.copy_rows("users", ["source_id"], [["3"]])

    assert told_of(act) == [{"orgs": 1}, {"orgs": 1, "users": 2}, {"orgs": 1, "users": 3}]


def test_a_quick_reading_reports_nothing() -> None:
    assert told_of(lambda sink: sink.copy_rows("orgs", ["source_id"], [["1"]] * 9), step=0.01) == []


def test_a_file_reports_its_lines_while_it_is_read() -> None:
    told = told_of(lambda sink: sink.copy_csv("users", ["source_id"], io.BytesIO(b"abc\n" * 6)))
    assert [counts["users"] for counts in told[:3]] == [2, 4, 6]


def test_what_was_thrown_away_is_no_longer_counted() -> None:
    refusing = Bin()
    refusing.refuses = True

    def act(sink: Any) -> None:
        with pytest.raises(CopyRefused):
            sink.copy_csv("users", ["source_id"], io.BytesIO(b"abc\n" * 6))
        sink.copy_rows("users", ["source_id"], [["1"]])
        sink.discard()
        sink.copy_rows("users", ["source_id"], [["1"], ["2"]])

    assert [counts["users"] for counts in told_of(act, sink=refusing)][-2:] == [1, 2]


@pytest.fixture
def at_work(portal: Any) -> Iterator[tuple[Any, int]]:
    connection = portal.owner()
    with connection.cursor() as cursor:
        cursor.execute("insert into portal.districts (key, name) values ('harbor', 'Harbor') returning id")
        cursor.execute(
            "insert into sync.runs (district_id, mode, step, steps) values (%s, 'edit', 'extract',"
            ' \'[{"name": "extract", "started_at": "2026-01-05T02:15:00+00:00"}]\') returning id',
            cursor.fetchone(),
        )
        yield cursor, cursor.fetchone()[0]
    connection.close()


def steps(cursor: Any, run_id: int) -> Any:
    cursor.execute("select steps from sync.runs where id = %s", (run_id,))
    return cursor.fetchone()[0]


def test_the_run_shows_what_is_reported_while_the_step_is_at_work(portal: Any, at_work: tuple[Any, int]) -> None:
    cursor, run_id = at_work
    teller = Teller(portal.connect, run_id, "extract")
    teller({"users": 40})
    assert steps(cursor, run_id)[0]["counts"] == {"users": 40}
    cursor.execute("update sync.runs set status = 'failed' where id = %s", (run_id,))
    teller({"users": 80})
    assert steps(cursor, run_id)[0]["counts"] == {"users": 40}
    teller.close()


def test_where_progress_cannot_be_reported_the_reading_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    asked = []

    def refuse() -> Any:
        asked.append(1)
        raise DatabaseFailure("the connection 'portal_db'", None)

    teller = Teller(refuse, 1, "extract")
    teller({"users": 1})
    teller({"users": 2})
    teller.close()
    assert len(asked) == 1
    assert "how far the reading has come is not shown" in caplog.text


def test_a_connection_that_breaks_ends_the_reports_and_not_the_reading(portal: Any, at_work: tuple[Any, int]) -> None:
    _, run_id = at_work
    opened: list[Any] = []

    def connect() -> Any:
        opened.append(portal.connect())
        return opened[0]

    teller = Teller(connect, run_id, "extract")
    teller({"users": 1})
    with portal.connect() as another, another.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(%s)", (opened[0].info.backend_pid,))
    teller({"users": 2})
    teller({"users": 3})
    teller.close()
    assert len(opened) == 1
