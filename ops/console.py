"""What the commands print: results on standard output; progress and errors on standard error, one clear line each."""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn


class Problem(Exception):
    """Something the person at the keyboard has to fix: one sentence that says what to do."""


class Parser(argparse.ArgumentParser):
    """The options of a command; a wrong one is reported in one line."""

    def error(self, message: str) -> NoReturn:
        """Raises Problem."""
        raise Problem(f"{message} (`{self.prog} --help` lists the options).")


def show(text: str) -> None:
    """A result, on standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """One line of progress, on standard error."""
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


def run_command(name: str, command: Callable[[list[str]], int]) -> NoReturn:
    """Runs a command with the arguments of this process, and exits; an error is one line and an exit code.

    `--verbose` in front adds the traceback; behind other arguments it belongs to the tool that gets them.
    """
    arguments = sys.argv[1:]
    verbose = arguments[:1] == ["--verbose"]
    try:
        code = command(arguments[1:] if verbose else arguments)
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        hint = "" if verbose or isinstance(error, Problem) else f" (`{name} --verbose ...` shows where)"
        say(f"{name}: {_in_one_line(error)}{hint}")
        if verbose:
            traceback.print_exc()
        code = 1
    sys.exit(code)


def _in_one_line(error: BaseException) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        last = (error.stderr or error.stdout or b"").decode(errors="replace").strip().splitlines()[-1:]
        return f"{error.cmd[0]} ended with {error.returncode}" + (f": {last[0]}" if last else "")
    return " ".join(str(error).split()) or type(error).__name__
