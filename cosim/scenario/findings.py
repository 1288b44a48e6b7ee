"""One thing wrong with a scenario, and how it is told: file, line, key, value, what is allowed."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from cosim.core.registry import nearest
from cosim.core.units import UNITS, unit_of

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys and list places from the top of a scenario down to one value."""


@dataclass(frozen=True)
class Finding:
    """What is wrong at one place; `mark` is set where the place is not the one of the key."""

    path: KeyPath
    text: str
    allowed: str = ""
    hint: str = ""
    mark: str = ""
    missing: bool = False
    """The key is not there, so the place is that of what should contain it."""


def dotted(path: Sequence[str | int]) -> str:
    """Return a key path as people write it.

    >>> dotted(("events", 0, "at_s"))
    'events[0].at_s'
    """
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}"
    return text.removeprefix(".")


def lookup(data: Any, path: Sequence[str | int]) -> Any:
    """Return what stands at `path`, or None."""
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def shown(value: Any) -> str:
    """Return a value short enough for one line of a message."""
    if isinstance(value, Mapping):
        value = "{" + ", ".join(str(key) for key in value) + "}"
    elif isinstance(value, bool) or value is None:
        value = {True: "true", False: "false", None: "null"}[value]
    text = str(value) or "''"
    return text if len(text) <= 60 else f"{text[:57]}..."


def place(path: KeyPath, marks: Mapping[KeyPath, Any], fallback: str) -> str:
    """Return `file:line` of a key, or of the nearest key above it."""
    for length in range(len(path), 0, -1):
        if path[:length] in marks:
            return str(marks[path[:length]])
    return fallback


def told(finding: Finding, data: Any, marks: Mapping[KeyPath, Any], file: str) -> str:
    """Return the line for one finding."""
    where = finding.mark or place(finding.path, marks, f"{file}:1")
    if not finding.path:
        line = f"{where}: {finding.text}"
    else:
        value = lookup(data, finding.path)
        is_shown = not finding.missing and finding.path in marks
        given = f" = {shown(value)}" if is_shown else ""
        line = f"{where}: {dotted(finding.path)}{given}: {finding.text}"
    if finding.allowed:
        line += f"; allowed: {finding.allowed}"
    return f"{line}.{finding.hint}" if finding.hint else line


def listed(findings: Iterable[Finding], data: Any, marks: Mapping[KeyPath, Any], file: str) -> list[str]:
    """Return all findings as lines, in the order of the file, each once."""

    def order(line: str) -> tuple[str, int]:
        where, _, _ = line.partition(": ")
        name, _, number = where.rpartition(":")
        return (name, int(number)) if number.isdigit() else (where, 0)

    lines = {told(finding, data, marks, file): None for finding in findings}
    return sorted(lines, key=order)


def one_of(names: Iterable[str]) -> str:
    """Return the allowed names as a list for a message."""
    return ", ".join(names) or "none"


def quoted_key(data: Any, text: str) -> KeyPath:
    """Return the key a message is about, or nothing: the first it names as `key=value` or quotes."""
    places = [(_named_at(path, value, text), path) for path, value in _leaves(data, ())]
    return min(((at, path) for at, path in places if at >= 0), default=(0, ()), key=lambda place: place[0])[1]


def _leaves(data: Any, above: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """Yield every key in mappings with its value, those outside first."""
    items = data.items() if isinstance(data, Mapping) else ()
    for key, value in items:
        yield (*above, key), value
        yield from _leaves(value, (*above, key))


def _named_at(path: KeyPath, value: Any, text: str) -> int:
    """Return where a message names a key, by its own name or with those above it, or -1."""
    named = re.search(rf"(?<![\w.])({re.escape(dotted(path))}|{re.escape(str(path[-1]))})=", text)
    if named is not None:
        return named.start()
    return text.find(repr(value)) if isinstance(value, str) else -1


def unknown(path: KeyPath, what: str, name: str, known: Iterable[str]) -> Finding:
    """Return the finding that `name` is no known `what`, with those that are and the closest one."""
    known = tuple(known)
    return Finding(path, f"unknown {what}", one_of(known), _in_unit(name, known) or nearest(name, known))


def _in_unit(name: str, known: Iterable[str]) -> str:
    """Return the hint that the same quantity goes by another unit, if that is the case."""
    unit = unit_of(name)
    for candidate in known if unit is not None else ():
        other = unit_of(candidate)
        if other is not None and other != unit and _stem(candidate) == _stem(name):
            return f" Did you mean {candidate!r}, in {other.symbol}?"
    return ""


def _stem(name: str) -> str:
    """Return a name without its unit."""
    words = name.split("_")
    for start in range(1, len(words)):
        if "_".join(words[start:]) in UNITS:
            return "_".join(words[:start])
    return name
