"""Reads YAML and remembers the lines, so that every complaint about a file can name its line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

# libyaml reads 1,200 districts in a tenth of the time; wheels carry it, source builds may lack it
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableYaml(ValueError):
    """The file is not YAML at all; `line` is where it stops making sense."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class Scalar(str):
    """A scalar as it is written: version 1.1 is a number to YAML, and '1.1' to us."""

    __slots__ = ("data",)
    data: Any
    """What YAML makes of it."""


@dataclass
class Document:
    """What a file holds: dicts, lists and Scalars, and the lines on which they begin."""

    root: Any = None
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)
    """By the path of keys and positions; of a mapping's value it is the line of its key."""
    repeated: list[tuple[str, int]] = field(default_factory=list)
    """Keys that are in one mapping twice, and the line of the second."""

    def line_of(self, path: Iterable[str | int]) -> int:
        """Where a value is; what the file does not have is passed over."""
        found: tuple[str | int, ...] = ()
        for part in path:
            if (*found, part) in self.lines:
                found = (*found, part)
        return self.lines.get(found, 1)


def read(path: Path) -> Document:
    """Reads one file.

    Raises:
        UnreadableYaml: it is not YAML, or not text.
    """
    loader = None
    document = Document()
    try:
        loader = _LOADER(path.read_text(encoding="utf-8-sig"))
        node = loader.get_single_node()
        document.root = _scalar("", None) if node is None else _value(loader, node, (), document)
    except UnicodeDecodeError:
        raise UnreadableYaml("the file is not UTF-8 text", 1) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnreadableYaml(str(error.problem or error.context), mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, ValueError) as error:
        raise UnreadableYaml(str(error), 1) from None
    finally:
        if loader is not None:
            loader.dispose()
    return document


def kind_of(value: Any) -> str:
    """What a value is, in the words of the registry's authors."""
    if isinstance(value, Scalar):
        return "nothing" if value.data is None else repr(str(value))
    return "a mapping" if isinstance(value, dict) else "a list"


def _value(loader: Any, node: yaml.Node, path: tuple[str | int, ...], document: Document) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*path, position), document) for position, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return _scalar(str(node.value), loader.construct_object(node))
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen:
            document.repeated.append((str(key.value), key.start_mark.line + 1))
        seen.add(key.value)
    loader.flatten_mapping(node)  # anchors and << merges; a key of the mapping's own comes last and wins
    mapping = {}
    for key, value in node.value:
        here = (*path, str(key.value))
        document.lines[here] = key.start_mark.line + 1
        mapping[here[-1]] = _value(loader, value, here, document)
    return mapping


def _scalar(text: str, data: Any) -> Scalar:
    scalar = Scalar(text)
    scalar.data = data
    return scalar
