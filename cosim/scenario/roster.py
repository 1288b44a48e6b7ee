"""The units of a scenario: their kinds found, their parameters checked, one object per kind."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cosim.core.component import Component, links_of
from cosim.core.errors import ComponentError, ScenarioError, SuandianError
from cosim.core.params import Params
from cosim.core.registry import Registry, UnknownNameError
from cosim.scenario.explain import holds_path, validated
from cosim.scenario.findings import Finding, KeyPath, quoted_key, unknown
from cosim.scenario.language import UnitSpec
from cosim.scenario.parents import Draft

RESERVED = ("grid",)
"""Names no unit may have: wires use them."""

UNIT_KEYS = tuple(UnitSpec.model_fields)
"""Keys of a unit that are not parameters of its kind."""


@dataclass(frozen=True)
class Member:
    """One unit: what the scenario says about it, and the class that models it."""

    name: str
    kind: str
    model: type[Component]
    spec: UnitSpec
    params: Params | None
    """None where they are wrong."""

    @property
    def path(self) -> KeyPath:
        """Return where the unit stands in the scenario."""
        return ("units", self.name)

    def has_input(self, port: str) -> bool:
        """Return whether the kind has this input port."""
        return any(p.name == port for p in self.model.inputs)

    def has_output(self, port: str) -> bool:
        """Return whether the kind has this output port."""
        return any(p.name == port for p in self.model.outputs)


@dataclass
class Kind:
    """All units of one kind."""

    name: str
    model: type[Component]
    members: list[Member] = field(default_factory=list)
    component: Component | None = None
    """None where the parameters of a unit are wrong."""

    @property
    def is_process(self) -> bool:
        """Return whether the kind runs as a process of its own: one unit that asks is enough."""
        return any(member.spec.process for member in self.members)

    def index(self, unit: str) -> int:
        """Return the place of a unit in the arrays of its kind."""
        return [member.name for member in self.members].index(unit)


@dataclass
class Roster:
    """All units and kinds of a scenario, in the order of the file, and what is wrong with them."""

    members: dict[str, Member] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    named: tuple[str, ...] = ()
    """Every unit the scenario names, also those too broken to be a member."""
    suspects: frozenset[str] = frozenset()
    """Words that stand in broken units: a unit among them may lack a wire for that reason alone."""


def enlist(draft: Draft, registry: Registry) -> Roster:
    """Return the units of a draft. Raises ComponentError when an installed kind cannot be imported."""
    roster = Roster()
    units = draft.data.get("units", {})
    if not isinstance(units, dict):
        return roster  # the language has said so
    roster.named = tuple(units)
    for name, raw in units.items():
        roster.findings += _name_findings(name)
        member = _member(draft, registry, name, raw, roster.findings)
        if member is None:
            continue
        roster.members[name] = member
        roster.kinds.setdefault(member.kind, Kind(member.kind, member.model)).members.append(member)
    sound = {name for name, member in roster.members.items() if member.params is not None}
    roster.suspects = frozenset(word for name in units if name not in sound for word in _words(units[name]))
    for kind in roster.kinds.values():
        kind.component = _built(kind, roster.findings)
    return roster


def _words(raw: Any) -> Iterator[str]:
    """Yield every text in a value, nested ones too."""
    if isinstance(raw, str):
        yield raw
    elif isinstance(raw, dict | list):
        for item in raw.values() if isinstance(raw, dict) else raw:
            yield from _words(item)


def _name_findings(name: str) -> list[Finding]:
    path = ("units", name)
    if not (name.isascii() and name.isidentifier()):
        rule = "letters, digits and _, not starting with a digit"
        return [Finding(path, f"{name!r} is not a name a unit can have", rule)]
    if name in RESERVED:
        return [Finding(path, f"{name!r} is reserved: wires use it", "any other name")]
    return []


def _member(draft: Draft, registry: Registry, name: str, raw: Any, findings: list[Finding]) -> Member | None:
    path: KeyPath = ("units", name)
    if not isinstance(raw, dict):
        return None
    spec, _ = validated(UnitSpec, raw, path)  # its findings are those of the language
    intact = spec is not None
    spec = spec or _salvaged(raw)
    if spec is None:
        return None
    try:
        model: type[Component] = registry.get(spec.component)
    except UnknownNameError:
        findings.append(unknown((*path, "component"), "component", spec.component, registry.names()))
        return None
    _check_model(spec.component, model)
    given = {key: value for key, value in raw.items() if key not in UNIT_KEYS}
    params, wrong = validated(model.params_type, given, path, UNIT_KEYS)
    findings += wrong
    if params is not None:
        params = _with_files(draft, params, path, findings)
    if not intact:
        params = None  # what the unit is connected to is unknown, so nothing can follow from it
    return Member(name, spec.component, model, spec, params)


def _salvaged(raw: dict[str, Any]) -> UnitSpec | None:
    """Return a unit with a broken key other than its component, so its other faults show too."""
    component = raw.get("component")
    if not isinstance(component, str) or not component:
        return None
    rest = {key: value for key, value in raw.items() if key not in UNIT_KEYS}
    return UnitSpec.model_validate({"component": component, **rest})


def _check_model(name: str, model: type[Component]) -> None:
    """Raise ComponentError when a registered class is no component."""
    for attribute in ("params_type", "inputs", "outputs", "reset", "step"):
        if not hasattr(model, attribute):
            msg = f"component {name}: class {model.__qualname__} has no {attribute}"
            raise ComponentError(msg)
    starts = {port.name: port.default for port in model.inputs}
    for link in links_of(model):
        for port in link.late.values():
            if starts.get(port) is None:
                msg = f"component {name}: late link {link.param}: input {port} needs a default to start from"
                raise ComponentError(msg)


def _with_files(draft: Draft, params: Params, path: KeyPath, findings: list[Finding]) -> Params:
    """Return parameters whose file names are complete: relative ones start at the scenario file."""
    complete: dict[str, Path] = {}
    for name, info in type(params).model_fields.items():
        value = getattr(params, name)
        if not isinstance(value, Path) or not holds_path(info) or name not in params.model_fields_set:
            continue
        complete[name] = draft.folder((*path, name)) / value
        if not complete[name].exists():
            findings.append(Finding((*path, name), f"no such file: {complete[name]}", "an existing file"))
    return params.model_copy(update=complete) if complete else params


def _built(kind: Kind, findings: list[Finding]) -> Component | None:
    """Return the object that models all units of a kind, or None where it cannot be built."""
    params = [member.params for member in kind.members if member.params is not None]
    if len(params) != len(kind.members):
        own = [found for member in kind.members if member.params for found in _refusals(member)]
        findings += [found for found in own if len(found.path) > 2]  # about a key: not that others lack
        return None
    try:
        return _build(kind.name, kind.model, params)
    except ScenarioError as error:
        alone = [finding for member in kind.members for finding in _refusals(member)]
        together = [Finding(kind.members[0].path, line) for line in str(error).splitlines()]
        findings += alone or together
        return None


def _build(name: str, model: type[Component], params: Sequence[Params]) -> Component:
    """Build the object. Raises what the model raises on purpose, and ComponentError for all else."""
    try:
        return model(params)
    except SuandianError:
        raise
    except Exception as error:
        msg = f"component {name}: cannot be built: {type(error).__name__}: {error}"
        raise ComponentError(msg) from error


def _refusals(member: Member) -> list[Finding]:
    """Return what the model has against this unit alone, at the key whose value it quotes."""
    try:
        _build(member.kind, member.model, [member.params] if member.params is not None else [])
    except ScenarioError as error:
        lines = str(error).splitlines()
        return [Finding((*member.path, *quoted_key(member.spec.params, line)), line) for line in lines]
    return []
