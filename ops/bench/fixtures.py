"""Made-up rosters for the benchmarks, written once by a process of its own and kept in ROSTER_HOME/bench/rosters.

`python -m ops.bench.fixtures FOLDER STUDENTS` makes three folders of OneRoster CSV: day1, shuffled (the same rows, in
each file in another order) and changed (the next day: 1 % of the people came, went, moved or changed). The sync reads
the same files that the floor copies, because unpacking a zip would be work that the floor does not do.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from include.simulator.district import MadeUpDistrict
from include.simulator.oneroster_csv import write_csv
from ops.console import progress
from ops.home import REPOSITORY, Home

FILES = ("orgs", "academicSessions", "courses", "classes", "users", "enrollments")
"""The six files that the floor copies: all of a OneRoster 1.1 roster."""
_VERSION = 2
"""Incremented when the files change, so that those of an older version are made again."""
_BUCKET_LINES = 200_000


@dataclass(frozen=True)
class Rosters:
    """The files of one size."""

    folder: Path

    @property
    def day1(self) -> Path:
        """The first load."""
        return self.folder / "day1"

    @property
    def shuffled(self) -> Path:
        """Day 1 with its rows in another order."""
        return self.folder / "shuffled"

    @property
    def changed(self) -> Path:
        """Day 2: 1 % changed."""
        return self.folder / "changed"

    def extracted(self, name: str) -> Path:
        """A file of day 1."""
        return self.day1 / f"{name}.csv"

    def columns(self, name: str) -> list[str]:
        """The header of a file of day 1."""
        with self.extracted(name).open(encoding="utf-8") as lines:
            return lines.readline().strip().split(",")

    def rows(self) -> dict[str, int]:
        """The rows of each file of day 1; a line is a row, as no text of the simulator has a newline."""
        return {name: _lines(self.extracted(name)) - 1 for name in FILES}


def rosters(home: Home, students: int) -> Rosters:
    """The rosters of a size; made if missing, by a process of its own, whose memory does not count."""
    folder = home.folder / "bench" / "rosters" / f"{students}-v{_VERSION}"
    if not folder.exists():
        half = folder.with_name(f"{folder.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        with progress(f"making the rosters of {students:,} students", after=0):
            command = [sys.executable, "-m", "ops.bench.fixtures", str(half), str(students)]
            subprocess.run(command, cwd=REPOSITORY, check=True)
        half.rename(folder)
    return Rosters(folder)


def _make(folder: Path, students: int) -> None:
    folder.mkdir(parents=True)
    district = MadeUpDistrict(seed=7, students=students, classes_per_student=4.8, churn=0.01)
    found = Rosters(folder)
    for number, target in ((1, found.day1), (2, found.changed)):
        packed = folder / "packed.zip"
        write_csv(district.day(number), packed)
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(target)
        packed.unlink()
    _shuffle(found.day1, found.shuffled)


def _shuffle(source: Path, target: Path) -> None:
    """The same files with their lines after the header in another order, whatever their size."""
    target.mkdir()
    for path in sorted(source.glob("*.csv")):
        with path.open("rb") as lines, (target / path.name).open("wb") as out:
            out.write(next(lines))
            for bucket in [[line] for line in lines] if path.stem == "manifest" else _mixed(lines, _lines(path)):
                out.writelines(bucket)


def _mixed(lines: Iterator[bytes], count: int) -> Iterator[list[bytes]]:
    """Every line once: distributed over temporary files at random, each of which is then shuffled in memory."""
    chance = random.Random(11)  # noqa: S311 - an order, not a secret
    with tempfile.TemporaryDirectory() as folder:
        buckets = [(Path(folder) / str(n)).open("wb") for n in range(1 + count // _BUCKET_LINES)]
        for line in lines:
            chance.choice(buckets).write(line)
        for bucket in buckets:
            bucket.close()
            mixed = Path(bucket.name).read_bytes().splitlines(keepends=True)
            chance.shuffle(mixed)
            yield mixed


def _lines(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))


if __name__ == "__main__":
    _make(Path(sys.argv[1]), int(sys.argv[2]))
