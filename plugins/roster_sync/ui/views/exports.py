"""CSV files for people who open them in a spreadsheet: streamed, and safe there."""

from __future__ import annotations

import csv as csv_module
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from fastapi.responses import StreamingResponse
from psycopg2.extensions import cursor as Cursor

from roster_sync.core.vocabulary import ACTIONS, FIELDS, KINDS
from roster_sync.database import db
from roster_sync.ui.views.changes import Change
from roster_sync.ui.web.pool import reading

_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Also the wide forms of = + - @, which spreadsheets of East Asian languages read as the narrow ones."""
_CHUNK: Final = 200


def csv(name: str, header: Sequence[str], lines: Callable[[Cursor], Iterable[Sequence[Any]]]) -> StreamingResponse:
    """A download that is read from the database while it is sent; `name` never holds a person's name."""
    return StreamingResponse(
        _stream(header, lines),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def safe(value: Any) -> str:
    """A spreadsheet runs a cell that begins with = + - @ as a formula: an apostrophe makes it text."""
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(_DANGEROUS) else text


def _stream(header: Sequence[str], lines: Callable[[Cursor], Iterable[Sequence[Any]]]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv_module.writer(buffer, lineterminator="\r\n")
    writer.writerow(header)
    yield b"\xef\xbb\xbf"  # spreadsheets take UTF-8 for something else without it
    with reading() as cursor:
        for count, line in enumerate(lines(cursor), start=1):
            writer.writerow([safe(value) for value in line])
            if count % _CHUNK == 0:
                yield _drain(buffer)
        yield _drain(buffer)


def _drain(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def change_lines(found: Iterable[Change], kind: str) -> Iterator[Sequence[Any]]:
    """One line per changed field, or one per row where the row as a whole came or went."""
    for change in found:
        head = (ACTIONS[change.action], KINDS[kind], change.label, change.detail,
                change.source_id)  # fmt: skip
        if not change.fields:
            yield (*head, "", "", "")
        for name, before, after in change.fields:
            yield (*head, FIELDS[name], before, after)


def finding_lines(cursor: Cursor, run_id: int, severity: str) -> Iterator[Sequence[Any]]:
    """Every finding of one severity, page by page."""
    after, size = 0, 5000
    while True:
        params = {"run": run_id, "severity": severity, "rule": "", "entity": "", "after": after, "limit": size}
        rows = db.rows(cursor, "ui/findings", params)
        for row in rows:
            yield (
                KINDS[row["entity"]], row["source_id"], row["line"], row["rule"].replace("_", " "),
                row["field"], row["message"],
            )  # fmt: skip
        if len(rows) < size:
            return
        after = rows[-1]["id"]
