"""What manifest.csv says of each file of a roster: bulk, delta or absent."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import Final

from roster_sync.core.errors import FeedBroken

VERSIONS: Final = ("1.1", "1.2")
MODES: Final = ("absent", "bulk", "delta")
_LONGEST: Final = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """The parts of manifest.csv that decide how the files are read."""

    version: str | None = None
    modes: dict[str, tuple[str, int]] = field(default_factory=dict)
    """File (users) -> (mode, line in the manifest)."""
    is_there: bool = True

    def mode(self, file: str) -> str | None:
        """bulk, delta, absent, or None where the manifest does not name the file."""
        return self.modes.get(file, (None, 0))[0]


def read_manifest(raw: bytes) -> Manifest:
    """Reads manifest.csv.

    Raises:
        FeedBroken: it is not a manifest, or it contradicts itself.
    """
    if len(raw) > _LONGEST:
        raise FeedBroken("manifest.csv is larger than any manifest: it should hold a few lines of propertyName,value.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FeedBroken("manifest.csv, line 1: it is not UTF-8: export it as UTF-8.") from None
    lines = csv.reader(io.StringIO(text, newline=""))
    try:
        records = [(lines.line_num, [cell.strip() for cell in record]) for record in lines]
    except csv.Error:
        raise FeedBroken("manifest.csv cannot be read as CSV: export the roster again.") from None
    records = [(line, record) for line, record in records if any(record)]
    if not records or records[0][1][:2] != ["propertyName", "value"]:
        raise FeedBroken("manifest.csv, line 1: the header must read propertyName,value.")
    version: str | None = None
    modes: dict[str, tuple[str, int]] = {}
    for line, record in records[1:]:
        name, value = record[0], record[1] if len(record) > 1 else ""
        if name == "oneroster.version":
            version = value
            if value not in VERSIONS:
                raise FeedBroken(f"manifest.csv, line {line}: oneroster.version must be one of {', '.join(VERSIONS)}.")
        elif name.startswith("file."):
            _add_mode(modes, name.removeprefix("file."), value.lower(), line)
    return Manifest(version, modes)


def _add_mode(modes: dict[str, tuple[str, int]], file: str, mode: str, line: int) -> None:
    if mode not in MODES:
        raise FeedBroken(f"manifest.csv, line {line}: file.{file[:40]} must be one of {', '.join(MODES)}.")
    before = modes.get(file)
    if before and before[0] != mode:
        raise FeedBroken(
            f"manifest.csv, lines {before[1]} and {line}: file.{file[:40]} is called both {before[0]} and {mode}."
        )
    modes[file] = (mode, line)
