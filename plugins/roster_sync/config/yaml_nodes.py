"""Reads YAML into values that remember their line, so that every complaint about a file can name the place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

# libyaml reads 1,200 districts in a tenth of the time; wheels carry it, source builds may lack it
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableYaml(ValueError):
    """The file is no YAML at all; `line` is where it stops making sense."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Value:
    """A value of the file: a scalar, a list of Values, or a mapping of Keys to Values."""

    data: Any
    line: int
    text: str = ""
    """A scalar as it is written: version 1.1 is a number to YAML, and '1.1' to us."""

    @property
    def kind(self) -> str:
        """In the words of the registry's authors."""
        if isinstance(self.data, dict):
            return "a mapping"
        if isinstance(self.data, list):
            return "a list"
        return "nothing" if self.data is None else repr(self.text)


@dataclass(frozen=True)
class Key:
    """A key and the line on which it stands; equal to another by its name alone."""

    name: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Document:
    """What a file holds, and the keys that stand in it twice."""

    root: Value
    repeated: tuple[Key, ...]


def read(path: Path) -> Document:
    """Reads one file.

    Raises:
        UnreadableYaml: it is no YAML, or no text.
    """
    loader = None
    repeated: list[Key] = []
    try:
        loader = _LOADER(path.read_text(encoding="utf-8-sig"))
        node = loader.get_single_node()
        root = Value(None, 1) if node is None else _value(loader, node, repeated)
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
    return Document(root, tuple(repeated))


def _value(loader: Any, node: yaml.Node, repeated: list[Key]) -> Value:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        repeated.extend(_repeated_keys(node))
        loader.flatten_mapping(node)  # anchors and << merges; a key of the mapping's own comes last and wins
        return Value({_key(key): _value(loader, value, repeated) for key, value in node.value}, line)
    if isinstance(node, yaml.SequenceNode):
        return Value([_value(loader, item, repeated) for item in node.value], line)
    return Value(loader.construct_object(node), line, str(node.value))


def _key(node: yaml.Node) -> Key:
    return Key(str(node.value), node.start_mark.line + 1)


def _repeated_keys(node: yaml.MappingNode) -> Iterator[Key]:
    seen: set[str] = set()
    for key, _ in node.value:
        name = str(key.value)
        if name in seen:
            yield _key(key)
        seen.add(name)
