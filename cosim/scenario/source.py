"""YAML text with the place of every key: what an error message needs to point at."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from cosim.scenario.findings import Finding, KeyPath

Data: TypeAlias = Any
"""What YAML holds: dict, list, str, int, float, bool or None, nested."""


@dataclass(frozen=True)
class Mark:
    """A place in a file; lines count from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass
class Document:
    """The data of one YAML file, the place of each of its keys, and what is wrong with its text."""

    file: str
    data: dict[str, Data] = field(default_factory=dict)
    marks: dict[KeyPath, Mark] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


class _Loader(yaml.SafeLoader):
    """YAML 1.2 scalars: 1e3 is a number; `on`, `no`, 1:30 and dates are text.

    YAML 1.1 as PyYAML reads it has 1e3 as text and 1:30 as 90, both traps for engineers.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML's design


_DEEPEST = 20
"""Levels of nesting; an alias that contains itself would have no end."""

_NUMBER = r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
_SCALARS = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][\d_]*)", "-+0123456789"),
    ("float", _NUMBER, "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", "<<", "<"),
)


class _Dumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.1 or our loader would take for something else."""


for _class in (_Loader, _Dumper):
    for _tag, _pattern, _first in _SCALARS:
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
        )


def dump(data: Data) -> str:
    """Return data as YAML text that `parse` reads back unchanged."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def read(path: Path, shown: str) -> Document:
    """Read one YAML file; everything wrong with its text becomes a finding, nothing is raised."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        return Document(shown, findings=[Finding((), f"cannot be read: {reason}", mark=shown)])
    return parse(text, shown)


def parse(text: str, shown: str) -> Document:
    """Parse YAML text that came from the file `shown`."""
    document = Document(shown)
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        what = f"not YAML: {error.reason}: character {hex(error.character)}"
        return Document(shown, findings=[Finding((), what, mark=f"{shown}:{line}")])
    try:
        root = loader.get_single_node()
        if isinstance(root, yaml.MappingNode):
            document.data = _Builder(document, loader).mapping(root, ())
        else:
            line = 1 if root is None else root.start_mark.line + 1
            what = "is empty" if root is None else "must be a mapping (key: value)"
            document.findings.append(Finding((), what, mark=f"{shown}:{line}"))
    except yaml.YAMLError as error:
        document.findings.append(_syntax(error, shown))
    finally:
        loader.dispose()
    return document


def _syntax(error: yaml.YAMLError, shown: str) -> Finding:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    where = shown if mark is None else f"{shown}:{mark.line + 1}"
    text = f"not YAML: {problem}"
    context, begun = getattr(error, "context", None), getattr(error, "context_mark", None)
    if context and begun is not None:
        text += f" ({context} begun in line {begun.line + 1})"
    return Finding((), text, mark=where)


class _Builder:
    """Turns nodes into data, noting where each key stands and which come twice."""

    def __init__(self, document: Document, loader: _Loader) -> None:
        self.document = document
        self.loader = loader

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Data]:
        found: dict[str, Data] = {}
        lines: dict[str, int] = {}
        own = {id(value) for _, value in node.value}
        self.loader.flatten_mapping(node)  # puts what comes in by `<<: *anchor` before the own keys
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if id(value_node) in own:
                if key in lines:
                    self._note((*path, key), f"given twice, first in line {lines[key]}", line)
                lines[key] = line
            self.document.marks[*path, key] = Mark(self.document.file, line)
            found[key] = self.value(value_node, (*path, key))
        return found

    def value(self, node: yaml.Node, path: KeyPath) -> Data:
        if len(path) > _DEEPEST:
            self._note(path, f"nested more than {_DEEPEST} levels deep", node.start_mark.line + 1)
            return None
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return list(self._items(node, path))
        return self._scalar(node, path)

    def _items(self, node: yaml.SequenceNode, path: KeyPath) -> Iterator[Data]:
        for place, item in enumerate(node.value):
            self.document.marks[*path, place] = Mark(self.document.file, item.start_mark.line + 1)
            yield self.value(item, (*path, place))

    def _scalar(self, node: yaml.Node, path: KeyPath) -> Data:
        try:
            return self.loader.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            what = getattr(error, "problem", None) or str(error)
            self._note(path, f"cannot be read: {what}", node.start_mark.line + 1)
            return None

    def _note(self, path: KeyPath, text: str, line: int) -> None:
        self.document.findings.append(Finding(path, text, mark=f"{self.document.file}:{line}"))
