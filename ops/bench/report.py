"""The output of every benchmark: a table on standard output and the same as JSON in ROSTER_HOME/bench."""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ops.home import Home


@dataclass
class Line:
    """One measured step."""

    name: str
    seconds: float
    rows: int | None = None
    floor_seconds: float | None = None
    """The floor's time in the same run, if the step is compared with one."""
    limit: float | None = None
    """The highest ratio that is allowed."""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The time as a multiple of the floor's."""
        return self.seconds / self.floor_seconds if self.floor_seconds else None

    @property
    def is_within(self) -> bool:
        """Whether the ratio is within the limit, if there is one."""
        return self.limit is None or self.ratio is None or self.ratio <= self.limit


@dataclass
class Report:
    """A benchmark's lines."""

    name: str
    setting: dict[str, object] = field(default_factory=dict)
    """What was measured: sizes, versions, options."""
    lines: list[Line] = field(default_factory=list)
    memory_limit_mb: float | None = None
    """The highest peak memory of this process that is allowed."""

    @contextmanager
    def step(self, name: str, **more: object) -> Iterator[Line]:
        """Times a block as one line; rows and floor may be set on it inside."""
        line = Line(name, 0.0)
        for key, value in more.items():
            setattr(line, key, value)
        started = time.perf_counter()
        yield line
        line.seconds = time.perf_counter() - started
        self.lines.append(line)

    def finish(self, home: Home) -> int:
        """Prints the table, writes the JSON, and returns the exit code: 1 if a limit is passed."""
        sys.stdout.write("\n".join(self._table()) + "\n")
        path = home.folder / "bench" / f"{self.name}-{time.strftime('%Y%m%d-%H%M%S')}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(self._as_data(), indent=2) + "\n")
        sys.stdout.write(f"written to {path}\n")
        return 0 if self._is_within_memory() and all(line.is_within for line in self.lines) else 1

    def _is_within_memory(self) -> bool:
        return self.memory_limit_mb is None or peak_memory_mb() <= self.memory_limit_mb

    def _table(self) -> list[str]:
        setting = ", ".join(f"{name} {value}" for name, value in self.setting.items())
        head = f"{'':<34}{'seconds':>10}{'rows':>12}{'rows/s':>12}{'x floor':>9}{'limit':>7}  note"
        limit = "" if self.memory_limit_mb is None else f", limit {self.memory_limit_mb:.0f} MB"
        late = "" if self._is_within_memory() else "  over the limit"
        memory = f"peak memory {peak_memory_mb():.0f} MB{limit}{late}"
        return [f"{self.name}: {setting}", head, *map(_row, self.lines), memory]

    def _as_data(self) -> dict[str, object]:
        machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
        lines = [{**asdict(line), "ratio": line.ratio} for line in self.lines]
        return {
            "benchmark": self.name,
            "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "machine": machine,
            "setting": self.setting,
            "peak_memory_mb": round(peak_memory_mb(), 1),
            "memory_limit_mb": self.memory_limit_mb,
            "lines": lines,
        }


def peak_memory_mb() -> float:
    """The peak memory of this process."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def results(home: Home) -> list[Path]:
    """The JSON files of earlier runs, oldest first."""
    return sorted((home.folder / "bench").glob("*.json"))


def _row(line: Line) -> str:
    speed = f"{line.rows / line.seconds:,.0f}" if line.rows and line.seconds else ""
    rows = f"{line.rows:,}" if line.rows is not None else ""
    ratio = f"{line.ratio:.2f}" if line.ratio is not None else ""
    limit = f"{line.limit:g}" if line.limit is not None else ""
    late = "" if line.is_within else "  over the limit"
    return f"{line.name:<34}{line.seconds:>10.2f}{rows:>12}{speed:>12}{ratio:>9}{limit:>7}  {line.note}{late}"
