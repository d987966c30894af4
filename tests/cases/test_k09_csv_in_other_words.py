"""K9: only what is read can refuse a CSV file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.playing import Play
from tests.cases.rosters import school_of
from tests.cases.state import State
from tests.dsl.csv_files import csv_files

FAILS = pytest.mark.xfail(strict=True, reason="issue 14, K9")
Files = dict[str, str]


@FAILS
@pytest.mark.parametrize("name", ["PB-27a-1.1.0", "PB-27b", "PB-27c", "PB-27d", "PB-28a"])
def test_a_set_that_differs_where_nothing_is_read_is_taken_whole(case: Callable[..., State], name: str) -> None:
    """PB-27a version 1.1.0, 27b the manifest's header, 27c a blank mode, 27d file.Users, PB-28a userId of 1.0."""
    end = case(name)
    assert (end.run.status, end.run.reasons, len(end.people)) == ("launched", {}, 7)


def _lines(files: Files, name: str, change: Callable[[int, str], str]) -> Files:
    lines = files[name].splitlines()
    return files | {name: "\r\n".join(change(place, line) for place, line in enumerate(lines)) + "\r\n"}


def _manifest(files: Files, before: str, after: str) -> Files:
    assert before in files["manifest.csv"]
    return files | {"manifest.csv": files["manifest.csv"].replace(before, after)}


LENIENT: dict[str, Callable[[Files], Files]] = {
    "version v1.1": lambda files: _manifest(files, "oneroster.version,1.1", "oneroster.version,v1.1"),
    "version blank": lambda files: _manifest(files, "oneroster.version,1.1", "oneroster.version,"),
    "mode BULK": lambda files: _manifest(files, "file.users,bulk", "file.users,BULK"),
    "an odd mode of results": lambda files: _manifest(files, "file.users,", "file.results,full\r\nfile.users,"),
    "file.USERS": lambda files: _manifest(files, "file.users,", "file.USERS,"),
    "file.users.csv": lambda files: _manifest(files, "file.users,", "file.users.csv,"),
    "headers in another case": lambda files: _lines(
        files, "users.csv", lambda place, line: line if place else line.replace("sourcedId", "SourcedID")
    ),
    "Users.CSV": lambda files: {("Users.CSV" if name == "users.csv" else name): text for name, text in files.items()},
    "a blank cell too many in one line": lambda files: _lines(
        files, "users.csv", lambda place, line: line + "," if place == 2 else line
    ),
    "blank headers and cells at the end": lambda files: _lines(files, "users.csv", lambda _, line: line + ",,"),
    "blank headers without cells": lambda files: _lines(
        files, "users.csv", lambda place, line: line if place else line + ",,"
    ),
    "the last line has a blank cell too many and no end": lambda files: (
        files | {"users.csv": files["users.csv"].rstrip("\r\n") + ","}
    ),
}
PASSES = ("mode BULK", "Users.CSV", "blank headers and cells at the end")
"""What was read before issue 14 too."""


@pytest.mark.parametrize(
    "change", [pytest.param(change, id=name, marks=[] if name in PASSES else FAILS) for name, change in LENIENT.items()]
)
def test_what_is_never_read_or_says_the_same_refuses_nothing(
    play: Callable[..., Play], change: Callable[[Files], Files]
) -> None:
    played = play()
    played.edit(change(csv_files(school_of(6))))
    end = played.state()
    assert (end.run.status, end.run.reasons, len(end.shared)) == ("launched", {}, 7)
    assert "error" not in {finding.severity for finding in end.run.findings}


@FAILS
def test_all_that_is_wrong_with_a_set_is_told_at_once(play: Callable[..., Play]) -> None:
    played = play()
    files = csv_files(school_of(6))
    files = _lines(files, "users.csv", lambda place, line: line if place else line.replace("familyName", "surname"))
    files = _lines(files, "classes.csv", lambda place, line: line if place else line.replace("title", "label"))
    del files["enrollments.csv"]
    end = played.edit(files)
    assert end.status == "failed"
    assert end.message.index("enrollments.csv") < end.message.index("users.csv")
    assert "classes.csv" in end.message


@pytest.mark.parametrize("header", ["sourcedId", "familyName", "email", "orgSourcedIds"])
def test_a_required_column_that_is_missing_refuses_the_set(play: Callable[..., Play], header: str) -> None:
    played = play()
    files = csv_files(school_of(6))
    files = _lines(files, "users.csv", lambda place, line: line if place else line.replace(header, "other"))
    end = played.edit(files)
    assert end.status == "failed"
    assert "users.csv" in end.message


def test_a_wrong_mode_of_a_file_that_is_read_refuses_the_set(play: Callable[..., Play]) -> None:
    files = _manifest(csv_files(school_of(6)), "file.users,bulk", "file.users,full")
    assert play().edit(files).status == "failed"
