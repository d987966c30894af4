"""How the commands speak: progress and errors on standard error, one clear line each, the trace behind --verbose."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Problem(Exception):
    """Something the person at the keyboard has to mend: one sentence that says what to do."""


def say(text: str) -> None:
    """One line of progress."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def progress(text: str, *, after: float = 2.0, every: float = 15.0) -> Iterator[None]:
    """Says what is going on once it takes longer than two seconds, and again from time to time."""
    done = threading.Event()
    started = time.monotonic()

    def watch() -> None:
        if done.wait(after):
            return
        say(f"{text} ...")
        while not done.wait(every):
            say(f"{text} ... {time.monotonic() - started:.0f} s")

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def run_command(name: str, command: Callable[[list[str]], int], arguments: list[str], *, verbose: bool) -> int:
    """Runs a command and turns what goes wrong into one line and an exit code."""
    try:
        return command(arguments)
    except KeyboardInterrupt:
        return 130
    except Problem as problem:
        say(f"{name}: {problem}")
        if verbose:
            traceback.print_exc()
        return 1
    except Exception as error:
        say(f"{name}: {_in_one_line(error)}" + ("" if verbose else " (--verbose shows where)"))
        if verbose:
            traceback.print_exc()
        return 1


def take_verbose(arguments: list[str]) -> tuple[list[str], bool]:
    """The arguments without our own --verbose, and whether it was there (only in front, so that tools keep theirs)."""
    if arguments[:1] == ["--verbose"]:
        return arguments[1:], True
    return arguments, False


def _in_one_line(error: BaseException) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        last = (error.stderr or error.stdout or b"").decode(errors="replace").strip().splitlines()[-1:]
        return f"{error.cmd[0]} ended with {error.returncode}" + (f": {last[0]}" if last else "")
    return " ".join(str(error).split()) or type(error).__name__
