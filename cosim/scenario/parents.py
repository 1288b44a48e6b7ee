"""Parents: a scenario says only how it differs from another one."""

import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cosim.core.errors import ScenarioError
from cosim.core.places import scenario_folder
from cosim.core.registry import nearest
from cosim.scenario.findings import Finding, KeyPath, lookup, one_of, shown
from cosim.scenario.source import Data, Document, Mark, read

APPENDED = ("events", "expect", "limits")
"""Lists that grow with `events+:` and so on; without the plus a list replaces its parent's."""

_SUFFIXES = (".yaml", ".yml")


@dataclass
class Draft:
    """A scenario with its parents merged in, not yet checked; everything found so far."""

    path: Path
    file: str
    data: dict[str, Data] = field(default_factory=dict)
    marks: dict[KeyPath, Mark] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)
    """Every file that was read, as shown in messages -> where it lies."""
    is_orphan: bool = False
    """The parent was not found: what it would have said is missing for that reason alone."""

    @property
    def name(self) -> str:
        """Return the name of the scenario."""
        return self.path.stem

    def folder(self, path: KeyPath) -> Path:
        """Return the folder of the file in which a key stands: relative file names start there."""
        mark = self.marks.get(path)
        file = self.files.get(mark.file) if mark is not None else None
        return (file or self.path).parent


def shipped() -> tuple[str, ...]:
    """Return the names of the scenarios that come with the package."""
    return tuple(sorted(path.stem for path in scenario_folder().glob("*.yaml")))


def located(path_or_name: str | Path) -> Path:
    """Return the file of a scenario given as a path or as the name of a shipped one.

    Raises ScenarioError with the shipped names when there is neither.
    """
    path = Path(path_or_name)
    if path.is_file():
        return path
    name = path.stem if path.suffix in _SUFFIXES else path.name
    ours = scenario_folder() / f"{name}.yaml"
    if len(path.parts) == 1 and ours.is_file():
        return ours
    if path.is_dir():
        msg = f"{path_or_name}: is a folder; a scenario is a YAML file or one of {one_of(shipped())}"
        raise ScenarioError(msg)
    where = "no such file" if len(path.parts) > 1 or path.suffix else "neither a file nor a shipped scenario"
    msg = f"{path_or_name}: {where}; shipped: {one_of(shipped())}.{nearest(name, shipped())}"
    raise ScenarioError(msg)


def _shown(path: Path) -> str:
    """Return a path as a person in this folder would write it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def gather(path_or_name: str | Path, changes: Mapping[str, Any] | None = None) -> Draft:
    """Read a scenario and its parents, and lay `changes` (dotted key -> value) on top.

    Raises ScenarioError when there is no such file; all else becomes a finding of the draft.
    """
    path = located(path_or_name)
    draft = _with_parents(path, ())
    if changes:
        document = Document("changes")
        for key, value in changes.items():
            _put(document, key, value)
        _lay_over(draft, document)
    return draft


def _put(document: Document, key: str, value: Data) -> None:
    data, keys = document.data, key.split(".")
    for depth, word in enumerate(keys):
        document.marks[tuple(keys[: depth + 1])] = Mark("changes", 0)
        if depth == len(keys) - 1:
            data[word] = copy.deepcopy(value)
        else:
            data = data.setdefault(word, {})


def _with_parents(path: Path, chain: tuple[Path, ...]) -> Draft:
    file = _shown(path)
    document = read(path, file)
    draft = Draft(path, file, files={file: path})
    parent = document.data.pop("parent", None)
    if parent is not None:
        mark = str(document.marks.pop(("parent",)))
        base = _parent(path, parent, mark, (*chain, path.resolve()))
        draft.data, draft.marks = base.data, base.marks
        draft.findings += base.findings
        draft.is_orphan = base.is_orphan
        draft.files |= base.files
    draft.findings += document.findings
    _lay_over(draft, document, is_child=parent is not None)
    return draft


def _parent(path: Path, parent: Data, mark: str, chain: tuple[Path, ...]) -> Draft:
    """Return the parent's draft, or an empty one with a finding."""
    empty = Draft(path, _shown(path), is_orphan=True)
    told = f"parent = {shown(parent)}"
    if not isinstance(parent, str):
        what = "a file name, or the name of a shipped scenario"
        empty.findings.append(Finding((), f"{told}: wrong type", what, mark=mark))
        return empty
    beside = path.parent / parent
    try:
        found = beside if beside.is_file() else located(Path(parent))
    except ScenarioError:
        near = nearest(Path(parent).stem, (*shipped(), *(p.stem for p in path.parent.glob("*.yaml"))))
        text = f"{told}: no such file beside {path.name} and no shipped scenario"
        empty.findings.append(Finding((), text, one_of(shipped()), near, mark=mark))
        return empty
    if found.resolve() in chain:
        circle = " -> ".join(p.name for p in (*chain[chain.index(found.resolve()) :], found))
        text = f"{told}: a scenario cannot descend from itself: {circle}"
        empty.findings.append(Finding((), text, mark=mark))
        return empty
    return _with_parents(found, chain)


def _lay_over(draft: Draft, document: Document, *, is_child: bool = True) -> None:
    for name in APPENDED:
        key = f"{name}+"
        if key not in document.data:
            continue
        more = document.data.pop(key)
        here = (key,)
        if not is_child:
            draft.marks[here] = document.marks[here]
            text = "there is no parent whose list could grow"
            draft.findings.append(Finding(here, text, name, mark=str(document.marks[here])))
            continue
        before = draft.data.get(name, [])
        if isinstance(before, list) and isinstance(more, list):
            _move(document.marks, here, (name,), len(before))
            draft.data[name] = [*before, *more]
            draft.marks |= {p: m for p, m in document.marks.items() if p[:1] == (name,)}
        else:
            document.data[name] = more
            _move(document.marks, here, (name,), 0)
    _merge(draft, draft.data, document, (), is_child=is_child)


def _move(marks: dict[KeyPath, Mark], old: KeyPath, new: KeyPath, offset: int) -> None:
    """Let marks of a list follow it to its place behind another list."""
    for path in [p for p in marks if p[: len(old)] == old]:
        rest = path[len(old) :]
        if rest and isinstance(rest[0], int):
            rest = (rest[0] + offset, *rest[1:])
        marks[(*new, *rest)] = marks.pop(path)


def _merge(draft: Draft, base: dict[str, Data], document: Document, path: KeyPath, *, is_child: bool) -> None:
    """Lay what `document` says under `path` over `base`, marks included."""
    for key, value in lookup(document.data, path).items():
        here = (*path, key)
        mark = document.marks.get(here)
        old = base.get(key)
        if is_child and value is None and (key in base or path == ("units",)):
            if key not in base:
                near = nearest(key, base)
                what = "removes a unit the parent does not have"
                draft.findings.append(Finding(here, what, one_of(base), near, mark=str(mark)))
            base.pop(key, None)
            _forget(draft.marks, here)
        elif isinstance(value, dict) and isinstance(old, dict) and not _is_another(old, value, path):
            _merge(draft, old, document, here, is_child=is_child)
            if mark is not None:
                draft.marks[here] = mark
        else:
            base[key] = value
            _forget(draft.marks, here)
            draft.marks |= {p: m for p, m in document.marks.items() if p[: len(here)] == here}


def _is_another(old: dict[str, Data], new: dict[str, Data], path: KeyPath) -> bool:
    """Whether a child's unit has another component: it replaces the parent's, its keys fit no longer."""
    return path == ("units",) and "component" in new and new["component"] != old.get("component")


def _forget(marks: dict[KeyPath, Mark], path: KeyPath) -> None:
    for known in [p for p in marks if p[: len(path)] == path]:
        del marks[known]
