"""Runs several jobs of a source in threads and gives what they find to one reader, with flat memory."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

_POLL: Final = 0.2


def run_concurrently(
    jobs: Sequence[Callable[[], Iterable[Item]]], *, threads: int, ahead: int
) -> Generator[Item, None, None]:
    """The items of all jobs, in whatever order they come.

    At most `threads` jobs are at work and at most `ahead` items wait for the reader, so that a slow reader slows the
    jobs down. The first error of a job ends all of them and is raised here. Close it to end early.
    """
    team = _Team(jobs, ahead)
    workers = [
        threading.Thread(target=team.work, name=f"roster-job-{number}", daemon=True)
        for number in range(min(max(threads, 1), len(jobs)))
    ]
    for worker in workers:
        worker.start()
    try:
        yield from team.items(len(workers))
    finally:
        team.is_over.set()
        for worker in workers:
            worker.join()


class _Team(Generic[Item]):
    """The jobs that wait, and what their workers have found and the reader has not taken yet."""

    def __init__(self, jobs: Sequence[Callable[[], Iterable[Item]]], ahead: int) -> None:
        self.is_over = threading.Event()
        self._jobs: queue.Queue[Callable[[], Iterable[Item]]] = queue.Queue()
        for job in jobs:
            self._jobs.put(job)
        self._found: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(maxsize=max(ahead, 1))

    def work(self) -> None:
        """A worker takes jobs until there are no more; it ends with one mark of neither item nor error."""
        while not self.is_over.is_set():
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            try:
                for item in job():
                    if not self._put(item, None):
                        return
            except BaseException as error:  # it is raised in the reader's thread
                self._put(None, error)
                return
        self._put(None, None)

    def items(self, workers: int) -> Iterator[Item]:
        """What the workers find, until each has ended; raises the first error."""
        while workers:
            item, error = self._found.get()
            if error is not None:
                raise error
            if item is None:
                workers -= 1
            else:
                yield item

    def _put(self, item: Item | None, error: BaseException | None) -> bool:
        """Waits for room; False where the reader has left meanwhile."""
        while not self.is_over.is_set():
            try:
                self._found.put((item, error), timeout=_POLL)
            except queue.Full:
                continue
            return True
        return False
