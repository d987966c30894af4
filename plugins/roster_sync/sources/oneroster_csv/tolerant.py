"""Reads a CSV file line by line where PostgreSQL refused it as a whole: a bad line costs itself, not the file."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from roster_sync.core.errors import FeedBroken

MAX_LINE: Final = 1 << 20
MAX_RECORD_LINES: Final = 100
"""A quoted value over more lines than this is a quote that nobody closed."""
BAD_UTF8_FLOOR: Final = 10
BAD_UTF8_CEILING: Final = 100
BAD_UTF8_SHARE: Final = 0.01

Row = tuple[str | None, ...]
Reject = Callable[[str, str, int, str | None, Mapping[str, str] | None], None]
"""(rule, message, line, source_id, known)"""

_FIELD: Final = re.compile(r'"((?:[^"]|"")*)"(?=,|\Z)|([^",][^,]*|)(?=,|\Z)', re.DOTALL)
_STATUS: Final = frozenset({"", "active", "tobedeleted", "inactive"})
_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\d.*)?", re.DOTALL)
_IDS: Final = ("source_id", "source_ids", "role")
_KNOWN: Final = {
    # Columns to the left of every free text, where a stray comma or quote breaks a line.
    "enrollments": ("class_source_id", "user_source_id", "role"),
    "roles": ("user_source_id",),
}


@dataclass
class TolerantReader:
    """One pass over one file's lines after the header."""

    file: str
    collection: str
    header: Sequence[str]
    columns: Sequence[str | None]
    reject: Reject
    bad_utf8: int = 0
    lines: int = 0
    is_cut_off: bool = False
    """The last line is broken and has no line end: the file itself may be cut off there."""
    _pushed_back: deque[tuple[int, bytes]] = field(default_factory=deque)
    _first_bad_utf8: int = 0
    _endless_line: int = 0

    @property
    def kept(self) -> list[str]:
        """The columns of the rows that `rows` gives."""
        return [column for column in self.columns if column is not None]

    def rows(self, stream: BinaryIO) -> Iterator[Row]:
        """The good rows; the others go to `reject`.

        Raises:
            FeedBroken: too many lines are not UTF-8, so the whole file is in another encoding.
        """
        kept = [index for index, column in enumerate(self.columns) if column is not None]
        physical = self._physical_lines(stream)
        while (line := self._next(physical)) is not None:
            fields = self._record(line, physical)
            if fields is not None:
                yield tuple(fields[index] or None for index in kept)
        allowed = min(BAD_UTF8_CEILING, max(BAD_UTF8_FLOOR, int(self.lines * BAD_UTF8_SHARE)))
        if self.bad_utf8 > allowed:
            self._refuse_encoding()

    def _record(self, line: tuple[int, bytes], physical: Iterator[tuple[int, bytes]]) -> list[str] | None:
        """The fields of the record that starts on this line, or None once it was rejected."""
        number, raw = line
        if not raw.strip(b", \t\r\v\f"):
            self._blank(number)
            return None
        if len(raw) >= MAX_LINE:
            self._bad("ragged_line", "is longer than any record can be", number, [])
            return None
        text = raw.decode("utf-8", "surrogateescape")
        fields = text.split(",") if '"' not in text else self._quoted(text, number, physical)
        if fields is None:
            self._bad("unclosed_quote", "has a quotation mark that does not fit", number, text.split(","))
            return None
        if len(fields) != len(self.header):
            problem = f"has {len(fields)} columns where the header has {len(self.header)}"
            self._bad("ragged_line", problem, number, fields)
            return None
        if not any(fields):
            self._blank(number)
            return None
        if any("\x00" in value for value in fields):
            self._unclean("nul_byte", "holds a NUL character", number, fields)
            return None
        if not _is_clean("".join(fields)):
            self._count_bad_utf8(number)
            self._unclean("bad_utf8", "is not UTF-8", number, fields)
            return None
        return fields

    def _blank(self, number: int) -> None:
        """A line without a text, as spreadsheets leave them; the empty `known` says that it protects nothing."""
        self.reject("blank_line", f"{self.file}, line {number} is blank: take it out.", number, None, {})

    def _quoted(self, text: str, number: int, physical: Iterator[tuple[int, bytes]]) -> list[str] | None:
        """The fields of a line with quotes, with the lines that a quoted value goes on over.

        A value that spans lines counts only where the whole record then has its right number of columns; otherwise
        one stray quote would swallow the good lines below it.
        """
        fields = _split(text)
        if fields is not None:
            return fields
        taken: list[tuple[int, bytes]] = []
        size = len(text)
        while _is_open(text) and len(taken) < MAX_RECORD_LINES and size < MAX_LINE:
            more = self._next(physical)
            if more is None:
                break
            taken.append(more)
            addition = more[1].decode("utf-8", "surrogateescape")
            size += len(addition)
            text = f"{text}\n{addition}"
            fields = _split(text) if '"' in addition else None
            if fields is not None and len(fields) == len(self.header) and not swallows_lines(fields):
                return fields
        self._pushed_back.extendleft(reversed(taken))
        self.lines -= len(taken)
        return None

    def _bad(self, rule: str, problem: str, number: int, fields: Sequence[str]) -> None:
        """Rejects a line whose columns are in doubt: only what is before any likely break is believed."""
        source_id, known = self._left_of_the_break(fields)
        self.is_cut_off = self.is_cut_off or number == self._endless_line
        self.reject(rule, f"{self.file}, line {number} {problem}: correct it at the source.", number, source_id, known)

    def _unclean(self, rule: str, problem: str, number: int, fields: Sequence[str]) -> None:
        """Rejects a line whose columns are right but whose text is not: every clean id is known."""
        known = {
            column: value
            for column, value in zip(self.columns, fields, strict=True)
            if column is not None and column.endswith(_IDS) and value and "\x00" not in value and _is_clean(value)
        }
        message = f"{self.file}, line {number} {problem}: correct it at the source, and export the file as UTF-8."
        self.reject(rule, message, number, known.get("source_id"), known)

    def _left_of_the_break(self, fields: Sequence[str]) -> tuple[str | None, Mapping[str, str] | None]:
        """The id and the references of a ragged line, if its first columns look as they must, else (None, None).

        A line that lost its start, or two lines run together, would give a wrong id, and the row that it hides would
        look gone. So the columns sourcedId, status and dateLastModified must come first and hold what they may
        hold, and there may be few columns too many.
        """
        if tuple(self.header[:3]) != ("sourcedId", "status", "dateLastModified") or len(fields) < 4:
            return None, None
        source_id, status, changed = (value.strip().strip('"') for value in fields[:3])
        if not source_id or status not in _STATUS or not _DATE.fullmatch(changed):
            return None, None
        if len(fields) > len(self.header) + 2 or "\x00" in source_id or not _is_clean(source_id):
            return None, None
        known = {"source_id": source_id}
        # The last field of a short line may be cut in its middle.
        for column, value in list(zip(self.columns, fields, strict=False))[: max(len(fields) - 1, 0)]:
            if column in _KNOWN.get(self.collection, ()) and value and '"' not in value and _is_clean(value):
                known[str(column)] = value
        return source_id, known

    def _count_bad_utf8(self, number: int) -> None:
        self.bad_utf8 += 1
        self._first_bad_utf8 = self._first_bad_utf8 or number
        if self.bad_utf8 > BAD_UTF8_CEILING:
            self._refuse_encoding()

    def _refuse_encoding(self) -> None:
        raise FeedBroken(
            f"{self.file}, line {self._first_bad_utf8} and {self.bad_utf8 - 1} more lines are not UTF-8: the file is "
            "in another encoding (often Latin-1 or Windows-1252): export it as UTF-8."
        )

    def _next(self, physical: Iterator[tuple[int, bytes]]) -> tuple[int, bytes] | None:
        line = self._pushed_back.popleft() if self._pushed_back else next(physical, None)
        if line is not None:
            self.lines += 1
        return line

    def _physical_lines(self, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
        """(number, line without its end); the header was line 1. Over-long lines come cut at MAX_LINE."""
        number = 1
        for raw, has_end in _cut_lines(stream):
            number += 1
            if not has_end:
                self._endless_line = number
            yield number, raw


def _cut_lines(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Lines that end in LF or CRLF, mixed as they come, or in CR alone where the file's start has no LF at all."""
    rest = stream.read(1 << 16)
    end = b"\n" if b"\n" in rest or b"\r" not in rest else b"\r"
    is_skipping = False
    while True:
        chunk = stream.read(1 << 16)
        *whole, rest = (rest + chunk).split(end) if chunk or rest else [b""]
        for line in whole:
            if not is_skipping:
                yield line.rstrip(b"\r"), True
            is_skipping = False
        if len(rest) > MAX_LINE:
            if not is_skipping:
                yield rest[:MAX_LINE], True
            rest, is_skipping = b"", True
        if not chunk:
            break
    if rest and not is_skipping:
        yield rest.rstrip(b"\r"), False


def _split(text: str) -> list[str] | None:
    """The fields of a record with quotes; None where a quote does not fit. A quote inside a bare value is itself."""
    fields: list[str] = []
    offset = 0
    while True:
        found = _FIELD.match(text, offset)
        if found is None:
            return None
        quoted = found.group(1)
        fields.append(found.group(2) if quoted is None else quoted.replace('""', '"'))
        offset = found.end()
        if offset >= len(text):
            return fields
        offset += 1  # the comma; a record that ends in one has an empty last field, which the next match gives


def _is_open(text: str) -> bool:
    """Whether the text breaks off inside a quoted value, rather than at a quote in the wrong place."""
    offset = 0
    while (found := _FIELD.match(text, offset)) is not None:
        offset = found.end()
        if offset >= len(text):
            return False
        offset += 1
    # At `offset` is an opening quote: open if no closing quote followed by something else comes after it.
    return re.fullmatch(r'"(?:[^"]|"")*', text[offset:], re.DOTALL) is not None


def swallows_lines(fields: Sequence[str]) -> bool:
    """Whether a value holds what looks like a whole line of the file: two stray quotes in one column do that."""
    return any(line.count(",") >= len(fields) // 2 for value in fields if "\n" in value for line in value.splitlines())


def _is_clean(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
