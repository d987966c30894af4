"""Rules of reading concurrently: nothing lost, the first error ends all, a slow reader slows the walks down."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from roster_sync.sources.http.concurrent import run_concurrently


def test_every_item_of_every_walk_comes_once() -> None:
    walks = [lambda start=start: iter(range(start, start + 50)) for start in range(0, 1000, 50)]
    assert sorted(run_concurrently(walks, threads=4, ahead=3)) == list(range(1000))
    assert list(run_concurrently([], threads=4, ahead=3)) == []


def test_the_first_error_ends_all_and_is_raised() -> None:
    def bad() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    def endless() -> Iterator[int]:
        while True:
            yield 2

    before = threading.active_count()
    with pytest.raises(ValueError, match="broken"):
        for _ in run_concurrently([endless, bad, endless], threads=3, ahead=2):
            pass
    assert threading.active_count() == before


def test_a_slow_reader_slows_the_walks_down() -> None:
    made: list[int] = []

    def walk() -> Iterator[int]:
        for number in range(1000):
            made.append(number)
            yield number

    reader = run_concurrently([walk, walk], threads=2, ahead=3)
    for _ in range(10):
        next(reader)
    threading.Event().wait(0.05)
    assert len(made) <= 10 + 3 + 2
    reader.close()


def test_no_more_walks_than_threads_are_at_work() -> None:
    at_work: list[int] = []
    most: list[int] = []

    def walk() -> Iterator[int]:
        at_work.append(1)
        most.append(len(at_work))
        threading.Event().wait(0.01)
        yield 1
        at_work.pop()

    assert sum(run_concurrently([walk] * 12, threads=3, ahead=50)) == 12
    assert max(most) <= 3
