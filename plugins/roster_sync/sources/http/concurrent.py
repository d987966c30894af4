"""Runs several jobs of a source in threads and gives what they find to one reader, with flat memory."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Final, TypeVar

Item = TypeVar("Item")

_POLL: Final = 0.2


def run_concurrently(
    jobs: Sequence[Callable[[], Iterable[Item]]], *, threads: int, ahead: int
) -> Generator[Item, None, None]:
    """The items of all jobs, in whatever order they come.

    At most `threads` jobs are at work and at most `ahead` items wait for the reader, so that a slow reader slows the
    jobs down. The first error of a job ends all of them and is raised here. Close it to end early.
    """
    waiting: queue.Queue[Callable[[], Iterable[Item]]] = queue.Queue()
    for job in jobs:
        waiting.put(job)
    found: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(maxsize=max(ahead, 1))
    is_over = threading.Event()

    def put(item: Item | None, error: BaseException | None) -> bool:
        while not is_over.is_set():
            try:
                found.put((item, error), timeout=_POLL)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        """Takes jobs until none is left; ends with one mark of neither item nor error."""
        while not is_over.is_set():
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                break
            try:
                for item in job():
                    if not put(item, None):
                        return
            except BaseException as error:  # it is raised in the reader's thread
                put(None, error)
                return
        put(None, None)

    workers = [
        threading.Thread(target=work, name=f"roster-job-{number}", daemon=True)
        for number in range(min(max(threads, 1), len(jobs)))
    ]
    for worker in workers:
        worker.start()
    try:
        yield from _drain(found, len(workers))
    finally:
        is_over.set()
        for worker in workers:
            worker.join()


def _drain(found: queue.Queue[tuple[Item | None, BaseException | None]], workers: int) -> Iterator[Item]:
    while workers:
        item, error = found.get()
        if error is not None:
            raise error
        if item is None:
            workers -= 1
        else:
            yield item
